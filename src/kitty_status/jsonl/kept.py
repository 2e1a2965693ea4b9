"""A log whose descriptor is kept between appends, for logs that nobody but their writers replaces.

Git replaces the files of a work tree under whoever keeps them open; such logs are opened anew for each append, see
`append`. What lies outside of git's reach spares itself the opening.
"""

from __future__ import annotations

import os

from kitty_status.errors import OutcomeUnknownError, UnsafeLogError
from kitty_status.jsonl.append import flush, open_to_append, undo
from kitty_status.jsonl.disk import DISK, close_quietly, open_regular, parent_of, write_all
from kitty_status.jsonl.quarantine import copy_aside, repair_tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kitty_status.jsonl.disk import Disk, StrPath


_CHUNK = 1 << 20


class KeptLog:
    """One log, opened at its first use. Whoever calls a method holds the lock of the log.

    Every method raises, where it fails: UnsafeLogError, if the log is a symbolic link, no regular file, or one that has
    other names, under each of which it would have a lock of its own; OSError, if the operating system refused.
    """

    def __init__(self, path: StrPath, quarantine: StrPath, disk: Disk = DISK) -> None:
        self.path = path
        self._quarantine = quarantine
        self._disk = disk
        self._fd = -1
        self._end = self._confirmed = 0
        self._is_in_doubt = False

    def size(self) -> int:
        """Return the length of the log, 0 where there is none; one that was removed or replaced is opened anew."""
        if self._fd >= 0:
            status = self._disk.fstat(self._fd)
            if status.st_nlink == 1:
                return status.st_size
            if status.st_nlink > 1:
                raise _many_names(self.path, status.st_nlink)
            self.close()
            self._end = self._confirmed = 0
        try:
            self._fd = open_regular(self.path, os.O_RDWR | os.O_APPEND, self._disk)
        except FileNotFoundError:
            return 0
        status = self._disk.fstat(self._fd)
        if status.st_nlink > 1:
            raise _many_names(self.path, status.st_nlink)
        return status.st_size

    def mend(self) -> int:
        """Make the end of the log ready for a line and return its length; what has to go is copied aside first.

        Raises:
            BusyError: somebody writes without the lock.
        """
        if not self.size():
            return 0
        line_end, size = repair_tail(self._fd, self.path, self._quarantine, self._disk)
        write_all(self._fd, line_end, self._disk)
        return size + len(line_end)

    def cut(self, start: int) -> None:
        """Cut off everything from `start` on, once a copy of it is on stable storage."""
        size = self.size()
        copy_aside(self._fd, (start, size), self.path, self._quarantine, self._disk)
        self._disk.ftruncate(self._fd, start)

    def write(self, lines: bytes) -> int:
        """Write lines at the end and return where they begin. Where this fails, none of them stays.

        They are not yet on stable storage; see `confirm`.

        Raises:
            OutcomeUnknownError: what was written of them could not be taken back.
        """
        size = self.size()
        if self._fd < 0:
            self._fd = open_to_append(self.path, self._disk)
        if size == 0:
            # Before the first line, for whoever writes the second cannot tell any more that the name is new.
            self._disk.fsync_directory(parent_of(self.path))
        try:
            write_all(self._fd, lines, self._disk)
        except BaseException as error:
            if not undo(self._fd, size, lines, self._disk):
                raise OutcomeUnknownError(
                    f"{os.fspath(self.path)} was not written whole ({error}), and what was written could not be taken "
                    "back",
                    hint="make the same call again with the same ids",
                    log=os.fspath(self.path),
                ) from error
            raise
        self._end = size + len(lines)
        return size

    def take_back(self, start: int, lines: bytes) -> bool:
        """Cut lines off again that were written at `start`, and say whether they are gone."""
        try:
            self.size()
        except OSError:
            return False
        return undo(self._fd, start, lines, self._disk)

    def confirm(self) -> None:
        """Return once everything in the log is on stable storage.

        What the disk has once failed to confirm is written again first: the system takes it for written, and would
        confirm it unseen.

        Raises:
            OutcomeUnknownError: the disk did not confirm.
        """
        if self._fd < 0 and not self.size():
            return
        if self._is_in_doubt:
            self._write_again(self.size())
        self._is_in_doubt = True
        flush(self._fd, self.path, self._disk)
        self._is_in_doubt = False
        self._confirmed = self._end

    def _write_again(self, size: int) -> None:
        # Not through the descriptor for appending, which writes at the end whatever it is told.
        fd = open_regular(self.path, os.O_RDWR, self._disk)
        try:
            start = min(self._confirmed, size)
            os.lseek(fd, start, os.SEEK_SET)
            while start < size:
                data = self._disk.pread(fd, min(_CHUNK, size - start), start)
                write_all(fd, data, self._disk)
                start += len(data)
        finally:
            close_quietly(fd, self._disk)

    def close(self) -> None:
        """Give the descriptor back; the next use opens the log again."""
        if self._fd >= 0:
            close_quietly(self._fd, self._disk)
            self._fd = -1


def _many_names(path: StrPath, names: int) -> UnsafeLogError:
    return UnsafeLogError(
        f"{os.fspath(path)} has {names} names (hard links), and who writes by another one would have another lock",
        hint="put copies in the place of the other names",
        path=os.fspath(path),
    )
