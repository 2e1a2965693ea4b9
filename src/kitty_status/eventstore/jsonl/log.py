"""The log: all parts of a store as one sequence of events, forwards and backwards."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from kitty_status.eventstore.jsonl.beside import merged, merged_backwards
from kitty_status.eventstore.jsonl.lines import Context, ContextMissingError, missing
from kitty_status.eventstore.jsonl.readers import LEAST, Readers
from kitty_status.eventstore.jsonl.segments import PIECE, SegmentGoneError
from kitty_status.eventstore.values import GREATEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.damage import DamageNotes
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.pieces import Piece
    from kitty_status.eventstore.jsonl.segments import Part, Segment
    from kitty_status.eventstore.jsonl.visible import Visible

_position = attrgetter("position")
_TOGETHER = 1 << 20
_ATTEMPTS = 5


class _AgainError(Exception):
    """Lines are out of order, which the last ones did not tell: what comes before a position must be read again."""

    def __init__(self, visible: Visible, last: int) -> None:
        super().__init__()
        self.visible = visible
        self.last = last


class Log:
    """Reads the events of a layout's files.

    Forwards everything is noticed that is missing or out of its place, between files as well. Backwards it is read
    forwards once more wherever something might be.
    """

    def __init__(self, layout: Layout, notes: DamageNotes) -> None:
        self._layout = layout
        self._notes = notes
        self._readers = Readers(layout, notes)
        self._other_end: Visible | None = None
        self.on_other_end: Callable[[Visible, Context], Visible] = lambda visible, _: visible
        """Is told where reading everything shows that a store reaches to another place; returns how far it reaches."""

    def forwards(self, after: int, last: int, visible: Visible) -> Iterator[list[Event]]:
        """Yield the events behind one position up to another, in lists, in the order of positions."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                for events in self._forwards(after, last, visible):
                    yield events
                    after = events[-1].position if events else after
            except SegmentGoneError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return

    def _forwards(self, after: int, last: int, visible: Visible) -> Iterator[list[Event]]:
        parts = self._layout.parts()
        at = self._readers.part_with(after + 1, parts) if after else 0
        seen = 0 if at == 0 else None
        # What stands behind the newest place is out of order, and is looked at, too.
        end = last if last < visible.head else GREATEST
        for number in range(at, len(parts)):
            part = parts[number]
            if part.day > visible.day:
                return
            if number > at or number == 0:
                self._readers.join(number, parts, after if seen is None else seen)
            behind = Context(-1)
            for events in self._of_part(number, parts, after, visible, behind):
                if events:
                    seen = events[-1].position
                    if seen > after:
                        yield _between(events, after, end)
                        after = seen
                        if after >= end:
                            return
            if self._layout.has_many_streams:
                behind.take(max(after, visible.head))
            if part.day == visible.day and behind.position not in (-1, visible.head):
                self._other_end = self.on_other_end(visible, behind)

    def backwards(self, after: int, last: int, visible: Visible) -> Iterator[list[Event]]:
        """Yield the same events the other way round: the list of the newest first, and the newest first in it."""
        attempt = 1
        while True:
            try:
                for events in self._backwards(after, last, visible):
                    yield events
                    last = events[-1].position - 1 if events else last
            except SegmentGoneError:
                if attempt == _ATTEMPTS:
                    raise
                attempt += 1
            except _AgainError as again:
                visible, last = again.visible, again.last
            else:
                return

    def _backwards(self, after: int, last: int, visible: Visible) -> Iterator[list[Event]]:
        parts = self._layout.parts() if last > after else ()
        for number in range(len(parts) - 1, -1, -1):
            part = parts[number]
            if part.day > visible.day or not self._readers.begins_before(last, number, parts):
                continue
            for events in self._of_part_backwards(number, parts, last, visible):
                if events and events[0].position <= last:
                    found = _between(events, after, last)
                    is_whole = found and found[-1].position == last and found[0].position == last - len(found) + 1
                    if not is_whole or last == visible.head < events[-1].position:
                        self._look_again(max(after, events[0].position - 1), last, visible)
                    if found:
                        yield found[::-1]
                    last = events[0].position - 1
                    if last <= after:
                        return
        if last > after:
            self._look_again(after, last, visible)

    def _look_again(self, after: int, last: int, visible: Visible) -> None:
        """Read forwards where events are missing: that notes what is wrong.

        Raises:
            EventStoreError: CORRUPT.
            _AgainError: something is out of order, and that was not known.
        """
        self._other_end = None
        known = self._readers.out_of_order
        for _ in self._forwards(after, min(last + 1, visible.head), visible):
            pass
        other = self._other_end
        if other is not None and last == visible.head < other.head:
            raise _AgainError(other, other.head)
        if self._readers.out_of_order > known:
            raise _AgainError(visible, last)

    def of_day(self, day: str, visible: Visible) -> Iterator[list[Event]]:
        """Yield the events of the part of a day, in lists."""
        parts = self._layout.parts()
        for number, part in enumerate(parts):
            if part.day == day:
                before = (self._readers.first_position(number, parts) or 1) - 1
                yield from filter(None, self._of_part(number, parts, before, visible, Context()))

    def ended(self, segment: Segment, position: int, offset: int) -> None:
        """Remember where a write ended; see `SegmentReader.ended`."""
        self._readers.reader_of(segment).ended(position, offset)

    def note(self, segment: Segment, offset: int, why: str) -> None:
        """Take note of what is wrong with a line that was read; see `DamageNotes.note`."""
        self._notes.note(segment, offset, b"", why)

    def restart(self) -> None:
        """Forget from where in the files reading could begin."""
        self._readers = Readers(self._layout, self._notes)

    def complain(self, position: int, why: str) -> None:
        """Take note of what is wrong with an event that was read.

        Raises:
            EventStoreError: CORRUPT, where damage is not to be skipped.
        """
        parts = self._layout.parts()
        for number, part in enumerate(parts):
            for segment in part.segments:
                for piece in self.located(number, parts, segment, (0, segment.end_of_lines())):
                    for event, start in zip(piece.events, piece.starts, strict=True):
                        if event.position == position:
                            self._notes.note(segment, start, b"", why)
                            return

    def located(self, number: int, parts: Sequence[Part], segment: Segment, span: tuple[int, int]) -> Iterator[Piece]:
        """Yield the events between two offsets of a file, with the places of their lines."""
        reader = self._readers.prepared(number, parts, segment)
        if reader is None:
            return
        start, end = span
        try:
            for piece in reader.located(start, end):
                yield piece
                start = piece.end
        except ContextMissingError:
            self._readers.know_everything(number, parts)
            yield from reader.located(start, end)

    def _of_part(
        self, number: int, parts: Sequence[Part], after: int, visible: Visible, behind: Context
    ) -> Iterator[list[Event]]:
        part = parts[number]
        if self._layout.has_many_streams:
            readers = [
                (self._readers.prepared(number, parts, each), visible.end_of(part, each)) for each in part.segments
            ]
            length = _share(len(readers))
            sources = [reader.forwards(after, end, length) for reader, end in readers if reader is not None]
            yield from self._checked(merged(sources, after, self._twice_in(part)), part, after)
            return
        segment = part.segments[0]
        reader = self._readers.prepared(number, parts, segment)
        if reader is None:
            return
        try:
            for events in reader.forwards(after, visible.end_of(part, segment), behind=behind):
                yield events
                after = events[-1].position if events else after
        except ContextMissingError:
            self._readers.know_everything(number, parts)
            yield from reader.forwards(after, visible.end_of(part, segment), behind=behind)

    def _of_part_backwards(
        self, number: int, parts: Sequence[Part], last: int, visible: Visible
    ) -> Iterator[list[Event]]:
        part = parts[number]
        if self._layout.has_many_streams:
            readers = [
                (self._readers.prepared(number, parts, each), visible.end_of(part, each)) for each in part.segments
            ]
            length = _share(len(readers))
            sources = [reader.backwards(last, end, length) for reader, end in readers if reader is not None]
            yield from merged_backwards(sources, last, self._twice_in(part))
            return
        segment = part.segments[0]
        reader = self._readers.prepared(number, parts, segment)
        if reader is None:
            return
        try:
            for events in reader.backwards(last, visible.end_of(part, segment)):
                yield events
                last = events[0].position - 1 if events else last
        except ContextMissingError:
            self._readers.know_everything(number, parts)
            yield from reader.backwards(last, visible.end_of(part, segment))

    def _checked(self, lists: Iterator[list[Event]], part: Part, after: int) -> Iterator[list[Event]]:
        """Pass lists on; where positions are missing between the files of a part, say so."""
        before = after
        for events in lists:
            for event in events if events[-1].position != before + len(events) else ():
                if event.position != before + 1:
                    why = f"event {event.position}: {missing(before + 1, event.position - 1)}"
                    self._notes.note(part.segments[0], -event.position, b"", why)
                before = event.position
            yield events
            before = events[-1].position

    def _twice_in(self, part: Part) -> Callable[[Event, Event], None]:
        def twice(event: Event, other: Event) -> None:
            why = f"the position {event.position} stands in two files: for {event.id} and for {other.id}"
            self._notes.note(part.segments[0], -event.position, b"", why)

        return twice


def _share(files: int) -> int:
    """Return how much of each file is read at once where so many are read side by side."""
    return max(LEAST, min(PIECE, _TOGETHER // max(1, files)))


def _between(events: list[Event], after: int, last: int) -> list[Event]:
    if events[0].position > after and events[-1].position <= last:
        return events
    return events[bisect_right(events, after, key=_position) : bisect_right(events, last, key=_position)]
