"""Moving the first lines of the one file of the layout `single` to the archive, and back.

What moves is packed first, read back, and gets its manifest; then a file that holds the rest takes the place of the
file, in one step. Interrupted before that, the file is what it was, and what was packed is removed by the next attempt.
"""

from __future__ import annotations

import os
import stat
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl.lines import decode_events, decode_marks
from kitty_status.jsonl.disk import DISK, close_quietly, open_regular
from kitty_status.jsonl.replace import remove_leftovers, stage_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.layouts import SingleFile
    from kitty_status.eventstore.jsonl.lines import Mark
    from kitty_status.eventstore.jsonl.split import SplitSegment
    from kitty_status.eventstore.jsonl.visible import Visible
    from kitty_status.eventstore.jsonl.writing import Writer
    from kitty_status.jsonl.disk import Disk

MOST_BYTES = 64 << 20
"""How long the lines of one archive may be; they are unpacked to a file when they are read."""
_COPIED_AT_ONCE = 1 << 20


class _Run(NamedTuple):
    """Lines that move together: between which offsets they lie, and which events they are."""

    start: int
    end: int
    first: int
    last: int

    @property
    def places(self) -> tuple[int, int, int]:
        """The count of the events, and the first and last position."""
        return self.last - self.first + 1, self.first, self.last


class FrontArchiver:
    """Keeps other writers out while it moves something."""

    def __init__(self, layout: SingleFile, writer: Writer, disk: Disk = DISK) -> None:
        self._layout = layout
        self._writer = writer
        self._disk = disk

    @property
    def _segment(self) -> SplitSegment:
        return self._layout.segment

    def movable(self, before: datetime, visible: Visible) -> int:
        """Return how many events `move` would move."""
        return sum(run.places[0] for run in self._runs(before, visible))

    def move(self, before: datetime) -> int:
        """Move the first events, up to one that happened at an instant or later; return how many."""
        with self._writer.alone() as visible:
            runs = list(self._runs(before, visible))
            if not runs:
                return 0
            self._refuse_other_names()
            self._tidy_up()
            for run in runs:
                pieces = (data for _, data in self._segment.pieces(run.start, run.end))
                self._layout.archive.keep(f"{run.first}-{run.last}", self._segment.name, pieces, run.places)
            self._put_in_place(runs[-1].end)
        return sum(run.places[0] for run in runs)

    def restore(self, name: str) -> int:
        """Bring an archive back, and those behind it, between which and the file there is no place; return how many."""
        with self._writer.alone():
            names = self._layout.archived_names()
            if name not in names:
                return 0
            self._refuse_other_names()
            number = names.index(name)
            for each in names[number:]:
                self._layout.archive.check(each)
            events = sum(each.events for each in self._layout.archive.listed(names[number:]))
            self._put_in_place(self._segment.view().starts[number])
            self._tidy_up()
        return events

    def _tidy_up(self) -> None:
        """Remove what an interruption has left, and archives that were brought back."""
        self._layout.archive.discard(self._layout.leftover_archives())
        self._layout.archive.discard_unfinished()

    def _runs(self, before: datetime, visible: Visible) -> Iterator[_Run]:
        """Yield what is to move. What was written together stays together, and what was written last stays."""
        start, first, together = self._segment.base, 0, 0
        ended: tuple[int, int] | None = None
        found: _Run | None = None
        for event, until, end in self._lines(visible):
            if ended is not None:
                # There is a line behind it, so the rest begins with one that names its position.
                found = _Run(start, ended[0], first, ended[1])
                if found.end - start > MOST_BYTES:
                    yield found
                    start, first, found = found.end, event.position, None
                ended = None
            if event.at >= before:
                break
            first = first or event.position
            together = max(together, until)
            if together <= event.position:
                ended = end, event.position
        if found is not None:
            yield found

    def _lines(self, visible: Visible) -> Iterator[tuple[Event, int, int]]:
        """Yield the events in the file with what they were written together with, and where their lines end.

        It ends before a line of another program, or a damaged one: that is understood from what stands before it.
        """
        segment = self._segment
        archived = self._layout.archive.listed(self._layout.archived_names())
        expected = archived[-1].last + 1 if archived else 1
        for offset, data in segment.pieces(segment.base, visible.ends.get(segment.name, 0)):
            at = offset
            for event, mark, length in _own(data):
                at += length + 1
                if event.position != expected:
                    return
                expected += 1
                yield event, mark.until, at
            if at < offset + len(data):
                return

    def _refuse_other_names(self) -> None:
        status = os.stat(self._layout.path)  # noqa: PTH116  as everywhere in these modules
        if status.st_nlink > 1:
            raise EventStoreError(
                StoreCode.STORAGE_ERROR,
                f"{self._layout.path} has {status.st_nlink} names (hard links), and only one would get what comes",
                hint="make copies of the others in their place, then try again; nothing was moved",
                path=str(self._layout.path),
            )

    def _put_in_place(self, start: int) -> None:
        """Make the file begin at an offset of the whole."""
        view = self._segment.view()
        fd = open_regular(self._layout.path, os.O_RDONLY, self._disk)
        try:
            remove_leftovers(self._layout.path, self._disk)
            mode = stat.S_IMODE(self._disk.fstat(fd).st_mode)
            archived = (data for _, data in self._segment.pieces(start, view.base)) if start < view.base else ()
            live = self._bytes_of(fd, max(0, start - view.base))
            staged = stage_pieces(self._layout.path, chain(archived, live), mode=mode, disk=self._disk)
        finally:
            close_quietly(fd, self._disk)
        self._writer.let_go(self._segment)
        staged.rename()
        self._segment.forget()

    def _bytes_of(self, fd: int, at: int) -> Iterator[bytes]:
        while data := self._disk.pread(fd, _COPIED_AT_ONCE, at):
            yield data
            at += len(data)


def _own(data: bytes) -> Iterator[tuple[Event, Mark, int]]:
    """Yield the events of lines with their marks and lengths, up to a line that is not one of our own."""
    lines = data.split(b"\n")[:-1]
    try:
        events, marks = decode_events(data), decode_marks(data)
        if len(events) == len(lines):
            yield from zip(events, marks, map(len, lines), strict=True)
            return
    except ValueError:
        pass
    for line in lines:
        try:
            events, marks = decode_events(line), decode_marks(line)
        except ValueError:
            return
        if not events:
            return
        yield events[0], marks[0], len(line)
