"""The protocol of every event store, with its promises. Few operations are a backend's own; the rest rests on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias, overload

from kitty_status.eventstore.condition import ANY_VERSION, AppendCondition, ExpectedVersion, expected_versions
from kitty_status.eventstore.days import day_of, instants_of
from kitty_status.eventstore.drafting import drafted
from kitty_status.eventstore.durability import ALWAYS, Durability
from kitty_status.eventstore.errors import EventStoreError, closed
from kitty_status.eventstore.event import Event, NewEvent
from kitty_status.eventstore.group_commit import GroupCommit
from kitty_status.eventstore.growth import Growth
from kitty_status.eventstore.measuring import Measures
from kitty_status.eventstore.payloads import PayloadTypes
from kitty_status.eventstore.query import EVERYTHING, EventQuery
from kitty_status.eventstore.recent import Recent
from kitty_status.eventstore.staging import Append
from kitty_status.eventstore.subscription import Delivery, Subscription

if TYPE_CHECKING:
    from datetime import date, datetime
    from types import TracebackType

    from kitty_status.eventstore.caching import QueryCache
    from kitty_status.eventstore.snapshots import StateSnapshot
    from kitty_status.eventstore.staging import Outcome

Handler: TypeAlias = Callable[[Event], object]
Unsubscribe: TypeAlias = Callable[[], None]


class EventStore(ABC):
    """A record of events that only grows.

    What every backend promises:

    * **Kept.** When an append returns, its events are as durable as the store was asked to make them.
    * **Whole.** A batch is stored entirely or not at all, also across a crash; no reader sees a part of one.
    * **Numbered.** The first event has position 1, each next one the next number, without a gap. The same holds for
      the versions in a stream. Numbers are given in the order of commits.
    * **Unchanging.** A stored event is never altered or removed. What was handed out can be changed without harm.
    * **Idempotent.** An event that is stored already with the same content gets the place it got then, and is not
      stored twice; with other content it is refused, naming both.
    * **Guarded.** Of several appends whose conditions or expected versions exclude each other, one succeeds.
    * **Complete.** Who has read up to the head has seen every event up to there; no event ever appears below it.
    * **In order.** A subscription hands out each event once, in the order of positions, and skips none.
    * **Checked.** Whatever a backend would change is refused before anything is stored; nothing is half appended.
    * **Safe.** Threads and, where the backend is not in memory, processes may use it at the same time.

    Operations raise `EventStoreError` and nothing else of their own. `payloads` are the models by which data is
    checked; `cache`, a `QueryCache`, keeps answers of `get_events` where somebody has set it; `measures` are for
    OpenTelemetry.
    """

    def __init__(self, durability: Durability = ALWAYS) -> None:
        self.payloads = PayloadTypes()
        self.durability = durability
        self.measures = Measures(type(self).__name__)
        self.cache: QueryCache | None = None
        self._growth = Growth()
        self.recent = Recent()
        self._writing = GroupCommit(self._commit_and_tell, durability.linger)
        self.is_closed = False

    # What a backend writes itself

    @abstractmethod
    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends that are judged in this order by `staging.Stage`, all with one confirmation by the disk.

        Returns the events with their places, or the error by which it was refused, for each. Never called by two
        threads at once. An error that is raised concerns all of them, and then none is stored.
        """

    @abstractmethod
    def stream_events(self, query: EventQuery = EVERYTHING) -> Iterator[Event]:
        """Return the events that a query asks for, one by one, in bounded memory however many there are.

        They are those that were stored when the first one was asked for.
        """

    @abstractmethod
    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""

    @abstractmethod
    def create_snapshot(self, stream: str, version: int, state: Any) -> StateSnapshot:
        """Keep the state that a stream has at a version, in place of what was kept for that version.

        Raises:
            EventStoreError: VALIDATION_FAILED: the stream has no such version, or the state is no JSON.
        """

    @abstractmethod
    def get_snapshot(self, stream: str, max_version: int | None = None) -> StateSnapshot | None:
        """Return the newest state that is kept of a stream, of `max_version` at most; None where there is none."""

    @abstractmethod
    def compact_events(self, before: datetime | str) -> int:
        """Move events that happened before an instant to a compressed archive, and return how many were moved.

        They stay readable through the store, at their positions. Only what lies whole before the instant is moved
        (a segment, a day, a month, as the backend keeps them).
        """

    def close(self) -> None:
        """Finish what is being written and give everything back. Closing twice does nothing; all else then fails."""
        self._writing.close()
        self.is_closed = True
        self.wake()

    def _refuse_if_closed(self) -> None:
        if self.is_closed:
            raise closed()

    def wait_for(self, position: int, seconds: float) -> bool:
        """Wait until there is an event at `position`, so many seconds at most, and say whether there is."""
        return self._growth.wait_for(position, seconds, self.head)

    def known_head(self) -> int:
        """Return the greatest position that is known to be stored, without asking; there may be greater ones."""
        return self._growth.head

    def wake(self) -> None:
        """Let everybody who waits for events stop waiting."""
        self._growth.wake()

    # Appending

    def append(
        self,
        event: NewEvent | Event,
        *,
        expected_version: ExpectedVersion = ANY_VERSION,
        condition: AppendCondition | None = None,
    ) -> Event:
        """Append one event and return it with its place; see `append_batch`."""
        return self.append_batch([event], expected_version=expected_version, condition=condition)[0]

    def append_batch(
        self,
        events: Sequence[NewEvent | Event],
        *,
        expected_version: ExpectedVersion = ANY_VERSION,
        condition: AppendCondition | None = None,
    ) -> list[Event]:
        """Append events, all or none, and return them with their places, in the order in which they were given.

        Raises:
            EventStoreError: VALIDATION_FAILED: an event cannot be stored. DUPLICATE_EVENT: an id stands for another
                event. CONFLICT: a stream is not at its expected version, or an event meets the condition.
                STORAGE_ERROR: the disk or the server failed; see its `outcome_unknown`.
        """
        return self._writing.submit(self.prepared(events, expected_version, condition)) if events else []

    def append_later(self, append: Append, tell: Callable[[Outcome | BaseException], object]) -> None:
        """Append what `prepared` returned, without waiting; `tell` is called with what became of it, in another thread.

        Raises:
            EventStoreError: STORAGE_ERROR: the store is closed; `tell` is not called.
        """
        self._writing.submit_later(append, tell)

    def prepared(
        self,
        events: Sequence[NewEvent | Event],
        expected_version: ExpectedVersion = ANY_VERSION,
        condition: AppendCondition | None = None,
    ) -> Append:
        """Check events, and return what is to be stored.

        Raises:
            EventStoreError: VALIDATION_FAILED: an event cannot be stored, or the version makes no sense.
        """
        drafts = drafted(events)
        self.payloads.check(drafts)
        versions = expected_versions(expected_version, {draft.stream for draft in drafts})
        return Append(drafts, versions, condition)

    def _commit_and_tell(self, appends: Sequence[Append]) -> list[Outcome]:
        try:
            outcomes = self.commit(appends)
        except EventStoreError as error:
            self.measures.failed(len(appends), error)
            raise
        self.measures.committed(outcomes)
        stored = [event for outcome in outcomes if isinstance(outcome, list) for event in outcome]
        if stored:
            self.recent.add(stored)
            self._growth.reached(max(event.position for event in stored))
        return outcomes

    # Reading

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
        limit = query.limit
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

    # Subscribing

    @overload
    def subscribe(self, wanted: Handler, query: EventQuery = ..., *, after: int | None = ...) -> Unsubscribe: ...

    @overload
    def subscribe(self, wanted: EventQuery = ..., *, after: int | None = ...) -> Subscription: ...

    def subscribe(
        self, wanted: EventQuery | Handler = EVERYTHING, query: EventQuery = EVERYTHING, *, after: int | None = None
    ) -> Subscription | Unsubscribe:
        """Return the events of a query behind the position `after`, those that are stored and then those that come.

        Without `after` it begins with what is appended from now on; 0 begins with the first event. With a query, the
        result is an iterator. With a handler, the handler is called with each event in a thread of its own, and the
        result is the function that ends this.

        Raises:
            EventStoreError: QUERY_ERROR: the query is limited, or does not go forwards by position.
        """
        asked = query if callable(wanted) else wanted
        Subscription.check(asked)
        subscription = Subscription(self, asked, max(asked.after, self.head() if after is None else after))
        return Delivery(subscription, wanted) if callable(wanted) else subscription

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
