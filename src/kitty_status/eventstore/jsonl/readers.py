"""The readers of a store's files: one for each, and how it knows where to begin."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kitty_status.eventstore.jsonl.lines import Context, mark_of
from kitty_status.eventstore.jsonl.reading import SegmentReader
from kitty_status.jsonl.codec import LineDamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.eventstore.jsonl.damage import DamageNotes
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.segments import Part, Segment

LEAST = 1 << 13
"""So much is read at once at least."""


class Readers:
    """The readers of a layout's files."""

    def __init__(self, layout: Layout, notes: DamageNotes) -> None:
        self._layout = layout
        self._notes = notes
        self._readers: dict[str, SegmentReader] = {}
        self._first: dict[str, int] = {}
        self._joints: dict[str, int] = {}
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

    @property
    def out_of_order(self) -> int:
        """How many files are known to have lines that are out of order."""
        return sum(reader.is_out_of_order for reader in list(self._readers.values()))

    def join(self, number: int, parts: Sequence[Part], seen: int) -> None:
        """See whether a file goes on behind the event that was read last; if not, reading it will tell why."""
        day = parts[number].day
        first = self.first_position(number, parts)
        if self._layout.has_many_streams:
            if first is not None and first <= seen:
                why = f"the position {first} in it is not behind {seen}, which is of a day before it"
                self._notes.note(parts[number].segments[0], 0, b"", why)
        elif first is not None and first != seen + 1 and self._joints.get(day) != seen:
            self.know_everything(number, parts)
            self._joints[day] = seen

    def prepared(self, number: int, parts: Sequence[Part], segment: Segment) -> SegmentReader | None:
        """Return the reader of a file, which knows how to begin; None where there is nothing to read yet."""
        reader = self.reader_of(segment)
        if reader.has_places:
            return reader
        if self._layout.has_many_streams or number == 0:
            reader.begin(Context(0))
        else:
            line = next(lines_of(segment), None)
            if line is None:
                return None
            position = _position_in(line)
            if position:
                reader.begin(Context(position - 1))
            else:
                self.know_everything(number, parts)
        return reader

    def know_everything(self, number: int, parts: Sequence[Part]) -> None:
        """Read everything before a part, so that what its lines do not say is known from those before them."""
        context = Context(0, {})
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
            reader = self.prepared(number, parts, part.segments[0])
            found = None if reader is None or not part.segments[0].size() else reader.begins_behind + 1
        if found is not None and number < len(parts) - 1:
            self._first[part.day] = found
        return found

    def begins_before(self, position: int, number: int, parts: Sequence[Part]) -> bool:
        """Say whether the first event of a part is not behind a position."""
        if number == 0:
            return True
        first = self.first_position(number, parts)
        return first is not None and first <= position

    def part_with(self, position: int, parts: Sequence[Part]) -> int:
        """Return the number of the part in which an event is looked for."""
        for number in range(len(parts) - 1, 0, -1):
            if self.begins_before(position, number, parts):
                return number
        return 0


def lines_of(segment: Segment) -> Iterator[bytes]:
    """Yield the lines of a file that are not blank, without their LF, a few at a time."""
    for _, data in segment.pieces(0, largest=LEAST):
        yield from (line for line in data.split(b"\n")[:-1] if line.strip(b" \t\r"))


def _position_in(line: bytes) -> int:
    """Return the position that a line names, 0 if it names none or is damaged."""
    try:
        return mark_of(line).position
    except LineDamagedError:
        return 0
