"""Finding events: by the index where that is less work than reading everything, with what came after the index."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime
from heapq import merge
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import BusyError, KittyStatusError
from kitty_status.eventstore.answering import answer
from kitty_status.eventstore.days import day_of
from kitty_status.eventstore.jsonl.indexing import Indexer, StaleIndexError
from kitty_status.eventstore.jsonl.recent import Recent, groups_of
from kitty_status.eventstore.query import Order
from kitty_status.eventstore.sorting import in_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.jsonl.known import Known
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.log import Log
    from kitty_status.eventstore.jsonl.visible import Visible
    from kitty_status.eventstore.query import EventQuery

_log = logging.getLogger(__name__)

LAG = 5_000
"""So many of the newest events the index may lack: they are read one by one, which takes some milliseconds."""

_DEARER = 5
"""To look an event up costs as much as to read so many in a row."""

_FIRST_PAGE, _LARGEST_PAGE = 64, 2_000


class Extent(NamedTuple):
    """How many events a part holds, its first and last position, and when the latest of them happened."""

    events: int
    first: int
    last: int
    latest: datetime


class Finder:
    """Answers queries from the log, with the help of the index where there are many events."""

    def __init__(self, layout: Layout, log: Log, known: Known) -> None:
        self.indexer = Indexer(layout, log)
        self.index = self.indexer.index
        self._layout = layout
        self._log = log
        self.known = known
        self._recent = Recent(log)

    def answer(self, query: EventQuery, visible: Visible) -> Iterator[Event]:
        """Yield the events that a query asks for, up to the newest that is visible."""
        after, last = query.after, visible.head if query.before is None else min(visible.head, query.before - 1)
        if query.behind is not None and query.order is Order.POSITION:
            if query.is_backwards:
                last = min(last, query.behind[1] - 1)
            else:
                after = max(after, query.behind[1])
        if after >= last:
            return iter(())
        is_plain = not (query.criteria or query.after_version or query.earliest or query.latest)
        words = None if is_plain else self._words(query, after, last, visible)
        if words is None:
            forwards: Iterator[Event] = chain.from_iterable(self._log.forwards(after, last, visible))
            backwards: Iterator[Event] = chain.from_iterable(self._log.backwards(after, last, visible))
        else:
            forwards = self._found(words, (after, last), visible)
            backwards = self._found(words, (after, last), visible, backwards=True)
        if is_plain and query.order is Order.POSITION:
            end = None if query.limit is None else query.offset + query.limit
            return islice(backwards if query.is_backwards else forwards, query.offset, end)
        if query.order is not Order.POSITION:
            return in_order(query, filter(query.matches, forwards))
        return answer(query, forwards, newest_first=backwards)

    # By the index

    def _words(self, query: EventQuery, after: int, last: int, visible: Visible) -> list[str] | None:
        """Return words of which every event of the answer has one, None where it is less work to read everything."""
        if last - after <= LAG:
            return None
        try:
            if visible.head - self.indexer.reached(visible) > LAG:
                self.indexer.catch_up(visible)
        except (OSError, BusyError, sqlite3.OperationalError) as error:
            _log.warning("read without the index %s: %s", self._layout.index, error)
            return None
        chosen: list[str] = []
        cost = 0
        days = self._days(query)
        for criterion in query.criteria or (None,):
            groups = [*([] if days is None else [days]), *(groups_of(criterion) if criterion is not None else [])]
            if not groups:
                return None
            least, group = min((self._cost(group), group) for group in groups)
            cost += least
            chosen += group
        return list(dict.fromkeys(chosen)) if cost * _DEARER < last - after else None

    def _cost(self, group: list[str]) -> int:
        if group and group[0].startswith("id:"):
            return len(group)
        return self.index.count(group)

    def _days(self, query: EventQuery) -> list[str] | None:
        if query.earliest is None and query.latest is None:
            return None
        first = "" if query.earliest is None else day_of(query.earliest)
        last = "~" if query.latest is None else day_of(query.latest)
        return [f"day:{day}" for day in self.index.starting_with("day:") if first <= day <= last]

    def _found(
        self, words: list[str], span: tuple[int, int], visible: Visible, *, backwards: bool = False
    ) -> Iterator[Event]:
        after, last = span
        reached = min(last, self.index.reached())
        newest = max(after, reached)
        if backwards:
            yield from chain.from_iterable(self._log.backwards(newest, last, visible))
        positions = self._positions(words, (after, reached + 1), backwards=backwards)
        size = _FIRST_PAGE
        position = reached + 1 if backwards else after
        while page := list(islice(positions, size)):
            try:
                yield from self.indexer.events_at(page)
            except StaleIndexError:
                self.index.discard()
                rest = (
                    self._log.backwards(after, position - 1, visible)
                    if backwards
                    else self._log.forwards(position, reached, visible)
                )
                yield from chain.from_iterable(rest)
                break
            position = page[-1]
            size = min(size * 2, _LARGEST_PAGE)
        if not backwards:
            yield from chain.from_iterable(self._log.forwards(newest, last, visible))

    def _positions(self, words: list[str], span: tuple[int, int], *, backwards: bool) -> Iterator[int]:
        ids = [word.removeprefix("id:") for word in words if word.startswith("id:")]
        by_id = [each for each in self.index.positions_of(ids).values() if span[0] < each < span[1]]
        sources: list[Iterable[int]] = [sorted(by_id, reverse=backwards)]
        sources += [self._pages(word, span, backwards) for word in words if not word.startswith("id:")]
        return (position for position, _ in groupby(merge(*sources, reverse=backwards)))

    def _pages(self, word: str, span: tuple[int, int], backwards: bool) -> Iterator[int]:
        after, before = span
        size = _FIRST_PAGE
        while page := self.index.page(word, (after, before), size, backwards=backwards):
            yield from page
            if len(page) < size:
                return
            after, before = (after, page[-1]) if backwards else (page[-1], before)
            size = min(size * 2, _LARGEST_PAGE)

    def tidy_up(self) -> None:
        """Bring the index up to date if that takes no time worth speaking of; its text files are for others to read."""
        try:
            visible = self.known.visible()
            if 0 < visible.head - self.indexer.reached(visible) <= LAG or (visible.head and self.indexer.lacks_files):
                self.indexer.catch_up(visible)
        except (OSError, KittyStatusError, sqlite3.Error) as error:
            _log.warning("the index %s is not up to date: %s", self._layout.index, error)

    def extent_of(self, day: str, visible: Visible) -> Extent | None:
        """Return what stands in the part of a day, None if nothing does."""
        events = 0
        first = last = 0
        latest = datetime.min.replace(tzinfo=UTC)
        for found in self._log.of_day(day, visible):
            events += len(found)
            first = first or found[0].position
            last = found[-1].position
            latest = max(latest, *(event.at for event in found))
        return Extent(events, first, last, latest) if events else None

    # What appends must know

    def first_match(self, query: EventQuery, visible: Visible) -> Event | None:
        """Return the first event that a condition's query asks for; whoever asks holds the lock of the store."""
        after = query.after
        if visible.head - after > LAG:
            after = max(after, self._indexed(visible))
        if self._recent.rules_out(query, (after, LAG), visible):
            if after == query.after:
                return None
            query = query.narrowed(before=after + 1 if query.before is None else min(query.before, after + 1))
        return next(self.answer(query, visible), None)

    def _indexed(self, visible: Visible) -> int:
        """Return up to where the index can be asked; it is not brought up for that."""
        try:
            return self.indexer.reached(visible)
        except (OSError, BusyError, sqlite3.OperationalError) as error:
            _log.warning("read without the index %s: %s", self._layout.index, error)
            return 0

    def look_through(self, visible: Visible) -> None:
        """Look at everything that was not looked at when the index was made.

        Raises:
            EventStoreError: CORRUPT, where damage is not to be skipped.
        """
        with self.known.lock:
            self._know_since(visible)

    def positions_of(self, ids: Collection[str], visible: Visible) -> dict[str, int]:
        """Return the positions of those ids that are stored."""
        with self.known.lock:
            if not self.known.ids.keys() >= set(ids):
                self._know_since(visible)
            found = {event_id: self.known.ids[event_id] for event_id in ids if event_id in self.known.ids}
            if len(found) < len(ids) and self.known.since:
                found |= self.index.positions_of(set(ids) - found.keys())
        return found

    def versions_of(self, streams: Collection[str], visible: Visible) -> dict[str, int]:
        """Return the newest versions of those streams that have events."""
        known = self.known
        with known.lock:
            if not known.versions.keys() >= set(streams):
                self._know_since(visible)
            if known.since and (older := set(streams) - known.versions.keys()):
                known.versions.update(self.index.versions_of(older))
            return {stream: known.versions[stream] for stream in streams if stream in known.versions}

    def event_at(self, position: int, visible: Visible) -> Event | None:
        """Return the event at a position."""
        if self.index.exists and position <= self.indexer.reached(visible):
            try:
                return self.indexer.events_at([position])[0]
            except StaleIndexError:
                self.index.discard()
        found = chain.from_iterable(self._log.forwards(position - 1, position, visible))
        return next(iter(found), None)

    def _know_since(self, visible: Visible) -> None:
        """See to it that what is not in memory is in the index."""
        since = self.known.since
        reached = self.indexer.reached(visible) if since else 0
        if reached >= since:
            return
        if since - reached > LAG:
            self.indexer.catch_up(visible)
        else:
            self.known.learned(chain.from_iterable(self._log.forwards(reached, since, visible)), reached)
