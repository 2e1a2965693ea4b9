"""The bytes in the files: our own lines, those of other programs, damaged ones, and what a crash leaves."""

from __future__ import annotations

import json
import logging
import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jsonl_stores import LAYOUTS, Clock, facts, log_files, opened, quarantined
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl.names import file_name, stream_name
from kitty_status.eventstore.jsonl.segments import PIECE, Segment
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, events, numbers, positions, refused

SEED = [
    b'{"ts":"2026-01-10T09:00:00.000Z","type":"session.started","data":{"date":"2026-01-10"}}\n',
    b'{"ts":"2026-01-10T11:00:05.123+02:00","type":"objective.selected","data":{"id":"obj1"}}\n',
    b'{"ts":"2026-01-10T09:00:12.456Z","type":"step.created","data":{"id":"s1"}}\n',
]


def file_of(place: Path, layout: str) -> Path:
    path = {"single": "events.jsonl", "daily": "events/events/2026-05-05.jsonl"}.get(
        layout, "events/2026-05-05/a.jsonl"
    )
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    return place / path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_line_says_what_the_event_is_with_its_keys_in_order(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        store.append(event(7, stream="a", id="one", tags={"k": "v"}))
        store.append_batch([NewEvent(type="T", stream="a", at=datetime(2026, 1, 1, tzinfo=UTC)) for _ in range(2)])
    lines = file_of(tmp_path, layout).read_bytes().splitlines(keepends=True)
    assert lines[0] == (
        b'{"data":{"number":7},"id":"one","position":1,"stream":"a","tags":{"k":"v"},'
        b'"ts":"2026-01-10T09:07:00Z","type":"Counted","version":1}\n'
    )
    for line in lines:
        assert list(json.loads(line)) == sorted(json.loads(line))
    assert [json.loads(line).get("until") for line in lines] == [None, 3, 3]


@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_lines_of_another_program_get_places_and_ids_that_stay(tmp_path: Path, layout: str) -> None:
    path = file_of(tmp_path, layout)
    path.write_bytes(b"".join(SEED[:2]))
    with opened(tmp_path, layout) as store:
        first = store.get_events()
        assert facts(first) == [(1, "default", 1, {"date": "2026-01-10"}), (2, "default", 2, {"id": "obj1"})]
        assert first[1].at == datetime(2026, 1, 10, 9, 0, 5, 123000, tzinfo=UTC)
        assert store.append(event(stream="other")).position == 3
        ours = store.append(event())
        assert (ours.position, ours.version) == (4, 3)
        with path.open("ab") as file:
            file.write(SEED[2] * 2)
        assert facts(store.get_events("default", 3)) == [
            (5, "default", 4, {"id": "s1"}),
            (6, "default", 5, {"id": "s1"}),
        ]
        assert store.append(event()).version == 6
        everything = store.get_events()
        assert len({each.id for each in everything}) == 7
        assert store.get_events(EventQuery(direction="desc")) == everything[::-1]
        assert store.get_events(EventQuery(after=3, limit=2)) == everything[3:5]
        assert store.append(first[0]) == first[0]
    with opened(tmp_path, layout) as again:
        assert again.get_events() == everything
        assert again.get_events(EventQuery(after=4)) == everything[4:]
        assert again.append(everything[4]) == everything[4]
        assert again.append(event()).version == 7


def test_a_last_line_without_its_end_is_completed_by_the_next_append(tmp_path: Path) -> None:
    path = file_of(tmp_path, "single")
    path.write_bytes(SEED[0] + SEED[1][:-1])
    with opened(tmp_path, "single") as store:
        assert store.head() == 1
        assert store.append(event()).position == 3
        assert [each.type for each in store.get_events()] == ["session.started", "objective.selected", "Counted"]
    assert quarantined(tmp_path) == b""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_torn_batch_is_invisible_and_taken_out_by_the_next_append(tmp_path: Path, layout: str) -> None:
    batch = [event(number, stream="ab"[number % 2]) for number in range(4)]
    with opened(tmp_path / "whole", layout) as store:
        before = store.append_batch(batch[:2])
        store.append_batch(batch)
        whole = {path.relative_to(tmp_path / "whole"): path.read_bytes() for path in log_files(tmp_path / "whole")}
    with opened(tmp_path / "begun", layout) as store:
        store.append_batch(batch[:2])
        begun = {path.relative_to(tmp_path / "begun"): path.stat().st_size for path in log_files(tmp_path / "begun")}
    for name, data in whole.items():
        for cut in [*range(begun[name], len(data) - 1, 11), len(data) - 1]:
            place = tmp_path / f"{len(name.parts)}-{name.name}-{cut}"
            for other, content in whole.items():
                (place / other).parent.mkdir(parents=True, exist_ok=True)
                (place / other).write_bytes(content[:cut] if other == name else content)
            with opened(place, layout) as store:
                assert facts(store.get_events()) == facts(before), cut
                assert store.head() == 2
                assert facts(store.get_events(EventQuery(direction="desc"))) == facts(before)[::-1]
                lacks_only_its_end = cut == len(data) - 1
                head = 6 if lacks_only_its_end else 2
                assert positions(store.append_batch(batch)) == [head + 1, head + 2, head + 3, head + 4]
                everything = list(range(1, head + 5))
                assert positions(store.get_events()) == everything
            with opened(place, layout) as store:
                assert positions(store.get_events()) == everything
            for line in () if lacks_only_its_end else data[begun[name] : cut].split(b"\n"):
                assert line in quarantined(place)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_batch_of_which_nothing_is_left_in_one_file_is_no_batch(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        store.append(event(stream="a"))
        store.append_batch([event(stream="b"), event(stream="a")])
    path = file_of(tmp_path, layout)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with opened(tmp_path, layout) as store:
        assert store.head() == 1
        assert store.append(event(stream="b")).position == 2
        assert store.append(event(stream="b")).version == 2
        assert positions(store.get_events()) == [1, 2, 3]


@pytest.mark.parametrize(
    "damage", [b"no JSON", b"{}", b'{"ts":"2026-01-01T00:00:00","type":"T"}', b"\xff\xfe", b"\0" * 9]
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_damaged_line_is_raised_or_skipped_and_listed(
    tmp_path: Path, layout: str, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path, layout) as store:
        expected = store.append_batch(events(2, stream="a")) + store.append_batch(events(3, stream="a"))
    path = file_of(tmp_path, layout)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], damage + b"\n", *lines[3:]]))
    with opened(tmp_path, layout) as strict, refused(StoreCode.CORRUPT, f"{path.name}:3"):
        strict.get_events()
    rest = expected[:2] + expected[3:]
    with opened(tmp_path, layout, on_damage="skip") as lenient, caplog.at_level(logging.WARNING):
        assert lenient.get_events() == rest
        assert lenient.get_events(EventQuery(direction="desc")) == rest[::-1]
        assert lenient.get_events() == rest
        assert lenient.append(event(stream="a")).position == 6
        listed = [line for line in lenient.damaged_lines() if line.beginning]
        assert [(line.number, line.offset) for line in listed] == [(3, len(lines[0] + lines[1]))]
    assert sum(f"{path.name}:3" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_damaged_last_line_keeps_its_place(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        store.append_batch(events(2, stream="a"))
        store.append(event(3, stream="a"))
    path = file_of(tmp_path, layout)
    path.write_bytes(path.read_bytes()[:-20] + b"\n")
    with opened(tmp_path, layout) as strict, refused(StoreCode.CORRUPT, ":3"):
        strict.append(event())
    assert quarantined(tmp_path) == b""


def test_lines_that_are_missing_are_damage_too(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        for number in range(5):
            store.append(event(number))
    path = file_of(tmp_path, "single")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[3:]))
    with opened(tmp_path, "single") as strict, refused(StoreCode.CORRUPT, "2 to 3 are missing"):
        strict.get_events()
    path.write_bytes(b"".join(lines[:3] + lines[1:]))
    with opened(tmp_path, "single", on_damage="skip") as lenient:
        assert numbers(lenient.get_events()) == [0, 1, 2, 3, 4]
        assert [line.number for line in lenient.damaged_lines()] == [4, 5]


def test_a_file_of_a_stream_that_is_gone_is_damage(tmp_path: Path) -> None:
    with opened(tmp_path, "per-day-and-stream") as store:
        for number in range(9):
            store.append(event(number, stream="abc"[number % 3]))
    (tmp_path / "events/2026-05-05/b.jsonl").unlink()
    with opened(tmp_path, "per-day-and-stream") as strict, refused(StoreCode.CORRUPT, "missing"):
        strict.get_events()
    with opened(tmp_path, "per-day-and-stream", on_damage="skip") as lenient:
        assert numbers(lenient.get_events()) == [0, 2, 3, 5, 6, 8]
        assert lenient.append(event(stream="c")).position == 10


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    path = file_of(tmp_path, "single")
    path.write_bytes(b"\n" + SEED[0] + b"  \n\n" + SEED[1])
    with opened(tmp_path, "single") as store:
        assert positions(store.get_events()) == [1, 2]
        assert store.append(event()).position == 3
        path.write_bytes(path.read_bytes() + b"\n\n")
        assert store.append(event()).position == 4
        assert positions(store.get_events(EventQuery(direction="desc"))) == [4, 3, 2, 1]


def test_a_line_may_be_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        stored = store.append_batch([event(data="x" * size) for size in (1, 500_000, 3, 200_000)])
        assert store.get_events() == stored
        assert store.get_events(EventQuery(direction="desc")) == stored[::-1]
        with refused(StoreCode.VALIDATION_FAILED, "bytes"):
            store.append(event(data="x" * (8 << 20)))
        assert store.head() == 4


def test_there_is_no_other_layout(tmp_path: Path) -> None:
    with refused(StoreCode.VALIDATION_FAILED, "weekly"):
        opened(tmp_path, "weekly")


def test_streams_of_any_name_have_files_of_their_own(tmp_path: Path) -> None:
    names = [
        "task-AUTH-001",
        "task-auth-001",
        "a/b",
        "..",
        ".hidden",
        "con",
        "ü\u2028"[0],
        "x" * 255,
        "x" * 254 + "y",
        "a.",
        "%41",
    ]
    with opened(tmp_path, "per-day-and-stream") as store:
        store.append_batch([event(number, stream=name) for number, name in enumerate(names)])
        for number, name in enumerate(names):
            assert numbers(store.get_events(name)) == [number]
    files = [path.name for path in (tmp_path / "events/2026-05-05").iterdir()]
    assert len({name.lower() for name in files}) == len(names)
    assert "task-AUTH-001.jsonl" in files
    with opened(tmp_path, "per-day-and-stream") as store:
        assert store.append(event(stream="task-auth-001")).version == 2
        assert [stream_name(file_name(name)) for name in names if len(name) < 99] == [n for n in names if len(n) < 99]
        assert stream_name(file_name("x" * 255)) is None
    assert len(list((tmp_path / "events/2026-05-05").iterdir())) == len(names)


def test_streams_and_types_that_differ_in_capitals_only_share_no_file(tmp_path: Path) -> None:
    names = ["Task", "task", "TASK"]
    with opened(tmp_path, "per-day-and-stream") as store:
        for number, name in enumerate(names):
            store.append(event(number, stream=name, type=name))
            store.create_snapshot(name, 1, {"of": name})
    with opened(tmp_path, "per-day-and-stream") as store:
        store.append(event(stream="task", type="task"))
        store.create_snapshot("task", 2, {"of": "task again"})
        kept = [store.get_snapshot(name) for name in names]
        assert [each.state["of"] for each in kept if each is not None] == ["Task", "task again", "TASK"]
    for folder in ("snapshots", "indexes/by-type", "2026-05-05"):
        files = [path.name for path in (tmp_path / "events" / folder).iterdir()]
        assert len({name.lower() for name in files}) == len(files) == len(names)


def test_the_day_is_that_of_writing_and_never_goes_back(tmp_path: Path) -> None:
    clock = Clock()
    for layout in LAYOUTS[1:]:
        with opened(tmp_path / layout, layout, clock=clock) as store:
            store.append(event(1))
            clock.move(days=2)
            store.append(event(2))
            clock.move(days=-1)
            store.append(event(3))
            clock.move(days=-1)
            assert positions(store.get_events()) == list(range(1, store.head() + 1))
            assert positions(store.get_events(EventQuery(direction="desc", limit=2))) == [
                store.head(),
                store.head() - 1,
            ]
    assert [path.stem for path in log_files(tmp_path / "daily")] == ["2026-05-05", "2026-05-07"]
    assert len((tmp_path / "daily/events/events/2026-05-07.jsonl").read_bytes().splitlines()) == 3


def test_there_may_be_more_streams_on_a_day_than_files_can_be_open(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_already = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_already + 200, hard))
    try:
        with opened(tmp_path, "per-day-and-stream", durability=OS) as store:
            for _ in range(3):
                store.append_batch([event(number, stream=f"s{number}", data="x" * 5000) for number in range(400)])
            assert positions(store.stream_events()) == list(range(1, 1201))
            assert positions(store.stream_events(EventQuery(direction="desc"))) == list(range(1200, 0, -1))
        with opened(tmp_path, "per-day-and-stream") as store:
            assert store.append(event(stream="s7")).version == 4
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_lines_of_another_program_are_understood_from_any_place_in_any_days_file(tmp_path: Path) -> None:
    folder = tmp_path / "events/events"
    folder.mkdir(parents=True)
    foreign = [b'{"ts":"2026-01-10T09:00:00Z","type":"T%d","data":%d}\n' % (n % 3, n) for n in range(3000)]
    (folder / "2026-05-01.jsonl").write_bytes(b"".join(foreign[:1000]))
    (folder / "2026-05-02.jsonl").touch()
    (folder / "2026-05-03.jsonl").write_bytes(b"".join(foreign[1000:2000]))
    clock = Clock(datetime(2026, 5, 3, tzinfo=UTC))
    with opened(tmp_path, "daily", clock=clock) as store:
        assert store.append(event()).version == 2001
    with (folder / "2026-05-03.jsonl").open("ab") as file:
        file.writelines(foreign[2000:])
    with opened(tmp_path, "daily", clock=clock) as store:
        assert store.head() == 3001
        everything = store.get_events()
    assert [each.version for each in everything] == list(range(1, 3002))
    for query in (
        EventQuery(after=2500, limit=3),
        EventQuery(direction="desc", limit=3),
        EventQuery(before=1500, direction="desc", limit=3),
        EventQuery(after=1999, before=2004),
        EventQuery(after=990, before=1010, direction="desc"),
        EventQuery(streams="default", after_version=2999),
    ):
        expected = list(filter(query.matches, everything))[:: -1 if query.is_backwards else 1][: query.limit]
        with opened(tmp_path, "daily", clock=clock) as cold:
            assert cold.get_events(query) == expected, query
    with opened(tmp_path, "daily", clock=clock) as store:
        ours = store.append(event())
        with (folder / "2026-05-03.jsonl").open("ab") as file:
            file.writelines(foreign[:2])
        assert [each.version for each in store.get_events(EventQuery(after=ours.position))] == [3003, 3004]
        latest = store.get_events(EventQuery(after=ours.position - 1, direction="desc"))
        assert [each.version for each in latest] == [3004, 3003, 3002]


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_a_damaged_first_line_of_a_day_hides_no_other_line(tmp_path: Path, layout: str) -> None:
    clock = Clock()
    with opened(tmp_path, layout, clock=clock) as store:
        store.append_batch(events(3, stream="a"))
        clock.move(days=1)
        store.append_batch(events(3, stream="b"))
        expected = store.get_events()
    path = log_files(tmp_path)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"{}\n" + b"".join(lines[1:]))
    with opened(tmp_path, layout, clock=clock, on_damage="skip") as lenient:
        rest = [each for each in expected if each.position != 4]
        assert lenient.get_events() == rest
        assert lenient.get_events(EventQuery(direction="desc")) == rest[::-1]
        assert lenient.get_events(EventQuery(after=2, limit=2)) == rest[2:4]


def test_files_side_by_side_are_read_on_where_one_is_longer(tmp_path: Path) -> None:
    with opened(tmp_path, "per-day-and-stream", durability=OS) as store:
        sizes = {"a": 40_000, "b": 10, "c": 3_000}
        batch = [event(stream=stream, data="x" * sizes[stream]) for stream in "abbbc" * 12]
        stored = store.append_batch(batch)
        assert store.get_events() == stored
        assert store.get_events(EventQuery(direction="desc")) == stored[::-1]
        for after in (0, 7, 31, 58):
            assert store.get_events(EventQuery(after=after, limit=5)) == stored[after : after + 5]
            before = EventQuery(before=after + 2, direction="desc", limit=5)
            assert store.get_events(before) == stored[: after + 1][::-1][:5]


def test_lines_of_another_program_in_a_folder_of_streams_are_damaged(tmp_path: Path) -> None:
    layout = "per-day-and-stream"
    with opened(tmp_path, layout) as store:
        stored = [store.append(event(number, stream="a")) for number in range(3)]
    with file_of(tmp_path, layout).open("ab") as file:
        file.writelines(SEED)
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, "a.jsonl:4", "position"):
        store.get_events()
    with opened(tmp_path, layout, on_damage="skip") as store:
        assert store.get_events() == stored
        assert store.append(event(3, stream="a")).version == 4
        assert [line.number for line in store.damaged_lines()] == [4, 5, 6]
        assert numbers(store.get_events(EventQuery(direction="desc"))) == [3, 2, 1, 0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_line_that_names_a_place_beyond_all_numbers_is_damaged(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        store.append(event(1, stream="a"))
    path = file_of(tmp_path, layout)
    path.write_bytes(path.read_bytes() + path.read_bytes().replace(b'"position":1', b'"position":%d' % 10**30))
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, ":2"):
        store.get_events()
    with opened(tmp_path, layout, on_damage="skip") as store:
        assert numbers(store.get_events()) == [1]
        store.append(event(2, stream="a"))
        assert numbers(store.get_events()) == [1, 2]
        assert numbers(store.get_events(EventQuery(order_by="timestamp"))) == [1, 2]


def test_a_key_that_stands_twice_in_a_line_of_another_program_is_damage(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        store.append(event())
    with file_of(tmp_path, "single").open("ab") as file:
        file.write(b'{"ts":"2026-01-10T09:00:00Z","type":"one","type":"two","data":{}}\n')
        file.write(b'{"ts":"2026-01-10T09:00:00Z","type":"one","data":{"a":1,"a":2}}\n')
    with opened(tmp_path, "single", on_damage="skip") as store:
        assert positions(store.get_events()) == [1]
        damaged = store.damaged_lines()
        assert [line.number for line in damaged] == [2, 3]
        assert all("twice" in line.why for line in damaged)


def test_each_damaged_line_is_counted_from_the_one_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file_of(tmp_path, "single")
    path.write_bytes(b"no json at all\n" * 2000)
    read: list[int] = []
    pieces = Segment.pieces

    def counted(self: Segment, start: int, end: int | None = None, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        for offset, data in pieces(self, start, end, largest):
            read.append(len(data))
            yield offset, data

    monkeypatch.setattr(Segment, "pieces", counted)
    with opened(tmp_path, "single", on_damage="skip") as store:
        assert [line.number for line in store.damaged_lines()] == list(range(1, 2001))
    assert sum(read) < 20 * path.stat().st_size


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("line", ["no json at all", "the first line again"])
def test_what_is_appended_behind_a_damaged_line_is_read(tmp_path: Path, layout: str, count: int, line: str) -> None:
    with opened(tmp_path, layout) as store:
        store.append_batch(events(count, stream="a"))
    path = file_of(tmp_path, layout)
    kept = path.read_bytes()
    path.write_bytes(kept + (kept.splitlines()[0] if "again" in line else line.encode()) + b"\n")
    for extra in (1, 2):
        with opened(tmp_path, layout, on_damage="skip") as store:
            store.append(event(count + extra, stream="a"))
            assert numbers(store.get_events()) == list(range(1, count + extra + 1))
    assert path.read_bytes().startswith(kept)


def test_a_state_in_the_folder_of_another_stream_is_not_that_streams(tmp_path: Path) -> None:
    with opened(tmp_path, "daily") as store:
        store.append_batch([event(stream="A"), event(stream="a")])
        store.create_snapshot("A", 1, {"of": "A"})
        folder = tmp_path / "events/snapshots"
        (folder / "A").rename(folder / "a")
        assert store.get_snapshot("a") is None
        store.create_snapshot("a", 1, {"of": "a"})
        kept = store.get_snapshot("a")
        assert kept is not None
        assert kept.state == {"of": "a"}
