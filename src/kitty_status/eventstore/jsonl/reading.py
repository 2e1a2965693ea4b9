"""Reading the events of one file of lines, in pieces, from the place that is nearest to what is asked for."""

from __future__ import annotations

import threading
from bisect import bisect_right
from itertools import accumulate
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from kitty_status.eventstore.jsonl.lines import NAMES_NO_PLACE, Context, ContextMissingError, decode_events, event_of
from kitty_status.eventstore.jsonl.pieces import Piece
from kitty_status.eventstore.jsonl.segments import PIECE
from kitty_status.eventstore.values import GREATEST
from kitty_status.jsonl.codec import LineDamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.damage import DamageNotes
    from kitty_status.eventstore.jsonl.segments import Segment

_positions, _events = attrgetter("position"), attrgetter("event")
_NEAR_THE_END = 512
"""So many of the places that appends leave are kept; those that reading leaves are all kept."""
_BYTES_FOR_A_VERSION = 1024
"""Where a place must remember the versions of many streams, places lie farther apart: one for so many bytes each."""


class SegmentReader:
    """Reads a file whose events follow each other without a gap, or (`is_shared`) with those of other files between.

    It remembers places: an offset with what was known there, from which reading can begin.
    """

    def __init__(self, segment: Segment, notes: DamageNotes, *, is_shared: bool) -> None:
        self.segment = segment
        self._notes = notes
        self._is_shared = is_shared
        self.is_out_of_order = False
        """Whether a line was met that names a place before it: then lines at the end tell nothing of those before."""
        self._lock = threading.Lock()
        self._offsets: list[int] = []
        self._contexts: list[Context] = []
        self._ends: list[tuple[int, int]] = []

    @property
    def has_places(self) -> bool:
        """Whether reading can begin."""
        return bool(self._offsets)

    @property
    def begins_behind(self) -> int:
        """The position before the first event."""
        return self._contexts[0].position

    def begin(self, context: Context) -> None:
        """Say what is known before the first line."""
        with self._lock:
            self._offsets, self._contexts = [0], [context.copy()]

    def ended(self, position: int, offset: int) -> None:
        """Remember where a write ended: a reader who has come as far begins there."""
        with self._lock:
            self._ends.append((position, offset))
            if len(self._ends) > 2 * _NEAR_THE_END:
                del self._ends[:_NEAR_THE_END]

    def forwards(
        self, after: int, end: int | None, largest: int = PIECE, behind: Context | None = None
    ) -> Iterator[list[Event]]:
        """Yield the events behind a position in the order of the file, in pieces, up to the offset `end`.

        Pieces may begin with events before the position. At the end, `behind` stands behind the last line.

        Raises:
            EventStoreError: CORRUPT.
            ContextMissingError: reading must begin at an earlier place.
        """
        start, context, is_near_the_end = self._place_for(after)
        for offset, data in self.segment.pieces(start, end, largest):
            if not is_near_the_end:
                self._remember(offset, context)
            yield self.events_in(offset, data, context)
        if behind is not None:
            behind.position, behind.event = context.position, context.event

    def context_at(self, end: int | None) -> Context:
        """Return what is known behind the last line before an offset."""
        context = self._contexts[0].copy()
        for offset, data in self.segment.pieces(0, end):
            self._remember(offset, context)
            self.events_in(offset, data, context)
        return context

    def backwards(self, last: int, end: int | None, largest: int = PIECE) -> Iterator[list[Event]]:
        """Yield the events up to a position, in the order of the file in each piece, the last piece first.

        Raises:
            EventStoreError, ContextMissingError: as `forwards`.
        """
        stop = self._end_for(last, end)
        if self.is_out_of_order:
            yield from self._backwards_from_places(stop, stop)
            return
        upper = None
        for offset, data in self.segment.pieces_backwards(stop, largest=largest):
            events = _plain(data)
            before = None if upper is None or self._is_shared or events is None else upper - len(events)
            if events is None or not self._is_in_order(events, before):
                yield from self._backwards_from_places(offset + len(data), stop)
                return
            if events:
                upper = events[0].position - 1
                yield events

    def events_in(self, offset: int, data: bytes, context: Context) -> list[Event]:
        """Return the events of whole lines that stand at an offset, and move the context behind them."""
        events = _plain(data)
        if events is None or not self._is_in_order(events, context.position):
            return self._one_by_one(offset, data, context)
        if events:
            context.take(events[-1].position)
            if context.versions is not None:
                context.versions.update([(event.stream, event.version) for event in events])
        return events

    def _is_in_order(self, events: list[Event], before: int | None) -> bool:
        found = list(map(_positions, events))
        if not found:
            return True
        if found[-1] >= GREATEST:
            return False
        if self._is_shared:
            return (before is None or found[0] > before) and found == sorted(set(found))
        first = found[0] if before is None else before + 1
        return found == list(range(first, first + len(found)))

    def _one_by_one(self, offset: int, data: bytes, context: Context) -> list[Event]:
        return [event for event, *_ in self._with_places(offset, data, context)]

    def _with_places(self, offset: int, data: bytes, context: Context) -> Iterator[tuple[Event, int, int]]:
        for line in data.split(b"\n")[:-1]:
            if line.strip(b" \t\r"):
                event = self.event_at(offset, line, context)
                if event is not None:
                    yield event, offset, len(line)
            offset += len(line) + 1

    def located(self, start: int, end: int) -> Iterator[Piece]:
        """Yield the events from one offset to another with the places of their lines.

        Raises:
            EventStoreError, ContextMissingError: as `forwards`.
        """
        context: Context | None = None
        before: int | None = None
        for offset, data in self.segment.pieces(start, end):
            behind = offset + len(data)
            events = _plain(data)
            lengths = [len(line) for line in data.split(b"\n")[:-1]]
            if (
                context is None
                and events is not None
                and len(events) == len(lengths)
                and self._is_in_order(events, before)
            ):
                before = events[-1].position if events else before
                starts = [offset, *accumulate((length + 1 for length in lengths), initial=offset)][1:-1]
                yield Piece(self.segment.name, events, starts, lengths, behind)
                continue
            context = context or self.context_at(offset)
            found = list(self._with_places(offset, data, context))
            yield Piece(
                self.segment.name,
                [event for event, _, _ in found],
                [start for _, start, _ in found],
                [length for _, _, length in found],
                behind,
            )

    def event_at(self, offset: int, line: bytes, context: Context) -> Event | None:
        """Return the event of a line and move the context behind it; None, and a note, where the line is damaged."""
        try:
            event = event_of(line, context)
        except LineDamagedError as error:
            self._notes.note(self.segment, offset, line, error.reason)
            if not self._is_shared:
                context.skip()
            return None
        except ContextMissingError:
            if not self._is_shared:
                raise
            self._notes.note(self.segment, offset, line, NAMES_NO_PLACE)
            return None
        why = context.refuses(event.position)
        if why is not None:
            self._notes.note(self.segment, offset, line, why)
            self.is_out_of_order = True
            return None
        why = None if self._is_shared else context.lacks(event.position)
        if why is not None:
            self._notes.note(self.segment, offset, line, why)
        context.take(event.position)
        if context.versions is not None:
            context.versions[event.stream] = event.version
        return event

    def _place_for(self, after: int) -> tuple[int, Context, bool]:
        with self._lock:
            at = max(0, bisect_right(self._contexts, after, key=_positions) - 1)
            if self._ends and self._ends[0][0] <= after:
                position, offset = self._ends[bisect_right(self._ends, after, key=itemgetter(0)) - 1]
                if offset > self._offsets[at]:
                    return offset, Context(position, None), True
            return self._offsets[at], self._contexts[at].copy(), False

    def _end_for(self, last: int, end: int | None) -> int:
        with self._lock:
            at = bisect_right(self._contexts, last, key=_events)
            if at < len(self._offsets):
                return self._offsets[at]
        return end if end is not None else self.segment.end_of_lines()

    def _remember(self, offset: int, context: Context) -> None:
        with self._lock:
            least = 1 + _BYTES_FOR_A_VERSION * len(context.versions or ())
            if (
                self._offsets
                and offset >= self._offsets[-1] + least
                and context.position >= self._contexts[-1].position
            ):
                self._offsets.append(offset)
                self._contexts.append(context.copy())

    def _backwards_from_places(self, end: int, stop: int) -> Iterator[list[Event]]:
        """Yield what lies before an offset, where single lines must be understood from what stands before them.

        All up to `stop` is looked at, for the lines that were thought to be in order may be those that are not.
        """
        for _ in self.forwards(self.begins_behind, stop):
            pass
        with self._lock:
            places = [each for each in zip(self._offsets, self._contexts, strict=True) if each[0] < end]
        for offset, context in reversed(places):
            known = context.copy()
            events: list[Event] = []
            for at, data in self.segment.pieces(offset, end):
                events += self.events_in(at, data, known)
            yield events
            end = offset

    def from_the_start(self) -> None:
        """Forget every place at which not everything is known."""
        with self._lock:
            self._ends.clear()
            del self._offsets[1:], self._contexts[1:]


def _plain(data: bytes) -> list[Event] | None:
    try:
        return decode_events(data)
    except (ValueError, RecursionError):
        return None
