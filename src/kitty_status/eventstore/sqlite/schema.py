"""The tables of a SQLite event store, documented in docs/event-stores.md, and how a file comes to have them."""

from __future__ import annotations

import sqlite3

from kitty_status.eventstore.errors import EventStoreError, StoreCode

APPLICATION_ID = 0x6B737465
"""`kste` in the header of the file, by which `file` and we know it."""

VERSION = 3

FIXED_WAL_RESET = (3, 51, 3)
"""The first SQLite without the WAL-reset bug, by which a checkpoint could damage a file (3.7.0 to 3.51.2)."""

_TABLES = """
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
"""

_TRIGGERS_OF_EVENTS = "".join(
    f"""
CREATE TRIGGER {table}_are_never_{done} BEFORE {verb} ON {table}{unless}
BEGIN SELECT RAISE(ABORT, 'stored events are never {done}'); END;
"""
    for table in ("events", "event_tags")
    for verb, done, unless in (
        ("UPDATE", "changed", ""),
        (
            "DELETE",
            "removed",
            """
WHEN NOT EXISTS (SELECT 1 FROM event_archives WHERE to_position >= OLD.position AND from_position <= OLD.position)""",
        ),
    )
)

_ARCHIVE = """
CREATE TABLE event_archives (
    from_position INTEGER NOT NULL CHECK (from_position > 0),
    to_position INTEGER PRIMARY KEY CHECK (to_position >= from_position),
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    codec TEXT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    archived_at TEXT NOT NULL,
    types TEXT NOT NULL,
    days TEXT NOT NULL,
    words BLOB NOT NULL,
    lines BLOB NOT NULL
);
CREATE TABLE archived_ids (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE archived_streams (
    stream TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER event_archives_hold_what_is_there BEFORE INSERT ON event_archives
WHEN (SELECT count(*) FROM events WHERE position BETWEEN NEW.from_position AND NEW.to_position)
    <> NEW.to_position - NEW.from_position + 1
    OR NOT EXISTS (SELECT 1 FROM events WHERE position > NEW.to_position)
BEGIN SELECT RAISE(ABORT, 'an archive takes events that are there, and never the newest one'); END;
CREATE TRIGGER event_archives_are_never_changed BEFORE UPDATE ON event_archives
BEGIN SELECT RAISE(ABORT, 'an archive is never changed'); END;
CREATE TRIGGER event_archives_are_never_lost BEFORE DELETE ON event_archives
WHEN (SELECT count(*) FROM events WHERE position BETWEEN OLD.from_position AND OLD.to_position)
    <> OLD.to_position - OLD.from_position + 1
BEGIN SELECT RAISE(ABORT, 'an archive goes only when its events are back'); END;
"""

# A row that comes next, or one that goes back to where an archive has it. REPLACE would fire no trigger of DELETE, so
# every key is looked for here. What has not yet failed is rolled back with the rest: RAISE(ABORT) would make SQLite
# keep a journal for each row, which costs as much as the row. No function is called, neither max(..., ...) nor GLOB:
# in a trigger, one call was measured to cost more than the row.
_TRIGGERS_OF_INSERTS = """
CREATE TRIGGER events_come_next BEFORE INSERT ON events
WHEN (
    NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM events)
    OR (
        NEW.version - 1 IS NOT
            coalesce((SELECT version FROM events WHERE stream = NEW.stream ORDER BY version DESC LIMIT 1), 0)
        AND (
            NEW.version - 1 IS NOT (SELECT version FROM archived_streams WHERE stream = NEW.stream)
            OR EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND version >= NEW.version)
        )
    )
    OR EXISTS (SELECT 1 FROM archived_streams WHERE stream = NEW.stream AND version >= NEW.version)
    OR EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
    OR EXISTS (SELECT 1 FROM archived_ids WHERE id = NEW.id)
) AND NOT (
    EXISTS (SELECT 1 FROM archived_ids WHERE id = NEW.id AND position = NEW.position)
    AND EXISTS (SELECT 1 FROM event_archives WHERE to_position >= NEW.position AND from_position <= NEW.position)
    AND NOT EXISTS (SELECT 1 FROM events WHERE position = NEW.position)
    AND NOT EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
    AND NOT EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND version = NEW.version)
)
BEGIN SELECT RAISE(ROLLBACK, 'an event takes the next position, the next version of its stream and a new id'); END;
CREATE TRIGGER event_tags_are_those_of_their_events BEFORE INSERT ON event_tags
-- Each row reads all tags of its event: where those are thousands, that would take seconds, and is left out.
WHEN NOT EXISTS (
    SELECT 1 FROM events
    WHERE events.position = NEW.position AND (length(events.tags) > 4096 OR EXISTS (
        SELECT 1 FROM json_each(events.tags) AS tag
        WHERE tag.key = NEW.key AND (
            tag.atom = NEW.value
            OR (tag.type = 'array' AND EXISTS (SELECT 1 FROM json_each(tag.value) WHERE value = NEW.value))
        )
    ))
)
BEGIN SELECT RAISE(ROLLBACK, 'the event has no such tag'); END;
"""

_TO_VERSION_2 = (
    """
DROP TRIGGER events_are_never_removed;
DROP TRIGGER event_tags_are_never_removed;
DROP TRIGGER events_are_never_changed;
DROP TRIGGER event_tags_are_never_changed;
"""
    + _ARCHIVE
    + _TRIGGERS_OF_EVENTS
)

_VIEWS = """
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

_MISSING = {
    0: _TABLES + _ARCHIVE + _TRIGGERS_OF_EVENTS + _TRIGGERS_OF_INSERTS + _VIEWS,
    1: _TO_VERSION_2 + _TRIGGERS_OF_INSERTS,
    2: _TRIGGERS_OF_INSERTS,
}
"""What a file of an older version lacks; 0 stands for an empty file."""

_OLDEST_TO_READ = 2
"""The files from this version on have every table of this one."""


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Give a new file its tables and an older one those it lacks, and check that it is an event store that is known.

    Raises:
        EventStoreError: STORAGE_ERROR: it is another program's file, or of a newer version.
        sqlite3.Error: SQLite refused.
    """
    if _number(connection, "application_id") == APPLICATION_ID and _number(connection, "user_version") == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        script = _MISSING.get(_version_of(connection, path))
        if script is not None:
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        # SQLite may have ended the transaction itself, and its error is the one to tell.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check_readable(connection: sqlite3.Connection, path: str) -> None:
    """Check that a file that cannot be written is an event store with every table that is read.

    Raises:
        EventStoreError: STORAGE_ERROR: it is not.
        sqlite3.Error: SQLite refused.
    """
    version = _version_of(connection, path)
    if version < _OLDEST_TO_READ:
        what = f"has the tables of version {version}" if version else "has no tables yet"
        raise EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"{path} {what}, and may not be written here",
            hint="open it once where it may be written",
        )


def _version_of(connection: sqlite3.Connection, path: str) -> int:
    """Return the version of a file's tables, 0 for an empty file.

    Another process may have just made them; nobody else can while this transaction lasts.
    """
    application, version = _number(connection, "application_id"), _number(connection, "user_version")
    if application == APPLICATION_ID:
        if version > VERSION:
            raise EventStoreError(
                StoreCode.STORAGE_ERROR,
                f"{path} has version {version}, and this kitty-status knows {VERSION}",
                hint="upgrade kitty-status",
            )
        return version
    if application or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise EventStoreError(
            StoreCode.STORAGE_ERROR, f"{path} is another program's database", hint="name another file"
        )
    return 0


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _statements(script: str) -> list[str]:
    """Return the statements of a script: `executescript` would commit the transaction."""
    found, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return found
