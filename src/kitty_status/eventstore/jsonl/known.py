"""What a store knows of its log without reading it again: how far it reaches, and which ids and versions came last.

It is caught up with what other processes have written whenever somebody asks. What was written together counts once all
of it is there. Who holds the lock and finds a part of it knows that the writer died before it acknowledged anything,
since each writer takes that out before it writes.
"""

from __future__ import annotations

import threading
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl.lines import NAMES_NO_PLACE, Mark, decode_marks, mark_of
from kitty_status.eventstore.jsonl.log import Visible
from kitty_status.jsonl.codec import LineDamagedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.damage import DamageNotes
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.log import Log
    from kitty_status.eventstore.jsonl.segments import Part, Segment

_MOST_REMEMBERED = 100_000
_AT_ONCE = 4 << 20
_FIRST_LOOK = 1 << 14
_position = attrgetter("position")


class _Line(NamedTuple):
    """A line: its position, its mark (None if it is damaged), its file, and where it begins and ends there."""

    position: int
    mark: Mark | None
    segment: str
    start: int
    end: int

    @property
    def until(self) -> int:
        """The position with which everything ends that was written together with it."""
        return max(self.position, self.mark.until if self.mark is not None else 0)


class Known:
    """How far the log reaches, and, for the events behind the position `since`, all ids and versions."""

    def __init__(self, layout: Layout, log: Log, notes: DamageNotes) -> None:
        self._layout = layout
        self._log = log
        self._notes = notes
        self._visible: Visible | None = None
        self.lock = threading.RLock()
        self._may_have_leftovers = False
        self.since = 0
        self.versions: dict[str, int] = {}
        self.ids: dict[str, int] = {}

    def visible(self, *, is_locked: bool = False) -> Visible:
        """Return how far the log reaches now; `is_locked` says that nobody else is writing.

        Raises:
            EventStoreError: CORRUPT.
        """
        with self.lock:
            parts = self._layout.parts()
            if self._visible is None:
                found = self._found_at_the_end(parts)
                self._visible = self._reach(found.head, found.day, found.ends)
                self.forget()
            seen = self._visible
            self._may_have_leftovers = False
            is_newest = parts and parts[-1].day == seen.day
            for part in parts[-1:] if is_newest else parts:
                if part.day >= seen.day:
                    self._take_in(part, is_locked=is_locked)
            return self._visible

    @property
    def seen(self) -> Visible:
        """How far the log reached when somebody looked last."""
        return self._visible or Visible()

    def added(self, events: Sequence[Event], day: str, ends: dict[str, int]) -> None:
        """Take note of what this process has written itself, and where the files end now."""
        with self.lock:
            self.versions.update([(event.stream, event.version) for event in events])
            self.ids.update([(event.id, event.position) for event in events])
            self._reach(events[-1].position, day, ends)

    def forget(self) -> None:
        """Know nothing more of the ids and versions up to the newest event."""
        with self.lock:
            self.since = self._visible.head if self._visible is not None else 0
            self.versions.clear()
            self.ids.clear()

    def reset(self) -> None:
        """Know nothing: look at the files again."""
        with self.lock:
            self._visible = None

    def learned(self, events: Sequence[Event], since: int) -> None:
        """Add what the events say that lie between the position `since` and the one that was it until now."""
        with self.lock:
            older: dict[str, int] = {}
            for event in events:
                older[event.stream] = event.version
                self.ids.setdefault(event.id, event.position)
            self.versions = older | self.versions
            self.since = since

    def leftovers(self) -> list[tuple[Segment, int]]:
        """Return the files in which something stands behind what counts, and where in them that begins.

        What counts is what `visible` has just returned.
        """
        visible = self.seen
        if not self._may_have_leftovers:
            return []
        found = []
        for part in self._layout.parts():
            for segment in part.segments if part.day >= visible.day else ():
                end = visible.ends.get(segment.name, 0) if part.day == visible.day else 0
                if segment.size() > end:
                    found.append((segment, end))
        return found

    def _reach(self, head: int, day: str, ends: dict[str, int], *, can_begin: bool = True) -> Visible:
        known = self._visible or Visible()
        visible = self._visible = Visible(head, day, known.ends | ends if day == known.day else ends)
        if len(self.ids) > _MOST_REMEMBERED or len(self.versions) > _MOST_REMEMBERED:
            self.forget()
        if ends and can_begin and not self._layout.has_many_streams:
            segment = self._layout.segment_for(day, "")
            self._log.reader_of(segment).ended(head, ends[segment.name])
        return visible

    # At first, and after a great deal was written by others

    def _found_at_the_end(self, parts: Sequence[Part]) -> Visible:
        """Find the newest event at the ends of the newest files; where that cannot be told, all must be read."""
        for number in range(len(parts) - 1, -1, -1):
            found = self._end_of(parts[number])
            if found is not None:
                return found
            if not self._layout.has_many_streams and parts[number].segments[0].end_of_lines():
                break
        return Visible(0, parts[0].day if parts else "")

    def _end_of(self, part: Part) -> Visible | None:
        """Return how far a part reaches, None where that is not at all, or cannot be told from its last lines."""
        last: dict[str, list[_Line]] = {segment.name: self._last_lines(segment) for segment in part.segments}
        lines = [line for found in last.values() for line in found]
        until = max((line.until for line in lines if line.mark is not None), default=0)
        if not until or any(line.mark is not None and not line.mark.position for line in lines):
            return None
        together = [line for line in lines if line.until == until and line.mark is not None]
        least = min(line.position for line in together)
        before = max((line.position for line in lines if line.mark is not None and line.position < least), default=0)
        first = before + 1 if before else least
        alone = any(line.position == until and line.mark is not None and not line.mark.until for line in together)
        # Where lines are damaged, nobody can tell what was torn; then nothing is taken out. They keep their places.
        is_whole = alone or any(line.mark is None for line in lines) or len(together) == until - first + 1
        if not is_whole and not before:
            return None
        ends = {
            name: max((line.end for line in found if is_whole or line.until != until), default=found[0].start)
            for name, found in last.items()
            if found
        }
        newest = 0 if self._layout.has_many_streams else sum(line.start > together[-1].start for line in lines)
        return Visible(until + newest if is_whole else before, part.day, ends)

    def _last_lines(self, segment: Segment) -> list[_Line]:
        """Return the lines at the end that were written together, and one before."""
        pieces: list[list[_Line]] = []
        until = 0
        length = _FIRST_LOOK
        end = segment.end_of_lines()
        while end:
            # As much again as before each time: what was written together may be long.
            offset, data = next(segment.pieces_backwards(end, largest=length))
            lines = self._lines_in(segment, offset, data, 0)
            pieces.append(lines)
            until = until or max((line.until for line in lines if line.mark is not None), default=0)
            if any(line.mark is not None and line.until != until for line in lines):
                break
            end = offset
            length *= 2
        return [line for lines in reversed(pieces) for line in lines]

    # Further on

    def _take_in(self, part: Part, *, is_locked: bool) -> None:
        """Take in what the files of a part have got."""
        limit = _AT_ONCE
        while True:
            known = self._visible or Visible()
            starts = known.ends if part.day == known.day else {}
            grown = [(each, starts.get(each.name, 0)) for each in part.segments if _has_grown(each, starts)]
            if not grown:
                return
            self._may_have_leftovers = True
            lines: list[_Line] = []
            is_all = True
            for segment, start in grown:
                before = 0 if self._layout.has_many_streams else known.head
                for offset, data in segment.pieces(start):
                    lines += self._lines_in(segment, offset, data, before)
                    before = lines[-1].position if lines else before
                    if offset - start > limit and not self._layout.has_many_streams:
                        is_all = False
                        break
            accepted = self._accepted(lines, known.head, is_locked=is_locked)
            if accepted:
                self._accept(part, accepted)
            if is_all:
                return
            limit = _AT_ONCE if accepted else limit * 2

    def _lines_in(self, segment: Segment, offset: int, data: bytes, before: int) -> list[_Line]:
        """Return the lines of a piece; those without a position follow on the one before them."""
        found: list[_Line] = []
        plain = data.split(b"\n")[:-1]
        try:
            marks: Sequence[Mark | None] = decode_marks(data)
        except ValueError:
            marks = ()
        if len(marks) != len(plain) or not all(mark is not None and mark.position for mark in marks):
            marks = [self._mark(segment, offset, plain, number) for number in range(len(plain))]
        for line, mark in zip(plain, marks, strict=True):
            end = offset + len(line) + 1
            if line.strip(b" \t\r"):
                before = mark.position if mark is not None and mark.position else before + 1
                found.append(_Line(before, mark, segment.name, offset, end))
            offset = end
        return found

    def _mark(self, segment: Segment, offset: int, plain: list[bytes], number: int) -> Mark | None:
        line = plain[number]
        if not line.strip(b" \t\r"):
            return None
        try:
            if (mark := mark_of(line)).position or not self._layout.has_many_streams:
                return mark
            why = NAMES_NO_PLACE
        except LineDamagedError as error:
            why = error.reason
        self._notes.note(segment, offset + sum(map(len, plain[:number])) + number, line, why)
        return None

    def _accepted(self, lines: list[_Line], head: int, *, is_locked: bool) -> list[_Line]:
        """Return the lines up to the last one with which something ends that was written together."""
        lines.sort(key=_position)
        has_damage = any(line.mark is None for line in lines)
        accepted = 0
        for number, line in enumerate(lines):
            if line.position > head + 1 and self._layout.has_many_streams and not has_damage:
                is_one = all(each.until == line.until > each.position for each in lines[number:-1])
                is_one = is_one and lines[-1].mark is not None and lines[-1].mark.until == line.until
                if is_one or not is_locked:
                    break
            head = max(head, line.position)
            if head >= line.until:
                accepted = number + 1
        return lines[:accepted]

    def _accept(self, part: Part, lines: list[_Line]) -> None:
        ends: dict[str, int] = {}
        is_ours = True
        for line in lines:
            ends[line.segment] = max(ends.get(line.segment, 0), line.end)
            if line.mark is None or not line.mark.position:
                is_ours = False
            else:
                self.versions[line.mark.stream] = line.mark.version
                self.ids[line.mark.id] = line.position
        head = max(line.position for line in lines)
        self._reach(head, part.day, ends, can_begin=is_ours)
        if not is_ours:
            self.forget()


def _has_grown(segment: Segment, starts: dict[str, int]) -> bool:
    known = starts.get(segment.name, 0)
    size = segment.size()
    if size < known:
        raise EventStoreError(
            StoreCode.CORRUPT,
            f"{segment.path} is shorter than what was read of it: {size} bytes of {known} are left",
            hint="put the file back, or open the store again to go on with what is left",
            path=str(segment.path),
        )
    return size > known
