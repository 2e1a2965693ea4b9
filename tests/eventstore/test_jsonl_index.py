"""The index: derived from the log, caught up when a question needs it, never trusted over the log."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from jsonl_stores import LAYOUTS, NOON, Clock, log_files, opened
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.jsonl import finding, indexing, known
from kitty_status.eventstore.jsonl.index import Index
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import MOMENT, event, positions, refused

QUERIES = [
    EventQuery(types="T3"),
    EventQuery(types=["T3", "T4", "T5"]),
    EventQuery(streams="s7"),
    EventQuery(streams="s7", after_version=3),
    EventQuery(tags={"issueId": "11"}),
    EventQuery(tags={"issueId": "11", "even": "0"}),
    EventQuery(issue_ids=["11", "12"], types="T1"),
    EventQuery(ids=["e5", "e77", "e1999", "nobody"]),
    EventQuery(any_of=(EventQuery(types="T3"), EventQuery(ids="e8"), EventQuery(tags={"issueId": "9"}))),
    EventQuery(start=MOMENT + timedelta(days=3), end=MOMENT + timedelta(days=4)),
    EventQuery(types="T3", start=MOMENT + timedelta(days=3)),
    EventQuery(types="nothing"),
    EventQuery(types="T3", after=500, before=1500),
    EventQuery(types="T3", offset=3, limit=4),
]


@pytest.fixture(autouse=True)
def _a_small_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LAG", 50)
    monkeypatch.setattr(finding, "_DEARER", 1)
    monkeypatch.setattr(indexing, "_IN_ONE_STEP", 300)
    monkeypatch.setattr(finding, "_FIRST_PAGE", 4)


def fill(store: JsonlEventStore | MemoryEventStore, first: int, last: int) -> None:
    for start in range(first, last, 100):
        store.append_batch(
            [
                event(
                    number,
                    id=f"e{number}",
                    type=f"T{number % 23}",
                    stream=f"s{number % 31}",
                    at=MOMENT + timedelta(hours=number / 10),
                    tags={"issueId": str(number % 37), "even": [str(number % 2), str(number % 3 + 10)]},
                )
                for number in range(start, min(start + 100, last))
            ]
        )


def shape(found: Iterator[Event] | list[Event]) -> list[tuple[int, str, int]]:
    return [(each.position, each.id, each.version) for each in found]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_index_finds_what_reading_everything_finds(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store, MemoryEventStore() as memory:
        for first, last in ((0, 1000), (1000, 1970), (1970, 2000)):
            fill(store, first, last)
            fill(memory, first, last)
            for query, direction, order in product(QUERIES, ("asc", "desc"), ("position", "timestamp")):
                asked = query.narrowed(direction=direction, order_by=order)
                assert shape(store.stream_events(asked)) == shape(memory.stream_events(asked)), asked
        assert store._finder.index.reached() == 1970
        page, cursor = store.get_page(QUERIES[0].narrowed(limit=7))
        rest, _ = store.get_page(QUERIES[0].narrowed(limit=99, cursor=cursor))
        assert shape(page + rest) == shape(memory.get_events(QUERIES[0]))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_store_that_is_opened_again_asks_the_index_for_ids_and_versions(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        fill(store, 0, 1000)
    with opened(tmp_path, layout) as store:
        old = store.append_batch(
            [
                event(
                    5,
                    id="e5",
                    type="T5",
                    stream="s5",
                    at=MOMENT + timedelta(hours=0.5),
                    tags={"issueId": "5", "even": ["1", "12"]},
                )
            ]
        )
        assert positions(old) == [6]
        assert store._finder.index.reached() == 1000
        with refused(StoreCode.DUPLICATE_EVENT, "e5"):
            store.append(event(id="e5"))
        assert store.append(event(stream="s30")).version == len(range(30, 1000, 31)) + 1
        assert store.append(event(stream="new"), expected_version=0).version == 1
        fill(store, 1000, 1100)
        with refused(StoreCode.DUPLICATE_EVENT, "e1050"):
            store.append(event(id="e1050"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lines_of_other_programs_are_indexed_with_what_they_do_not_say(tmp_path: Path, layout: str) -> None:
    if layout == "per-day-and-stream":
        pytest.skip("there every line says its position")
    with opened(tmp_path, layout) as store:
        fill(store, 0, 100)
        (path,) = log_files(tmp_path)
        with path.open("ab") as file:
            file.writelines(b'{"ts":"2026-01-10T09:00:00Z","type":"Foreign","data":%d}\n' % n for n in range(3))
        fill(store, 100, 300)
        found = store.get_events(EventQuery(types="Foreign"))
        assert store._finder.index.reached() == 303
        assert [(each.position, each.version, each.data) for each in found] == [(101, 1, 0), (102, 2, 1), (103, 3, 2)]
        assert store.get_event(found[1].id) == found[1]
        assert found == store.get_events(EventQuery(after=100, limit=3))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_index_that_says_what_the_log_does_not_is_made_anew(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        fill(store, 0, 500)
        expected = shape(store.stream_events(EventQuery(types="T3")))
        index = store.layout.index
    for wreck in (
        "UPDATE places SET start = start + 1",
        "UPDATE places SET position = -position",
        "DELETE FROM places",
    ):
        with sqlite3.connect(index) as connection:
            connection.execute(wreck)
        connection.close()
        with opened(tmp_path, layout) as store:
            assert shape(store.stream_events(EventQuery(types="T3"))) == expected
            assert shape(store.stream_events(EventQuery(types="T3", direction="desc"))) == expected[::-1]
            assert shape(store.stream_events(EventQuery(types="T3"))) == expected
            assert store._finder.index.reached() == 500


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_index_of_other_files_is_made_anew(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path / "a", layout) as store:
        fill(store, 0, 500)
        store.get_events(EventQuery(types="T3"))
        index = store.layout.index.read_bytes()
    with opened(tmp_path / "b", layout) as store:
        fill(store, 100, 800)
        store.layout.index.parent.mkdir(parents=True)
        store.layout.index.write_bytes(index)
        assert [each.data["number"] for each in store.get_events(EventQuery(types="T3"))] == [
            number for number in range(100, 800) if number % 23 == 3
        ]


@pytest.mark.parametrize("content", [b"", b"no database, but long enough to be looked at" * 100])
def test_an_index_that_is_damaged_is_no_reason_to_answer_nothing(tmp_path: Path, content: bytes) -> None:
    with opened(tmp_path, "single") as store:
        fill(store, 0, 500)
        expected = shape(store.stream_events(EventQuery(types="T3")))
        index = store.layout.index
    index.write_bytes(content)
    with opened(tmp_path, "single") as store:
        assert shape(store.stream_events(EventQuery(types="T3"))) == expected
        assert store._finder.index.reached() == 500


def test_where_no_index_can_be_everything_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path, "single") as store:
        fill(store, 0, 500)
        store.layout.index.parent.parent.mkdir(exist_ok=True)
        store.layout.index.parent.touch()
        assert len(store.get_events(EventQuery(types="T3"))) == 22
        assert "without the index" in caplog.text


def test_no_append_waits_for_the_index(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        fill(store, 0, 1000)
        assert not store.layout.index.exists()


def test_memory_of_ids_and_versions_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_MOST_REMEMBERED", 120)
    with opened(tmp_path, "single") as store:
        fill(store, 0, 1000)
        assert len(store._known.ids) <= 220
        assert store.append(event(stream="s30")).version == len(range(30, 1000, 31)) + 1
        with refused(StoreCode.DUPLICATE_EVENT, "e5"):
            store.append(event(id="e5"))


def test_the_indexes_by_type_and_stream_are_text_beside_the_days(tmp_path: Path) -> None:
    folder = tmp_path / "events/indexes"
    with opened(tmp_path, "per-day-and-stream") as store:
        fill(store, 0, 40)
    by_type = folder / "by-type/T3.idx"
    said = by_type.read_bytes()
    for line in said.splitlines():
        position, name, offset = line.decode().split("\t")
        data = (tmp_path / "events" / name).read_bytes()[int(offset) :].partition(b"\n")[0]
        assert f'"position":{position},' in data.decode()
        assert b'"type":"T3"' in data
    assert [line.split(b"\t")[0] for line in said.splitlines()] == [b"4", b"27"]
    streams = [json.loads(line) for line in (folder / "by-stream.idx").read_bytes().splitlines()]
    assert len(streams) == 31
    assert streams[0] == {"stream": "s0", "version": 2, "files": ["2026-05-05/s0.jsonl"]}
    for wreck in (None, b"", b"nonsense", said[:-3], said[: said.find(b"\n") + 1], b"4\twhatever\t0\n"):
        if wreck is None:
            by_type.unlink()
        else:
            by_type.write_bytes(wreck)
        with opened(tmp_path, "per-day-and-stream") as store:
            store.append(event(type="Other"))
        assert by_type.read_bytes() == said
    for lost in (folder / "by-type", folder):
        shutil.rmtree(lost)
        with opened(tmp_path, "per-day-and-stream") as store:
            store.append(event(type="Other"))
        assert by_type.read_bytes() == said
    shutil.rmtree(folder)
    with opened(tmp_path, "per-day-and-stream") as store:
        assert len(store.get_events_by_type("T3")) == 2
    assert not folder.exists()


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_an_index_of_days_that_are_gone_is_made_anew(tmp_path: Path, layout: str) -> None:
    for place, first, day in (("a", 0, 5), ("b", 300, 9)):
        clock = Clock(NOON.replace(day=day))
        with opened(tmp_path / place, layout, clock=clock) as store:
            fill(store, first, first + 600)
            store.get_events(EventQuery(types="T3"))
            assert store.layout.index.exists()
    index = tmp_path / "a/events/indexes/index.db"
    shutil.copy(index, tmp_path / "b/events/indexes/index.db")
    with opened(tmp_path / "b", layout, clock=clock) as store:
        found = store.get_events(EventQuery(types="T3"))
        assert [each.data["number"] for each in found] == [n for n in range(300, 900) if n % 23 == 3]
        with refused(StoreCode.DUPLICATE_EVENT, "e890"):
            store.append(event(id="e890"))
        assert store.get_event("e5") is None
        assert store.append(event(id="e5")).position == 601


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_the_index_of_another_layout_is_made_anew(tmp_path: Path, layout: str) -> None:
    other = next(each for each in LAYOUTS[1:] if each != layout)
    for each in (layout, other):
        with opened(tmp_path / each, each) as store:
            fill(store, 0, 600)
            store.get_events(EventQuery(types="T3"))
    shutil.copy(tmp_path / other / "events/indexes/index.db", tmp_path / layout / "events/indexes/index.db")
    with opened(tmp_path / layout, layout) as store:
        assert len(store.get_events(EventQuery(types="T3"))) == 26


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_line_that_was_changed_to_one_of_the_same_length_is_indexed_anew(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        fill(store, 0, 600)
        store.get_events(EventQuery(types="T3"))
    path = log_files(tmp_path)[0]
    before = path.read_bytes()
    after = before.replace(b'"type":"T0"', b'"type":"X9"', 1)
    assert len(after) == len(before)
    assert after != before
    path.write_bytes(after)
    with opened(tmp_path, layout) as store:
        assert len(store.get_events(EventQuery(types="X9"))) == 1


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("what", ["id", "version"])
def test_bringing_the_index_up_notices_ids_and_versions_that_cannot_be(tmp_path: Path, layout: str, what: str) -> None:
    with opened(tmp_path, layout) as store:
        fill(store, 0, 600)
        shutil.rmtree(store.layout.index.parent, ignore_errors=True)
    path = next(path for path in log_files(tmp_path) if b'"e400"' in path.read_bytes())
    data = path.read_bytes()
    path.write_bytes(
        data.replace(b'"e400"', b'"e300"') if what == "id" else data.replace(b'"version":13}', b'"version":12}', 1)
    )
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT, "e300" if what == "id" else "version 12"):
        store.append(event())
    with opened(tmp_path, layout) as store, refused(StoreCode.CORRUPT):
        store.get_events(EventQuery(types="T3"))
    with opened(tmp_path, layout, on_damage="skip") as store:
        assert len(store.get_events(EventQuery(types="T3"))) == 26
        assert store.append(event()).position == 601
        assert len(store.damaged_lines()) in (1, 2)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_index_that_lacks_what_is_damaged_is_kept(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, layout) as store:
        fill(store, 0, 600)
        shutil.rmtree(store.layout.index.parent, ignore_errors=True)
    path = next(path for path in log_files(tmp_path) if b'"e400"' in path.read_bytes())
    path.write_bytes(path.read_bytes().replace(b'"id":"e400"', b'"id":e4000', 1))
    made: list[int] = []
    reach = Index.reach

    def counted(self: Index, head: int, missing: int) -> None:
        made.append(missing)
        reach(self, head, missing)

    monkeypatch.setattr(Index, "reach", counted)
    for _ in range(3):
        with opened(tmp_path, layout, on_damage="skip") as store:
            assert len(store.get_events(EventQuery(types="T3"))) == 26
            assert store.get_event("e400") is None
    assert made == [1]
