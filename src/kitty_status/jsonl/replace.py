"""Replaces a whole file so that every reader, and every crash, sees the old contents or the new, never a part."""

# pathlib costs a hook more than the write itself.
# ruff: noqa: PTH118, PTH119, PTH208

from __future__ import annotations

import os
import stat
import sys
import time

from kitty_status.jsonl.disk import DISK, close_quietly, open_regular, parent_of, unlink_quietly, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.jsonl.disk import Disk, StrPath

_UNFINISHED = ".tmp"
_ATTEMPTS = 8
_FIRST_PAUSE = 0.01
_READERS_BLOCK = sys.platform == "win32"  # there a file that somebody has open cannot be renamed over


def replace_file(
    path: StrPath, data: bytes, *, mode: int | None = None, lasting: bool = True, disk: Disk = DISK
) -> bool:
    """Make `data` the contents of `path` in one step; return False, having written nothing, if it is that already.

    The permission bits are `mode`, or those of the old file. Other hard links to it keep the old contents. Where it
    is not to be `lasting`, a crash of the machine may still bring the old contents back, whole as they were.

    Raises:
        UnsafeLogError: a symbolic link, or something else than a regular file, stands there. Nothing was written.
        OSError: the operating system refused. The old contents stand, unless it was only the folder's flush that
            failed: then the new contents stand, and may give way to the old ones in a crash of the machine.
    """
    staged = stage_file(path, data, mode=mode, disk=disk)
    if staged is None:
        return False
    staged.rename(lasting=lasting)
    return True


def stage_file(path: StrPath, data: bytes, *, mode: int | None = None, disk: Disk = DISK) -> Staged | None:
    """Write the contents that `path` shall get to a file beside it; None if it holds them already.

    They are on stable storage when this returns, so that little is left that can fail.

    Raises:
        UnsafeLogError, OSError: as `replace_file`. Nothing was left behind.
    """
    try:
        fd = open_regular(path, os.O_RDONLY, disk)
    except FileNotFoundError:
        pass
    else:
        try:
            old_mode = stat.S_IMODE(disk.fstat(fd).st_mode)
            if _holds(fd, data, disk) and mode in (None, old_mode):
                return None
            mode = old_mode if mode is None else mode
        finally:
            close_quietly(fd, disk)
    return stage_pieces(path, (data,), mode=mode, disk=disk)


def stage_pieces(path: StrPath, pieces: Iterable[bytes], *, mode: int | None = None, disk: Disk = DISK) -> Staged:
    """Write the contents that `path` shall get to a file beside it, as `stage_file` does, but piece by piece.

    Raises:
        OSError: as `replace_file`. Nothing was left behind.
    """
    folder, name = parent_of(path), os.path.basename(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{os.urandom(6).hex()}{_UNFINISHED}")
    try:
        _write_new(temporary, pieces, mode, disk)
    except BaseException:
        unlink_quietly(temporary, disk)
        raise
    return Staged(path, temporary, disk)


class Staged:
    """New contents of a file, complete in a file beside it. Whoever has one renames or discards it."""

    __slots__ = ("_disk", "_temporary", "path")

    def __init__(self, path: StrPath, temporary: str, disk: Disk) -> None:
        self.path = path
        self._temporary = temporary
        self._disk = disk

    def rename(self, *, lasting: bool = True) -> None:
        """Put the new contents in place, in one step.

        Raises:
            OSError: as `replace_file`; the file beside it is gone.
        """
        try:
            _rename(self._temporary, self.path, self._disk)
        except BaseException:
            self.discard()
            raise
        if lasting:
            self._disk.fsync_directory(parent_of(self.path))

    def discard(self) -> None:
        """Remove the file beside it; the old contents stand."""
        unlink_quietly(self._temporary, self._disk)


def remove_leftovers(path: StrPath, disk: Disk = DISK) -> None:
    """Remove what processes that were killed while they replaced `path` have left beside it.

    The caller sees to it that nobody replaces it now.

    Raises:
        OSError: the operating system refused.
    """
    folder = parent_of(path)
    beginning = f".{os.path.basename(path)}."
    for name in os.listdir(folder):
        if name.startswith(beginning) and name.endswith(_UNFINISHED):
            unlink_quietly(os.path.join(folder, name), disk)


def _holds(fd: int, data: bytes, disk: Disk) -> bool:
    return disk.fstat(fd).st_size == len(data) and disk.pread(fd, len(data) + 1, 0) == data


def _write_new(path: str, pieces: Iterable[bytes], mode: int | None, disk: Disk) -> None:
    fd = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for data in pieces:
            write_all(fd, data, disk)
        if mode is not None:
            disk.fchmod(fd, mode)
        disk.fsync(fd)
    finally:
        close_quietly(fd, disk)


def _rename(source: str, target: StrPath, disk: Disk) -> None:
    pause = _FIRST_PAUSE
    for _ in range(_ATTEMPTS if _READERS_BLOCK else 0):
        try:
            disk.replace(source, target)
        except PermissionError:
            time.sleep(pause)
            pause *= 2
        else:
            return
    disk.replace(source, target)
