"""Being told by the operating system that files have changed (inotify), so that nobody has to look again and again."""

from __future__ import annotations

import ctypes
import os
import select
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_IN_MODIFY, _IN_MOVED_TO, _IN_CREATE = 0x2, 0x80, 0x100
_FLAGS = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_BUFFER = 1 << 16


class Watch:
    """Calls a function, in a thread of its own, whenever something in one of the folders changes, or one of the files.

    `folders` is asked again after each change, since a change may be a new folder. Where the system cannot tell of
    changes, `is_watching` stays False.
    """

    def __init__(self, folders: Callable[[], Iterable[Path]], changed: Callable[[], object]) -> None:
        self._folders = folders
        self._changed = changed
        self._watched: set[Path] = set()
        self._fd = -1
        self._ending, self._end = -1, -1
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._has_failed = not sys.platform.startswith("linux")

    @property
    def is_watching(self) -> bool:
        """Begin to watch, if that has not been done, and say whether it could be."""
        if self._thread is None and not self._has_failed:
            with self._lock:
                if self._thread is None and not self._has_failed:
                    self._begin()
        return not self._has_failed

    def _begin(self) -> None:
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = self._libc.inotify_init1(_FLAGS)
            self._add_folders()
        except (OSError, AttributeError):
            self._has_failed = True
        if self._has_failed or self._fd < 0:
            self._has_failed = True
            self._close()
            return
        self._ending, self._end = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="file watch", daemon=True)
        self._thread.start()

    def _add_folders(self) -> None:
        for folder in self._folders():
            if folder not in self._watched:
                mask = _IN_MODIFY | _IN_CREATE | _IN_MOVED_TO
                if self._libc.inotify_add_watch(self._fd, os.fsencode(folder), mask) < 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                self._watched.add(folder)

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._ending, select.POLLIN)
        while all(fd != self._ending for fd, _ in poll.poll()):
            data = os.read(self._fd, _BUFFER)
            try:
                self._changed()
                if _says_created(data):
                    self._add_folders()
                    self._changed()
            except OSError:
                self._has_failed = True
                return

    def close(self) -> None:
        """Stop watching."""
        with self._lock:
            self._has_failed = True
            if self._end >= 0 and self._thread is not None:
                os.write(self._end, b".")
                if self._thread is not threading.current_thread():
                    self._thread.join()
            self._close()

    def _close(self) -> None:
        for fd in (self._fd, self._ending, self._end):
            if fd >= 0:
                os.close(fd)
        self._fd = self._ending = self._end = -1


def _says_created(data: bytes) -> bool:
    """Say whether one of the changes is that something has come to be."""
    at = 0
    while at < len(data):
        mask = int.from_bytes(data[at + 4 : at + 8], sys.byteorder)
        if mask & (_IN_CREATE | _IN_MOVED_TO):
            return True
        at += 16 + int.from_bytes(data[at + 12 : at + 16], sys.byteorder)
    return False
