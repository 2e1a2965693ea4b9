"""One lock per log, between processes and between threads, that the death of its holder frees at once.

flock belongs to an open file, not to a process: that is why every call opens the lock file anew, why threads
exclude each other, and why nothing here ever unlinks or replaces the file (two processes could then each hold
"the" lock). lockf would be dropped as soon as any descriptor of the file closes in the process, and lets all
threads in. Waiting is polling, because a blocking flock cannot be given a deadline, and a stopped holder would
block it for ever.
"""

# pathlib costs a hook more than the write itself.
# ruff: noqa: PTH103

from __future__ import annotations

import errno
import os
import sys
import time
from _thread import RLock

from kitty_status.errors import BusyError, UnsafeLogError
from kitty_status.jsonl.disk import DISK, close_quietly, parent_of

if sys.platform == "win32":
    import msvcrt  # pragma: no cover (windows)
else:
    import fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from kitty_status.jsonl.disk import StrPath

_FIRST_PAUSE = 0.0005
_LONGEST_PAUSE = 0.02
_BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_SIGNATURE_BYTES = 256
_LOCKED_BYTE = 1 << 30  # Windows forbids others to read a locked byte, so it lies far behind the signature


def exclusive(path: StrPath, *, timeout: float = 10.0) -> Hold:
    """Return a context manager that holds the lock file `path` alone; it is created, with its folders, if need be.

    The file names its holder, as information only: a name left behind by a dead process locks nobody out.
    A child forked in the body does not hold the lock, and leaving the body there releases nothing.

    Raises (on entering):
        BusyError: somebody else held it for `timeout` seconds. With 0 there is exactly one attempt.
        UnsafeLogError: a symbolic link stands in its place.
        OSError: the operating system refused, or the file system has no locks.
    """
    return Hold(path, timeout)


class Hold:
    """A lock that is held between `__enter__` and `__exit__`; made by `exclusive`."""

    __slots__ = ("_fd", "_path", "_timeout")

    def __init__(self, path: StrPath, timeout: float) -> None:
        self._path = os.fspath(path)
        self._timeout = timeout
        self._fd = -1

    def __enter__(self) -> None:
        try:
            with _forks.gate:
                _forks.open.add(self)
                self._fd = _open(self._path)
            self._wait()
            _sign(self._fd)
        except BaseException:
            self._release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _wait(self) -> None:
        deadline = time.monotonic() + self._timeout
        pause = _FIRST_PAUSE
        while not _try_lock(self._fd):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise _busy(self._path, self._fd, self._timeout)
            # Uneven pauses: processes that were woken by the same release must not stay in step.
            unevenness = 0.5 + (time.monotonic_ns() >> 4 & 1023) / 1024
            time.sleep(min(pause * unevenness, remaining))
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _release(self) -> None:
        with _forks.gate:
            fd, self._fd = self._fd, -1
            _forks.open.discard(self)
            if fd >= 0:
                # Closing alone would leave the lock with a child that was forked meanwhile.
                _unlock(fd)
                close_quietly(fd, DISK)

    def abandon(self) -> None:
        """Drop the descriptor without unlocking: in a forked child the lock is still its parent's."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            close_quietly(fd, DISK)


class KeptHold(Hold):
    """A lock that one thread at a time takes again and again; its file stays open in between.

    For locks outside of work trees only: a file that was removed is noticed, one that git replaces might not be.
    """

    __slots__ = ("_signed_at",)

    def __init__(self, path: StrPath, timeout: float) -> None:
        super().__init__(path, timeout)
        self._signed_at = -1

    def __enter__(self) -> None:
        try:
            while True:
                with _forks.gate:
                    if self._fd < 0:
                        _forks.open.add(self)
                        self._fd = _open(self._path)
                self._wait()
                status = DISK.fstat(self._fd)
                if status.st_nlink:
                    break
                self._release()
            if status.st_mtime_ns != self._signed_at:
                _sign(self._fd)
                self._signed_at = DISK.fstat(self._fd).st_mtime_ns
        except BaseException:
            self._release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _forks.gate:
            if self._fd >= 0:
                _unlock(self._fd)

    def close(self) -> None:
        """Give the file back; the next use opens it again."""
        self._release()


class _Forks:
    """Keeps a forked child from prolonging its parent's locks, and from releasing them."""

    def __init__(self) -> None:
        self.gate = RLock()
        self.open: set[Hold] = set()
        if hasattr(os, "register_at_fork"):  # pragma: no branch (windows)
            os.register_at_fork(before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child)

    def _before(self) -> None:
        self.gate.acquire()

    def _in_parent(self) -> None:
        self.gate.release()

    def _in_child(self) -> None:
        inherited, self.open = self.open, set()
        self.gate = RLock()
        for hold in inherited:
            hold.abandon()


_forks = _Forks()


def _open(path: str) -> int:
    try:
        try:
            return DISK.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            os.makedirs(parent_of(path), exist_ok=True)
            return DISK.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise UnsafeLogError(
                f"the lock {path} is a symbolic link, so two processes could lock different files",
                hint="put a regular file, or nothing, in its place",
                path=path,
            ) from error
        raise


def _try_lock(fd: int) -> bool:
    try:
        if sys.platform == "win32":  # pragma: no cover (windows)
            os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _BUSY:
            raise
        return False
    return True


def _unlock(fd: int) -> None:
    try:
        if sys.platform == "win32":  # pragma: no cover (windows)
            os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(fd, fcntl.LOCK_UN)
    except OSError:
        return  # closing the descriptor, which comes next, unlocks as well


def _sign(fd: int) -> None:
    """Leave word of who holds the lock, and since when nobody else did.

    A process that takes the lock again finds its own word and leaves it: writing would make the next
    fsync of the log flush this file's change, too.
    """
    who = f"{os.getpid()} {_host()} ".encode("utf-8", "replace")
    try:
        if DISK.pread(fd, len(who), 0) == who:
            return
        # A longer signature of an earlier holder shows through behind the line feed; readers stop there.
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, who + time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime()).encode())
    except OSError:
        return  # a full disk does not make the lock any less held


def _host() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename.replace(" ", "-") or "?"
    return os.environ.get("COMPUTERNAME", "?")  # pragma: no cover (windows)


def _busy(path: str, fd: int, timeout: float) -> BusyError:
    pid, host, since = _holder(fd)
    who = f"process {pid} on {host} since {since}" if pid else "a process that left no name"
    return BusyError(
        f"the lock {path} was not free within {timeout:g} s; it is held by {who}",
        hint="make the same call again once that process has finished; its end frees the lock",
        lock=path,
        pid=int(pid) if pid else None,
        host=host,
        since=since,
    )


def _holder(fd: int) -> tuple[str, str, str]:
    line = DISK.pread(fd, _SIGNATURE_BYTES, 0).partition(b"\n")[0]
    words = line.decode("utf-8", "replace").split(" ")
    if len(words) != 3 or not (words[0].isascii() and words[0].isdigit()):  # noqa: PLR2004  pid, host, since
        return "", "", ""
    return words[0], words[1], words[2]
