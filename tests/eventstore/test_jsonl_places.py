"""The places of lines: what was damaged, put between, merged or lost is told, and never what was acknowledged."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from jsonl_stores import LAYOUTS, NOON, Clock, log_files, opened
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, events, positions, refused

DAYS = LAYOUTS[1:]
NEWEST_FIRST = EventQuery(direction="desc")
BY_TIME = EventQuery(order_by="timestamp")


def own(name: str, position: int, version: int, until: int = 0) -> bytes:
    more = b'"until":%d,' % until if until else b""
    return (
        b'{"data":{},"id":"%s","position":%d,"stream":"s","ts":"2026-01-10T09:00:00Z","type":"T",%s"version":%d}\n'
        % (name.encode(), position, more, version)
    )


def file_with(place: Path, layout: str, data: bytes) -> Path:
    names = {"single": "events.jsonl", "daily": "events/events/2026-05-05.jsonl"}
    path = place / names.get(layout, "events/2026-05-05/s.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def ids(found: list[Event]) -> list[str]:
    return [each.id for each in found]


WRECKS = {
    "markers round two branches": (
        own("a", 1, 1) + b"<<<<<<< HEAD\n" + own("b", 2, 2) + b"=======\n" + own("c", 2, 2) + b">>>>>>> x\n",
        ["a", "b"],
    ),
    "junk at the end": (own("a", 1, 1) + b"junk\njunk\n", ["a"]),
    "junk between": (own("a", 1, 1) + own("b", 2, 2) + b"junk\n" + own("c", 3, 3) + own("d", 4, 4), list("abcd")),
    "two lines of junk between": (own("a", 1, 1) + b"junk\njunk\n" + own("b", 2, 2) + own("c", 3, 3), list("abc")),
    "junk in the place of a line": (own("a", 1, 1) + b"junk\n" + own("c", 3, 3) + own("d", 4, 4), list("acd")),
    "junk at both ends": (b"junk\n" + own("a", 1, 1) + b"junk\n" + own("b", 2, 2) + b"junk\n", ["a", "b"]),
    "the same event twice": (own("a", 1, 1) + own("b", 2, 2) + own("b", 2, 2), ["a", "b"]),
    "two branches one behind the other": (own("a", 1, 1) + own("b", 2, 2) + own("c", 2, 2), ["a", "b"]),
    "a shorter branch behind a longer one": (
        own("a", 1, 1) + own("b", 2, 2) + own("d", 3, 3) + own("e", 4, 4) + own("c", 2, 2),
        list("abde"),
    ),
    "a batch with junk in it": (own("a", 1, 1) + own("b", 2, 2, 3) + b"junk\n" + own("c", 3, 3, 3), list("abc")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("wreck", WRECKS)
def test_what_is_appended_to_a_damaged_log_is_seen_by_everybody(tmp_path: Path, layout: str, wreck: str) -> None:
    data, whole = WRECKS[wreck]
    path = file_with(tmp_path, layout, data)
    with opened(tmp_path, layout) as strict, refused(StoreCode.CORRUPT, path.name):
        strict.get_events()
    with opened(tmp_path, layout) as strict, refused(StoreCode.CORRUPT, path.name):
        strict.append(event())
    assert path.read_bytes() == data
    for extra in range(3):
        with (
            opened(tmp_path, layout, on_damage="skip") as watching,
            opened(tmp_path, layout, on_damage="skip") as store,
        ):
            assert ids(watching.get_events()) == whole
            for number in range(2):
                stored = store.append(event(id=f"{extra}-{number}", stream="s"))
                whole = [*whole, stored.id]
                with opened(tmp_path, layout, on_damage="skip") as new:
                    for each in (store, watching, new):
                        found = each.get_events()
                        assert ids(found) == whole
                        assert len(set(positions(found))) == len(found)
                        assert positions(found) == sorted(positions(found))
                        assert each.head() == stored.position
                        assert each.get_events(NEWEST_FIRST) == found[::-1]
                        assert each.get_event(stored.id) == stored
                        assert each.get_events(EventQuery(after=stored.position - 1)) == [stored]
                assert store.append(event(id=f"{extra}-{number}", stream="s")) == stored


@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_a_branch_that_was_put_behind_a_longer_one_hides_nothing(tmp_path: Path, layout: str) -> None:
    first = b"".join(own(f"a{number}", number, number) for number in range(1, 601))
    second = b"".join(own(f"b{number}", number, number) for number in range(301, 501))
    file_with(tmp_path, layout, first + second)
    for query in (EventQuery(), NEWEST_FIRST, BY_TIME):
        with opened(tmp_path, layout) as strict, refused(StoreCode.CORRUPT, ":601"):
            strict.get_events(query)
        with opened(tmp_path, layout, on_damage="skip") as lenient:
            assert sorted(ids(lenient.get_events(query))) == sorted(f"a{number}" for number in range(1, 601))
    with opened(tmp_path, layout) as strict, refused(StoreCode.CORRUPT, ":601"):
        strict.append(event())
    with opened(tmp_path, layout, on_damage="skip") as lenient:
        assert lenient.append(event(stream="s")).position == 601
        assert lenient.head() == 601


def test_many_days_that_are_out_of_order_are_all_read(tmp_path: Path) -> None:
    for day in range(9):
        first = [own(f"{day}-{number}", day * 3 + number, day * 3 + number) for number in (1, 2, 3)]
        path = tmp_path / f"events/events/2026-05-{day + 1:02d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join([*first, first[1]]))
    expected = [f"{day}-{number}" for day in range(9) for number in (1, 2, 3)]
    for query in (EventQuery(), NEWEST_FIRST, EventQuery(direction="desc", limit=20)):
        with opened(tmp_path, "daily", on_damage="skip") as store:
            found = ids(store.get_events(query))
            assert found == (expected[::-1][: query.limit] if query.is_backwards else expected)


def three_days(place: Path, layout: str, days: int = 3) -> list[Event]:
    clock = Clock()
    with opened(place, layout, clock=clock) as store:
        for day in range(days):
            if day:
                clock.move(days=1)
            store.append_batch([event(n, id=f"{day}-{n}", stream="a", at=clock()) for n in range(3)])
        return store.get_events()


def day_file(place: Path, day: int) -> Path:
    (path,) = (path for path in log_files(place) if f"2026-05-{5 + day:02d}" in str(path))
    return path


def lose(path: Path, how: str) -> None:
    if how == "removed":
        path.unlink()
        if path.name == "a.jsonl":
            path.parent.rmdir()
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    else:
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[1:]))


ASKED: list[Callable[[JsonlEventStore], object]] = [
    lambda store: store.get_events(),
    lambda store: store.get_events(NEWEST_FIRST),
    lambda store: store.get_events(BY_TIME),
    lambda store: store.get_events("a"),
    lambda store: store.get_event("1-1"),
    lambda store: store.append(event(id="1-1", data="other")),
    lambda store: store.append(event()),
]


@pytest.mark.parametrize("layout", DAYS)
@pytest.mark.parametrize("how", ["removed", "emptied", "cut", "beheaded"])
@pytest.mark.parametrize("day", [0, 1])
def test_a_day_of_which_something_is_missing_is_noticed(tmp_path: Path, layout: str, how: str, day: int) -> None:
    expected = three_days(tmp_path, layout)
    clock = Clock(NOON + timedelta(days=2))
    with opened(tmp_path, layout, clock=clock) as before:
        assert before.get_events() == expected
        lose(day_file(tmp_path, day), how)
        for ask in ASKED:
            with opened(tmp_path, layout, clock=clock) as store, refused(StoreCode.CORRUPT):
                ask(store)
        with refused(StoreCode.CORRUPT):
            before.get_events()
        with refused(StoreCode.CORRUPT):
            before.get_events(NEWEST_FIRST)
    with opened(tmp_path, layout, clock=clock, on_damage="skip") as store:
        left = store.get_events()
        assert ids(left) == [each.id for each in expected if each.id in ids(left)]
        assert ids(left)[-3:] == ["2-0", "2-1", "2-2"]
        assert store.get_events(NEWEST_FIRST) == left[::-1]
        assert any("missing" in line.why for line in store.damaged_lines())
        assert store.append(event()).position == expected[-1].position + 1


@pytest.mark.parametrize("layout", DAYS)
def test_a_day_that_is_lost_from_under_an_open_store_is_noticed_before_anything_is_appended(
    tmp_path: Path, layout: str
) -> None:
    three_days(tmp_path, layout)
    clock = Clock(NOON + timedelta(days=2))
    with opened(tmp_path, layout, clock=clock) as store:
        store.append(event(stream="a"))
        lose(day_file(tmp_path, 2), "removed")
        with refused(StoreCode.CORRUPT, "2026-05-07"):
            store.get_events()
        with refused(StoreCode.CORRUPT, "2026-05-07"):
            store.append(event())
        assert len(log_files(tmp_path)) == 2


@pytest.mark.parametrize("layout", DAYS)
def test_a_manifest_of_an_archive_that_is_missing_is_noticed(tmp_path: Path, layout: str) -> None:
    expected = three_days(tmp_path, layout, 4)
    clock = Clock(NOON + timedelta(days=3))
    with opened(tmp_path, layout, clock=clock) as store:
        assert store.compact_events(NOON + timedelta(days=2)) > 0
        assert store.get_events() == expected
    for day in ("2026-05-06", "2026-05-05"):
        manifest = tmp_path / f"events/archive/{day}.json"
        kept = manifest.read_bytes()
        manifest.unlink()
        with opened(tmp_path, layout, clock=clock) as store, refused(StoreCode.CORRUPT, "missing"):
            store.get_events()
        with opened(tmp_path, layout, clock=clock) as store, refused(StoreCode.CORRUPT, "missing"):
            store.append(event(id="0-1", data="other"))
        manifest.write_bytes(kept)
    with opened(tmp_path, layout, clock=clock) as store:
        assert store.get_events() == expected


@pytest.mark.parametrize("layout", DAYS)
def test_a_file_of_another_day_that_was_copied_is_noticed(tmp_path: Path, layout: str) -> None:
    expected = three_days(tmp_path, layout)
    copy = Path(str(day_file(tmp_path, 1)).replace("05-06", "05-10"))
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(day_file(tmp_path, 1).read_bytes())
    clock = Clock(NOON + timedelta(days=9))
    for ask in (ASKED[0], ASKED[-1]):
        with opened(tmp_path, layout, clock=clock) as store, refused(StoreCode.CORRUPT):
            ask(store)
    with opened(tmp_path, layout, clock=clock, on_damage="skip") as store:
        assert store.get_events() == expected
        assert store.append(event(id="new")).position > expected[-1].position
        assert ids(store.get_events())[-1] == "new"


def test_one_position_in_two_files_is_noticed(tmp_path: Path) -> None:
    layout = "per-day-and-stream"
    path = file_with(tmp_path, layout, own("a", 1, 1) + own("b", 2, 2) + own("d", 3, 3))
    path.with_name("t.jsonl").write_bytes(own("c", 2, 1).replace(b'"s"', b'"t"'))
    for query in (EventQuery(), NEWEST_FIRST):
        with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, "two files", "b", "c"):
            store.get_events(query)
        with opened(tmp_path, layout, on_damage="skip") as store:
            assert sorted(ids(store.get_events(query))) == ["a", "b", "d"]
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, "two files"):
        store.append(event())


REPEATED = {
    "an id": own("a", 1, 1) + own("a", 2, 2),
    "a version that jumps": own("a", 1, 1) + own("b", 2, 7),
    "a version that goes back": own("a", 1, 1) + own("b", 2, 2) + own("c", 3, 2),
    "a first version": own("a", 1, 2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("what", REPEATED)
def test_nothing_is_appended_where_ids_and_versions_are_wrong(tmp_path: Path, layout: str, what: str) -> None:
    path = file_with(tmp_path, layout, REPEATED[what])
    line = path.read_bytes().count(b"\n")
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, f":{line}"):
        store.append(event(stream="s"))
    with opened(tmp_path, layout) as store:
        store.path.parent.mkdir(exist_ok=True)
    with opened(tmp_path, layout, on_damage="skip") as store:
        store.append(event(id="new", stream="s"))
        assert ids(store.get_events())[-1] == "new"
        assert [each.number for each in store.damaged_lines()] == [line]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_id_that_another_process_repeats_is_noticed(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        store.append(event(id="a", stream="s"))
        (path,) = log_files(tmp_path)
        with path.open("ab") as file:
            file.write(own("a", 2, 2))
        for _ in range(3):
            with refused(StoreCode.CORRUPT, ":2", "'a'"):
                store.append(event(stream="s"))


@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_lines_of_other_programs_with_one_id_are_noticed(tmp_path: Path, layout: str) -> None:
    line = b'{"id":"x","ts":"2026-01-10T09:00:00Z","type":"T","data":{}}\n'
    file_with(tmp_path, layout, line * 2)
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, ":2", "'x'"):
        store.append(event())


@pytest.mark.parametrize("layout", LAYOUTS[:2])
def test_lines_of_other_programs_may_name_their_stream(tmp_path: Path, layout: str) -> None:
    def line(stream: str) -> bytes:
        return b'{"ts":"2026-01-10T09:00:00Z","type":"T","stream":"%s","data":{}}\n' % stream.encode()

    path = file_with(tmp_path, layout, line("a") + line("b") + line("a"))

    def told(store: JsonlEventStore) -> list[tuple[int, str, int]]:
        return [(each.position, each.stream, each.version) for each in store.get_events()]

    expected = [(1, "a", 1), (2, "b", 1), (3, "a", 2)]
    with opened(tmp_path, layout) as store:
        assert told(store) == expected
        assert store.append(event(stream="a")).version == 3
        with path.open("ab") as file:
            file.write(line("a") + line("default") + line("a"))
        expected += [(4, "a", 3), (5, "a", 4), (6, "default", 1), (7, "a", 5)]
        assert told(store) == expected
        assert store.append(event(stream="b")).version == 2
    expected.append((8, "b", 2))
    with opened(tmp_path, layout) as store:
        assert told(store) == expected
        assert [each.version for each in store.get_events(NEWEST_FIRST)] == [each[2] for each in expected[::-1]]
        assert store.append(event(stream="a")).version == 6
        last = store.get_events("a", 4)
        assert store.append(last[0]) == last[0]


@pytest.mark.parametrize("layout", LAYOUTS[:2])
@pytest.mark.parametrize("stream", [b'""', b"5", b'"\\u0000"', b"null"])
def test_a_stream_that_no_event_can_have_is_damage(tmp_path: Path, layout: str, stream: bytes) -> None:
    file_with(
        tmp_path, layout, own("a", 1, 1) + b'{"ts":"2026-01-10T09:00:00Z","type":"T","stream":%s,"data":{}}\n' % stream
    )
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, ":2", "stream"):
        store.get_events()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("deep", [b'{"ts":"2026-01-10T09:00:00Z","type":"x","data":%s}\n', own("b", 2, 2)])
def test_a_line_that_is_nested_too_deeply_is_a_damaged_one(tmp_path: Path, layout: str, deep: bytes) -> None:
    nested = b"[" * 5000 + b"]" * 5000
    line = deep % nested if b"%s" in deep else deep.replace(b"{}", nested, 1)
    file_with(tmp_path, layout, own("a", 1, 1) + line)
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, ":2"):
        store.get_events()
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, ":2"):
        store.append(event())
    with opened(tmp_path, layout, on_damage="skip") as store:
        store.append(event(id="new", stream="s"))
        assert ids(store.get_events()) == ["a", "new"]
        assert len(store.damaged_lines()) >= 1


def test_line_endings_that_were_changed_are_said_so(tmp_path: Path) -> None:
    file_with(tmp_path, "single", own("a", 1, 1)[:-1] + b"\r\n")
    with opened(tmp_path, "single", on_damage="skip") as store:
        assert ids(store.get_events()) in ([], ["a"])
    file_with(tmp_path, "single", b'{"ts":"2026-01-10T09:00:00Z","type":"x","data":{}}\r\n')
    with opened(tmp_path, "single") as store, refused(StoreCode.CORRUPT, "CR LF", "line endings"):
        store.get_events()


CONTENTS = {
    "a database": b"SQLite format 3\0" + bytes(range(256)) * 40,
    "a diary": b"my diary\nlast thought",
    "one line": b"my diary, one line",
    "lines": b"my diary\nlast thought\n",
    "JSON": b'{"name": "a program"}',
    "JSON in lines": b'{\n  "name": "a program"\n}',
}


@pytest.mark.parametrize("layout", LAYOUTS[:2])
@pytest.mark.parametrize("on_damage", ["raise", "skip"])
@pytest.mark.parametrize("content", CONTENTS)
def test_a_file_without_a_single_event_is_left_alone(tmp_path: Path, layout: str, on_damage: str, content: str) -> None:
    path = file_with(tmp_path, layout, CONTENTS[content])
    with opened(tmp_path, layout, on_damage=on_damage) as store, refused(StoreCode.CORRUPT):
        store.append(event())
    assert path.read_bytes() == CONTENTS[content]
    assert not list(tmp_path.rglob("quarantine"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_first_line_that_a_crash_has_torn_is_no_other_content(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path / "whole", layout) as store:
        store.append_batch(events(3, stream="s"))
    (whole,) = log_files(tmp_path / "whole")
    data = whole.read_bytes()
    for cut in (1, 30, data.index(b"\n"), data.index(b"\n") + 1, data.index(b"\n") + 40, len(data) - 1):
        place = tmp_path / str(cut)
        file_with(place, layout, data[:cut])
        with opened(place, layout) as store:
            store.append(event(id="new", stream="s"))
            assert ids(store.get_events())[-1] == "new"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_with_another_name_is_not_appended_to(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        store.append(event(stream="s"))
        (path,) = log_files(tmp_path)
        os.link(path, tmp_path / "other")
        with refused(StoreCode.STORAGE_ERROR, "hard links"):
            store.append(event(stream="s"))
    with opened(tmp_path, layout) as store:
        with refused(StoreCode.STORAGE_ERROR, "hard links"):
            store.append(event(stream="s"))
        assert store.count_events() == 1
        (tmp_path / "other").unlink()
        assert store.append(event(stream="s")).position == 2
