"""Bringing the index up to the log, and reading from the log what the index points to."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from kitty_status.eventstore.jsonl.index import Index, digest_of
from kitty_status.eventstore.jsonl.index_files import IndexFiles
from kitty_status.eventstore.jsonl.lines import ContextMissingError, SingleContext, event_of
from kitty_status.eventstore.jsonl.segments import SegmentGoneError
from kitty_status.jsonl.codec import LineDamagedError
from kitty_status.jsonl.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.index import Piece, Place
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.log import Log
    from kitty_status.eventstore.jsonl.segments import Segment
    from kitty_status.eventstore.jsonl.visible import Visible

_IN_ONE_STEP = 20_000
_WAIT = 60.0


class StaleIndexError(Exception):
    """The index says what the log does not."""


class Indexer:
    """Keeps the index of a layout's log."""

    def __init__(self, layout: Layout, log: Log) -> None:
        self.index = Index(layout.index)
        self._layout = layout
        self._log = log
        self._is_checked = False
        self._files = IndexFiles(layout.index.parent) if layout.has_many_streams else None

    @property
    def lacks_files(self) -> bool:
        """Whether there is an index, and not the text files that say what it says."""
        return self._files is not None and self._files.are_missing

    def reached(self, visible: Visible) -> int:
        """Return up to where the index is complete, which is checked once."""
        if not self.index.exists:
            return 0
        reached = self.index.reached()
        if reached > visible.head or not (self._is_checked or self._covers_what_is_there()):
            self.index.discard()
            return 0
        self._is_checked = True
        return reached

    def events_at(self, positions: Sequence[int]) -> list[Event]:
        """Return the events at positions that the index covers, in the same order.

        Raises:
            StaleIndexError: the log has something else there.
        """
        try:
            return self._events_at(positions)
        except SegmentGoneError:
            return self._events_at(positions)

    def _events_at(self, positions: Sequence[int]) -> list[Event]:
        segments = {segment.name: segment for part in self._layout.parts() for segment in part.segments}
        found: dict[int, Event] = {}
        places = sorted(self.index.places(positions), key=lambda place: (place.segment, place.start))
        for name, group in groupby(places, key=lambda place: place.segment):
            if name not in segments:
                raise StaleIndexError
            found.update(_events_of(segments[name], list(group)))
        if len(found) < len(positions):
            raise StaleIndexError
        return [found[position] for position in positions]

    def _covers_what_is_there(self) -> bool:
        sizes = self.index.sizes()
        newest = [segment for part in self._layout.parts()[-2:] for segment in part.segments]
        return all(_is_covered(segment, *sizes[segment.name]) for segment in newest if segment.name in sizes)

    def catch_up(self, visible: Visible) -> None:
        """Bring the index up to the newest event that is visible."""
        with exclusive(self._layout.index.with_suffix(".lock"), timeout=_WAIT):
            try:
                self._extend(visible)
            except StaleIndexError:
                self.index.discard()
                self._extend(visible)
            if self._files is not None:
                self._files.update(self.index)

    def _extend(self, visible: Visible) -> None:
        sizes = self.index.sizes()
        parts = self._layout.parts()
        for number, part in enumerate(parts):
            for segment in part.segments if part.day <= visible.day else ():
                end = visible.end_of(part, segment)
                start, digest = sizes.get(segment.name, (0, 0))
                end = segment.end_of_lines() if end is None else end
                if end > start:
                    if start and not _is_covered(segment, start, digest):
                        raise StaleIndexError
                    self._add(segment, self._log.located(number, parts, segment, (start, end)))
        self.index.add((), visible.head)

    def _add(self, segment: Segment, pieces: Iterator[Piece]) -> None:
        together: list[tuple[Piece, int]] = []
        events = 0
        for piece in pieces:
            together.append((piece, _digest_before(segment, piece.end)))
            events += len(piece.events)
            if events > _IN_ONE_STEP:
                self.index.add(together, None)
                together, events = [], 0
        self.index.add(together, None)


def _events_of(segment: Segment, places: list[Place]) -> Iterator[tuple[int, Event]]:
    lines = segment.lines_at((place.start, place.length) for place in places)
    for place, line in zip(places, lines, strict=True):
        try:
            event = event_of(line, SingleContext(place.position, place.version))
        except (LineDamagedError, ContextMissingError):
            raise StaleIndexError from None
        if event.position != place.position:
            raise StaleIndexError
        yield place.position, event


def _is_covered(segment: Segment, size: int, digest: int) -> bool:
    return segment.size() >= size and _digest_before(segment, size) == digest


def _digest_before(segment: Segment, end: int) -> int:
    start = max(0, end - 256)
    return digest_of(b"".join(segment.lines_at([(start, end - start)])))
