"""The asynchronous twin of every event store: the same operations, promises and errors, to be awaited.

Appends of many tasks reach the disk in common commits without a thread for each. Reading runs in a few threads, page by
page; a subscription that waits occupies none.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, overload

from kitty_status.eventstore.asynchronous_subscription import AsyncSubscription, Watch, deliver
from kitty_status.eventstore.condition import ANY_VERSION, AppendCondition, ExpectedVersion
from kitty_status.eventstore.errors import closed
from kitty_status.eventstore.group_commit import events_of
from kitty_status.eventstore.owning import Owner
from kitty_status.eventstore.query import EVERYTHING, EventQuery
from kitty_status.eventstore.subscription import PAGE, Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
    from datetime import date, datetime
    from types import TracebackType

    from kitty_status.eventstore.archives import Archived
    from kitty_status.eventstore.asynchronous_subscription import AsyncHandler
    from kitty_status.eventstore.event import Event, NewEvent
    from kitty_status.eventstore.payloads import PayloadTypes
    from kitty_status.eventstore.protocol import EventStore
    from kitty_status.eventstore.snapshots import StateSnapshot
    from kitty_status.eventstore.staging import Outcome

    Unsubscribe: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

_Result = TypeVar("_Result")
_READERS = 8


class AsyncEventStore:
    """An event store whose operations are awaited; `store` belongs to it from now on, and `close` closes it."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="event store")
        self._watch = Watch(store)
        self._is_closed = False
        self._owner = Owner()

    @property
    def payloads(self) -> PayloadTypes:
        """The models by which the data of events is checked."""
        return self._store.payloads

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._store.is_closed

    async def _run(self, call: Callable[..., _Result], *arguments: Any) -> _Result:
        self._owner.refuse_others()
        if self._is_closed:
            raise closed()
        return await asyncio.get_running_loop().run_in_executor(self._readers, call, *arguments)

    # Appending

    async def append(
        self,
        event: NewEvent | Event,
        *,
        expected_version: ExpectedVersion = ANY_VERSION,
        condition: AppendCondition | None = None,
    ) -> Event:
        """Append one event and return it with its place; see `EventStore.append`."""
        return (await self.append_batch([event], expected_version=expected_version, condition=condition))[0]

    async def append_batch(
        self,
        events: Iterable[NewEvent | Event],
        *,
        expected_version: ExpectedVersion = ANY_VERSION,
        condition: AppendCondition | None = None,
    ) -> list[Event]:
        """Append events, all or none; see `EventStore.append_batch`.

        A task that is cancelled while it waits does not undo what was handed over: the events are stored, unless they
        are refused. The same call with the same ids says which it was.
        """
        append = self._store.prepared(events, expected_version, condition)
        if not append.drafts:
            return []
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome | BaseException] = loop.create_future()

        def give(outcome: Outcome | BaseException) -> None:
            if not answer.done():
                answer.set_result(outcome)

        self._store.append_later(append, lambda outcome: loop.call_soon_threadsafe(give, outcome))
        return events_of(await answer)

    # Reading

    async def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        return await self._run(self._store.head)

    async def get_event(self, event_id: str) -> Event | None:
        """Return the event with this id, None where there is none."""
        return await self._run(self._store.get_event, event_id)

    @overload
    async def get_events(self, wanted: EventQuery = ...) -> list[Event]: ...

    @overload
    async def get_events(self, wanted: str, from_version: int = ...) -> list[Event]: ...

    async def get_events(self, wanted: EventQuery | str = EVERYTHING, from_version: int = 0) -> list[Event]:
        """Return the events that a query asks for, or those of a stream; see `EventStore.get_events`."""
        if isinstance(wanted, str):
            wanted = EventQuery(streams=wanted, after_version=from_version)
        return await self._run(self._store.get_events, wanted)

    async def stream_events(self, query: EventQuery = EVERYTHING) -> AsyncGenerator[Event, None]:
        """Yield the events that a query asks for; see `EventStore.stream_events`."""
        found = await self._run(self._store.stream_events, query)
        while page := await self._run(lambda: list(islice(found, PAGE))):
            for event in page:
                yield event

    async def get_events_by_type(self, event_type: str, since: datetime | str | None = None) -> list[Event]:
        """Return the events of a type, of those that happened at `since` or later."""
        return await self._run(self._store.get_events_by_type, event_type, since)

    async def get_events_by_issue_id(self, issue_id: str) -> list[Event]:
        """Return the events with this value under the tag `issueId`."""
        return await self._run(self._store.get_events_by_issue_id, issue_id)

    async def get_events_by_time_range(self, start: datetime | str, end: datetime | str) -> list[Event]:
        """Return the events that happened at `start` or later, and before `end`, by time."""
        return await self._run(self._store.get_events_by_time_range, start, end)

    async def get_page(self, query: EventQuery) -> tuple[list[Event], str | None]:
        """Return the events of a query, and the cursor with which the next page begins."""
        return await self._run(self._store.get_page, query)

    async def read_day(self, day: date | str) -> list[Event]:
        """Return the events that happened on a day; see `EventStore.read_day`."""
        return await self._run(self._store.read_day, day)

    async def read_range(self, first: date | str, last: date | str) -> list[Event]:
        """Return the events that happened from one day to another, both included."""
        return await self._run(self._store.read_range, first, last)

    async def count_events(self, query: EventQuery = EVERYTHING) -> int:
        """Return how many events a query asks for."""
        return await self._run(self._store.count_events, query)

    async def get_event_types(self) -> list[str]:
        """Return the types of all events, sorted."""
        return await self._run(self._store.get_event_types)

    async def get_tags(self) -> dict[str, list[str]]:
        """Return the values of each tag that any event has, sorted."""
        return await self._run(self._store.get_tags)

    async def get_event_files(self) -> list[str]:
        """Return the days on which events happened, sorted."""
        return await self._run(self._store.get_event_files)

    # Keeping

    async def create_snapshot(self, stream: str, version: int, state: Any) -> StateSnapshot:
        """Keep the state that a stream has at a version; see `EventStore.create_snapshot`."""
        return await self._run(self._store.create_snapshot, stream, version, state)

    async def get_snapshot(self, stream: str, max_version: int | None = None) -> StateSnapshot | None:
        """Return the newest state that is kept of a stream; see `EventStore.get_snapshot`."""
        return await self._run(self._store.get_snapshot, stream, max_version)

    async def compact_events(self, before: datetime | str, *, dry_run: bool = False) -> int:
        """Move events that happened before an instant to the archive; see `EventStore.compact_events`."""
        return await self._run(partial(self._store.compact_events, before, dry_run=dry_run))

    async def archives(self) -> list[Archived]:
        """Return what is in the archive; see `EventStore.archives`."""
        return await self._run(self._store.archives)

    async def restore_events(self, name: str) -> int:
        """Bring back what went into the archive under a name; see `EventStore.restore_events`."""
        return await self._run(self._store.restore_events, name)

    async def check_archive(self, name: str) -> None:
        """Compare what is in the archive under a name with its checksum; see `EventStore.check_archive`."""
        await self._run(self._store.check_archive, name)

    # Subscribing

    @overload
    async def subscribe(
        self, wanted: AsyncHandler, query: EventQuery = ..., *, after: int | None = ...
    ) -> Unsubscribe: ...

    @overload
    async def subscribe(self, wanted: EventQuery = ..., *, after: int | None = ...) -> AsyncSubscription: ...

    async def subscribe(
        self,
        wanted: EventQuery | AsyncHandler = EVERYTHING,
        query: EventQuery = EVERYTHING,
        *,
        after: int | None = None,
    ) -> AsyncSubscription | Unsubscribe:
        """Return the events of a query behind the position `after`; see `EventStore.subscribe`.

        A handler may be a coroutine function; the next event waits until it is done.
        """
        self._owner.refuse_others()
        if self._is_closed:
            raise closed()
        asked = query if callable(wanted) else wanted
        Subscription.check(asked, after)
        start = await self.head() if after is None else after
        subscription = AsyncSubscription(self, self._watch, asked, max(asked.after, start))
        if not callable(wanted):
            return subscription
        task = asyncio.create_task(deliver(subscription, wanted))

        async def unsubscribe() -> None:
            subscription.close()
            if task is not asyncio.current_task():
                await task

        return unsubscribe

    async def close(self) -> None:
        """Finish what is being written and give everything back; closing twice does nothing."""
        if not self._owner.is_here:
            self._store.close()
            return
        await asyncio.get_running_loop().run_in_executor(None, self._store.close)
        self._watch.close()
        self._is_closed = True
        self._readers.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
