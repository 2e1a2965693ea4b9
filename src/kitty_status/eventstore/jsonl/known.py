"""What a store knows of its log without reading it again: how far it reaches, and which ids and versions came last.

It is caught up with what other processes have written whenever somebody asks. What was written together counts once all
of it is there. Who holds the lock and finds a part of it knows that the writer died before it acknowledged anything,
since each writer takes that out before it writes.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import EventStoreError
from kitty_status.eventstore.jsonl.damage import jumps, lost, stands_twice
from kitty_status.eventstore.jsonl.lines import Context
from kitty_status.eventstore.jsonl.marking import MarkedLine, Marker, has_grown, whole, whole_beside
from kitty_status.eventstore.jsonl.segments import SegmentGoneError
from kitty_status.eventstore.jsonl.visible import Visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.damage import DamageNotes
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.log import Log
    from kitty_status.eventstore.jsonl.segments import Part, Segment

_MOST_REMEMBERED = 100_000
_AT_ONCE, _FIRST_LOOK = 4 << 20, 1 << 14
# Archives may be brought back, and days be moved, while somebody looks.
_ATTEMPTS = 5


class Known:
    """How far the log reaches, and, for the events behind the position `since`, all ids and versions."""

    def __init__(self, layout: Layout, log: Log, notes: DamageNotes) -> None:
        self._layout = layout
        self._log = log
        self._notes = notes
        self._marker = Marker(notes, is_shared=layout.has_many_streams)
        self._visible: Visible | None = None
        self._event = 0
        self.lock = threading.RLock()
        self._may_have_leftovers = False
        self.since = 0
        self.versions: dict[str, int] = {}
        self.ids: dict[str, int] = {}
        log.on_other_end = self.corrected

    def visible(self, *, is_locked: bool = False) -> Visible:
        """Return how far the log reaches now; `is_locked` says that nobody else is writing.

        Raises:
            EventStoreError: CORRUPT.
        """
        for _ in range(_ATTEMPTS - 1):
            with suppress(SegmentGoneError):
                return self._looked(is_locked=is_locked)
        return self._looked(is_locked=is_locked)

    def _looked(self, *, is_locked: bool) -> Visible:
        with self.lock:
            parts = self._layout.parts()
            if self._visible is None:
                found = self._found_at_the_end(parts)
                with self._not_halfway():
                    self._reach(found.head, found.day, found.ends)
                    self.forget()
            seen = self.seen
            self._may_have_leftovers = False
            newer = (
                parts[-1:] if parts and parts[-1].day == seen.day else [each for each in parts if each.day >= seen.day]
            )
            if seen.ends and (not newer or newer[0].day != seen.day or len(newer[0].segments) < len(seen.ends)):
                raise lost(self._layout.path, f"lacks a file of {seen.day or self._layout.path.name} that was read")
            try:
                self._take_in_all(newer, is_locked=is_locked)
            except EventStoreError:
                if is_locked:
                    raise
                # What a dead writer has left may have been taken out while it was read. Real damage stays.
                self._take_in_all(newer, is_locked=is_locked)
            return self.seen

    @property
    def seen(self) -> Visible:
        """How far the log reached when somebody looked last."""
        return self._visible or Visible()

    def added(self, events: Sequence[Event], day: str, ends: dict[str, int]) -> None:
        """Take note of what this process has written itself, and where the files end now."""
        with self.lock:
            try:
                self.versions.update([(event.stream, event.version) for event in events])
                self.ids.update([(event.id, event.position) for event in events])
                self._event = events[-1].position
                self._reach(self._event, day, ends)
            except BaseException:
                self._visible = None
                raise

    def corrected(self, visible: Visible, behind: Context) -> Visible:
        """Take note of where reading everything up to `visible` has led, and return how far the log reaches."""
        with self.lock:
            if self._visible is visible:
                self._event = behind.event
                self._visible = replace(visible, head=behind.position)
                self._log.restart()
                self.forget()
            return self.seen

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

    @contextmanager
    def _not_halfway(self) -> Iterator[None]:
        """Know nothing where a person interrupts: what was noted already would be met again, and taken for damage."""
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            self._visible = None
            raise

    def learned(self, events: Iterable[Event], since: int) -> None:
        """Add what the events say that lie between the position `since` and the one that was it until now."""
        with self.lock:
            older: dict[str, int] = {}
            after = since
            for event in events:
                before = older.get(event.stream, 0 if since == 0 else None)
                if self.ids.setdefault(event.id, event.position) != event.position:
                    self._log.complain(event.position, stands_twice(event.id, self.ids[event.id]))
                # Where events are missing, nobody can tell which version comes next.
                if before is not None and after == event.position - 1 and event.version != before + 1:
                    self._log.complain(event.position, jumps(event.stream, event.version, before))
                older[event.stream] = max(event.version, before or 0)
                after += after == event.position - 1
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

    def _reach(self, head: int, day: str, ends: dict[str, int], *, can_begin: bool = True) -> None:
        self._visible = Visible(head, day, self.seen.ends | ends if day == self.seen.day else ends)
        if len(self.ids) > _MOST_REMEMBERED or len(self.versions) > _MOST_REMEMBERED:
            self.forget()
        if ends and can_begin and not self._layout.has_many_streams:
            segment = self._layout.segment_for(day, "")
            self._log.ended(segment, head, ends[segment.name])

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
        last = {segment.name: self._last_lines(segment) for segment in part.segments}
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
        self._event = until if is_whole else before
        head = lines[-1].position if is_whole and not self._layout.has_many_streams else self._event
        return Visible(head, part.day, ends)

    def _last_lines(self, segment: Segment) -> list[MarkedLine]:
        """Return the lines at the end that were written together, and one before."""
        pieces: list[list[MarkedLine]] = []
        until = 0
        length = _FIRST_LOOK
        end = segment.end_of_lines()
        while end:
            # As much again as before each time: what was written together may be long.
            offset, data = next(segment.pieces_backwards(end, largest=length))
            lines = self._marker.lines_in(segment, offset, data, None)
            pieces.append(lines)
            until = until or max((line.until for line in lines if line.mark is not None), default=0)
            if any(line.mark is not None and line.until != until for line in lines):
                break
            end = offset
            length *= 2
        return [line for lines in reversed(pieces) for line in lines]

    # Further on

    def _take_in_all(self, parts: Sequence[Part], *, is_locked: bool) -> None:
        for part in parts:
            self._take_in(part, is_locked=is_locked)

    def _take_in(self, part: Part, *, is_locked: bool) -> None:
        """Take in what the files of a part have got."""
        limit = _AT_ONCE
        while True:
            known = self.seen
            starts = known.ends if part.day == known.day else {}
            grown = [(each, starts.get(each.name, 0)) for each in part.segments if has_grown(each, starts)]
            if not grown:
                return
            self._may_have_leftovers = True
            lines: list[MarkedLine] = []
            is_all = True
            for segment, start in grown:
                context = Context(known.head, event=self._event)
                for offset, data in segment.pieces(start):
                    lines += self._marker.lines_in(segment, offset, data, context)
                    if offset - start > limit and not self._layout.has_many_streams:
                        is_all = False
                        break
            accepted = (
                whole_beside(lines, known.head, is_locked=is_locked) if self._layout.has_many_streams else whole(lines)
            )
            if accepted:
                with self._not_halfway():
                    self._accept(part, accepted)
            if is_all:
                return
            limit = _AT_ONCE if accepted else limit * 2

    def _accept(self, part: Part, lines: list[MarkedLine]) -> None:
        ends: dict[str, int] = {}
        event = self._event
        for line in lines:
            ends[line.segment.name] = max(ends.get(line.segment.name, 0), line.end)
            event = event if line.mark is None else line.position
        is_ours = all(line.mark is not None and line.mark.position for line in lines)
        if is_ours:
            self._remember(lines)
        self._event = event
        self._reach(event if self._layout.has_many_streams else lines[-1].position, part.day, ends, can_begin=is_ours)
        if not is_ours:
            self.forget()

    def _remember(self, lines: list[MarkedLine]) -> None:
        ids: dict[str, int] = {}
        versions: dict[str, int] = {}
        for line in lines:
            if line.mark is not None:
                stream, version = line.mark.stream, line.mark.version
                before = versions.get(stream, self.versions.get(stream, 0 if self.since == 0 else None))
                position = self.ids.get(line.mark.id) or ids.setdefault(line.mark.id, line.position)
                if position != line.position:
                    self._notes.note(line.segment, line.start, b"", stands_twice(line.mark.id, position))
                if before is not None and version != before + 1:
                    self._notes.note(line.segment, line.start, b"", jumps(stream, version, before))
                versions[stream] = max(version, before or 0)
        self.versions |= versions
        self.ids |= ids
