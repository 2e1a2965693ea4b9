"""Subscriptions: what is stored, and then what comes, in the order of positions, each event once.

A subscriber goes on from the position that it has seen, and only where nothing is stored behind it waits for the store
to grow. So nothing is skipped between reading and listening, and a subscriber that is slow holds up nobody, because
nothing is queued for it. What it reads on from is the store; or, as far as the very next position is there, the events
that the store has kept from its last commits.
"""

from __future__ import annotations

import inspect
import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, Self

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.owning import Owner
from kitty_status.eventstore.query import EventQuery, Order, is_number, query_error, query_of
from kitty_status.eventstore.recent import Recent, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.measuring import Measures

PAGE = 500
"""How many events a subscription reads at once."""

_log = logging.getLogger(__name__)
# A subscription that is closed by another thread ends after this many seconds at the latest.
LONGEST_WAIT = 0.5
# After an error that may pass.
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0


class Followable(Protocol):
    """What a subscription needs of a store."""

    is_closed: bool
    measures: Measures
    recent: Recent

    def head(self) -> int:
        """Return the position of the newest event."""
        ...

    def known_head(self) -> int:
        """Return the greatest position that is known to be stored, without asking."""
        ...

    def get_events(self, wanted: EventQuery, /) -> list[Event]:
        """Return the events that a query asks for."""
        ...

    def hear_of(self, position: int, seconds: float) -> bool:
        """Wait until there is an event at `position` or `wake` is called, so many seconds at most; say which."""
        ...

    def wake(self) -> None:
        """Let everybody who waits for events stop waiting."""
        ...


class Subscription:
    """The events of a query, from a position on, as an iterator that waits for more.

    `position` is how far it has come: every event up to there that the query asks for was handed out. A new
    subscription with it as `after` goes on exactly there. Close it, or use it as a context manager; then the
    iteration ends. Threads that share one take turns: each event goes to one of them.
    """

    def __init__(self, store: Followable, query: EventQuery, after: int) -> None:
        self.position = after
        self._store = store
        self._query = query
        self._closed = threading.Event()
        self._page: Iterator[Event] = iter(())
        self._end_of_page = after
        self._is_told = False
        store.recent.serve(self)
        self._turn = threading.Lock()
        self._owner = Owner()

    @staticmethod
    def check(query: EventQuery, after: int | None = None) -> None:
        """Refuse a query that has no end of its own to wait at, and a beginning that is no position.

        Raises:
            EventStoreError: QUERY_ERROR: it is limited, or does not go forwards by position.
        """
        query_of(query)
        if after is not None and not is_number(after, 0):
            raise query_error(f"after is {after!r:.40}, and a position from 0 on is expected")
        is_open = query.before is None or query.finds_nothing
        is_whole = query.limit is None and not query.offset and query.cursor is None and is_open
        if not is_whole or query.order is not Order.POSITION or query.is_backwards:
            raise query_error("a subscription goes forwards by position, without limit, offset, cursor or before")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Subscription:
        return self

    def __next__(self) -> Event:
        """Wait for the next event and return it.

        Raises:
            StopIteration: the subscription was closed.
            EventStoreError: the store failed; the iteration may be taken up again.
        """
        event = self.next_within(None)
        if event is None:
            raise StopIteration
        return event

    def next_within(self, seconds: float | None) -> Event | None:
        """Return the next event, None if none comes within so many seconds or the subscription is closed."""
        try:
            return self._next_within(seconds)
        except EventStoreError:
            if self.is_closed:
                # The store was closed while it was asked.
                return None
            raise

    def _next_within(self, seconds: float | None) -> Event | None:
        # In a forked child nobody would ever give the turn back.
        self._owner.refuse_others()
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self.is_closed:
            left = LONGEST_WAIT if deadline is None else deadline - time.monotonic()
            # Only `with` takes a lock so that an interruption in the same moment gives it back; nobody waits inside.
            with self._turn:
                event = self._taken(left)
                position = self.position
            if event is not None:
                return event
            if left <= 0:
                return None
            # Who waits is told of what came before, too, so there is nothing to ask for before waiting.
            self._is_told = self._store.hear_of(position + 1, min(left, LONGEST_WAIT))
        return None

    def _taken(self, left: float) -> Event | None:
        """Return the next event if it is there; what may still be waited for need not be asked for now."""
        while not self.is_closed:
            event = next(self._page, None)
            if event is not None:
                self.position = event.position
                return event
            self.position = max(self.position, self._end_of_page)
            kept = self._store.recent.after(self.position)
            if kept:
                self._store.measures.lagging(len(kept))
                self._page = filter(self._query.matches, map(decode, kept))
                self._end_of_page = self.position + len(kept)
                self._is_told = True
                continue
            # What is known need not be asked: whoever has waited for an event reads it at once.
            head = self._store.known_head()
            if head <= self.position and not (self._is_told and left > 0):
                head = self._store.head()
            if head <= self.position:
                return None
            self._read_on(head)
        return None

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come, because this or the store was closed."""
        return self._closed.is_set() or self._store.is_closed

    def close(self) -> None:
        """End the iteration, also in the thread that waits in it."""
        self._closed.set()
        self._store.recent.leave(self)
        self._store.wake()

    def _read_on(self, head: int) -> None:
        """Read the next page; one that is not full goes up to `head`."""
        self._store.measures.lagging(head - self.position)
        query = self._query.narrowed(after=self.position, before=head + 1, limit=PAGE)
        page = self._store.get_events(query)
        end = head if len(page) < PAGE else page[-1].position
        # In this order: who is interrupted in between reads again, and skips nothing.
        self._page = iter(page)
        self._end_of_page = end


@contextmanager
def failures_logged(event: Event) -> Iterator[None]:
    """Log what a handler raises: later events still reach the handler, and the one who appended never hears of it."""
    try:
        yield
    except Exception:  # noqa: BLE001  whatever a stranger's handler raises
        _log.exception("a handler failed on event %s at position %d", event.id, event.position)


class Delivery:
    """Calls a handler with each event of a subscription, in a thread of its own, until it is called itself."""

    def __init__(self, subscription: Subscription, handler: Callable[[Event], object]) -> None:
        self._subscription = subscription
        self._handler = handler
        self._thread = threading.Thread(target=self._deliver, name="event subscription", daemon=True)
        self._thread.start()

    @staticmethod
    def check(handler: Any) -> None:
        """Refuse a handler whose answer would have to be awaited: nobody would.

        Raises:
            EventStoreError: QUERY_ERROR.
        """
        if inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(handler.__call__):
            raise EventStoreError(
                StoreCode.QUERY_ERROR,
                "the handler is a coroutine function, which nothing awaits here",
                hint="subscribe to AsyncEventStore(store), or give a plain function",
            )

    def __call__(self) -> None:
        """Unsubscribe. On return the handler is not called any more, unless it is the handler that unsubscribes."""
        self._subscription.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _deliver(self) -> None:
        while (event := self._next()) is not None:
            with failures_logged(event):
                answer = self._handler(event)
                if inspect.iscoroutine(answer):
                    answer.close()
                    raise TypeError("the handler has returned a coroutine, which nothing awaits here")

    def _next(self) -> Event | None:
        """Return the next event; while the store fails in a way that may pass, look again ever more rarely."""
        pause = FIRST_PAUSE
        while not self._subscription.is_closed:
            try:
                return self._subscription.next_within(None)
            except EventStoreError as error:
                if not error.retryable:
                    _log.exception("a subscription ended at position %d", self._subscription.position)
                    return None
                _log.warning("a subscription at position %d goes on later: %s", self._subscription.position, error)
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        return None
