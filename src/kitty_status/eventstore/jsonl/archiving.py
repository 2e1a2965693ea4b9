"""Moving days that are over to the archive, and back."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kitty_status.eventstore.jsonl.finding import Extent, Finder
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.segments import Part
    from kitty_status.eventstore.jsonl.visible import Visible
    from kitty_status.eventstore.jsonl.writing import Writer

_log = logging.getLogger(__name__)


class Archiver:
    """Keeps other writers out while it moves something."""

    def __init__(self, layout: Layout, finder: Finder, writer: Writer) -> None:
        self._layout = layout
        self._finder = finder
        self._writer = writer

    def movable(self, before: datetime, visible: Visible) -> int:
        """Return how many events `move` would move."""
        return sum(extent.events for _, extent in self._closed(before, visible))

    def move(self, before: datetime) -> int:
        """Move the days that are over, and whose events all happened before an instant; return how many events."""
        moved = 0
        with self._writer.alone() as visible:
            self._finish(visible)
            for part, extent in list(self._closed(before, visible)):
                for segment in part.segments:
                    self._writer.let_go(segment)
                self._layout.archive.take(part, (extent.events, extent.first, extent.last))
                moved += extent.events
        return moved

    def restore(self, name: str) -> int:
        """Bring a day back from the archive; return how many events it holds."""
        with self._writer.alone():
            segments = self._layout.archive.segments_of(name)
            places = {each.name: self._layout.place_of(each.name) for each in segments}
            return self._layout.archive.restore(name, places)

    def _closed(self, before: datetime, visible: Visible) -> Iterator[tuple[Part, Extent]]:
        for part in self._layout.parts():
            if part.day >= visible.day or any(segment.is_archived for segment in part.segments):
                continue
            if not self._layout.archive.holds(part.day, part.segments):
                extent = self._finder.extent_of(part.day, visible)
                if extent is not None and extent.latest < before:
                    yield part, extent

    def _finish(self, visible: Visible) -> None:
        """Remove the files of days of which the archive was completed before it was interrupted."""
        for part in self._layout.parts():
            live = tuple(segment for segment in part.segments if not segment.is_archived)
            if not live or part.day >= visible.day:
                continue
            if self._layout.archive.holds(part.day, live):
                self._layout.archive.finish(replace(part, segments=live))
            elif len(live) < len(part.segments):
                _log.warning("%s is in the archive and beside it, and not the same: it stays as it is", part.day)
