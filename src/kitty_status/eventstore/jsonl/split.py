"""One file of which the beginning has moved to the archive: both together are read as what the file was.

Offsets stay what they were, so whatever remembers one (readers, the index, what is known of the end) is right before
and after a move, in every process. How much has moved is told by the file itself: by the position that its first line
names. So a reader who has it open reads the same file to the end, whatever takes its place meanwhile, and archives that
hold what is still in the file are none of its business.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl.lines import mark_of
from kitty_status.eventstore.jsonl.segments import PIECE, Segment
from kitty_status.jsonl.codec import LineDamagedError
from kitty_status.jsonl.disk import DISK, close_quietly, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kitty_status.eventstore.jsonl.archive import Archive
    from kitty_status.eventstore.jsonl.packing import ArchivedSegment
    from kitty_status.jsonl.disk import Disk


class _Held:
    """A descriptor that is given back with the last reference: as long as it is open, no other file has its number."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        close_quietly(self.fd, DISK)


class LiveFile(Segment):
    """The file as it was when it was looked at, whatever stands at its path now."""

    was_listed = False

    def __init__(self, path: Path, name: str, disk: Disk, held: _Held | None) -> None:
        super().__init__(path, name, disk)
        self._held = held

    def _opened(self) -> int:
        if self._held is None:
            raise FileNotFoundError(self._path)
        return os.dup(self._held.fd)

    def size(self) -> int:
        """Return its length, 0 where it is not there."""
        return 0 if self._held is None else self._disk.fstat(self._held.fd).st_size


class View(NamedTuple):
    """Which file it is, what has moved to the archive, and where in the whole each of them begins, the file last."""

    identity: tuple[int, int] | None
    archived: tuple[ArchivedSegment, ...]
    live: LiveFile
    starts: tuple[int, ...]

    @property
    def base(self) -> int:
        """How many bytes have moved."""
        return self.starts[-1]

    def size(self) -> int:
        """Return the length of the whole."""
        return self.base + self.live.size()

    def covering(self, start: int, end: int) -> list[tuple[Segment, int, int, int]]:
        """Return the files that hold what lies between two offsets: each with its start, and the offsets in it."""
        found: list[tuple[Segment, int, int, int]] = []
        every: tuple[Segment, ...] = (*self.archived, self.live)
        for number in range(max(0, bisect_right(self.starts, start) - 1), len(every)):
            begin = self.starts[number]
            if begin >= end:
                break
            stop = end if number + 1 == len(every) else min(end, self.starts[number + 1])
            found.append((every[number], begin, max(0, start - begin), stop - begin))
        return found


class SplitSegment(Segment):
    """The one file of the layout `single`, with what of it is in the archive."""

    was_listed = False

    def __init__(self, path: Path, name: str, archive: Archive, disk: Disk = DISK) -> None:
        super().__init__(path, name, disk)
        self._archive = archive
        self._seen: View | None = None

    def view(self) -> View:
        """Return the file that stands at the path now, and what belongs before it.

        Raises:
            EventStoreError: CORRUPT: there is an archive, and the file is not the one that goes on behind it.
        """
        seen = self._seen
        identity = self._identity()
        if seen is None or seen.identity != identity or identity is None:
            seen = self._seen = self._look()
        return seen

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._path, follow_symlinks=False)  # noqa: PTH116  asked at every append
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _look(self) -> View:
        while True:
            held: _Held | None = None
            identity: tuple[int, int] | None = None
            with suppress(FileNotFoundError):
                held = _Held(open_regular(self.path, os.O_RDONLY, self._disk))
                status = self._disk.fstat(held.fd)
                identity = (status.st_dev, status.st_ino)
            live = LiveFile(self.path, self.name, self._disk, held)
            first = _first_position(live)
            archived = self._archive.chain_before(first) if first > 1 else ()
            has_archive = not first and bool(self._archive.names())
            # Archives go only when their lines are in the file again: what was found belongs to this file if it is
            # still there. Otherwise they may have gone while they were looked for.
            if identity == self._identity():
                break
        if has_archive:
            raise EventStoreError(
                StoreCode.CORRUPT,
                f"{self.path} is not there or not whole, and {self._archive.folder} holds what came before it",
                hint="put the file back from a copy, with the folder beside it",
                path=str(self.path),
            )
        starts = tuple(accumulate((each.size() for each in archived), initial=0))
        return View(identity, archived, live, starts)

    def forget(self) -> None:
        """Let go of the file."""
        self._seen = None

    @property
    def base(self) -> int:
        """How many bytes have moved to the archive."""
        return self.view().base

    def places(self) -> list[tuple[int, int]]:
        """Return the last position of each archive, and where what comes behind it begins."""
        view = self.view()
        return [
            (int(each.name.rpartition("-")[2]), at) for each, at in zip(view.archived, view.starts[1:], strict=True)
        ]

    def size(self) -> int:
        """Return the length of the whole, 0 where there is none."""
        return self.view().size()

    def stamp(self) -> int:
        """Return when it was changed last; 0 where part of it is in the archive, for moving changes no line."""
        return 0 if self.base else super().stamp()

    def _length(self) -> int:
        return self.size()

    def pieces(self, start: int, end: int | None = None, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, whole lines); see `Segment.pieces`."""
        view = self.view()
        for segment, begin, first, stop in view.covering(start, view.size() if end is None else end):
            for offset, data in segment.pieces(first, stop, largest):
                yield begin + offset, data

    def pieces_backwards(self, end: int, start: int = 0, largest: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, whole lines), the last ones first; see `Segment.pieces_backwards`."""
        for segment, begin, first, stop in reversed(self.view().covering(start, end)):
            for offset, data in segment.pieces_backwards(stop, first, largest):
                yield begin + offset, data

    def lines_at(self, places: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        """Yield the bytes at each place; see `Segment.lines_at`."""
        view = self.view()
        for start, length in places:
            parts = view.covering(start, start + length)
            yield b"".join(
                part for segment, _, first, stop in parts for part in segment.lines_at([(first, stop - first)])
            )

    def end_of_lines(self) -> int:
        """Return where the last whole line ends."""
        view = self.view()
        return view.base + view.live.end_of_lines()


def _first_position(live: LiveFile) -> int:
    """Return the position that the first line names, 0 where there is none."""
    for _, data in live.pieces(0, largest=1 << 13):
        for line in data.split(b"\n")[:-1]:
            if line.strip(b" \t\r"):
                try:
                    return mark_of(line).position
                except LineDamagedError:
                    return 0
    return 0
