"""Being told by the operating system that files have changed (inotify), so that nobody has to look again and again."""

from __future__ import annotations

import ctypes
import math
import os
import select
import sys
import threading
from typing import TYPE_CHECKING

from kitty_status.eventstore.owning import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_IN_MODIFY, _IN_MOVED_TO, _IN_CREATE = 0x2, 0x80, 0x100
_FLAGS = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_BUFFER = 1 << 13
_ONE_FILE = 16  # bytes that tell of a file which is watched itself; in a folder its name follows


class Watch:
    """Calls a function when something in one of the folders changes, or one of the files, and somebody waits for it.

    `folders` is asked again after each change, since a change may be a new folder. Where the system cannot tell of
    changes, `is_watching` stays False. `tells_everything` says that nothing is stored without such a change.
    """

    def __init__(
        self,
        folders: Callable[[], Iterable[Path]],
        changed: Callable[[], object],
        *,
        tells_everything: bool = False,
    ) -> None:
        self.tells_everything = tells_everything
        self._folders = folders
        self._changed = changed
        self._watched: set[Path] = set()
        self._fd, self._waking = -1, -1
        self._poll: select.poll | None = None
        self._ready: list[tuple[int, int]] = []
        self._lock = threading.Lock()
        self._waiting = threading.RLock()
        self._owner = Owner()
        self._is_new = True
        self._has_failed = not sys.platform.startswith("linux")

    @property
    def is_watching(self) -> bool:
        """Begin to watch, if that has not been done, and say whether it could be."""
        if self._poll is None and not self._has_failed:
            with self._lock:
                if self._poll is None and not self._has_failed:
                    self._begin()
        # In a forked child the descriptors are the parent's, which would miss what the child reads.
        return not self._has_failed and self._owner.is_here

    def _begin(self) -> None:
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = self._libc.inotify_init1(_FLAGS)
            self._waking = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._add_folders()
        except (OSError, AttributeError):
            self._has_failed = True
        if self._has_failed or self._fd < 0:
            self._has_failed = True
            self._close()
            return
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._waking, select.POLLIN)
        self._poll = poll

    def _add_folders(self) -> None:
        for folder in self._folders():
            if folder not in self._watched:
                mask = _IN_MODIFY | _IN_CREATE | _IN_MOVED_TO
                if self._libc.inotify_add_watch(self._fd, os.fsencode(folder), mask) < 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                self._watched.add(folder)

    def wait(self, seconds: float) -> bool:
        """Wait until there is something to hear, until `wake`, or so many seconds; say whether there is anything.

        The first time there is nothing, at once: nobody can tell what has changed before.
        """
        with self._waiting:
            if self._poll is None or self._has_failed or self._is_new:
                self._is_new = False
                return False
            self._ready = self._poll.poll(math.ceil(seconds * 1000))
            return bool(self._ready)

    def hear(self) -> bool:
        """Call the function if that is what `wait` has ended for, and say whether it went well."""
        with self._waiting:
            ready, self._ready = self._ready, []
            for fd, _ in ready:
                if fd == self._waking:
                    os.eventfd_read(fd)
                else:
                    self._tell(os.read(fd, _BUFFER))
            return not self._has_failed

    def _tell(self, changes: bytes) -> None:
        try:
            self._changed()
            if len(changes) > _ONE_FILE and _says_created(changes):
                self._add_folders()
                self._changed()
        except OSError:
            self._has_failed = True

    def wake(self) -> None:
        """End the wait of whoever waits."""
        with self._lock:
            if self._waking >= 0:
                os.eventfd_write(self._waking, 1)

    def close(self) -> None:
        """Stop watching."""
        self._has_failed = True
        self.wake()
        with self._waiting, self._lock:
            self._close()

    def _close(self) -> None:
        for fd in (self._fd, self._waking):
            if fd >= 0:
                os.close(fd)
        self._fd = self._waking = -1
        self._poll = None
        self._ready = []


def _says_created(data: bytes) -> bool:
    """Say whether one of the changes is that something has come to be."""
    at = 0
    while at < len(data):
        mask = int.from_bytes(data[at + 4 : at + 8], sys.byteorder)
        if mask & (_IN_CREATE | _IN_MOVED_TO):
            return True
        at += 16 + int.from_bytes(data[at + 12 : at + 16], sys.byteorder)
    return False
