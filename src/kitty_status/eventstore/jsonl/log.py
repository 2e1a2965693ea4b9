"""The log: all parts of a store as one sequence of events, forwards and backwards."""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from kitty_status.eventstore.jsonl.beside import merged, merged_backwards
from kitty_status.eventstore.jsonl.lines import Context, ContextMissingError, mark_of
from kitty_status.eventstore.jsonl.reading import SegmentReader
from kitty_status.eventstore.jsonl.segments import PIECE, SegmentGoneError
from kitty_status.jsonl.codec import LineDamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.damage import DamageNotes
    from kitty_status.eventstore.jsonl.index import Piece
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.segments import Part, Segment

_position = attrgetter("position")
_TOGETHER = 1 << 20
_LEAST = 1 << 13
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Visible:
    """How far a store reaches: the newest event, its part, and where the lines of that part's files end."""

    head: int = 0
    day: str = ""
    ends: dict[str, int] = field(default_factory=dict)

    def end_of(self, part: Part, segment: Segment) -> int | None:
        """Return where a file ends for whoever reads up to the newest event; None means with its last line."""
        if part.day == self.day:
            return self.ends.get(segment.name, 0)
        return None if part.day < self.day else 0


class Log:
    """Reads the events of a layout's files."""

    def __init__(self, layout: Layout, notes: DamageNotes) -> None:
        self._layout = layout
        self._notes = notes
        self._readers: dict[str, SegmentReader] = {}
        self._first: dict[str, int] = {}
        self._lock = threading.RLock()

    def reader_of(self, segment: Segment) -> SegmentReader:
        """Return the reader of a file, which is kept."""
        with self._lock:
            reader = self._readers.get(segment.name)
            if reader is None or (reader.segment is not segment and reader.segment.path != segment.path):
                reader = SegmentReader(segment, self._notes, is_shared=self._layout.has_many_streams)
                for position, offset in segment.places():
                    reader.ended(position, offset)
                self._readers[segment.name] = reader
            return reader

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
        at = self._part_with(after + 1, parts) if after else 0
        for number in range(at, len(parts)):
            part = parts[number]
            if part.day > visible.day:
                return
            for events in self._of_part(number, parts, after, visible):
                if events and events[-1].position > after:
                    yield _between(events, after, last)
                    after = events[-1].position
                    if after >= last:
                        return

    def backwards(self, after: int, last: int, visible: Visible) -> Iterator[list[Event]]:
        """Yield the same events the other way round: the list of the newest first, and the newest first in it."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                for events in self._backwards(after, last, visible):
                    yield events
                    last = events[-1].position - 1 if events else last
            except SegmentGoneError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return

    def _backwards(self, after: int, last: int, visible: Visible) -> Iterator[list[Event]]:
        parts = self._layout.parts()
        for number in range(len(parts) - 1, -1, -1):
            part = parts[number]
            if part.day > visible.day or not self._begins_before(last, number, parts):
                continue
            for events in self._of_part_backwards(number, parts, last, visible):
                if events and events[0].position <= last:
                    yield _between(events, after, last)[::-1]
                    last = events[0].position - 1
                    if last <= after:
                        return

    def of_day(self, day: str, visible: Visible) -> Iterator[list[Event]]:
        """Yield the events of the part of a day, in lists."""
        parts = self._layout.parts()
        for number, part in enumerate(parts):
            if part.day == day:
                yield from filter(None, self._of_part(number, parts, 0, visible))

    def located(self, number: int, parts: Sequence[Part], segment: Segment, span: tuple[int, int]) -> Iterator[Piece]:
        """Yield the events between two offsets of a file, with the places of their lines."""
        reader = self._prepared(number, parts, segment)
        if reader is None:
            return
        start, end = span
        try:
            for piece in reader.located(start, end):
                yield piece
                start = piece.end
        except ContextMissingError:
            self._know_everything(number, parts)
            yield from reader.located(start, end)

    def _of_part(self, number: int, parts: Sequence[Part], after: int, visible: Visible) -> Iterator[list[Event]]:
        part = parts[number]
        if self._layout.has_many_streams:
            readers = [(self._prepared(number, parts, each), visible.end_of(part, each)) for each in part.segments]
            length = _share(len(readers))
            sources = [reader.forwards(after, end, length) for reader, end in readers if reader is not None]
            before = max(after, (self.first_position(number, parts) or 1) - 1)
            yield from self._checked(merged(sources, before), part, before)
            return
        segment = part.segments[0]
        reader = self._prepared(number, parts, segment)
        if reader is None:
            return
        try:
            for events in reader.forwards(after, visible.end_of(part, segment)):
                yield events
                after = events[-1].position if events else after
        except ContextMissingError:
            self._know_everything(number, parts)
            yield from reader.forwards(after, visible.end_of(part, segment))

    def _of_part_backwards(
        self, number: int, parts: Sequence[Part], last: int, visible: Visible
    ) -> Iterator[list[Event]]:
        part = parts[number]
        if self._layout.has_many_streams:
            readers = [(self._prepared(number, parts, each), visible.end_of(part, each)) for each in part.segments]
            length = _share(len(readers))
            sources = [reader.backwards(last, end, length) for reader, end in readers if reader is not None]
            yield from merged_backwards(sources, last)
            return
        segment = part.segments[0]
        reader = self._prepared(number, parts, segment)
        if reader is None:
            return
        try:
            for events in reader.backwards(last, visible.end_of(part, segment)):
                yield events
                last = events[0].position - 1 if events else last
        except ContextMissingError:
            self._know_everything(number, parts)
            yield from reader.backwards(last, visible.end_of(part, segment))

    def _checked(self, lists: Iterator[list[Event]], part: Part, after: int) -> Iterator[list[Event]]:
        """Pass lists on; where positions are missing between the files of a part, say so."""
        before = after
        for events in lists:
            for event in events if events[-1].position != before + len(events) else ():
                if event.position != before + 1:
                    why = f"the events {before + 1} to {event.position - 1} are missing before {event.position}"
                    self._notes.note(part.segments[0], -event.position, b"", why)
                before = event.position
            yield events
            before = events[-1].position

    def _prepared(self, number: int, parts: Sequence[Part], segment: Segment) -> SegmentReader | None:
        """Return the reader of a file, which knows how to begin; None where there is nothing to read yet."""
        reader = self.reader_of(segment)
        if reader.has_places:
            return reader
        if self._layout.has_many_streams:
            reader.begin(Context(0, None))
        elif number == 0:
            reader.begin(Context(0, 0))
        else:
            line = next(lines_of(segment), None)
            if line is None:
                return None
            position = _position_in(line)
            if position:
                reader.begin(Context(position - 1, None))
            else:
                self._know_everything(number, parts)
        return reader

    def _know_everything(self, number: int, parts: Sequence[Part]) -> None:
        """Read everything before a part, so that what its lines do not say is known from those before them."""
        context = Context()
        for part in parts[: number + 1]:
            reader = self.reader_of(part.segments[0])
            reader.from_the_start()
            reader.begin(context)
            if part is not parts[number]:
                context = reader.context_at(None)

    def first_position(self, number: int, parts: Sequence[Part]) -> int | None:
        """Return the position of the first event of a part, None where it has none."""
        part = parts[number]
        known = self._first.get(part.day)
        if known is not None:
            return known
        if self._layout.has_many_streams:
            firsts = (next(filter(None, map(_position_in, lines_of(each))), None) for each in part.segments)
            found = min((first for first in firsts if first is not None), default=None)
        else:
            reader = self._prepared(number, parts, part.segments[0])
            found = None if reader is None or not part.segments[0].size() else reader.begins_behind + 1
        if found is not None and number < len(parts) - 1:
            self._first[part.day] = found
        return found

    def _begins_before(self, position: int, number: int, parts: Sequence[Part]) -> bool:
        if number == 0:
            return True
        first = self.first_position(number, parts)
        return first is not None and first <= position

    def _part_with(self, position: int, parts: Sequence[Part]) -> int:
        """Return the number of the part in which an event is looked for."""
        for number in range(len(parts) - 1, 0, -1):
            if self._begins_before(position, number, parts):
                return number
        return 0


def lines_of(segment: Segment) -> Iterator[bytes]:
    """Yield the lines of a file that are not blank, without their LF, a few at a time."""
    for _, data in segment.pieces(0, largest=_LEAST):
        yield from (line for line in data.split(b"\n")[:-1] if line.strip(b" \t\r"))


def _share(files: int) -> int:
    """Return how much of each file is read at once where so many are read side by side."""
    return max(_LEAST, min(PIECE, _TOGETHER // max(1, files)))


def _position_in(line: bytes) -> int:
    """Return the position that a line names, 0 if it names none or is damaged."""
    try:
        return mark_of(line).position
    except LineDamagedError:
        return 0


def _between(events: list[Event], after: int, last: int) -> list[Event]:
    if events[0].position > after and events[-1].position <= last:
        return events
    return events[bisect_right(events, after, key=_position) : bisect_right(events, last, key=_position)]
