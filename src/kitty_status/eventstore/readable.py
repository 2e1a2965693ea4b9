"""What every store can be asked, which rests on streams of events."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, overload

from kitty_status.eventstore.days import day_of, instants_of
from kitty_status.eventstore.growth import Growth
from kitty_status.eventstore.measuring import Measures
from kitty_status.eventstore.owning import Owned
from kitty_status.eventstore.query import EVERYTHING, EventQuery, query_of
from kitty_status.eventstore.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from kitty_status.eventstore.caching import QueryCache
    from kitty_status.eventstore.event import Event


class Readable(Owned):
    """The part of an `EventStore` that reads; a backend may answer any of it faster."""

    def __init__(self) -> None:
        super().__init__()
        self.measures = Measures(type(self).__name__)
        self.cache: QueryCache | None = None
        self.recent = Recent()
        self._growth = Growth()

    @abstractmethod
    def stream_events(self, query: EventQuery = EVERYTHING) -> Iterator[Event]:
        """Return the events that a query asks for, one by one, in bounded memory however many there are.

        They are those that were stored when the first one was asked for.
        """

    @abstractmethod
    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""

    def get_event(self, event_id: str) -> Event | None:
        """Return the event with this id, None where there is none."""
        return next(iter(self.stream_events(EventQuery(ids=event_id))), None) if event_id else None

    @overload
    def get_events(self, wanted: EventQuery = ...) -> list[Event]: ...

    @overload
    def get_events(self, wanted: str, from_version: int = ...) -> list[Event]: ...

    def get_events(self, wanted: EventQuery | str = EVERYTHING, from_version: int = 0) -> list[Event]:
        """Return the events that a query asks for, or those of a stream with a version greater than `from_version`."""
        if isinstance(wanted, str):
            wanted = EventQuery(streams=wanted, after_version=from_version)
        query_of(wanted)
        if self.cache is not None:
            return self.cache.events(self._growth, wanted, self.head(), lambda query: list(self.stream_events(query)))
        return list(self.stream_events(wanted))

    def get_events_by_type(self, event_type: str, since: datetime | str | None = None) -> list[Event]:
        """Return the events of a type, of those that happened at `since` or later."""
        return self.get_events(EventQuery(types=event_type, start=since))

    def get_events_by_issue_id(self, issue_id: str) -> list[Event]:
        """Return the events with this value under the tag `issueId`."""
        return self.get_events(EventQuery(issue_ids=issue_id))

    def get_events_by_time_range(self, start: datetime | str, end: datetime | str) -> list[Event]:
        """Return the events that happened at `start` or later, and before `end`, by time."""
        return self.get_events(EventQuery(start=start, end=end, order_by="timestamp"))

    def get_page(self, query: EventQuery) -> tuple[list[Event], str | None]:
        """Return the events of a query, and the cursor with which the next page begins; None where nothing is left."""
        limit = query_of(query).limit
        if limit is None:
            return self.get_events(query), None
        found = self.get_events(query.narrowed(limit=limit + 1))
        return found[:limit], query.cursor_of(found[limit - 1]) if 0 < limit < len(found) else None

    def read_day(self, day: date | str) -> list[Event]:
        """Return the events that happened on a day (`YYYY-MM-DD`, in UTC), in the order of positions."""
        return self.read_range(day, day)

    def read_range(self, first: date | str, last: date | str) -> list[Event]:
        """Return the events that happened from one day to another, both included, in the order of positions."""
        start, end = instants_of(first, last)
        return self.get_events(EventQuery(start=start, end=end))

    # Aggregates

    def count_events(self, query: EventQuery = EVERYTHING) -> int:
        """Return how many events a query asks for."""
        return sum(1 for _ in self.stream_events(query))

    def get_event_types(self) -> list[str]:
        """Return the types of all events, sorted."""
        return sorted({event.type for event in self.stream_events()})

    def get_tags(self) -> dict[str, list[str]]:
        """Return the values of each tag that any event has, sorted."""
        found: dict[str, set[str]] = {}
        for event in self.stream_events():
            for key, values in event.tags.items():
                found.setdefault(key, set()).update([values] if isinstance(values, str) else values)
        return {key: sorted(values) for key, values in sorted(found.items())}

    def get_event_files(self) -> list[str]:
        """Return the days (`YYYY-MM-DD`, in UTC) on which events happened, sorted; what `read_day` takes."""
        return sorted({day_of(event.at) for event in self.stream_events()})
