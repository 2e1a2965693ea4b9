"""Answers from a SQLite file: from the rows of events, and from the chunks of the archive where it lies in between.

What is live and what is archived may change between two pages of an answer. So each page is read in one transaction
with the question which chunk is nearest.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from kitty_status.eventstore.answering import behind_cursor, cut
from kitty_status.eventstore.chunks import is_whole_answer, matching, may_answer, tags_in
from kitty_status.eventstore.query import EVERYTHING, EventQuery, Order
from kitty_status.eventstore.sorting import merged
from kitty_status.eventstore.sqlite.asking import Sql, count, page_by_position, whole
from kitty_status.eventstore.sqlite.rows import events_of
from kitty_status.eventstore.values import GREATEST

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from kitty_status.eventstore.chunks import Chunk
    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.sqlite.archiving import ArchiveTable

    Lend: TypeAlias = Callable[[], AbstractContextManager[sqlite3.Connection]]

# So many rows, and the events that become of them, stay in a core's own cache until they are handed out: of a thousand,
# each takes half as long again. Where something is asked for, more are found at once.
_PAGE = 160
_LARGEST_PAGE = 1000


class Reading:
    """Reads through connections that `lend` gives, each inside of a transaction."""

    def __init__(self, lend: Lend, archive: ArchiveTable) -> None:
        self._lend = lend
        self._archive = archive

    def answer(self, query: EventQuery, before: int) -> Iterator[Event]:
        """Return the events that a query asks for, up to a position."""
        if query.order is Order.POSITION:
            return cut(query, chain.from_iterable(self._pages(query, before)))
        return self._sorted(query, before)

    def _pages(self, query: EventQuery, before: int) -> Iterator[Iterable[Event]]:
        after = query.after
        if query.behind is not None:
            behind = query.behind[1]
            after, before = (after, min(before, behind)) if query.is_backwards else (max(after, behind), before)
        wanted = None if query.limit is None else query.offset + query.limit
        largest = _LARGEST_PAGE if query.criteria else _PAGE
        size = _PAGE if wanted is None else max(1, min(wanted, largest))
        while after + 1 < before:
            page, after, before = self._page(query, (after, before), size)
            yield page
            size = min(size * 2, largest)

    def _page(self, query: EventQuery, span: tuple[int, int], size: int) -> tuple[Iterable[Event], int, int]:
        """Return the next part of an answer, and between which positions the rest of it lies."""
        after, before = span
        with self._lend() as connection:
            chunk = self._archive.nearest(connection, span, backwards=query.is_backwards)
            low, high = _live(chunk, span, backwards=query.is_backwards)
            if chunk is None or low + 1 < high:
                sql = page_by_position(query, low, high, size)
                page = events_of(connection.execute(sql.text, sql.values).fetchall())
                if query.is_backwards:
                    return page, after, page[-1].position if len(page) == size else low + 1
                return page, page[-1].position if len(page) == size else high - 1, before
            wanted = query.narrowed(after=after, before=before)
            lines = self._archive.lines_of(connection, chunk) if may_answer(chunk, wanted) else None
        found = () if lines is None else matching(wanted, chunk, lines)
        return (found, after, chunk.first) if query.is_backwards else (found, chunk.last, before)

    def _sorted(self, query: EventQuery, before: int) -> Iterator[Event]:
        """Yield an answer in another order than that of positions; SQLite sorts what is live, and a page is held."""
        wanted = query.narrowed(before=before)
        with self._lend() as connection:
            if next(self._archive.answering(connection, query, before), None) is None:
                yield from _rows(connection, whole(query, before))
                return
            chunks = self._archive.answering(connection, wanted, before)
            runs = (self._matching(connection, chunk, wanted) for chunk in chunks)
            limit = None if query.limit is None else query.offset + query.limit
            live = _rows(connection, whole(query.narrowed(offset=0, limit=limit), before))
            yield from merged(query, runs, live)

    def _matching(self, connection: sqlite3.Connection, chunk: Chunk, query: EventQuery) -> Iterator[Event]:
        return matching(query, chunk, self._archive.lines_of(connection, chunk))

    def count(self, query: EventQuery, before: int) -> int:
        """Return how many events a query asks for, up to a position."""
        wanted = query.narrowed(before=before)
        with self._lend() as connection:
            archived = sum(
                chunk.events
                if is_whole_answer(chunk, wanted)
                else sum(1 for _ in behind_cursor(wanted, self._matching(connection, chunk, wanted)))
                for chunk in self._archive.answering(connection, wanted, before)
            )
            sql = count(query if not archived else query.narrowed(limit=None, offset=0), before)
            live = int(connection.execute(sql.text, sql.values).fetchone()[0])
        if not archived:
            return live
        found = max(0, archived + live - query.offset)
        return found if query.limit is None else min(found, query.limit)

    def tags(self) -> dict[str, list[str]]:
        """Return the values of each tag that any event has, sorted."""
        with self._lend() as connection:
            found = set(connection.execute("SELECT DISTINCT key, value FROM event_tags"))
            for chunk in self._archive.answering(connection, EVERYTHING, GREATEST):
                found.update(tags_in(self._archive.lines_of(connection, chunk)))
        tags: dict[str, list[str]] = {}
        for key, value in sorted(found):
            tags.setdefault(key, []).append(value)
        return tags


def _live(chunk: Chunk | None, span: tuple[int, int], *, backwards: bool) -> tuple[int, int]:
    """Return between which positions of a span the events are live that come before its nearest chunk."""
    after, before = span
    if chunk is None:
        return span
    return (max(after, chunk.last), before) if backwards else (after, min(before, chunk.first))


def _rows(connection: sqlite3.Connection, sql: Sql) -> Iterator[Event]:
    cursor = connection.execute(sql.text, sql.values)
    while rows := cursor.fetchmany(_PAGE):
        yield from events_of(rows)
