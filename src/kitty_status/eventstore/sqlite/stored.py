"""What a file says by which appends are judged, inside of a transaction that keeps other writers out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kitty_status.eventstore.sqlite.asking import COLUMNS, page_by_position
from kitty_status.eventstore.sqlite.rows import events_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.query import EventQuery

HEAD = "SELECT coalesce(max(position), 0) FROM events"
_BY_IDS = f"SELECT {COLUMNS} FROM events WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608  the names are ours
_VERSIONS = """
SELECT value, (SELECT version FROM events WHERE stream = value ORDER BY version DESC LIMIT 1) FROM json_each(?)
"""
_MOST_STREAMS = 10_000
_encode = msgspec.json.Encoder().encode


class Stored:
    """Remembers the versions of streams for as long as nobody else writes, which the head of the file tells."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._head = 0
        self._versions: dict[str, int] = {}

    def look(self) -> None:
        """See, at the beginning of a transaction, whether somebody else has written meanwhile."""
        head = int(self._connection.execute(HEAD).fetchone()[0])
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
        return {event.id: event for event in events_of(rows)}

    def versions_of(self, streams: Collection[str]) -> dict[str, int]:
        """Return the version of the newest event of each stream."""
        unknown = [stream for stream in streams if stream not in self._versions]
        if unknown:
            rows = self._connection.execute(_VERSIONS, (_text(unknown),))
            self._versions.update((stream, version or 0) for stream, version in rows)
        return {stream: self._versions[stream] for stream in streams}

    def first_match(self, query: EventQuery) -> Event | None:
        """Return the first event that a query asks for."""
        end = self._head + 1 if query.before is None else min(query.before, self._head + 1)
        sql = page_by_position(query, query.after, end, 1)
        return next(iter(events_of(self._connection.execute(sql.text, sql.values).fetchall())), None)


def _text(words: Iterable[str]) -> str:
    return _encode(list(words)).decode()
