"""The asynchronous twin of a store, called as if it were synchronous, so that one suite tries both."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

from kitty_status.eventstore.asynchronous import AsyncEventStore
from kitty_status.eventstore.condition import ANY_VERSION, AppendCondition, ExpectedVersion
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.query import EVERYTHING, EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
    from datetime import date, datetime

    from kitty_status.eventstore.archives import Archived
    from kitty_status.eventstore.asynchronous_subscription import AsyncSubscription
    from kitty_status.eventstore.event import Event, NewEvent
    from kitty_status.eventstore.snapshots import StateSnapshot
    from kitty_status.eventstore.staging import Append, Outcome

_Result = TypeVar("_Result")


class Twin(EventStore):
    """Every operation goes through `AsyncEventStore`, in an event loop that runs in a thread of its own."""

    def __init__(self, store: EventStore) -> None:
        super().__init__()
        self.payloads = store.payloads
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._twin = AsyncEventStore(store)

    def _await(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        if self._loop.is_closed() or not self._owner.is_here:
            return asyncio.run(coroutine)
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def append(
        self,
        event: NewEvent | Event,
        *,
        expected_version: ExpectedVersion = ANY_VERSION,
        condition: AppendCondition | None = None,
    ) -> Event:
        return self._await(self._twin.append(event, expected_version=expected_version, condition=condition))

    def append_batch(
        self,
        events: Iterable[NewEvent | Event],
        *,
        expected_version: ExpectedVersion = ANY_VERSION,
        condition: AppendCondition | None = None,
    ) -> list[Event]:
        return self._await(self._twin.append_batch(events, expected_version=expected_version, condition=condition))

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        raise NotImplementedError(f"the twin of a store commits nothing itself: {len(appends)} appends")

    def head(self) -> int:
        return self._await(self._twin.head())

    def wait_for(self, position: int, seconds: float) -> bool:
        return self._await(self._reach(position, seconds))

    async def _reach(self, position: int, seconds: float) -> bool:
        subscription = await self._twin.subscribe(after=position - 1)
        found = await subscription.next_within(seconds)
        subscription.close()
        return found is not None

    def stream_events(self, query: EventQuery = EVERYTHING) -> Iterator[Event]:
        stream = self._twin.stream_events(query)
        try:
            while (found := self._await(_next(stream))) is not None:
                yield found
        finally:
            self._await(stream.aclose())

    def get_event(self, event_id: str) -> Event | None:
        return self._await(self._twin.get_event(event_id))

    def get_events(self, wanted: EventQuery | str = EVERYTHING, from_version: int = 0) -> list[Event]:
        if isinstance(wanted, str):
            return self._await(self._twin.get_events(wanted, from_version))
        return self._await(self._twin.get_events(wanted))

    def get_events_by_type(self, event_type: str, since: datetime | str | None = None) -> list[Event]:
        return self._await(self._twin.get_events_by_type(event_type, since))

    def get_events_by_issue_id(self, issue_id: str) -> list[Event]:
        return self._await(self._twin.get_events_by_issue_id(issue_id))

    def get_events_by_time_range(self, start: datetime | str, end: datetime | str) -> list[Event]:
        return self._await(self._twin.get_events_by_time_range(start, end))

    def get_page(self, query: EventQuery) -> tuple[list[Event], str | None]:
        return self._await(self._twin.get_page(query))

    def read_day(self, day: date | str) -> list[Event]:
        return self._await(self._twin.read_day(day))

    def read_range(self, first: date | str, last: date | str) -> list[Event]:
        return self._await(self._twin.read_range(first, last))

    def count_events(self, query: EventQuery = EVERYTHING) -> int:
        return self._await(self._twin.count_events(query))

    def get_event_types(self) -> list[str]:
        return self._await(self._twin.get_event_types())

    def get_tags(self) -> dict[str, list[str]]:
        return self._await(self._twin.get_tags())

    def get_event_files(self) -> list[str]:
        return self._await(self._twin.get_event_files())

    def create_snapshot(self, stream: str, version: int, state: Any) -> StateSnapshot:
        return self._await(self._twin.create_snapshot(stream, version, state))

    def get_snapshot(self, stream: str, max_version: int | None = None) -> StateSnapshot | None:
        return self._await(self._twin.get_snapshot(stream, max_version))

    def compact_events(self, before: datetime | str, *, dry_run: bool = False) -> int:
        return self._await(self._twin.compact_events(before, dry_run=dry_run))

    def archives(self) -> list[Archived]:
        return self._await(self._twin.archives())

    def restore_events(self, name: str) -> int:
        return self._await(self._twin.restore_events(name))

    def check_archive(self, name: str) -> None:
        self._await(self._twin.check_archive(name))

    def subscribe(self, wanted: Any = EVERYTHING, query: EventQuery = EVERYTHING, *, after: int | None = None) -> Any:
        if callable(wanted):
            unsubscribe = self._await(self._twin.subscribe(wanted, query, after=after))
            return lambda: None if self._loop.is_closed() else self._await(unsubscribe())
        return _Subscription(self._await, self._twin.subscribe(wanted, after=after), self._loop)

    async def _finish(self) -> None:
        await self._twin.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    def close(self) -> None:
        if not self._owner.is_here:
            self._await(self._twin.close())
        elif not self.is_closed:
            self._await(self._finish())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        self.is_closed = True


class _Subscription:
    def __init__(
        self,
        wait: Callable[[Coroutine[Any, Any, Any]], Any],
        subscribing: Coroutine[Any, Any, AsyncSubscription],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._wait = wait
        self._loop = loop
        self._subscription: AsyncSubscription = wait(subscribing)

    @property
    def position(self) -> int:
        return self._subscription.position

    def __iter__(self) -> _Subscription:
        return self

    def __next__(self) -> Event:
        event: Event | None = self._wait(self._subscription.next_within(None))
        if event is None:
            raise StopIteration
        return event

    def next_within(self, seconds: float | None) -> Event | None:
        event: Event | None = self._wait(self._subscription.next_within(seconds))
        return event

    def close(self) -> None:
        if self._loop.is_closed():
            self._subscription.close()
        else:
            self._loop.call_soon_threadsafe(self._subscription.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _next(stream: Any) -> Event | None:
    found: Event | None = await anext(stream, None)
    return found
