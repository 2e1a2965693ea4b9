"""The newest events of a store: whoever has seen everything before them need not ask for them."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

import msgspec

from kitty_status.eventstore.event import Event
from kitty_status.eventstore.owning import Owner

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 256
MOST_BYTES = 1 << 20
"""How many events are kept, and bytes of them, at most."""

_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Event).decode
"""Return the event that is kept as bytes."""


class Recent:
    """Stored events whose positions follow each other; none while nobody has subscribed.

    Nothing rests on what is kept: a position that is not among them is read from the store. They are kept as bytes,
    since whoever is given an event may change what it holds.
    """

    def __init__(self) -> None:
        self._owner = Owner()
        self._lock = threading.Lock()
        self._subscribers: weakref.WeakSet[object] = weakref.WeakSet()
        # The first position, the events, and their bytes: put in place at once, whatever interrupts.
        self._kept: tuple[int, list[bytes], int] = (1, [], 0)

    def serve(self, subscriber: object) -> None:
        """Keep events from now on, until the subscriber has left or is gone."""
        self._subscribers.add(subscriber)

    def leave(self, subscriber: object) -> None:
        """Keep nothing any more for the sake of this one."""
        self._subscribers.discard(subscriber)

    def add(self, events: Sequence[Event]) -> None:
        """Keep events that were stored; of those that do not follow each other, the last ones that do."""
        if not self._subscribers or not 0 < len(events) <= MOST:
            return
        start = len(events) - 1
        while start and events[start - 1].position == events[start].position - 1:
            start -= 1
        self.add_encoded(events[start].position, [_encode(event) for event in events[start:]])

    def add_encoded(self, first: int, events: Sequence[bytes]) -> None:
        """Keep events whose positions begin with `first`, as JSON."""
        with self._lock:
            start, kept, size = self._kept
            end = start + len(kept)
            if not events or first + len(events) <= end:
                return  # they are there, or newer ones are
            if first > end or first < start:
                start, kept, size = first, [], 0
            elif first < end:
                events = events[end - first :]
            self._kept = _shortened(start, [*kept, *events], size + sum(map(len, events)))

    def forget(self) -> None:
        """Keep nothing of what was stored until now."""
        with self._lock:
            self._kept = (1, [], 0)

    def after(self, position: int) -> list[bytes]:
        """Return the events behind a position, all that are kept; none where the next one is not among them.

        Raises:
            EventStoreError: STORAGE_ERROR: this is a forked child of the process that keeps them.
        """
        self._owner.refuse_others()
        with self._lock:
            start, kept, _ = self._kept
        at = position + 1 - start
        return kept[at:] if 0 <= at < len(kept) else []


def _shortened(first: int, events: list[bytes], size: int) -> tuple[int, list[bytes], int]:
    gone = 0
    while len(events) - gone > MOST or size > MOST_BYTES:
        size -= len(events[gone])
        gone += 1
    return (first + gone, events[gone:], size) if gone else (first, events, size)
