"""What a file says by which appends are judged, inside of a transaction that keeps other writers out."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import msgspec

from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.sqlite.asking import COLUMNS
from kitty_status.eventstore.sqlite.reading import Reading
from kitty_status.eventstore.sqlite.rows import events_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.sqlite.archiving import ArchiveTable

HEAD = "SELECT coalesce(max(position), 0) FROM events"
_STATE = f"SELECT ({HEAD}), EXISTS (SELECT 1 FROM event_archives)"
# ruff: noqa: S608  the names are ours; every value is a parameter
_BY_IDS = f"SELECT {COLUMNS} FROM events WHERE id IN (SELECT value FROM json_each(?))"
_ARCHIVED_IDS = "SELECT position FROM archived_ids WHERE id IN (SELECT value FROM json_each(?)) ORDER BY position"
_VERSIONS = """
SELECT value, (SELECT version FROM events WHERE stream = value ORDER BY version DESC LIMIT 1) FROM json_each(?)
"""
_ARCHIVED_VERSIONS = "SELECT stream, version FROM archived_streams WHERE stream IN (SELECT value FROM json_each(?))"
_MOST_STREAMS = 10_000
_encode = msgspec.json.Encoder().encode


class Stored:
    """Remembers the versions of streams for as long as nobody else writes, which the head of the file tells."""

    def __init__(self, connection: sqlite3.Connection, archive: ArchiveTable) -> None:
        self._connection = connection
        self._reading = Reading(lambda: nullcontext(connection), archive)
        self._head = 0
        self._has_archive = False
        self._versions: dict[str, int] = {}

    def look(self) -> None:
        """See, at the beginning of a transaction, whether somebody else has written meanwhile."""
        head, self._has_archive = self._connection.execute(_STATE).fetchone()
        if head != self._head or len(self._versions) > _MOST_STREAMS:
            self._versions.clear()
        self._head = head

    def has_grown(self, events: Collection[Event]) -> None:
        """Remember what was committed."""
        self._versions.update((event.stream, event.version) for event in events)
        # Last: where it is not reached, because a person interrupts, the head differs, and all is asked again.
        self._head += len(events)

    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        return self._head

    def events_with_ids(self, ids: Collection[str]) -> dict[str, Event]:
        """Return the stored events that have one of these ids, by id."""
        rows = self._connection.execute(_BY_IDS, (_text(ids),)).fetchall()
        found = {event.id: event for event in events_of(rows)}
        if self._has_archive and len(found) < len(ids):
            missing = _text(event_id for event_id in ids if event_id not in found)
            for (position,) in self._connection.execute(_ARCHIVED_IDS, (missing,)).fetchall():
                wanted = EventQuery(after=position - 1, limit=1)
                found.update((event.id, event) for event in self._reading.answer(wanted, position + 1))
        return found

    def versions_of(self, streams: Collection[str]) -> dict[str, int]:
        """Return the version of the newest event of each stream."""
        unknown = [stream for stream in streams if stream not in self._versions]
        if unknown:
            rows = self._connection.execute(_VERSIONS, (_text(unknown),))
            self._versions.update((stream, version or 0) for stream, version in rows)
            if self._has_archive:
                for stream, version in self._connection.execute(_ARCHIVED_VERSIONS, (_text(unknown),)):
                    self._versions[stream] = max(version, self._versions[stream])
        return {stream: self._versions[stream] for stream in streams}

    def first_match(self, query: EventQuery) -> Event | None:
        """Return the first event that a query asks for."""
        end = self._head + 1 if query.before is None else min(query.before, self._head + 1)
        return next(self._reading.answer(query, end), None)


def _text(words: Iterable[str]) -> str:
    return _encode(list(words)).decode()
