"""A disk that fails on command, for the tests of everything that promises something about a failing disk."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from kitty_status.jsonl.disk import Disk

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.jsonl.disk import StrPath

_P = ParamSpec("_P")
_R = TypeVar("_R")

OPERATIONS = (
    "open",
    "fstat",
    "pread",
    "write",
    "fsync",
    "ftruncate",
    "fchmod",
    "close",
    "replace",
    "unlink",
    "mkdir",
    "fsync_directory",
)


class FaultyDisk(Disk):
    """The real disk, until it is told to fail. Everything it does not refuse really happens.

    Give it to whatever takes a `disk`, tell it what to refuse, make the call, and then look at the files with
    the ordinary means. `calls` lists the operations asked for, in order, the refused ones included; run the call
    once without any failure to learn how many there are, and then let each one fail in turn:

        disk = FaultyDisk()
        disk.fail("fsync", nth=2, error=errno.EIO)
        disk.write_at_most(3)       # every write is short
        disk.fill_after(100)        # ENOSPC once 100 more bytes were taken
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._failures: list[tuple[str, int, int, bool]] = []
        self._largest_write: int | None = None
        self._room: int | None = None

    def fail(self, operation: str, *, nth: int = 1, error: int = errno.EIO, for_good: bool = False) -> None:
        """Refuse the `nth` call of `operation` from now on (1 is the next), or that one and all later ones.

        Raises:
            ValueError: there is no such operation.
        """
        if operation not in OPERATIONS:
            raise ValueError(f"{operation!r} is not one of {', '.join(OPERATIONS)}")
        self._failures.append((operation, self.count(operation) + nth, error, for_good))

    def write_at_most(self, length: int) -> None:
        """Let every write take at most `length` bytes, without an error: a short write."""
        self._largest_write = length

    def fill_after(self, room: int) -> None:
        """Let writes take `room` more bytes; the one that crosses the line is short, the next fails with ENOSPC."""
        self._room = room

    def heal(self) -> None:
        """Forget every failure that was asked for; `calls` stays."""
        self._failures.clear()
        self._largest_write = None
        self._room = None

    def count(self, operation: str) -> int:
        """Return how often `operation` was asked for so far."""
        return self.calls.count(operation)

    def open(self, path: StrPath, flags: int, mode: int = 0o666) -> int:
        """Open, or refuse."""
        return self._do("open", super().open, path, flags, mode)

    def fstat(self, fd: int) -> os.stat_result:
        """Stat, or refuse."""
        return self._do("fstat", super().fstat, fd)

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        """Read, or refuse."""
        return self._do("pread", super().pread, fd, length, offset)

    def write(self, fd: int, data: bytes) -> int:
        """Write all, or a part, or refuse."""
        return self._do("write", self._write_some, fd, data)

    def fsync(self, fd: int) -> None:
        """Flush, or refuse; a refused flush has flushed nothing."""
        self._do("fsync", super().fsync, fd)

    def ftruncate(self, fd: int, length: int) -> None:
        """Cut, or refuse."""
        self._do("ftruncate", super().ftruncate, fd, length)

    def fchmod(self, fd: int, mode: int) -> None:
        """Set the permission bits, or refuse."""
        self._do("fchmod", super().fchmod, fd, mode)

    def close(self, fd: int) -> None:
        """Close, and report a failure afterwards: as on Linux, a descriptor is gone even when close fails."""
        super().close(fd)
        self._do("close", lambda: None)

    def replace(self, source: StrPath, target: StrPath) -> None:
        """Rename, or refuse."""
        self._do("replace", super().replace, source, target)

    def unlink(self, path: StrPath) -> None:
        """Remove, or refuse."""
        self._do("unlink", super().unlink, path)

    def mkdir(self, path: StrPath) -> None:
        """Create a folder, or refuse."""
        self._do("mkdir", super().mkdir, path)

    def fsync_directory(self, path: StrPath) -> None:
        """Flush a folder, or refuse."""
        self._do("fsync_directory", super().fsync_directory, path)

    def _write_some(self, fd: int, data: bytes) -> int:
        if self._largest_write is not None:
            data = data[: self._largest_write]
        if self._room is not None:
            if self._room == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[: self._room]
            self._room -= len(data)
        return super().write(fd, data)

    def _do(self, operation: str, action: Callable[_P, _R], *arguments: _P.args, **options: _P.kwargs) -> _R:
        self.calls.append(operation)
        number = self.count(operation)
        for failing, nth, error, for_good in self._failures:
            if failing == operation and (number == nth or (for_good and number > nth)):
                raise OSError(error, f"{os.strerror(error)} (injected into {operation})")
        return action(*arguments, **options)
