"""Answers from the tables of months and from the archive.

What is in which may change while an answer is read. A stored event never changes, so it makes no difference from where
it is read: an answer by position is read part by part, each from where it lies at that moment. In any other order the
events of months that are in the archive are sorted here, and those months are left out of what the server sorts; a
month that goes there meanwhile is added to them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kitty_status.eventstore import chunks
from kitty_status.eventstore.answering import behind_cursor, cut
from kitty_status.eventstore.postgres.asking import Sql, is_plain
from kitty_status.eventstore.postgres.reading import ArchivedError, Rest, span_of
from kitty_status.eventstore.postgres.rows import events_of
from kitty_status.eventstore.query import EVERYTHING, Direction, EventQuery, Order
from kitty_status.eventstore.sorting import merged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.postgres.archived import ArchiveTable, MonthChunk
    from kitty_status.eventstore.postgres.asking import Asking
    from kitty_status.eventstore.postgres.driver import psycopg
    from kitty_status.eventstore.postgres.lending import Lender
    from kitty_status.eventstore.postgres.months import Known, Months
    from kitty_status.eventstore.postgres.reading import Reader


class Across:
    """Reads everything, wherever it is."""

    def __init__(self, reader: Reader, lender: Lender, archive: ArchiveTable, asking: Asking, months: Months) -> None:
        self._reader = reader
        self._lender = lender
        self._archive = archive
        self._asking = asking
        self._months = months

    def events(self, query: EventQuery, min_position: int = 0) -> Iterator[Event]:
        """Yield the events of an answer."""
        rest = Rest(query)
        try:
            for page in self._reader.pages(rest, min_position):
                yield from page
        except ArchivedError:
            pass
        else:
            return
        if rest.head is None:
            rest.ends_at(self._reader.head_at(min_position))
        query, at_least = rest.query, max(min_position, rest.head or 0)
        limit = None if query.limit is None else query.limit + query.offset
        wanted = query.narrowed(offset=0, limit=limit)
        if query.order is Order.POSITION:
            yield from cut(query, self._by_position(wanted, at_least))
        else:
            yield from cut(query, self._sorted(wanted, at_least, frozenset()))

    def _by_position(self, query: EventQuery, min_position: int) -> Iterator[Event]:
        """Yield all events between the bounds of a query, which have to be there, in either direction."""
        after, end = span_of(query)
        before = end or 0
        query = query.narrowed(cursor=None)
        while after + 1 < before:
            low, high, is_archived = self._months.known.beginning_of(after, before, backwards=query.is_backwards)
            if is_archived:
                found = self._lender.settled(partial(self._of_archive, query, (low, high)), min_position)
                if found is None:
                    continue
                events, chunk = found
                yield from events
                low, high = (low, high) if chunk is None else (max(low, chunk.first - 1), min(high, chunk.last + 1))
            else:
                part = Rest(query.narrowed(after=low, before=high))
                try:
                    for page in self._reader.pages(part, min_position):
                        yield from page
                except ArchivedError:
                    left = span_of(part.query)
                    low, high = (left[1] or 0) - 1, left[0] + 1
            after, before = (after, low + 1) if query.is_backwards else (high - 1, before)

    def _of_archive(
        self, query: EventQuery, span: tuple[int, int], connection: psycopg.Connection, known: Known
    ) -> tuple[Iterator[Event], MonthChunk | None] | None:
        # None where it came back meanwhile, or some of it.
        is_there = known.archived_between(*span) == [span]
        return self._archive.matching(connection, known, query, span) if is_there else None

    def _sorted(self, query: EventQuery, min_position: int, apart: frozenset[date]) -> Iterator[Event]:
        """Yield the events of all months but some, in another order than that of positions."""
        while True:
            archived = self._months.known.archived_months(*span_of(query))
            more = {month: span for month, span in archived.items() if month not in apart}
            if more:
                runs = (run for span in more.values() for run in self._runs(query, span, min_position))
                yield from merged(query, runs, self._sorted(query, min_position, apart.union(more)))
                return
            rest = Rest(query)
            try:
                for page in self._reader.pages(rest, min_position, apart):
                    yield from page
            except ArchivedError:
                query = rest.query
            else:
                return

    def _runs(self, query: EventQuery, span: tuple[int, int], min_position: int) -> Iterator[Iterator[Event]]:
        """Yield the events of a span that a query asks for, as many at once as there is memory for."""
        every = query.narrowed(order_by=Order.POSITION, direction=Direction.FORWARDS, limit=None, cursor=None)
        after, before = span
        for start in range(after, before - 1, chunks.MOST_EVENTS):
            end = min(before, start + chunks.MOST_EVENTS + 1)
            yield self._by_position(every.narrowed(after=start, before=end), min_position)

    def count(self, query: EventQuery) -> int:
        """Return how many events a query asks for."""
        if is_plain(query) and query.behind is None:
            # Positions have no gap.
            head = self._reader.head_at(0)
            last = head if query.before is None else min(head, query.before - 1)
            found = max(last - query.after - query.offset, 0)
            return found if query.limit is None else min(found, query.limit)
        counted: dict[date, int] = {}
        while True:
            try:
                wanted = query.narrowed(limit=None, offset=0) if counted else query
                found = self._reader.count(wanted, counted) + sum(counted.values())
            except ArchivedError:
                for month, span in self._months.known.archived_months(*span_of(query)).items():
                    runs = self._runs(query, span, 0) if month not in counted else ()
                    counted.setdefault(month, sum(1 for run in runs for _ in behind_cursor(query, run)))
                continue
            if not counted:
                return found
            found = max(found - query.offset, 0)
            return found if query.limit is None else min(found, query.limit)

    def event(self, event_id: str) -> Event | None:
        """Return the event with this id, None where there is none."""
        ids = list(EventQuery(ids=event_id).criteria[0].ids)
        found = events_of(self._reader.complete(lambda known: self._asking.by_ids(ids, known)))
        if found or not self._months.known.moves:
            return next(iter(found), None)
        for _, position in self._reader.rows(Sql(self._asking.places, [ids])):
            found = list(self.events(EventQuery(after=position - 1, before=position + 1)))
        return next(iter(found), None)

    def place_of(self, stream: str, version: int) -> int | None:
        """Return the position of a version of a stream, None where there is none."""
        rows = self._reader.complete(lambda known: self._asking.place_of(stream, version, known))
        if rows or not self._months.known.moves:
            return rows[0][0] if rows else None
        query = EventQuery(streams=stream, after_version=version - 1, limit=1)
        return next((event.position for event in self.events(query) if event.version == version), None)

    def tags(self) -> dict[str, list[str]]:
        """Return the values of each tag that any event has, sorted."""
        found: set[tuple[str, str]] = set()
        seen: set[date] = set()

        def tags(known: Known) -> Sql:
            if not known.archived_months(0, None).keys() <= seen:
                raise ArchivedError
            return self._asking.tags(known)

        while True:
            try:
                found.update((key, value) for key, value, _ in self._reader.complete(tags))
            except ArchivedError:
                more = self._months.known.archived_months(0, None)
                for month in more.keys() - seen:
                    runs = self._runs(EVERYTHING, more[month], 0)
                    found.update(pair for run in runs for event in run for pair in _tags_of(event))
                    seen.add(month)
            else:
                break
        tags_of: dict[str, list[str]] = {}
        for key, value in sorted(found):
            tags_of.setdefault(key, []).append(value)
        return tags_of


def _tags_of(event: Event) -> Iterator[tuple[str, str]]:
    for key, given in event.tags.items():
        for value in (given,) if isinstance(given, str) else given:
            yield key, value
