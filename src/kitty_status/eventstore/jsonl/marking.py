"""What a writer must know of lines: their marks, and the places that they take."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl.damage import lost
from kitty_status.eventstore.jsonl.lines import NAMES_NO_PLACE, Context, Mark, decode_marks, mark_of
from kitty_status.jsonl.codec import MAX_LINE_BYTES, LineDamagedError
from kitty_status.jsonl.tail import TAIL_COMPLETE, TAIL_DAMAGED, classify_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.eventstore.jsonl.damage import DamageNotes
    from kitty_status.eventstore.jsonl.segments import Segment

_BLANK = b" \t\r"
_FIRST_LINES = 1 << 13


_position = attrgetter("position")


class MarkedLine(NamedTuple):
    """A line: its place, its mark (None if it is damaged), its file, and where it begins and ends there.

    Beside files of other streams, a damaged line has the place 0, for nobody knows which it had.
    """

    position: int
    mark: Mark | None
    segment: Segment
    start: int
    end: int

    @property
    def until(self) -> int:
        """The position with which everything ends that was written together with it."""
        return max(self.position, self.mark.until if self.mark is not None else 0)


class Marker:
    """Marks lines by the rule by which they are read, so that both know of the same events at the same places."""

    def __init__(self, notes: DamageNotes, *, is_shared: bool) -> None:
        self._notes = notes
        self._is_shared = is_shared

    def lines_in(self, segment: Segment, offset: int, data: bytes, context: Context | None) -> list[MarkedLine]:
        """Return the lines of a piece that stands at an offset, and move the context behind them.

        Without a context, the first line that names its position is taken for what it says.
        """
        plain = data.split(b"\n")[:-1]
        try:
            marks: Sequence[Mark | None] = decode_marks(data)
        except (ValueError, RecursionError):
            marks = ()
        is_ours = len(marks) == len(plain) and all(mark is not None and mark.position for mark in marks)
        if not is_ours:
            marks = [self._mark(segment, offset, plain, number) for number in range(len(plain))]
        context = context or _before(plain, marks)
        found: list[MarkedLine] = []
        for line, mark in zip(plain, marks, strict=True):
            end = offset + len(line) + 1
            if is_ours or line.strip(_BLANK):
                placed = self._placed(segment, offset, line, mark, context)
                found.append(
                    MarkedLine(
                        0 if self._is_shared and placed is None else context.position, placed, segment, offset, end
                    )
                )
            offset = end
        return found

    def _placed(self, segment: Segment, offset: int, line: bytes, mark: Mark | None, context: Context) -> Mark | None:
        if mark is None:
            if not self._is_shared:
                context.skip()
            return None
        position = mark.position or context.position + 1
        why = context.refuses(position)
        if why is not None:
            self._notes.note(segment, offset, line, why)
            return None
        why = None if self._is_shared else context.lacks(position)
        if why is not None:
            self._notes.note(segment, offset, line, why)
        context.take(position)
        return mark

    def _mark(self, segment: Segment, offset: int, plain: list[bytes], number: int) -> Mark | None:
        line = plain[number]
        if not line.strip(_BLANK):
            return None
        try:
            if (mark := mark_of(line)).position or not self._is_shared:
                return mark
            why = NAMES_NO_PLACE
        except LineDamagedError as error:
            why = error.reason
        self._notes.note(segment, offset + sum(map(len, plain[:number])) + number, line, why)
        return None


def _before(plain: list[bytes], marks: Sequence[Mark | None]) -> Context:
    """Return where the first of some lines must stand, so that the first one that names its position has it."""
    before = 0
    for line, mark in zip(plain, marks, strict=True):
        if mark is not None and mark.position:
            return Context(max(0, mark.position - 1 - before), event=0)
        before += bool(line.strip(_BLANK))
    return Context()


def whole(lines: list[MarkedLine]) -> list[MarkedLine]:
    """Return the lines of a file up to the last one with which something ends that was written together."""
    ends = [number for number, line in enumerate(lines, start=1) if line.position >= line.until]
    return lines[: ends[-1]] if ends else []


def whole_beside(lines: list[MarkedLine], head: int, *, is_locked: bool) -> list[MarkedLine]:
    """Return the same of files side by side, which go on behind the position `head`, in the order of positions."""
    marked = sorted((line for line in lines if line.mark is not None), key=_position)
    has_damage = len(marked) < len(lines)
    accepted = 0
    for number, line in enumerate(marked):
        if line.position > head + 1 and not has_damage:
            is_one = all(each.until == line.until > each.position for each in marked[number:-1])
            is_one = is_one and marked[-1].until == line.until
            if is_one or not is_locked:
                break
        head = max(head, line.position)
        if head >= line.until:
            accepted = number + 1
    # A damaged line goes with the line before it in its file.
    first: dict[str, int] = {}
    for line in marked[accepted:]:
        first[line.segment.name] = min(line.start, first.get(line.segment.name, line.start))
    return sorted((line for line in lines if line.start < first.get(line.segment.name, line.end)), key=_position)


def has_grown(segment: Segment, starts: dict[str, int]) -> bool:
    """Say whether a file is longer than what was read of it.

    Raises:
        EventStoreError: CORRUPT: it is shorter.
    """
    known = starts.get(segment.name, 0)
    size = segment.size()
    if size < known:
        raise lost(segment.path, f"is shorter than what was read of it: {size} bytes of {known} are left")
    return size > known


def refuse_other_content(segment: Segment) -> None:
    """Refuse a file that holds something, and no event nor the beginning of one: it belongs to another program.

    Raises:
        EventStoreError: CORRUPT.
    """
    is_empty = True
    for _, data in segment.pieces(0, largest=_FIRST_LINES):
        for line in data.split(b"\n")[:-1]:
            if _is_event(line):
                return
            is_empty = is_empty and not line.strip(_BLANK)
    start, end = segment.end_of_lines(), segment.size()
    tail = b"".join(segment.lines_at([(start, min(end - start, MAX_LINE_BYTES + 1))])) if end > start else b""
    kind = classify_tail(tail)
    if not is_empty or kind == TAIL_DAMAGED or (kind == TAIL_COMPLETE and not _is_event(tail)):
        raise EventStoreError(
            StoreCode.CORRUPT,
            f"{segment.path} holds something, and no event",
            hint="choose another path for the store, or put the file back from a copy; nothing was changed",
            path=str(segment.path),
        )


def _is_event(line: bytes) -> bool:
    try:
        mark_of(line)
    except LineDamagedError:
        return False
    return True
