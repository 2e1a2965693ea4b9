"""What is stored, as those see it who judge appends while the lock keeps others out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.finding import Finder
    from kitty_status.eventstore.jsonl.visible import Visible
    from kitty_status.eventstore.query import EventQuery


class StoredInFiles:
    """What is stored while the lock keeps others out; `first` are streams that get an event before the others."""

    def __init__(self, finder: Finder, visible: Visible, first: set[str]) -> None:
        self._finder = finder
        self._visible = visible
        self._first = first

    def head(self) -> int:
        """Return the position behind which numbering begins."""
        return self._visible.head + len(self._first)

    def events_with_ids(self, ids: Collection[str]) -> dict[str, Event]:
        """Return the stored events that have one of these ids, by id."""
        found = self._finder.positions_of(ids, self._visible)
        events = {event_id: self._finder.event_at(position, self._visible) for event_id, position in found.items()}
        return {event_id: event for event_id, event in events.items() if event is not None}

    def versions_of(self, streams: Collection[str]) -> dict[str, int]:
        """Return the version of the newest event of each stream."""
        found = self._finder.versions_of(streams, self._visible)
        for stream in self._first & set(streams):
            found[stream] = found.get(stream, 0) + 1
        return found

    def first_match(self, query: EventQuery) -> Event | None:
        """Return the first event that a query asks for."""
        return self._finder.first_match(query, self._visible)
