"""The archive of a SQLite store: chunks of events as rows of a table of the same file.

One file stays complete: whoever copies it has the archive too, and a chunk moves in one transaction, so an interrupted
archive is one that has moved fewer chunks. The rows of events go only after the lines were read back from the table,
unpacked and compared; triggers see to it that no others can go.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.archives import Archived, damaged_archive
from kitty_status.eventstore.chunks import Chunk, Unpacked, events_of, may_answer, packed, together, unpacked
from kitty_status.eventstore.sqlite import rows
from kitty_status.eventstore.sqlite.asking import COLUMNS
from kitty_status.eventstore.sqlite.connections import roll_back
from kitty_status.status.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.query import EventQuery
    from kitty_status.eventstore.sqlite.connections import Connections

# ruff: noqa: S608  the names are ours; every value is a parameter
_MANIFEST = "from_position, to_position, size, sha256, codec, first_at, last_at, types, days, words"
_NEXT = f"SELECT {_MANIFEST} FROM event_archives WHERE to_position > ? AND from_position < ? ORDER BY to_position"
_NAMED = "FROM event_archives WHERE from_position || '-' || to_position = ?"
_LINES = "SELECT CAST(lines AS BLOB) FROM event_archives WHERE to_position = ?"
_KEEP = f"INSERT INTO event_archives ({_MANIFEST}, archived_at, lines) VALUES ({', '.join('?' * 12)})"
_KEEP_ID = "INSERT INTO archived_ids (id, position) VALUES (?, ?)"
_PLACES = "SELECT id, position FROM archived_ids WHERE id IN (SELECT value FROM json_each(?))"
_KEEP_VERSION = (
    "INSERT INTO archived_streams (stream, version) VALUES (?, ?) "
    "ON CONFLICT (stream) DO UPDATE SET version = max(version, excluded.version)"
)
_OLDEST = f"SELECT {COLUMNS} FROM events ORDER BY position"
_ROWS_AT_ONCE = 500
_decode = msgspec.json.decode


class ArchiveTable:
    """Reads the archive through whichever connection asks."""

    def __init__(self) -> None:
        self._unpacked = Unpacked()

    def nearest(self, connection: sqlite3.Connection, span: tuple[int, int], *, backwards: bool) -> Chunk | None:
        """Return the first chunk, or the last one, with an event between two positions."""
        row = connection.execute(f"{_NEXT} {'DESC' if backwards else 'ASC'} LIMIT 1", span).fetchone()
        return None if row is None else _chunk_of(row)

    def answering(self, connection: sqlite3.Connection, query: EventQuery, before: int) -> Iterator[Chunk]:
        """Yield the chunks in which an event may be that a query asks for, the oldest first."""
        for row in connection.execute(_NEXT, (query.after, before)):
            chunk = _chunk_of(row)
            if may_answer(chunk, query):
                yield chunk

    def lines_of(self, connection: sqlite3.Connection, chunk: Chunk) -> bytes:
        """Return the lines of a chunk.

        Raises:
            EventStoreError: CORRUPT: it does not hold what was put into it.
        """
        return self._unpacked.lines_of(chunk, lambda: _kept(connection, chunk))

    def archives(self, connection: sqlite3.Connection) -> list[Archived]:
        """Return what is in the archive."""
        found = connection.execute(
            "SELECT from_position, to_position, size, length(lines), sha256 FROM event_archives ORDER BY to_position"
        )
        return [
            Archived(
                name=f"{first}-{last}",
                first=first,
                last=last,
                events=last - first + 1,
                size=size,
                packed=length,
                sha256=digest,
            )
            for first, last, size, length, digest in found
        ]

    def check(self, connection: sqlite3.Connection, name: str) -> None:
        """Compare a chunk with its manifest.

        Raises:
            EventStoreError: CORRUPT.
        """
        chunk = _named(connection, name)
        if chunk is not None:
            events = events_of(chunk, unpacked(chunk, _kept(connection, chunk)))
            ids = msgspec.json.encode([event.id for event in events]).decode()
            known = dict(connection.execute(_PLACES, (ids,)))
            if known != {event.id: event.position for event in events}:
                raise damaged_archive(chunk.name, "the table archived_ids lacks ids of it, or has them elsewhere")


class Archiver:
    """Moves chunks to the archive and back."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def movable(self, before: datetime) -> int:
        """Return how many of the first events happened before an instant; the newest one never counts."""
        with self._connections.snapshot() as reader:
            # The index on time would lead to all that is newer, in no order that helps.
            stop = reader.execute(
                "SELECT position FROM events WHERE +at >= ? ORDER BY position LIMIT 1", (format_instant(before),)
            ).fetchone()
            return int(
                reader.execute(
                    "SELECT count(*) FROM events WHERE position < (SELECT max(position) FROM events) "
                    "AND (?1 IS NULL OR position < ?1)",
                    (None if stop is None else stop[0],),
                ).fetchone()[0]
            )

    def next_events(self, before: datetime) -> list[Event]:
        """Return the events that go into the archive next, together."""
        with self._connections.snapshot() as reader:
            return together(self._movable(reader, before))

    def _movable(self, reader: sqlite3.Connection, before: datetime) -> Iterator[Event]:
        newest = reader.execute("SELECT max(position) FROM events").fetchone()[0]
        cursor = reader.execute(_OLDEST)
        expected = 0
        while found := rows.events_of(cursor.fetchmany(_ROWS_AT_ONCE)):
            for event in found:
                # What was brought back lies before what is still archived.
                if event.position == newest or event.at >= before or expected not in (0, event.position):
                    return
                expected = event.position + 1
                yield event

    def take(self, events: list[Event]) -> bool:
        """Move events to the archive, in one transaction; False says that somebody else has been faster.

        Raises:
            sqlite3.Error: SQLite refused, and nothing was moved.
            EventStoreError: CORRUPT: what was written could not be read back; nothing was moved.
        """
        chunk, data = packed(events)
        writer = self._connections.writer
        try:
            self._connections.begin()
            if not _are_here(writer, chunk):
                return False
            writer.execute(_KEEP, _row_of(chunk, data))
            if events_of(chunk, unpacked(chunk, _kept(writer, chunk))) != events:
                raise damaged_archive(chunk.name, "it could not be read back as it was written")
            writer.executemany(_KEEP_ID, [(event.id, event.position) for event in events])
            newest = {event.stream: event.version for event in events}
            writer.executemany(_KEEP_VERSION, newest.items())
            writer.executemany(
                "DELETE FROM event_tags WHERE key = ? AND value = ? AND position = ?", rows.tag_rows(events)
            )
            writer.execute("DELETE FROM events WHERE position BETWEEN ? AND ?", (chunk.first, chunk.last))
            writer.execute("COMMIT")
        finally:
            roll_back(writer)
        return True

    def restore(self, name: str) -> int:
        """Bring a chunk back, in one transaction; return how many events it holds, 0 where there is none.

        Raises:
            sqlite3.Error: SQLite refused, and nothing was changed.
            EventStoreError: CORRUPT: it does not hold what was put into it; nothing was changed.
        """
        writer = self._connections.writer
        try:
            self._connections.begin()
            chunk = _named(writer, name)
            if chunk is None:
                return 0
            events = events_of(chunk, unpacked(chunk, _kept(writer, chunk)))
            rows.insert(writer, events)
            writer.executemany("DELETE FROM archived_ids WHERE id = ?", [(event.id,) for event in events])
            writer.execute("DELETE FROM event_archives WHERE to_position = ?", (chunk.last,))
            writer.execute("COMMIT")
        finally:
            roll_back(writer)
        return len(events)


def _are_here(writer: sqlite3.Connection, chunk: Chunk) -> bool:
    found = writer.execute(
        "SELECT count(*) FROM events WHERE position BETWEEN ? AND ?", (chunk.first, chunk.last)
    ).fetchone()[0]
    return bool(found == chunk.events)


def _named(connection: sqlite3.Connection, name: str) -> Chunk | None:
    row = connection.execute(f"SELECT {_MANIFEST} {_NAMED}", (name,)).fetchone()
    return None if row is None else _chunk_of(row)


def _kept(connection: sqlite3.Connection, chunk: Chunk) -> bytes:
    row = connection.execute(_LINES, (chunk.last,)).fetchone()
    if row is None or row[0] is None:
        raise damaged_archive(chunk.name, "its lines are not there")
    return bytes(row[0])


def _row_of(chunk: Chunk, data: bytes) -> tuple[Any, ...]:
    return (
        chunk.first,
        chunk.last,
        chunk.size,
        chunk.sha256,
        chunk.codec,
        format_instant(chunk.first_at),
        format_instant(chunk.last_at),
        msgspec.json.encode(chunk.types).decode(),
        msgspec.json.encode(chunk.days).decode(),
        chunk.words,
        format_instant(datetime.now(UTC)),
        data,
    )


def _chunk_of(row: tuple[Any, ...]) -> Chunk:
    first, last, size, digest, codec, first_at, last_at, types, days, words = row
    try:
        return Chunk(
            first=first,
            last=last,
            size=size,
            sha256=digest,
            codec=codec,
            first_at=datetime.fromisoformat(first_at),
            last_at=datetime.fromisoformat(last_at),
            types=_decode(types),
            days=_decode(days),
            words=words,
        )
    except (ValueError, TypeError) as error:
        raise damaged_archive(f"{first}-{last}", f"its manifest cannot be read: {error}") from error
