"""Waiting until a store has grown."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.eventstore.watching import Watch

# Where nobody tells of other processes' events, they are looked for, at first often, then less so.
_FIRST_PAUSE = 0.001
# The same where somebody tells of most.
_FIRST_PAUSE_WHEN_TOLD = 0.008
_LONGEST_PAUSE = 0.05


class Growth:
    """Tells this process's threads at once that events were appended; those of other processes it finds by looking.

    Where the system tells of changes, one of the threads that wait, the leader, waits for what it tells: another thread
    that did so in their place would have to wake them in turn.
    """

    def __init__(self) -> None:
        # Taken as it is, not through the condition, whose `__enter__` is no C: interrupted there, nobody gives it back.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._head = 0
        self._wakes = 0
        # The watch of the thread that leads, its number, and how many others wait.
        self._watch: Watch | None = None
        self._leader = 0
        self._followers = 0

    @property
    def head(self) -> int:
        """The greatest position that this process was told of; there may be greater ones."""
        return self._head

    def reached(self, head: int) -> None:
        """Wake everybody who waits for this position or an earlier one."""
        with self._lock:
            if head <= self._head:
                return
            self._head = head
            leading = self._wake_followers()
        if leading is not None:
            leading.wake()

    def wake(self) -> None:
        """Wake everybody, whatever they wait for: they stop waiting."""
        with self._lock:
            self._wakes += 1
            leading = self._wake_followers()
        if leading is not None:
            leading.wake()

    def _wake_followers(self) -> Watch | None:
        """Wake who waits here, and return what another thread waits for in their place."""
        if self._followers:
            self._changed.notify_all()
        # Whoever is woken needs the lock: the leader is woken when that is free again.
        return None if self._leader == threading.get_ident() else self._watch

    def wait_for(
        self, position: int, seconds: float, look: Callable[[], int] | None, watch: Watch | None = None
    ) -> bool:
        """Wait until there is an event at `position`, so many seconds at most, and say whether there is.

        `look` returns the head as it is stored; None where nobody but this process appends. `watch` tells of what other
        processes do, if the system does so.
        """
        watch = watch if watch is not None and watch.is_watching else None
        deadline = time.monotonic() + seconds
        pause = _first_pause(look, watch, seconds)
        wakes = self._wakes
        while True:
            with self._lock:
                if self._head >= position:
                    return True
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._wakes != wakes:
                    return False
                leads = watch is not None and self._watch is None and watch.is_watching
                if not leads:
                    self._follow(min(pause, remaining))
            if watch is not None and leads and self._lead(watch, (position, wakes), min(pause, remaining)):
                continue
            if look is not None and self._head < position:
                self.reached(look())
                pause = min(pause * 2, max(pause, _LONGEST_PAUSE))

    def _lead(self, watch: Watch, awaited: tuple[int, int], seconds: float) -> bool:
        """Wait for what the system tells, unless others do, say whether it was anything, and let somebody else lead."""
        position, wakes = awaited
        me = threading.get_ident()
        try:
            with self._lock:
                if self._watch is not None or self._head >= position or self._wakes != wakes:
                    return True
                self._leader, self._watch = me, watch
            # What this process has appended is known by now: what the system tells of it can be heard later.
            return watch.wait(seconds) and (self._head >= position or watch.hear())
        finally:
            # Also where a person interrupts: a leader that is gone would be waited for.
            with self._lock:
                if self._leader == me:
                    self._watch, self._leader = None, 0
                    if self._followers:
                        self._changed.notify()

    def _follow(self, seconds: float) -> None:
        self._followers += 1
        try:
            self._changed.wait(seconds)
        finally:
            self._followers -= 1


def _first_pause(look: Callable[[], int] | None, watch: Watch | None, seconds: float) -> float:
    if look is None or (watch is not None and watch.tells_everything):
        return seconds
    return _FIRST_PAUSE if watch is None else _FIRST_PAUSE_WHEN_TOLD
