"""The calls on the operating system that a durable write is made of, gathered so that tests can make each one fail.

The processes that git waits for append too, so no module here is loaded that the interpreter does not
already hold or that costs more than a fraction of a millisecond (`typing`, `pathlib` and `contextlib` do).
"""

# pathlib costs a hook more than the write itself.
# ruff: noqa: PTH100, PTH102, PTH105, PTH108, PTH112, PTH114, PTH120

from __future__ import annotations

import errno
import os
import stat
import sys

from kitty_status.errors import UnsafeLogError

if sys.platform != "win32":  # pragma: no branch (windows)
    import fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    StrPath: TypeAlias = str | os.PathLike[str]

# O_NONBLOCK: opening a named pipe must not wait for its other end. A regular file does not notice it.
# O_BINARY: Windows would write CR LF otherwise.
_ALWAYS = (
    getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP)
_SYMBOLIC_LINK = (errno.ELOOP, errno.EMLINK)  # FreeBSD answers O_NOFOLLOW with EMLINK
_NO_FILE = (errno.EISDIR, errno.ENXIO)  # a directory; a socket
_HINT = "put a regular file in its place; kitty-status does not write through or over anything else"


class Disk:
    """The real disk. A subclass may refuse any operation; every caller must stay truthful when it does.

    Each method raises the operating system's own OSError and nothing else.
    """

    def open(self, path: StrPath, flags: int, mode: int = 0o666) -> int:
        """Return a descriptor that no executed child inherits; a symbolic link is refused with ELOOP."""
        if not hasattr(os, "O_NOFOLLOW") and os.path.islink(path):  # pragma: no cover (windows)
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
        return os.open(path, flags | _ALWAYS, mode)

    def fstat(self, fd: int) -> os.stat_result:
        """Return what is known about an open file."""
        return os.fstat(fd)

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        """Return at most `length` bytes from `offset`; less only where the file ends."""
        if sys.platform == "win32":  # pragma: no cover (windows)
            os.lseek(fd, offset, os.SEEK_SET)
            return os.read(fd, length)
        return os.pread(fd, length, offset)

    def write(self, fd: int, data: bytes) -> int:
        """Write some or all of `data` with one system call and return how many bytes were taken."""
        return os.write(fd, data)

    def fsync(self, fd: int) -> None:
        """Return once the contents and the length are on stable storage.

        macOS answers a plain fsync when the bytes have reached the drive's cache, so the drive is asked to empty it.
        """
        if sys.platform == "darwin":  # pragma: no cover (macos)
            try:
                fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            except OSError as error:
                if error.errno not in _CANNOT_SYNC:
                    raise
                os.fsync(fd)
        elif sys.platform == "win32":  # pragma: no cover (windows)
            os.fsync(fd)
        else:
            os.fdatasync(fd)

    def ftruncate(self, fd: int, length: int) -> None:
        """Cut the file to `length` bytes."""
        os.ftruncate(fd, length)

    def fchmod(self, fd: int, mode: int) -> None:
        """Set the permission bits, where the system has them."""
        if hasattr(os, "fchmod"):  # pragma: no branch (windows)
            os.fchmod(fd, mode)

    def close(self, fd: int) -> None:
        """Give the descriptor back."""
        os.close(fd)

    def replace(self, source: StrPath, target: StrPath) -> None:
        """Rename `source` over `target` in one step."""
        os.replace(source, target)

    def unlink(self, path: StrPath) -> None:
        """Remove a name."""
        os.unlink(path)

    def mkdir(self, path: StrPath) -> None:
        """Create one folder."""
        os.mkdir(path)

    def fsync_directory(self, path: StrPath) -> None:
        """Return once the names in a folder are on stable storage, where the file system can promise that."""
        if sys.platform == "win32":  # pragma: no cover (windows)
            return
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise
        finally:
            os.close(fd)

    def makedirs(self, path: StrPath) -> None:
        """Create `path` and what is missing above it; the name of each new folder is on stable storage afterwards."""
        folder = os.fspath(path)
        try:
            self.mkdir(folder)
        except FileExistsError:
            if not os.path.isdir(folder):
                raise
            return
        except FileNotFoundError:
            self.makedirs(parent_of(folder))
            self.makedirs(folder)
            return
        self.fsync_directory(parent_of(folder))


DISK = Disk()


def parent_of(path: StrPath) -> str:
    """Return the folder that holds `path`."""
    return os.path.dirname(os.path.abspath(path))


def open_regular(path: StrPath, flags: int, disk: Disk) -> int:
    """Return a descriptor of the regular file at `path`.

    Raises:
        UnsafeLogError: something other than a regular file stands there; nothing was done to it.
        OSError: the operating system refused.
    """
    try:
        fd = disk.open(path, flags)
    except OSError as error:
        if error.errno in _SYMBOLIC_LINK:
            raise _unsafe(path, "is a symbolic link, and what it points to may lie outside the repository") from error
        if error.errno in _NO_FILE:
            raise _unsafe(path, "is not a regular file") from error
        raise
    try:
        is_regular = stat.S_ISREG(disk.fstat(fd).st_mode)
    except BaseException:
        close_quietly(fd, disk)
        raise
    if not is_regular:
        close_quietly(fd, disk)
        raise _unsafe(path, "is not a regular file")
    return fd


def close_quietly(fd: int, disk: Disk) -> None:
    """Close a descriptor whose bytes were confirmed, or given up: what close says cannot change that any more."""
    try:
        disk.close(fd)
    except OSError:
        return


def unlink_quietly(path: StrPath, disk: Disk) -> None:
    """Remove a file that was given up. It may never have come to be, and a stray one harms nobody."""
    try:
        disk.unlink(path)
    except OSError:
        return


def write_all(fd: int, data: bytes, disk: Disk) -> None:
    """Write all of `data`, continuing after a short write.

    Raises:
        OSError: the disk took no more; any number of bytes may have been written before.
    """
    rest = data
    while rest:
        taken = disk.write(fd, rest)
        if not taken:  # would go round for ever
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rest = rest[taken:]


def _unsafe(path: StrPath, what: str) -> UnsafeLogError:
    return UnsafeLogError(f"{os.fspath(path)} {what}", hint=_HINT, path=os.fspath(path))
