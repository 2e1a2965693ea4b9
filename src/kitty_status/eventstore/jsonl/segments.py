"""The files of a store, read in pieces that end with a line: forwards, backwards, and single lines by their place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.jsonl.disk import DISK, close_quietly, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kitty_status.jsonl.disk import Disk

PIECE = 1 << 17
"""How much is read at once: small enough for a core's own cache. A longer line makes a piece longer."""


class SegmentGoneError(FileNotFoundError):
    """A file is not where it was: what the store consists of must be looked up again."""


class Segment:
    """A file of lines. `name` tells it from the others of its store, and stays the same in an archive."""

    def __init__(self, path: Path, name: str, disk: Disk = DISK) -> None:
        self.path = path
        self._path = os.fspath(path)
        self.name = name
        self._disk = disk

    is_archived = False
    was_listed = True
    """Whether it was found in a folder; one that was, and is not there any more, has gone into the archive."""

    def _opened(self) -> int:
        return open_regular(self.path, os.O_RDONLY, self._disk)

    def _missed(self) -> None:
        if self.was_listed:
            raise SegmentGoneError(self._path)

    def size(self) -> int:
        """Return its length, 0 where it is not there."""
        try:
            return os.stat(self._path, follow_symlinks=False).st_size  # noqa: PTH116  asked at every append
        except FileNotFoundError:
            return 0

    def pieces(self, start: int, end: int | None = None, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, whole lines) from `start`, where a line begins, to `end`; a last line without LF is not one.

        A file that one read comes to the end of is closed at once, so that many small ones can be read side by side.
        """
        try:
            fd = self._opened()
        except FileNotFoundError:
            self._missed()
            return
        try:
            stop = self._disk.fstat(fd).st_size if end is None else end
            length = largest
            while start < stop:
                data = self._disk.pread(fd, min(length, stop - start), start)
                cut = data.rfind(b"\n") + 1
                if start + len(data) >= stop or len(data) < length:
                    done, fd = fd, -1
                    close_quietly(done, self._disk)
                    if cut:
                        yield start, data[:cut]
                    return
                if cut:
                    yield start, data[:cut]
                    start += cut
                length = largest if cut else length * 2
        finally:
            if fd >= 0:
                close_quietly(fd, self._disk)

    def pieces_backwards(self, end: int, start: int = 0, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, whole lines), the last ones first, from `end`, where a line has ended, back to `start`."""
        try:
            fd = self._opened()
        except FileNotFoundError:
            self._missed()
            return
        try:
            length = largest
            while end > start:
                first = max(start, end - length)
                data = self._disk.pread(fd, end - first, first)
                cut = 0 if first == start else data.find(b"\n", 0, len(data) - 1) + 1
                if cut or first == start:
                    yield first + cut, data[cut:]
                    end = first + cut
                    length = largest
                else:
                    length *= 2
        finally:
            close_quietly(fd, self._disk)

    def lines_at(self, places: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        """Yield the bytes at each place: an offset and a length, the offsets ascending."""
        try:
            fd = self._opened()
        except FileNotFoundError:
            self._missed()
            raise
        try:
            for start, length in places:
                yield self._disk.pread(fd, length, start)
        finally:
            close_quietly(fd, self._disk)

    def end_of_lines(self) -> int:
        """Return where the last whole line ends."""
        at = self.size()
        length = 4096
        while at:
            first = max(0, at - length)
            cut = b"".join(self.lines_at([(first, at - first)])).rfind(b"\n") + 1
            if cut:
                return first + cut
            at = first
        return 0


@dataclass(frozen=True, slots=True)
class Part:
    """Events whose positions have no gap, in files that are read together; `day` is when they were written."""

    day: str
    segments: tuple[Segment, ...]
