"""Answers that were given before.

A log only grows, so the answer to a query is the same for as long as the head is: the head is part of the key, and an
answer never becomes wrong. The time to live only keeps answers that nobody asks for any more from filling the memory.
"""

from __future__ import annotations

import threading
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec
from cachetools import TTLCache

from kitty_status.eventstore.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.eventstore.query import EventQuery

MAX_BYTES = 16 * 1024 * 1024
SECONDS = 300.0
_OF_AN_ENTRY = 500

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Event]).decode


class QueryCache:
    """Keeps the answers to queries: `max_bytes` of them and their queries at most, none for longer than `seconds`.

    They are kept as bytes, so that whoever was given events may change what they hold.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, seconds: float = SECONDS) -> None:
        self._answers: TTLCache[tuple[object, ...], tuple[bytes, int]] = TTLCache(
            max_bytes, seconds, getsizeof=itemgetter(1)
        )
        self._lock = threading.Lock()
        self._max_bytes = max_bytes
        self.hits = 0
        self.misses = 0

    def events(
        self, store: object, query: EventQuery, head: int, ask: Callable[[EventQuery], list[Event]]
    ) -> list[Event]:
        """Return a store's answer to a query while its head is at `head`, from `ask` if it was not given before.

        `store` is what stands for the store among those that share the cache; it is kept with the answer.
        """
        key = (store, head, query.key)
        with self._lock:
            kept = self._answers.get(key)
            self.hits += kept is not None
            self.misses += kept is None
        if kept is not None:
            return _decode(kept[0])
        # Events that came since the head was read are not part of this answer.
        found = ask(query.narrowed(before=head + 1 if query.before is None else min(query.before, head + 1)))
        data = _encode(found)
        size = len(data) + len(repr(query.key)) + _OF_AN_ENTRY
        if size <= self._max_bytes:
            with self._lock:
                self._answers[key] = data, size
        return found
