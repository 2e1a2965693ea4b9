"""Mends the end of a log before the next line is written. What has to go is copied aside first."""

# pathlib costs a hook more than the write itself.
# ruff: noqa: PTH118, PTH119

from __future__ import annotations

import os
from binascii import crc32

from kitty_status.errors import BusyError, UnsafeLogError
from kitty_status.jsonl.codec import MAX_LINE_BYTES
from kitty_status.jsonl.disk import DISK, close_quietly, open_regular, parent_of, unlink_quietly, write_all
from kitty_status.jsonl.tail import TAIL_COMPLETE, TAIL_NONE, classify_tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kitty_status.jsonl.disk import Disk, StrPath

_CHUNK = 64 * 1024


def repair_tail(fd: int, log: StrPath, folder: StrPath, disk: Disk) -> tuple[bytes, int]:
    """Make the open log ready for a line; return what must be written in front of the line, and the log's length.

    A last line that lacks only its LF gets it, and so do trailing blanks. Anything else behind the last LF is
    copied into `folder`, and cut off once the copy is on stable storage. The caller holds the lock of the log.

    Raises:
        BusyError: the log changed meanwhile: somebody writes to it without the lock. Nothing was cut off.
        UnsafeLogError: something stands in the quarantine's way that is not a folder of regular files.
        OSError: the operating system refused. The bytes are in the log, or in `folder`, or in both.
    """
    size = disk.fstat(fd).st_size
    if size == 0 or disk.pread(fd, 1, size - 1) == b"\n":
        return b"", size
    start = _last_line_start(fd, size, disk)
    # Longer than any line, it need not be held in memory to know that it is none.
    if size - start <= MAX_LINE_BYTES and classify_tail(disk.pread(fd, size - start, start)) in (
        TAIL_NONE,
        TAIL_COMPLETE,
    ):
        return b"\n", size
    copy_aside(fd, (start, size), log, folder, disk)
    if disk.fstat(fd).st_size != size:
        raise BusyError(
            f"{os.fspath(log)} changed while its last line was being mended: something writes to it without the lock",
            hint="make the same call again once the other program has finished",
            log=os.fspath(log),
        )
    disk.ftruncate(fd, start)
    return b"", start


def unfinished_tail(log: StrPath, disk: Disk) -> bytes:
    """Return what stands behind the last LF of a log: nothing where it is in order, or not there.

    Raises:
        UnsafeLogError: the log is a symbolic link or no regular file.
        OSError: the operating system refused.
    """
    try:
        fd = open_regular(log, os.O_RDONLY, disk)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    try:
        size = disk.fstat(fd).st_size
        start = _last_line_start(fd, size, disk)
        return disk.pread(fd, size - start, start)
    finally:
        close_quietly(fd, disk)


def _last_line_start(fd: int, size: int, disk: Disk) -> int:
    end = size
    while end:
        start = max(0, end - _CHUNK)
        at = disk.pread(fd, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def keep_aside(data: bytes, origin: str, folder: StrPath, kind: str, disk: Disk = DISK) -> str:
    """Keep `data`, which is about to leave a log, in `folder`; return the path of the copy, on stable storage.

    Its name says what it is from, as `origin` does, and, as its extension, what it is. The same bytes are kept once.

    Raises:
        UnsafeLogError: something stands in the quarantine's way that is not a folder of regular files.
        OSError: the operating system refused; the log must then stay as it is.
    """
    return _keep(lambda: iter([data]), len(data), (f"{origin}-{crc32(data):08x}", kind), folder, disk)


def copy_aside(fd: int, span: tuple[int, int], log: StrPath, folder: StrPath, disk: Disk) -> None:
    """Copy the bytes from one place of an open log to another into `folder`, on stable storage.

    Raises:
        UnsafeLogError, OSError: as `keep_aside`.
    """
    digest = 0
    for chunk in _chunks(fd, span, disk):
        digest = crc32(chunk, digest)
    name = f"{os.path.basename(parent_of(log))}-{span[0]}-{digest:08x}"
    _keep(lambda: _chunks(fd, span, disk), span[1] - span[0], (name, "tail"), folder, disk)


def _keep(
    chunks: Callable[[], Iterator[bytes]], length: int, name: tuple[str, str], folder: StrPath, disk: Disk
) -> str:
    stem, kind = name
    disk.makedirs(folder)
    for attempt in range(1, 1000):
        path = os.path.join(folder, f"{stem}.{kind}" if attempt == 1 else f"{stem}-{attempt}.{kind}")
        if _create(path, chunks, disk) or _is_copy(path, chunks, length, disk):
            disk.fsync_directory(folder)
            return path
    raise UnsafeLogError(
        f"the quarantine {os.fspath(folder)} holds a thousand other files named {stem}",
        hint="move them elsewhere",
        path=os.fspath(folder),
    )


def _create(path: str, chunks: Callable[[], Iterator[bytes]], disk: Disk) -> bool:
    try:
        copy = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return False
    try:
        for chunk in chunks():
            write_all(copy, chunk, disk)
        disk.fsync(copy)
    except BaseException:
        unlink_quietly(path, disk)
        raise
    finally:
        close_quietly(copy, disk)
    return True


def _is_copy(path: str, chunks: Callable[[], Iterator[bytes]], length: int, disk: Disk) -> bool:
    """Say whether an earlier attempt, which came no further, has copied the same bytes already."""
    try:
        copy = open_regular(path, os.O_RDONLY, disk)
    except (UnsafeLogError, PermissionError):
        return False
    try:
        if disk.fstat(copy).st_size != length:
            return False
        at = 0
        same = True
        for chunk in chunks():
            same = same and disk.pread(copy, len(chunk), at) == chunk
            at += len(chunk)
        if same:
            disk.fsync(copy)  # that attempt may have died before it did
        return same
    finally:
        close_quietly(copy, disk)


def _chunks(fd: int, span: tuple[int, int], disk: Disk) -> Iterator[bytes]:
    for at in range(span[0], span[1], _CHUNK):
        yield disk.pread(fd, min(_CHUNK, span[1] - at), at)
