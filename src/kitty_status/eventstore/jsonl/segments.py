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


_HELD = 1 << 16
"""Who reads so much at once reads few files side by side, and may keep them open."""


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

    @property
    def base(self) -> int:
        """How many bytes of what its offsets count are in the archive."""
        return 0

    def places(self) -> list[tuple[int, int]]:
        """Return positions behind which reading can begin without having read what comes before, with the offsets."""
        return []

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

    def stamp(self) -> int:
        """Return when it was changed last, in nanoseconds; 0 where that says nothing of its lines."""
        try:
            return os.stat(self._path, follow_symlinks=False).st_mtime_ns  # noqa: PTH116  as `size`
        except FileNotFoundError:
            return 0

    def _length(self) -> int:
        size = self.size()
        if not size and not self.is_archived and not self.path.exists():
            self._missed()
        return size

    def pieces(self, start: int, end: int | None = None, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, whole lines) from `start`, where a line begins, to `end`; a last line without LF is not one.

        A file that is read in small pieces is one of many that are read side by side: it is not kept open.
        """
        fd = -1
        length = largest
        try:
            stop = self._length() if end is None else end
            while start < stop:
                fd = self._opened() if fd < 0 else fd
                data = self._disk.pread(fd, max(0, min(length, stop - start)), start)
                cut = data.rfind(b"\n") + 1
                is_all = start + len(data) >= stop or len(data) < length
                if is_all or largest < _HELD:
                    done, fd = fd, -1
                    close_quietly(done, self._disk)
                if cut:
                    yield start, data[:cut]
                    start += cut
                if is_all:
                    return
                length = largest if cut else length * 2
        except FileNotFoundError:
            self._missed()
        finally:
            if fd >= 0:
                close_quietly(fd, self._disk)

    def pieces_backwards(self, end: int, start: int = 0, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, whole lines), the last ones first, from `end`, where a line has ended, back to `start`."""
        fd = -1
        length = largest
        try:
            while end > start:
                fd = self._opened() if fd < 0 else fd
                first = max(start, end - length)
                data = self._disk.pread(fd, end - first, first)
                cut = 0 if first == start else data.find(b"\n", 0, len(data) - 1) + 1
                if first == start or largest < _HELD:
                    done, fd = fd, -1
                    close_quietly(done, self._disk)
                if cut or first == start:
                    yield first + cut, data[cut:]
                    end = first + cut
                    length = largest
                else:
                    length *= 2
        except FileNotFoundError:
            self._missed()
        finally:
            if fd >= 0:
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
        at = self._length()
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
