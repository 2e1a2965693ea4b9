"""The event store in SQLite keeps the promises of every event store, and its file is what it is documented to be."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from kitty_status.eventstore.durability import OS, Durability
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.sqlite import connections, schema
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store import EventStoreSuite
from kitty_status.testing.event_store.base import event, events, positions, refused


class TestSqlite(EventStoreSuite):
    archives = True

    def open_store(self, place: Path) -> EventStore:
        return SqliteEventStore(place / "events.db")


class TestSqliteInTheHandsOfTheOperatingSystem(EventStoreSuite):
    archives = True

    def open_store(self, place: Path) -> EventStore:
        return SqliteEventStore(place / "events.db", durability=OS)


class TestSqliteWithLingeringCommits(EventStoreSuite):
    archives = True
    conditional_rounds = 5

    def open_store(self, place: Path) -> EventStore:
        return SqliteEventStore(place / "events.db", durability=Durability.parse("batch(1)"))


@pytest.mark.parametrize("table", ["events", "event_tags"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET position = position + 10", "DELETE FROM {}"])
def test_nobody_changes_or_removes_a_stored_event(tmp_path: Path, table: str, verb: str) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        store.append(event(tags={"a": "b"}))
    stranger = sqlite3.connect(tmp_path / "events.db")
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        stranger.execute(verb.format(table))
    stranger.close()


def test_the_views_answer_what_a_person_asks_first(tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        store.append_batch([*events(3, tags={"a": "b"}), event(stream="other", type="Else")])
    stranger = sqlite3.connect(tmp_path / "events.db")
    assert stranger.execute("SELECT stream, events, newest_version FROM streams ORDER BY stream").fetchall() == [
        ("default", 3, 3),
        ("other", 1, 1),
    ]
    assert stranger.execute("SELECT type, events FROM event_types ORDER BY type").fetchall() == [
        ("Counted", 3),
        ("Else", 1),
    ]
    assert stranger.execute("SELECT * FROM tag_values").fetchall() == [("a", "b", 3)]
    assert stranger.execute("SELECT * FROM days").fetchall() == [("2026-01-10", 4)]
    stranger.close()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (a)")
    other.close()
    before = path.read_bytes()
    with refused(StoreCode.STORAGE_ERROR, "another program"):
        SqliteEventStore(path)
    assert [row[0] for row in sqlite3.connect(path).execute("SELECT name FROM sqlite_master")] == ["mine"]
    assert path.read_bytes()[100:] == before[100:]


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    SqliteEventStore(tmp_path / "events.db").close()
    newer = sqlite3.connect(tmp_path / "events.db")
    newer.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    newer.close()
    with refused(StoreCode.STORAGE_ERROR, "version"):
        SqliteEventStore(tmp_path / "events.db")


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with refused(StoreCode.CORRUPT, "events.db"):
        SqliteEventStore(tmp_path / "events.db")


def test_a_place_that_cannot_be_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refused(StoreCode.STORAGE_ERROR, "file"):
        SqliteEventStore(tmp_path / "file" / "events.db")


def test_an_old_sqlite_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    connections._warned.clear()
    with caplog.at_level(logging.WARNING):
        for version in ((3, 51, 2), (3, 51, 2), (3, 51, 3), (4, 0, 0)):
            connections.warn_of_wal_reset(version)
    assert len(caplog.records) == 1
    assert "3.51.2" in caplog.text


_WRITER = """
import sys
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.sqlite.store import SqliteEventStore
with SqliteEventStore(sys.argv[1]) as store:
    for number in range(40):
        store.append_batch([NewEvent(type="Counted", stream="s") for _ in range(1 + number % 3)])
"""


def test_processes_share_a_file_and_a_subscriber_sees_the_events_of_all(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store, store.subscribe(after=0) as subscription:
        writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), str(number)]) for number in range(4)]
        seen = [subscription.next_within(60) for _ in range(4 * 79)]
        assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
        assert [each.position for each in seen if each] == list(range(1, 4 * 79 + 1))
        assert [each.version for each in store.get_events("s")] == list(range(1, 4 * 79 + 1))


def test_more_words_than_there_are_alternatives_are_found_in_one_scan(tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        store.append_batch([event(number, type=f"T{number % 50}") for number in range(200)])
        found = store.get_events(EventQuery(types=[f"T{number}" for number in range(40)]))
        assert positions(found) == [number + 1 for number in range(200) if number % 50 < 40]


def test_an_append_that_was_interrupted_leaves_no_transaction_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        with monkeypatch.context() as patch:
            patch.setattr(store, "_confirm", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                store.append(event())
        assert store.append(event()).position == 1
    with SqliteEventStore(tmp_path / "events.db") as again:
        assert again.head() == 1
