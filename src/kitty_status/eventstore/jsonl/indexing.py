"""Bringing the index up to the log, and reading from the log what the index points to."""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING

from kitty_status.eventstore.jsonl.index import Index, digest_of
from kitty_status.eventstore.jsonl.index_files import IndexFiles
from kitty_status.eventstore.jsonl.lines import ContextMissingError, SingleContext, event_of
from kitty_status.eventstore.jsonl.pieces import Cover
from kitty_status.eventstore.jsonl.segments import SegmentGoneError
from kitty_status.jsonl.codec import LineDamagedError
from kitty_status.jsonl.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.log import Log
    from kitty_status.eventstore.jsonl.pieces import Piece, Place
    from kitty_status.eventstore.jsonl.segments import Segment
    from kitty_status.eventstore.jsonl.visible import Visible

_IN_ONE_STEP = 20_000
_WAIT = 60.0


class StaleIndexError(Exception):
    """The index says what the log does not."""


class Indexer:
    """Keeps the index of a layout's log."""

    def __init__(self, layout: Layout, log: Log) -> None:
        self.index = Index(layout.index, layout.name)
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
        parts = self._layout.parts()
        segments = {segment.name: segment for part in parts for segment in part.segments}
        newest = {segment.name for part in parts[-2:] for segment in part.segments}
        for name, cover in self.index.covers().items():
            if name not in segments or not _may_be(segments[name], cover):
                return False
            if name in newest and not _is_covered(segments[name], cover):
                return False
        return True

    def catch_up(self, visible: Visible) -> None:
        """Bring the index up to the newest event that is visible.

        Raises:
            EventStoreError: CORRUPT: something is missing, or stands twice, and damage is not to be skipped.
        """
        with exclusive(self._layout.index.with_suffix(".lock"), timeout=_WAIT):
            try:
                self._extend(visible)
            except StaleIndexError:
                self.index.discard()
                self._extend(visible, is_new=True)
            if self._files is not None:
                self._files.update(self.index)

    def _extend(self, visible: Visible, *, is_new: bool = False) -> None:
        covers = self.index.covers()
        parts = self._layout.parts()
        for number, part in enumerate(parts):
            for segment in part.segments if part.day <= visible.day else ():
                stamp = segment.stamp()
                end = visible.end_of(part, segment)
                cover = covers.get(segment.name)
                start = 0 if cover is None else cover.size
                end = segment.end_of_lines() if end is None else end
                if end > start:
                    if cover is not None and not _is_covered(segment, cover):
                        raise StaleIndexError
                    self._add(segment, self._log.located(number, parts, segment, (start, end)), stamp)
        missing = visible.head - self.index.events()
        if missing != self.index.missing():
            # Reading all of it tells what is wrong, and how much is left.
            left = sum(map(len, self._log.forwards(0, visible.head, visible)))
            if left != visible.head - missing and not is_new:
                raise StaleIndexError
        self.index.reach(visible.head, missing)

    def _add(self, segment: Segment, pieces: Iterator[Piece], stamp: int) -> None:
        def some(first: Piece) -> Iterator[tuple[Piece, Cover]]:
            events = 0
            for piece in chain((first,), pieces):
                yield piece, Cover(piece.end, _digest_before(segment, piece.end), stamp)
                events += len(piece.events)
                if events > _IN_ONE_STEP:
                    return

        for piece in pieces:
            self.index.add(some(piece), lambda offset, why: self._log.note(segment, offset, why))


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


def _may_be(segment: Segment, cover: Cover) -> bool:
    """Say whether a file can be the one that is covered; one that is as long, and was changed since, is another."""
    size = segment.size()
    stamp = segment.stamp() if size == cover.size else 0
    return size >= cover.size and (not stamp or not cover.stamp or stamp == cover.stamp)


def _is_covered(segment: Segment, cover: Cover) -> bool:
    return segment.size() >= cover.size and _digest_before(segment, cover.size) == cover.digest


def _digest_before(segment: Segment, end: int) -> int:
    start = max(0, end - 256)
    return digest_of(b"".join(segment.lines_at([(start, end - start)])))
