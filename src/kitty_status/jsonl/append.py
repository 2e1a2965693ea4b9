"""The one way a line gets into a log.

Three outcomes, and none of them is ever claimed wrongly: the call returns (the line is on stable storage), it
raises the operating system's error or one of ours (the line is certainly absent), or it raises
`OutcomeUnknownError` (the line may or may not stay; a retry with the same event id is safe).

The log is opened anew for every line, because git replaces the file under whoever keeps it open.
"""

from __future__ import annotations

import os

from kitty_status.errors import OutcomeUnknownError
from kitty_status.jsonl.disk import DISK, close_quietly, open_regular, parent_of, write_all
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.quarantine import repair_tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from kitty_status.jsonl.disk import Disk, StrPath

_RETRY = "make the same call again with the same event id: a line that is there already is not written twice"


class Place(tuple["Path", "Path", "Path"]):
    """Where a log is, where its lock, and the folder that takes what is cut off a torn log.

    A named tuple, spelled out: `typing` would cost a hook more than the append.
    """

    __slots__ = ()

    def __new__(cls, log: Path, lock: Path, quarantine: Path) -> Self:
        """Name the three."""
        return super().__new__(cls, (log, lock, quarantine))

    @property
    def log(self) -> Path:
        """The file of lines."""
        return self[0]

    @property
    def lock(self) -> Path:
        """The file that is locked in its stead; never inside a work tree, where git would replace it."""
        return self[1]

    @property
    def quarantine(self) -> Path:
        """The folder for torn and damaged last lines."""
        return self[2]


def append_line(
    place: Place,
    line: bytes,
    *,
    unless: Callable[[], bool] | None = None,
    timeout: float = 10.0,
    disk: Disk = DISK,
) -> bool:
    """Append `line` and return True once it is on stable storage, or False if `unless` says it is there already.

    `unless` is called under the lock, so what it finds cannot change before the line is written. The lock is given
    back before the disk is waited for: writers that wait together share one flush, and a flush covers all bytes
    that were written before it.

    Raises:
        ValueError: `line` is not exactly one line with its LF. Nothing was done.
        BusyError: the lock was not free within `timeout` seconds, or somebody writes without it. Nothing was written.
        UnsafeLogError: the log or its lock is a symbolic link or no regular file. Nothing was written.
        OSError: the operating system refused; the line is certainly absent.
        OutcomeUnknownError: the disk did not confirm; the line may or may not stay.
    """
    _check_line(line)
    fd = -1
    try:
        with exclusive(place.lock, timeout=timeout):
            if unless is not None and unless():
                confirm(place.log, disk=disk)
                return False
            fd = open_to_append(place.log, disk)
            _write_lines(fd, place, line, disk)
        flush(fd, place.log, disk)
    finally:
        if fd >= 0:  # pragma: no branch (without a descriptor there is nothing to go on to)
            close_quietly(fd, disk)
    return True


def append_locked(place: Place, *lines: bytes, disk: Disk = DISK) -> None:
    """Append lines at once while the caller holds `exclusive(place.lock)`; on return all are on stable storage.

    They are written together, and where the operating system refuses, none of them stays. After a crash the first of
    several may be there without the rest.

    Raises:
        ValueError: one of them is not exactly one line with its LF. Nothing was done.
        BusyError: somebody writes to the log without the lock. Nothing was written.
        UnsafeLogError: the log is a symbolic link or no regular file. Nothing was written.
        OSError: the operating system refused; the lines are certainly absent.
        OutcomeUnknownError: the disk did not confirm; the lines may or may not stay.
    """
    for line in lines:
        _check_line(line)
    fd = open_to_append(place.log, disk)
    try:
        _write_lines(fd, place, b"".join(lines), disk)
        flush(fd, place.log, disk)
    finally:
        close_quietly(fd, disk)


def mend_tail(place: Place, *, timeout: float = 10.0, disk: Disk = DISK) -> bool:
    """Mend the end of a log as the next append would, without appending; return whether there was anything to mend.

    Raises:
        BusyError: the lock was not free within `timeout` seconds, or somebody writes without it.
        UnsafeLogError: the log, its lock or the quarantine is a symbolic link or no regular file.
        FileNotFoundError: there is no log.
        OSError: the operating system refused. No byte is lost: those that go are copied aside first.
        OutcomeUnknownError: the disk did not confirm; call it again.
    """
    with exclusive(place.lock, timeout=timeout):
        fd = open_regular(place.log, os.O_RDWR | os.O_APPEND, disk)
        try:
            before = disk.fstat(fd).st_size
            line_end, size = repair_tail(fd, place.log, place.quarantine, disk)
            if not line_end and size == before:
                return False
            write_all(fd, line_end, disk)
            flush(fd, place.log, disk)
        finally:
            close_quietly(fd, disk)
    return True


def take_back(place: Place, lines: bytes, *, disk: Disk = DISK) -> None:
    """Cut `lines`, the last ones, off again while the caller holds the lock that they were appended under.

    Raises:
        OutcomeUnknownError: it could not be cut off, or something else stands at the end by now.
    """
    try:
        fd = open_regular(place.log, os.O_RDWR, disk)
        try:
            start = disk.fstat(fd).st_size - len(lines)
            if start < 0 or disk.pread(fd, len(lines) + 1, start) != lines:
                raise OutcomeUnknownError(f"{os.fspath(place.log)} does not end in the line to be taken back")
            disk.ftruncate(fd, start)
            disk.fsync(fd)
        finally:
            close_quietly(fd, disk)
    except OSError as error:
        raise OutcomeUnknownError(
            f"a line could not be taken back from {os.fspath(place.log)}: {error}", hint=_RETRY
        ) from error


def confirm(log: StrPath, *, disk: Disk = DISK) -> None:
    """Bring a log that exists to stable storage: whoever wrote its last lines may not have got that far.

    Raises:
        OutcomeUnknownError: the disk did not confirm.
        OSError: the log cannot be opened.
    """
    fd = open_regular(log, os.O_RDONLY, disk)
    try:
        flush(fd, log, disk)
    finally:
        close_quietly(fd, disk)
    disk.fsync_directory(parent_of(log))


def _check_line(line: bytes) -> None:
    if line.find(b"\n") != len(line) - 1 or not line:
        raise ValueError("a line ends in one LF and holds no other")


def open_to_append(log: StrPath, disk: Disk) -> int:
    """Return a descriptor for appending to a log, which is created, with its folder, if need be."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    try:
        return open_regular(log, flags, disk)
    except FileNotFoundError:
        disk.makedirs(parent_of(log))
        return open_regular(log, flags, disk)


def _write_lines(fd: int, place: Place, lines: bytes, disk: Disk) -> None:
    in_front, size = repair_tail(fd, place.log, place.quarantine, disk)
    if size == 0:
        # The name of a new file is made to last before the first line, under the lock: whoever writes the second
        # line could not tell any more that the name is new, and would be acknowledged in a file that may vanish.
        disk.fsync_directory(parent_of(place.log))
    data = in_front + lines
    try:
        write_all(fd, data, disk)
    except OSError as error:
        if not undo(fd, size, data, disk):
            raise OutcomeUnknownError(
                f"{os.fspath(place.log)} was not written whole ({error}), and what was written could not be taken back",
                hint=_RETRY,
                log=os.fspath(place.log),
            ) from error
        raise
    except BaseException:
        undo(fd, size, data, disk)  # Ctrl-C between two parts; where even this fails, the next append mends the tail
        raise


def undo(fd: int, size: int, data: bytes, disk: Disk) -> bool:
    """Cut the log back to `size` if nothing but a part of `data` came after; say whether it is as it was.

    The bytes decide, not a count: an interruption may strike after a write and before it is counted, and what
    a program without the lock appended meanwhile is not ours to cut.
    """
    try:
        written = disk.pread(fd, len(data) + 1, size)
        length = disk.fstat(fd).st_size
        if length == size:
            return True
        if length != size + len(written) or not data.startswith(written):
            return False
        disk.ftruncate(fd, size)
        disk.fsync(fd)
    except OSError:
        return False
    return True


def flush(fd: int, log: StrPath, disk: Disk) -> None:
    """Return once what was written to an open log is on stable storage.

    Raises:
        OutcomeUnknownError: the disk did not confirm.
    """
    try:
        disk.fsync(fd)
    except OSError as error:
        # A second fsync may well succeed without having written anything: the kernel has dropped the failed pages.
        raise OutcomeUnknownError(
            f"the disk did not confirm a line that was written to {os.fspath(log)}: {error}",
            hint=_RETRY,
            log=os.fspath(log),
        ) from error
