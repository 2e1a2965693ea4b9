"""Waiting until a store has grown."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Other processes say nothing: their events are looked for, at first often, then less so.
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05


class Growth:
    """Tells this process's threads at once that events were appended; those of other processes it finds by looking."""

    def __init__(self) -> None:
        # Taken as it is, not through the condition, whose `__enter__` is no C: interrupted there, nobody gives it back.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._head = 0
        self._wakes = 0
        self._waiting = 0

    @property
    def head(self) -> int:
        """The greatest position that this process was told of; there may be greater ones."""
        return self._head

    def reached(self, head: int) -> None:
        """Wake everybody who waits for this position or an earlier one."""
        with self._lock:
            if head > self._head:
                self._head = head
                if self._waiting:
                    self._changed.notify_all()

    def wake(self) -> None:
        """Wake everybody, whatever they wait for: they stop waiting."""
        with self._lock:
            self._wakes += 1
            self._changed.notify_all()

    def wait_for(self, position: int, seconds: float, look: Callable[[], int] | None) -> bool:
        """Wait until there is an event at `position`, so many seconds at most, and say whether there is.

        `look` returns the head as it is stored; None where nobody but this process appends.
        """
        deadline = time.monotonic() + seconds
        pause = seconds if look is None else _FIRST_PAUSE
        wakes = self._wakes
        while True:
            with self._lock:
                if self._head >= position:
                    return True
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._wakes != wakes:
                    return False
                self._waiting += 1
                try:
                    self._changed.wait(min(pause, remaining))
                finally:
                    self._waiting -= 1
                if self._head >= position:
                    return True
            if look is not None:
                self.reached(look())
                pause = min(pause * 2, _LONGEST_PAUSE)
