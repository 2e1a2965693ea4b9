"""What a database says by which appends are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.eventstore.postgres.asking import Part
from kitty_status.eventstore.postgres.rows import events_of
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.postgres.archived import ArchiveTable
    from kitty_status.eventstore.postgres.asking import Asking, Sql
    from kitty_status.eventstore.postgres.driver import psycopg
    from kitty_status.eventstore.postgres.months import Known


class Stored:
    """What the database says while nobody else writes, or as if nobody did: then the insert will find out.

    That months move to the archive and back, it will not. So what a statement rests on is checked here: a table that
    is not there is an error, and so is (`MovedError`) an archive that is another one than was known.

    `versions` are those that are known already, and are added to.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        places: tuple[Asking, ArchiveTable],
        known: Known,
        head: int,
        versions: dict[str, int],
    ) -> None:
        self._connection = connection
        self._asking, self._archive = places
        self._known = known
        self._head = head
        self._versions = versions

    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        return self._head

    def events_with_ids(self, ids: Collection[str]) -> dict[str, Event]:
        """Return the stored events that have one of these ids, by id."""
        found = {event.id: event for event in self._events(self._asking.by_ids(list(ids), self._known))}
        missing = [event_id for event_id in ids if event_id not in found] if self._has_archive else []
        if missing:
            rows = self._connection.execute(self._asking.places, (missing,), binary=True).fetchall()
            for _, position in sorted(rows, key=lambda row: row[1]):
                wanted = EventQuery(after=position - 1, before=position + 1)
                found.update((event.id, event) for event in self._archived(wanted))
        return found

    def versions_of(self, streams: Collection[str]) -> dict[str, int]:
        """Return the version of the newest event of each stream."""
        unknown = [stream for stream in streams if stream not in self._versions]
        if unknown:
            found: dict[str, int] = dict(
                self._connection.execute(self._asking.versions, (unknown,), binary=True).fetchall()
            )
            self._versions.update((stream, found.get(stream, 0)) for stream in unknown)
        return {stream: self._versions[stream] for stream in streams}

    def first_match(self, query: EventQuery) -> Event | None:
        """Return an event that a query asks for, the first one of the archive or else of the tables."""
        live = next(iter(self._events(self._asking.page(query, Part(self._known, limit=1)))), None)
        # Asked last: so the archive tells of both that no month has moved.
        return next(self._archived(query), live)

    @property
    def _has_archive(self) -> bool:
        return any(self._known.archived)

    def _archived(self, query: EventQuery) -> Iterator[Event]:
        for low, end in self._known.archived_between(query.after, query.before):
            after = low
            while after + 1 < end:
                found, chunk = self._archive.matching(self._connection, self._known, query, (after, end))
                yield from found
                after = end if chunk is None else chunk.last

    def _events(self, sql: Sql) -> list[Event]:
        # A condition is planned for these values, as a prepared statement would not be.
        return events_of(self._connection.execute(sql.text, sql.values, binary=True, prepare=sql.prepare).fetchall())
