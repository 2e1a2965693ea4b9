"""The archive of a SQLite store: its tables, files of older versions, damage, and interruptions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from kitty_status.eventstore import chunks, sorting, zstd
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.sqlite import schema
from kitty_status.eventstore.sqlite.archiving import Archiver
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store.archiving import LATER, answers, days
from kitty_status.testing.event_store.base import MOMENT, event, events, positions, refused

VERSION_1 = """
CREATE TABLE events (
    position INTEGER PRIMARY KEY CHECK (position > 0),
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    at TEXT NOT NULL,
    data TEXT NOT NULL,
    tags TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (stream, version)
);
CREATE INDEX events_by_stream ON events (stream, position);
CREATE INDEX events_by_type ON events (type, position);
CREATE INDEX events_by_time ON events (at, position);
CREATE TABLE event_tags (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    position INTEGER NOT NULL REFERENCES events (position),
    PRIMARY KEY (key, value, position)
) WITHOUT ROWID;
CREATE TABLE state_snapshots (
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (stream, version)
) WITHOUT ROWID;

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'stored events are never changed'); END;

CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'stored events are never removed'); END;

CREATE TRIGGER event_tags_are_never_changed BEFORE UPDATE ON event_tags
BEGIN SELECT RAISE(ABORT, 'stored events are never changed'); END;

CREATE TRIGGER event_tags_are_never_removed BEFORE DELETE ON event_tags
BEGIN SELECT RAISE(ABORT, 'stored events are never removed'); END;

CREATE VIEW streams AS
    SELECT stream, count(*) AS events, max(version) AS newest_version, min(at) AS first_at, max(at) AS last_at
    FROM events GROUP BY stream;
CREATE VIEW event_types AS
    SELECT type, count(*) AS events, min(at) AS first_at, max(at) AS last_at FROM events GROUP BY type;
CREATE VIEW tag_values AS
    SELECT key, value, count(*) AS events FROM event_tags GROUP BY key, value;
CREATE VIEW days AS
    SELECT substr(at, 1, 10) AS day, count(*) AS events FROM events GROUP BY substr(at, 1, 10);
"""
"""The tables of files of version 1, and the numbers in their header."""


COPY = (
    "INSERT INTO event_archives SELECT {}, size, sha256, codec, first_at, last_at, archived_at, types, days, words, "
    "lines FROM event_archives LIMIT 1"
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MOST_EVENTS", 10)


def rows(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        return stranger.execute(statement, values).fetchall()


def after(calls: int) -> Callable[[], int]:
    """Return a function that says once, after so many calls, that a statement is to be interrupted."""
    left = count(calls, -1)
    return lambda: int(next(left) == 0)


def archived(path: Path) -> SqliteEventStore:
    """Return a store whose first 59 events are in the archive, in six chunks."""
    store = SqliteEventStore(path)
    store.append_batch(days(60))
    assert store.compact_events(LATER) == 59
    return store


def test_a_file_of_version_1_gets_what_it_lacks_and_keeps_its_events(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(tmp_path / "other.db") as store:
        store.append_batch(days(60))
        expected = answers(store)
    with closing(sqlite3.connect(path)) as old:
        old.executescript(VERSION_1)
        old.executescript(f"PRAGMA application_id = {schema.APPLICATION_ID}; PRAGMA user_version = 1")
        old.execute("ATTACH ? AS other", (str(tmp_path / "other.db"),))
        old.execute("INSERT INTO events SELECT * FROM other.events")
        old.execute("INSERT INTO event_tags SELECT * FROM other.event_tags")
        old.commit()
    with SqliteEventStore(path) as store:
        assert answers(store) == expected
        assert store.compact_events(LATER) == 59
        assert answers(store) == expected
    described = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    assert rows(path, described) == rows(tmp_path / "other.db", described)
    assert rows(path, "PRAGMA user_version") == [(schema.VERSION,)]


def test_the_manifest_says_what_a_chunk_holds(tmp_path: Path) -> None:
    archived(tmp_path / "events.db").close()
    found = rows(
        tmp_path / "events.db",
        "SELECT from_position, to_position, codec, first_at, last_at, types, length(sha256) FROM event_archives",
    )
    assert [row[:3] for row in found] == [(first, min(first + 9, 59), "zstd") for first in range(1, 60, 10)]
    assert found[0][3:] == (
        "2026-01-10T09:00:00.000000+00:00",
        "2026-03-07T09:00:00.000000+00:00",
        '["T0","T1","T2"]',
        64,
    )
    assert rows(tmp_path / "events.db", "SELECT count(*) FROM events") == [(1,)]
    assert rows(tmp_path / "events.db", "SELECT count(*) FROM event_tags") == [(3,)]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE event_archives SET sha256 = ''", "never changed"),
        ("DELETE FROM event_archives", "only when its events are back"),
        ("DELETE FROM events", "never removed"),
        ("DELETE FROM event_tags", "never removed"),
        (COPY.format("60, 60"), "never the newest"),
        (COPY.format("58, 60"), "events that are there"),
    ],
)
def test_nobody_else_moves_anything_into_the_archive_or_out_of_it(tmp_path: Path, statement: str, why: str) -> None:
    archived(tmp_path / "events.db").close()
    with pytest.raises(sqlite3.IntegrityError, match=why):
        rows(tmp_path / "events.db", statement)


def test_any_chunk_can_be_brought_back_before_others(tmp_path: Path) -> None:
    with archived(tmp_path / "events.db") as store:
        expected = answers(store)
        for name in ("21-30", "1-10", "51-59"):
            assert store.restore_events(name) in (9, 10)
            assert answers(store) == expected
        assert [each.name for each in store.archives()] == ["11-20", "31-40", "41-50"]
        assert store.compact_events(LATER, dry_run=True) == 29
        assert store.compact_events(LATER) == 29
        assert [each.first for each in store.archives()] == [1, 11, 21, 31, 41, 51]
        assert answers(store) == expected


def test_an_event_that_has_not_happened_before_stays_with_all_behind_it(tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        store.append_batch([*events(5), event(at=LATER), *events(5)])
        assert store.compact_events(LATER) == 5
        assert store.compact_events(LATER) == 0
        assert store.compact_events(LATER + timedelta(microseconds=1)) == 5
        assert positions(store.stream_events()) == list(range(1, 12))
        assert [each.name for each in store.archives()] == ["1-5", "6-10"]


def test_keys_of_objects_keep_their_order_in_the_archive(tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        store.append_batch([event(data={"b": 1, "a": {"d": -0.0, "c": 1e300}}), event()])
        assert store.compact_events(LATER) == 1
        for _ in range(2):
            assert str(store.get_events()[0].data) == "{'b': 1, 'a': {'d': -0.0, 'c': 1e+300}}"
            store.restore_events("1-1")


def test_long_lines_make_chunks_of_few_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MOST_BYTES", 1000)
    with SqliteEventStore(tmp_path / "events.db") as store:
        store.append_batch([event(data="x" * length) for length in (300, 300, 300, 5000, 1, 1)])
        assert store.compact_events(LATER) == 5
        assert [each.name for each in store.archives()] == ["1-2", "3-3", "4-4", "5-5"]


@pytest.mark.parametrize("order", ["timestamp", "type"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_more_than_memory_is_to_hold_is_sorted_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, direction: str
) -> None:
    monkeypatch.setattr(sorting, "_IN_MEMORY", 100)
    monkeypatch.setattr(sorting, "_PIECE", 300)
    with SqliteEventStore(tmp_path / "events.db") as store:
        store.append_batch(days(60))
        query = EventQuery(order_by=order, direction=direction)
        expected = store.get_events(query)
        store.compact_events(LATER)
        assert store.get_events(query) == expected


DAMAGE = {
    "other bytes": "UPDATE event_archives SET lines = x'00112233' WHERE to_position = 20",
    "half of it": "UPDATE event_archives SET lines = substr(lines, 1, length(lines) / 2) WHERE to_position = 20",
    "more than it": "UPDATE event_archives SET lines = lines || lines WHERE to_position = 20",
    "another chunk": "UPDATE event_archives SET lines = (SELECT lines FROM event_archives WHERE to_position = 30), "
    "size = (SELECT size FROM event_archives WHERE to_position = 30) WHERE to_position = 20",
    "another chunk, checksum and all": "UPDATE event_archives SET (lines, size, sha256) = "
    "(SELECT lines, size, sha256 FROM event_archives WHERE to_position = 59) WHERE to_position = 20",
    "another digest": "UPDATE event_archives SET sha256 = hex(zeroblob(32)) WHERE to_position = 20",
    "text": "UPDATE event_archives SET lines = 'text' WHERE to_position = 20",
    "a manifest of another kind": "UPDATE event_archives SET types = 'types' WHERE to_position = 20",
    "another codec": "UPDATE event_archives SET codec = 'zip' WHERE to_position = 20",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_chunk_is_named_and_the_others_are_read(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "events.db"
    archived(path).close()
    rows(path, "DROP TRIGGER event_archives_are_never_changed")
    rows(path, damage)
    with SqliteEventStore(path) as store:
        with refused(StoreCode.CORRUPT, "11-20"):
            store.check_archive("11-20")
        store.check_archive("21-30")
        with refused(StoreCode.CORRUPT, "11-20"):
            store.get_events()
        with refused(StoreCode.CORRUPT, "11-20"):
            store.get_events(EventQuery(order_by="timestamp"))
        with refused(StoreCode.CORRUPT, "11-20"):
            store.restore_events("11-20")
        with refused(StoreCode.CORRUPT, "11-20"):
            store.append(days(60)[15])
        assert positions(store.stream_events(EventQuery(before=11))) == list(range(1, 11))
        assert positions(store.stream_events(EventQuery(after=20))) == list(range(21, 61))
        assert len(store.archives()) == 6
        assert store.append(event()).position == 61


def test_without_the_library_nothing_is_moved_and_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.db"
    archived(path).close()
    monkeypatch.setattr(zstd, "_MODULES", ("no.such.module",))
    with SqliteEventStore(path) as store:
        store.append(event())
        for work in (lambda: store.compact_events(LATER), store.get_events):
            with pytest.raises(EventStoreError) as caught:
                work()
            assert "kitty-status[archive]" in caught.value.hint
        assert rows(path, "SELECT count(*) FROM events") == [(2,)]
        assert positions(store.stream_events(EventQuery(after=59))) == [60, 61]


def test_a_move_that_is_interrupted_anywhere_is_harmless(tmp_path: Path) -> None:
    nth = 0
    is_interrupted = True
    while is_interrupted:
        nth += 1
        path = tmp_path / f"{nth}.db"
        with SqliteEventStore(path) as store:
            store.append_batch(days(12))
            expected = answers(store)
            store._connections.writer.set_progress_handler(after(25 * nth), 10)
            error = None
            try:
                store.compact_events(LATER)
            except EventStoreError as found:
                error = found
            is_interrupted = error is not None
            store._connections.writer.set_progress_handler(None, 0)
            live = rows(path, "SELECT count(*), min(position) FROM events")
            assert live == ([(12, 1)] if not store.archives() else [(2, 11)] if is_interrupted else [(1, 12)])
            assert rows(path, "SELECT count(*) FROM archived_ids") == [(12 - int(str(live[0][0])),)]
            assert answers(store) == expected
            store.compact_events(LATER)
            assert [each.name for each in store.archives()] == ["1-10", "11-11"]
            assert answers(store) == expected
    assert nth > 5


def test_of_two_that_archive_the_same_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as one, SqliteEventStore(path) as other:
        one.append_batch(days(30))
        take = Archiver.take

        def late(archiver: Archiver, found: list[object]) -> bool:
            monkeypatch.setattr(Archiver, "take", take)
            assert other.compact_events(MOMENT + timedelta(days=1000)) == 29
            return take(archiver, found)  # type: ignore[arg-type]

        monkeypatch.setattr(Archiver, "take", late)
        assert one.compact_events(LATER) == 0
        assert len(one.archives()) == 3
        assert positions(one.stream_events()) == list(range(1, 31))


def test_an_archive_that_is_brought_back_while_it_is_checked_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store, SqliteEventStore(tmp_path / "events.db") as other:
        store.append_batch(events(9))
        store.compact_events(LATER)
        (chunk,) = store.archives()
        real, restored = chunks.events_of, list[int]()

        def late(checked: chunks.Chunk, lines: bytes) -> list[Event]:
            if not restored:
                restored.append(0)
                restored.append(other.restore_events(chunk.name))
            return real(checked, lines)

        monkeypatch.setattr("kitty_status.eventstore.sqlite.archiving.events_of", late)
        store.check_archive(chunk.name)
        assert restored == [0, 8]
        assert store.archives() == []
