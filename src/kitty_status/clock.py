"""The time, and event ids that never run backwards within a process.

Both are injected wherever a rule needs them, so that the rules stay testable without a clock.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime

from ulid import ULID

MAX_HOURS_AHEAD = 24
"""How far the time in an event or an id may lie ahead of this clock before nothing is written after it."""

_RANDOM_BITS = 80
_MILLISECONDS_PER_HOUR = 3_600_000
_GREATEST_ID = "7" + "Z" * 25
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_LOW_BITS, _LOW_CHARACTERS = 20, 4
_HIGH_PAIRS = range(100, -1, -10)


def now() -> str:
    """Return the current instant as `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def hours_ahead(event_id: str) -> float:
    """Return how many hours the time in a ULID lies ahead of this clock; negative for the past.

    Raises:
        ValueError: `event_id` is no ULID.
    """
    return (int(ULID.from_str(event_id)) >> _RANDOM_BITS) / _MILLISECONDS_PER_HOUR - time.time() / 3600


def future_ids() -> tuple[str, str]:
    """Return the ULIDs between which those lie that a clock too far ahead of this one may have minted."""
    milliseconds = int(time.time() * 1000) + MAX_HOURS_AHEAD * _MILLISECONDS_PER_HOUR
    return str(ULID.from_int((milliseconds + 1 << _RANDOM_BITS) - 1)), _GREATEST_ID


class EventIds:
    """Mints ULIDs that increase strictly within this process, whatever the clock does.

    Within a millisecond, and when the clock steps back, the next id is the last one plus one.
    See https://github.com/ulid/spec#monotonicity.

    Freshly minted ids are remembered until their first use, because an id that was only just
    minted cannot stand in a log yet, and looking for it in a large one would cost more than
    the append itself.
    """

    REMEMBERED = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._minted = ""
        self._high = -1
        self._beginning = ""
        self._fresh: dict[str, None] = {}

    def mint(self, *, above: str | None = None) -> str:
        """Return a new 26-character ULID, greater than the ULID `above` where one is given.

        An `above` that lies more than a day ahead of the clock is passed over: one bad clock must not
        push every later id into its future.
        """
        with self._lock:
            floor = self._last
            if above is not None and above != self._minted and hours_ahead(above) <= MAX_HOURS_AHEAD:
                floor = max(floor, int(ULID.from_str(above)))
            self._last = _above(floor)
            self._minted = minted = self._text(self._last)
            self._fresh[minted] = None
            if len(self._fresh) > self.REMEMBERED:
                del self._fresh[next(iter(self._fresh))]
        return minted

    def mint_many(self, count: int) -> list[str]:
        """Return so many new ids, each the last one plus one; these are not remembered."""
        with self._lock:
            first = _above(self._last)
            self._last = first + max(0, count - 1)
            if count > 1 and first >> _LOW_BITS == self._last >> _LOW_BITS:
                beginning = self._text(first)[:-_LOW_CHARACTERS]
                low = first & (1 << _LOW_BITS) - 1
                return [beginning + _PAIRS[each >> 10] + _PAIRS[each & 1023] for each in range(low, low + count)]
            return [self._text(value) for value in range(first, first + count)]

    def _text(self, value: int) -> str:
        """Return an id as text. Ids that follow each other differ in their last characters only."""
        high, low = value >> _LOW_BITS, value & (1 << _LOW_BITS) - 1
        if high != self._high:
            self._high = high
            # The library takes ten times as long, and an append that waits for a disk begins a new one nearly always.
            self._beginning = "".join([_PAIRS[high >> bits & 1023] for bits in _HIGH_PAIRS])
        return self._beginning + _PAIRS[low >> 10] + _PAIRS[low & 1023]

    def use(self, event_id: str) -> bool:
        """Say whether `event_id` was minted here and never used before; from now on it counts as used."""
        with self._lock:
            return self._fresh.pop(event_id, False) is None

    def forget(self) -> None:
        """Start anew. A forked child calls this: it would mint its parent's next ids otherwise."""
        self._lock = threading.Lock()
        self._last = 0
        self._minted = ""
        self._fresh = {}


def _above(floor: int) -> int:
    """Return an id of this millisecond, or the next one where that is not above `floor`."""
    milliseconds = time.time_ns() // 1_000_000
    if milliseconds <= floor >> _RANDOM_BITS:
        return floor + 1
    return milliseconds << _RANDOM_BITS | int.from_bytes(os.urandom(10), "big")


event_ids = EventIds()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=event_ids.forget)
