"""The layouts that begin a new file with each day."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jsonl_stores import NOON, Clock, log_files, opened
from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, events, positions, refused

_WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.jsonl.store import JsonlEventStore
now = datetime(2026, 5, 5, 12, tzinfo=UTC)
with JsonlEventStore(sys.argv[1], layout=sys.argv[2], clock=lambda: now) as store:
    for number in range(40):
        now += timedelta(hours=6)
        store.append_batch([NewEvent(type="Counted", stream=f"s{place % 2}") for place in range(1 + number % 3)])
"""


def test_the_first_append_of_a_day_says_that_the_day_has_changed(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, "daily", clock=clock) as store:
        store.append(event())
        clock.move(days=1)
        stored = store.append_batch(events(3))
        assert positions(stored) == [3, 4, 5]
        assert [each.version for each in stored] == [2, 3, 4]
        clock.move(hours=11)
        store.append(event())
        changed = store.get_events_by_type("session.day_changed")
        assert [(each.position, each.data, each.at) for each in changed] == [
            (2, {"date": "2026-05-06"}, datetime(2026, 5, 6, 12, tzinfo=UTC))
        ]
        first_line = log_files(tmp_path)[1].read_bytes().splitlines()[0]
        assert b'"type":"session.day_changed"' in first_line
    clock.move(days=3)
    with opened(tmp_path, "daily", clock=clock) as store:
        store.append(event())
        assert [each.data["date"] for each in store.get_events_by_type("session.day_changed")] == [
            "2026-05-06",
            "2026-05-09",
        ]
        assert [each.version for each in store.get_events("session")] == [1, 2]


def test_an_append_that_stores_nothing_changes_no_day(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, "daily", clock=clock) as store:
        stored = store.append(event(id="one"))
        clock.move(days=1)
        assert store.append(event(id="one")) == stored
        with refused(StoreCode.CONFLICT):
            store.append(event(), expected_version=7)
        assert store.head() == 1
        assert len(log_files(tmp_path)) == 1


def test_a_change_of_the_day_breaks_no_condition_and_no_expected_version(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, "daily", clock=clock) as store:
        store.append(event())
        clock.move(days=1)
        store.append(event(), condition=AppendCondition(EventQuery(), after=1), expected_version=1)
        clock.move(days=1)
        stored = store.append_batch([NewEvent(type="session.started", stream="session"), event()])
        assert [each.version for each in stored] == [3, 3]
        assert [each.version for each in store.get_events("session")] == [1, 2, 3]


def test_a_day_is_read_by_when_its_events_happened(tmp_path: Path) -> None:
    with opened(tmp_path, "daily") as store:
        store.append_batch([event(1), event(2, at=NOON)])
        assert positions(store.read_day("2026-01-10")) == [1]
        assert positions(store.read_day("2026-05-05")) == [2]
        assert store.get_event_files() == ["2026-01-10", "2026-05-05"]


def test_a_file_of_another_name_is_no_day(tmp_path: Path) -> None:
    with opened(tmp_path, "daily") as store:
        store.append(event())
        (tmp_path / "events/events/notes.jsonl").write_text("mine\n")
        (tmp_path / "events/events/2026-05-04.txt").write_text("mine\n")
        assert store.head() == 1
        assert positions(store.get_events()) == [1]


@pytest.mark.parametrize("layout", ["single", "daily", "per-day-and-stream"])
def test_processes_share_a_store_and_a_subscriber_sees_the_events_of_all(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store, store.subscribe(after=0) as subscription:
        argv = [sys.executable, "-c", _WRITER, str(store.path), layout]
        writers = [subprocess.Popen(argv) for _ in range(4)]
        days = 10 if layout == "daily" else 0
        total = 4 * 79 + days
        seen = [subscription.next_within(60) for _ in range(total)]
        assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
        assert [each.position for each in seen if each] == list(range(1, total + 1))
        assert store.get_events() == seen
        for stream in ("s0", "s1"):
            versions = [each.version for each in store.get_events(stream)]
            assert versions == list(range(1, len(versions) + 1))
        changed = [each.data["date"] for each in store.get_events_by_type("session.day_changed")]
        assert len(changed) == len(set(changed)) == days
        assert store.get_events(EventQuery(direction="desc")) == seen[::-1]


def test_a_change_of_the_day_breaks_no_expectation_of_its_own_stream(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, "daily", clock=clock) as store:
        store.append(event(stream="session"))
        clock.move(days=1)
        with refused(StoreCode.CONFLICT):
            store.append(event(stream="session"), expected_version=7)
        assert store.append(event(stream="session"), expected_version=1).version == 2
        clock.move(days=1)
        assert store.append(event(stream="session", version=4)).version == 4
        clock.move(days=1)
        assert store.append_batch([event(stream="session"), event(stream="b")], expected_version={"session": 5, "b": 0})
        clock.move(days=1)
        condition = AppendCondition(EventQuery(streams="session"), after=store.head())
        assert store.append(event(stream="session"), expected_version=7, condition=condition).version == 8
        found = store.get_events("session")
        assert [each.version for each in found] == list(range(1, 10))
        changed = [each.version for each in found if each.type == "session.day_changed"]
        assert changed == [3, 5, 7, 9]
        assert [each.data["date"] for each in found if each.type == "session.day_changed"] == [
            f"2026-05-{day:02d}" for day in (6, 7, 8, 9)
        ]


@pytest.mark.parametrize("layout", ["single", "daily", "per-day-and-stream"])
def test_a_store_stays_where_it_was_opened(tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    with opened(Path(), layout) as store:
        monkeypatch.chdir(there)
        first = store.append(event(id="one", stream="a"))
        monkeypatch.chdir(here)
        assert store.append(event(id="two", stream="b")).position == 2
        monkeypatch.chdir(there)
        assert store.append(event(id="three", stream="c")).position == 3
        assert store.get_event("one") == first
        assert positions(store.get_events()) == [1, 2, 3]
    assert list(there.iterdir()) == []
    with opened(here, layout) as store:
        assert positions(store.get_events()) == [1, 2, 3]


@pytest.mark.parametrize(("there", "other"), [("daily", "per-day-and-stream"), ("per-day-and-stream", "daily")])
def test_a_folder_holds_a_store_of_one_layout(tmp_path: Path, there: str, other: str) -> None:
    with opened(tmp_path, other) as early:
        with opened(tmp_path, there) as store:
            store.append(event(id="one"))
        with refused(StoreCode.VALIDATION_FAILED, there):
            early.append(event())
    with refused(StoreCode.VALIDATION_FAILED, there, other):
        opened(tmp_path, other)
    with opened(tmp_path, there) as store:
        assert [each.id for each in store.get_events()] == ["one"]


def test_a_folder_may_have_folders_of_days_that_hold_no_lines(tmp_path: Path) -> None:
    (tmp_path / "events/2026-05-01").mkdir(parents=True)
    (tmp_path / "events/2026-05-01/note.md").touch()
    with opened(tmp_path, "daily") as store:
        assert store.append(event()).position == 1
