"""Subscriptions that are awaited; see `subscription` for why there is only one way for events to reach them."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

from kitty_status.eventstore.errors import EventStoreError
from kitty_status.eventstore.recent import decode
from kitty_status.eventstore.subscription import FIRST_PAUSE, LONGEST_PAUSE, LONGEST_WAIT, PAGE, failures_logged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.query import EventQuery
    from kitty_status.eventstore.subscription import Followable

    AsyncHandler: TypeAlias = Callable[[Event], Awaitable[object] | object]

_log = logging.getLogger(__name__)


class AsyncFollowable(Protocol):
    """What a subscription needs of a store."""

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        ...

    async def head(self) -> int:
        """Return the position of the newest event."""
        ...

    async def get_events(self, wanted: EventQuery, /) -> list[Event]:
        """Return the events that a query asks for."""
        ...


class AsyncSubscription:
    """The events of a query, from a position on, as an asynchronous iterator that waits for more.

    `position` is how far it has come; see `Subscription`.
    """

    def __init__(self, store: AsyncFollowable, watch: Watch, query: EventQuery, after: int) -> None:
        self.position = after
        self._store = store
        self._watch = watch
        self._query = query
        self._page: Iterator[Event] = iter(())
        self._end_of_page = after
        watch.recent.serve(self)
        self._closed = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come, because this or the store was closed."""
        return self._closed.is_set() or self._store.is_closed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event and return it; see `Subscription.__next__`."""
        event = await self.next_within(None)
        if event is None:
            raise StopAsyncIteration
        return event

    async def next_within(self, seconds: float | None) -> Event | None:
        """Return the next event, None if none comes within so many seconds or the subscription is closed."""
        try:
            return await self._next_within(seconds)
        except EventStoreError:
            if self.is_closed:
                # The store was closed while it was asked.
                return None
            raise

    async def _next_within(self, seconds: float | None) -> Event | None:
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        if self._turn.locked():
            try:
                await asyncio.wait_for(self._turn.acquire(), seconds)
            except TimeoutError:
                return None
        else:
            await self._turn.acquire()
        try:
            return await self._next_before(deadline)
        finally:
            self._turn.release()

    async def _next_before(self, deadline: float | None) -> Event | None:
        has_waited = False
        while not self.is_closed:
            event = next(self._page, None)
            if event is not None:
                self.position = event.position
                return event
            self.position = max(self.position, self._end_of_page)
            kept = self._watch.recent.after(self.position)
            if kept:
                if not has_waited:
                    # Others have their turn, however fast events come.
                    await asyncio.sleep(0)
                    has_waited = True
                    continue
                self._page = filter(self._query.matches, map(decode, kept))
                self._end_of_page = self.position + len(kept)
                continue
            head = await self._store.head()
            if head > self.position:
                await self._read_on(head)
                continue
            left = LONGEST_WAIT if deadline is None else deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return None
            await self._watch.wait_for(self.position + 1, min(left, LONGEST_WAIT))
            has_waited = True
        return None

    async def _read_on(self, head: int) -> None:
        """Read the next page; one that is not full goes up to `head`."""
        query = self._query.narrowed(after=self.position, before=head + 1, limit=PAGE)
        page = await self._store.get_events(query)
        end = head if len(page) < PAGE else page[-1].position
        # In this order: who is interrupted in between reads again, and skips nothing.
        self._page = iter(page)
        self._end_of_page = end

    def close(self) -> None:
        """End the iteration, also in the task that waits in it."""
        self._closed.set()
        self._watch.recent.leave(self)
        self._watch.wake()


class Watch:
    """One thread that waits for a store to grow on behalf of all tasks that wait for it."""

    def __init__(self, store: Followable) -> None:
        self.recent = store.recent
        self._store = store
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Event, tuple[int, asyncio.AbstractEventLoop]] = {}
        self._needed = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._closed = False

    async def wait_for(self, position: int, seconds: float) -> None:
        """Wait until there is an event at `position`, until `wake`, or so many seconds."""
        grown = asyncio.Event()
        with self._lock:
            if self._closed:
                return
            self._waiting[grown] = (position, asyncio.get_running_loop())
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="event store watch", daemon=True)
                self._thread.start()
        self._needed.release()
        try:
            async with asyncio.timeout(seconds):
                await grown.wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.pop(grown, None)

    def wake(self) -> None:
        """Let every task stop waiting."""
        with self._lock:
            # Each is woken once: a loop that is busy would be given the same call again and again.
            woken, self._waiting = self._waiting, {}
        for grown, (_, loop) in woken.items():
            # A loop that has ended meanwhile waits for nothing.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(grown.set)

    def close(self) -> None:
        """End the thread, and let every task stop waiting."""
        self._closed = True
        self._needed.release()
        self._store.wake()
        self.wake()

    def _look(self) -> None:
        while not self._closed:
            self._needed.acquire()
            while not self._closed and (first := self._first()) is not None:
                if self._has_grown_to(first):
                    self.wake()

    def _has_grown_to(self, position: int) -> bool:
        try:
            return self._store.hear_of(position, LONGEST_WAIT)
        except EventStoreError:
            # Whoever waits asks the store itself, and gets the error.
            time.sleep(FIRST_PAUSE)
            return True

    def _first(self) -> int | None:
        with self._lock:
            return min((position for position, _ in self._waiting.values()), default=None)


async def deliver(subscription: AsyncSubscription, handler: AsyncHandler) -> None:
    """Call a handler with each event of a subscription until it is closed."""
    pause = FIRST_PAUSE
    while not subscription.is_closed:
        try:
            event = await subscription.next_within(None)
        except EventStoreError as error:
            if not error.retryable:
                _log.exception("a subscription ended at position %d", subscription.position)
                return
            _log.warning("a subscription at position %d goes on later: %s", subscription.position, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            continue
        if event is None:
            return
        pause = FIRST_PAUSE
        with failures_logged(event):
            answer = handler(event)
            if inspect.isawaitable(answer):
                await answer
