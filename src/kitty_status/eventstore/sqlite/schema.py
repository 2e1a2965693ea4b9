"""The tables of a SQLite event store, documented in docs/event-stores.md, and how a file comes to have them."""

from __future__ import annotations

import sqlite3

from kitty_status.eventstore.errors import EventStoreError, StoreCode

APPLICATION_ID = 0x6B737465
"""`kste` in the header of the file, by which `file` and we know it."""

VERSION = 1

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

_TRIGGERS = "".join(
    f"""
CREATE TRIGGER {table}_are_never_{done} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'stored events are never {done}'); END;
"""
    for table in ("events", "event_tags")
    for verb, done in (("UPDATE", "changed"), ("DELETE", "removed"))
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


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Give a new file its tables, and check that another one is an event store of a version that is known here.

    Raises:
        EventStoreError: STORAGE_ERROR: it is another program's file, or of a newer version.
        sqlite3.Error: SQLite refused.
    """
    if _number(connection, "application_id") == APPLICATION_ID and _number(connection, "user_version") == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_ready(connection, path):
            for statement in _statements(_TABLES + _TRIGGERS + _VIEWS):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _is_ready(connection: sqlite3.Connection, path: str) -> bool:
    """Say whether another process has just made the tables; nobody else can while this transaction lasts."""
    application, version = _number(connection, "application_id"), _number(connection, "user_version")
    if application == APPLICATION_ID:
        if version > VERSION:
            raise EventStoreError(
                StoreCode.STORAGE_ERROR,
                f"{path} has version {version}, and this kitty-status knows {VERSION}",
                hint="upgrade kitty-status",
            )
        return True
    if application or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise EventStoreError(
            StoreCode.STORAGE_ERROR, f"{path} is another program's database", hint="name another file"
        )
    return False


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
