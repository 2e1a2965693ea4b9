"""The protocol of every event store, with its promises. Few operations are a backend's own; the rest rests on them."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from kitty_status.eventstore.archives import check_name
from kitty_status.eventstore.condition import (
    ANY_VERSION,
    AppendCondition,
    ExpectedVersion,
    check_condition,
    expected_versions,
)
from kitty_status.eventstore.drafting import drafted
from kitty_status.eventstore.durability import ALWAYS, Durability
from kitty_status.eventstore.errors import EventStoreError
from kitty_status.eventstore.event import Event, NewEvent
from kitty_status.eventstore.group_commit import GroupCommit
from kitty_status.eventstore.payloads import PayloadTypes
from kitty_status.eventstore.query import EVERYTHING, EventQuery
from kitty_status.eventstore.readable import Readable
from kitty_status.eventstore.staging import Append
from kitty_status.eventstore.subscription import Delivery, Subscription

if TYPE_CHECKING:
    from datetime import datetime

    from kitty_status.eventstore.archives import Archived
    from kitty_status.eventstore.snapshots import StateSnapshot
    from kitty_status.eventstore.staging import Outcome

Handler: TypeAlias = Callable[[Event], object]
Unsubscribe: TypeAlias = Callable[[], None]


class EventStore(Readable):
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
    * **Safe.** Threads and, where the backend is not in memory, processes may use it at the same time. Each process
      opens its own: a child that was forked later can only close it, which leaves everything to the parent.

    Operations raise `EventStoreError` and nothing else of their own. `payloads` are the models by which data is
    checked; `cache`, a `QueryCache`, keeps answers of `get_events` where somebody has set it; `measures` are for
    OpenTelemetry.
    """

    def __init__(self, durability: Durability = ALWAYS) -> None:
        super().__init__()
        self.payloads = PayloadTypes()
        self.durability = durability
        self._writing = GroupCommit(self._commit_and_tell, durability.linger)

    # What a backend writes itself

    @abstractmethod
    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends that are judged in this order by `staging.Stage`, all with one confirmation by the disk.

        Returns the events with their places, or the error by which it was refused, for each. Never called by two
        threads at once. An error that is raised concerns all of them, and then none is stored.
        """

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
    def compact_events(self, before: datetime | str, *, dry_run: bool = False) -> int:
        """Move events that happened before an instant to a compressed archive, and return how many were moved.

        They stay readable through the store, at their positions, and what is promised of them is kept. Only what lies
        whole before the instant is moved: the first events of the store, or its days, as the backend keeps them; the
        newest event always stays. An interruption is harmless. With `dry_run`, nothing is moved.

        Raises:
            EventStoreError: QUERY_ERROR: `before` is no instant. STORAGE_ERROR: the extra `archive` is missing.
        """

    def archives(self) -> list[Archived]:
        """Return what is in the archive, in the order of positions."""
        self._refuse_if_closed()
        return []

    def restore_events(self, name: str) -> int:
        """Bring back what went into the archive under a name, and return how many events; 0 where there is none.

        Where all events are in one file of lines, those come back as well that were archived after them.

        Raises:
            EventStoreError: CORRUPT: it does not hold what was put into it; nothing is changed.
        """
        self._refuse_if_closed()
        check_name(name)
        return 0

    def check_archive(self, name: str) -> None:
        """Compare what is in the archive under a name with its checksum.

        Raises:
            EventStoreError: CORRUPT: it does not hold what was put into it.
        """
        self._refuse_if_closed()
        check_name(name)

    def release(self) -> None:
        """Give back what the backend has opened; called once, by `close`, and never in a forked child."""

    def close(self) -> None:
        """Finish what is being written and give everything back. Closing twice does nothing; all else then fails."""
        if self._owner.is_here:
            self._writing.close()
        was_closed, self.is_closed = self.is_closed, True
        if self._owner.is_here and not was_closed:
            self.wake()
            self.release()

    def wait_for(self, position: int, seconds: float) -> bool:
        """Wait until there is an event at `position`, so many seconds at most, and say whether there is.

        Raises:
            EventStoreError: STORAGE_ERROR: the store is closed, or the backend failed.
        """
        self._refuse_if_closed()
        deadline = time.monotonic() + seconds
        while not self.hear_of(position, max(deadline - time.monotonic(), 0)):
            self._refuse_if_closed()
            if time.monotonic() >= deadline:
                return False
        return True

    def hear_of(self, position: int, seconds: float) -> bool:
        """Wait as `wait_for` does, but no longer than until `wake` is called."""
        return self._growth.wait_for(position, seconds, self.head)

    def known_head(self) -> int:
        """Return the greatest position that is known to be stored, without asking; there may be greater ones."""
        return self._growth.head

    def wake(self) -> None:
        """Let everybody who waits for events see whether there is still a reason to."""
        if self._owner.is_here:
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
        events: Iterable[NewEvent | Event],
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
        append = self.prepared(events, expected_version, condition)
        return self._writing.submit(append) if append.drafts else []

    def append_later(self, append: Append, tell: Callable[[Outcome | BaseException], object]) -> None:
        """Append what `prepared` returned, without waiting; `tell` is called with what became of it, in another thread.

        Raises:
            EventStoreError: STORAGE_ERROR: the store is closed; `tell` is not called.
        """
        self._writing.submit_later(append, tell)

    def prepared(
        self,
        events: Iterable[NewEvent | Event],
        expected_version: ExpectedVersion = ANY_VERSION,
        condition: AppendCondition | None = None,
    ) -> Append:
        """Check events, and return what is to be stored.

        Raises:
            EventStoreError: VALIDATION_FAILED: an event cannot be stored, or the version or the condition makes no
                sense.
        """
        self._refuse_if_closed()
        try:
            drafts = drafted(events)
            self.payloads.check(drafts)
            check_condition(condition)
            if expected_version is ANY_VERSION or not drafts:
                return Append(drafts, {}, condition)
            return Append(drafts, expected_versions(expected_version, {draft.stream for draft in drafts}), condition)
        except EventStoreError as error:
            self.measures.failed(1, error)
            raise

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
        result is the function that ends this. A coroutine function is no handler here: `AsyncEventStore` takes it.

        Raises:
            EventStoreError: QUERY_ERROR: the query is limited, or does not go forwards by position; `after` is no
                position; the handler would have to be awaited.
        """
        self._refuse_if_closed()
        asked = query if callable(wanted) else wanted
        Subscription.check(asked, after)
        if callable(wanted):
            Delivery.check(wanted)
        subscription = Subscription(self, asked, max(asked.after, self.head() if after is None else after))
        return Delivery(subscription, wanted) if callable(wanted) else subscription
