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


def now() -> str:
    """Return the current instant as `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def hours_ahead(event_id: str) -> float:
    """Return how many hours the time in a ULID lies ahead of this clock; negative for the past.

    Raises:
        ValueError: `event_id` is no ULID.
    """
    return (int(ULID.from_str(event_id)) >> _RANDOM_BITS) / _MILLISECONDS_PER_HOUR - time.time() / 3600


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
        self._fresh: dict[str, None] = {}

    def mint(self, *, above: str | None = None) -> str:
        """Return a new 26-character ULID, greater than the ULID `above` where one is given.

        An `above` that lies more than a day ahead of the clock is passed over: one bad clock must not
        push every later id into its future.
        """
        with self._lock:
            candidate = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | int.from_bytes(os.urandom(10), "big")
            floor = self._last
            if above is not None and above != self._minted and hours_ahead(above) <= MAX_HOURS_AHEAD:
                floor = max(floor, int(ULID.from_str(above)))
            if candidate >> _RANDOM_BITS <= floor >> _RANDOM_BITS:
                candidate = floor + 1
            self._last = candidate
            self._minted = minted = str(ULID.from_int(candidate))
            self._fresh[minted] = None
            if len(self._fresh) > self.REMEMBERED:
                del self._fresh[next(iter(self._fresh))]
        return minted

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


event_ids = EventIds()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=event_ids.forget)
