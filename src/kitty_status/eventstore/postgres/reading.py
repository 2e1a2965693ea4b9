"""Reading answers in bounded memory, from the primary or a replica, also when a connection is lost in between.

The first page is one statement, which also tells the head; most answers are complete with it. A plain history is then
read on page by page by position, each page by its own index range. Whatever is filtered or sorted is read on through a
cursor on the server, so that the server finds and sorts it once. What is in the archive is no part of all this: where
an answer may have a part there, `ArchivedError` says so, and the rest is left to `across`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.postgres.asking import Asking, Part, Sql, is_plain
from kitty_status.eventstore.postgres.connections import is_passing, store_error
from kitty_status.eventstore.postgres.driver import psycopg
from kitty_status.eventstore.postgres.lending import FROM_PRIMARY, Lender
from kitty_status.eventstore.postgres.months import Known, MovedError
from kitty_status.eventstore.postgres.rows import events_of
from kitty_status.eventstore.query import EventQuery, Order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import date

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.measuring import Measures
    from kitty_status.eventstore.postgres.months import Months

_FIRST_PAGE = 500
_LARGEST_PAGE = 4000


class ArchivedError(Exception):
    """A part of what is asked for is in the archive."""


class Rest:
    """What is left of an answer: its query, narrowed as pages are handed out."""

    def __init__(self, query: EventQuery) -> None:
        self.query = query
        self.head: int | None = None

    def ends_at(self, head: int) -> None:
        """Leave out what was stored later."""
        if self.head is None:
            self.head, before = head, head + 1
            self.query = self.query.narrowed(
                before=before if self.query.before is None else min(before, self.query.before)
            )

    def goes_on_behind(self, page: list[Event]) -> None:
        """Leave out what was handed out."""
        limit = self.query.limit
        self.query = self.query.narrowed(
            cursor=self.query.cursor_of(page[-1]), limit=None if limit is None else limit - len(page), offset=0
        )


class Reader:
    """Reads what is in the tables of months, through connections that are lent."""

    def __init__(self, lender: Lender, asking: Asking, months: Months, measures: Measures) -> None:
        self._lender = lender
        self._asking = asking
        self._months = months
        self._measures = measures

    def head(self) -> int:
        """Return the head, from the primary."""
        head = self.head_at(FROM_PRIMARY)
        self._lender.saw(head)
        return head

    def head_at(self, min_position: int) -> int:
        """Return the head of a server that has come as far as a position."""
        return int(self.rows(Sql(self._asking.head, []), min_position)[0][0])

    def rows(self, sql: Sql, min_position: int = 0) -> list[tuple[Any, ...]]:
        """Return all rows of a short answer."""
        return self._lender.patiently(lambda connection: _fetched(connection, sql), min_position)

    def complete(self, ask: Callable[[Known], Sql], min_position: int = 0) -> list[tuple[Any, ...]]:
        """Return all rows of a short answer that names months: those that there were when it was given.

        `ask` makes the statement from the months that are known; the last column tells the head, see `asking`.
        """

        def asked(connection: psycopg.Connection, known: Known) -> list[tuple[Any, ...]]:
            rows = _fetched(connection, ask(known))
            # An empty answer tells nothing. The months that were known cover it if they are all even now.
            if (rows[0][-1] if rows else told(connection, self._asking, known.told)) is None:
                raise MovedError
            return rows

        return self._lender.settled(asked, min_position)

    def pages(self, rest: Rest, min_position: int = 0, apart: Collection[date] = ()) -> Iterator[list[Event]]:
        """Yield the events of an answer, and narrow it; `apart` are months whose events are seen to elsewhere.

        Raises:
            ArchivedError: another month that may hold a part of the rest is in the archive.
        """
        query, left = rest.query, rest.query.limit
        if left == 0:
            return
        size = _FIRST_PAGE if left is None else min(left, _LARGEST_PAGE)
        rows = self.complete(partial(self._page, query, size, apart), min_position)
        if not rows:
            return
        page = events_of(rows)
        rest.ends_at(rows[0][-1])
        rest.goes_on_behind(page)
        yield page
        if len(page) < size or left == size:
            return
        # The first page may hold more than was stored at the head it told only if it was told of another moment.
        yield from self._rest(rest, max(min_position, rows[0][-1]), apart)

    def _page(self, query: EventQuery, size: int | None, apart: Collection[date], known: Known) -> Sql:
        after, before = self._checked_span(query, known, apart)
        if size is not None and is_plain(query):
            # Positions have no gap, so it is known which ones the page holds. Without a bound on both sides, a server
            # that has no statistics yet finds and sorts all that is left for each page.
            if not query.is_backwards:
                end = after + query.offset + size + 1
                before = end if before is None else min(before, end)
            elif before is not None:
                after = max(after, before - 1 - query.offset - size)
        return self._asking.page(query, Part(known.leaving_out(apart), after, before, query.offset, size))

    def _checked_span(self, query: EventQuery, known: Known, apart: Collection[date]) -> tuple[int, int | None]:
        after, before = span_of(query)
        if any(month not in apart for month in known.archived_months(after, before)):
            raise ArchivedError
        return after, before

    def _rest(self, rest: Rest, min_position: int, apart: Collection[date]) -> Iterator[list[Event]]:
        """Yield what lies behind the first page; after a lost connection, go on behind the last event."""
        pages = self._by_page if is_plain(rest.query) else self._by_cursor
        primary = self._lender.primary
        tries = attempts(primary.options.patience)
        while True:
            try:
                for page in pages(rest.query, min_position, apart):
                    rest.goes_on_behind(page)
                    yield page
                    tries = attempts(primary.options.patience)
            except MovedError:
                self._learn()
            except psycopg.Error as error:
                is_gone = isinstance(error, psycopg.errors.UndefinedTable)
                if not (is_gone or is_passing(error)) or next(tries, None) is None:
                    raise store_error(error, primary.name) from error
                if is_gone:
                    self._learn()
                self._measures.retried()
            else:
                return

    def _learn(self) -> None:
        self._lender.patiently(self._lender.learned, FROM_PRIMARY)

    def _by_page(self, query: EventQuery, min_position: int, apart: Collection[date]) -> Iterator[list[Event]]:
        left, size = query.limit, _FIRST_PAGE
        while left != 0:
            size = min(size * 2, _LARGEST_PAGE)
            wanted = size if left is None else min(size, left)
            rows = self.complete(partial(self._page, query, wanted, apart), min_position)
            if rows:
                yield events_of(rows)
            if len(rows) < wanted:
                return
            left = None if left is None else left - len(rows)
            last = rows[-1][0]
            query = query.narrowed(before=last) if query.is_backwards else query.narrowed(after=last)

    def _by_cursor(self, query: EventQuery, min_position: int, apart: Collection[date]) -> Iterator[list[Event]]:
        if query.limit == 0:
            return
        known = self._months.known
        after, before = self._checked_span(query, known, apart)
        # Bounded by the head that the first page told, so it lies in the months that were known then.
        part = Part(known.leaving_out(apart), after, before, limit=query.limit, is_bounded=True)
        sql = self._asking.page(query, part)
        with self._lender.lent(min_position) as connection, connection.transaction():
            connection.execute("SET LOCAL cursor_tuple_fraction = 1")
            with connection.cursor(name="events", binary=True) as cursor:
                cursor.execute(sql.text, sql.values)
                rows = cursor.fetchmany(_LARGEST_PAGE)
                if (rows[0][-1] if rows else told(connection, self._asking, part.told)) is None:
                    raise MovedError
                while rows:
                    yield events_of(rows)
                    rows = cursor.fetchmany(_LARGEST_PAGE)

    def count(self, query: EventQuery, apart: Collection[date]) -> int:
        """Return how many events of the tables a query asks for.

        Raises:
            ArchivedError: see `pages`.
        """

        def counted(known: Known) -> Sql:
            self._checked_span(query, known, apart)
            return self._asking.count(query, Part(known.leaving_out(apart), offset=query.offset, limit=query.limit))

        return int(self.complete(counted)[0][0])

    def plan(self, query: EventQuery) -> str:
        """Return the plan by which the primary would find the first page of an answer, but for the archive."""

        def explained(known: Known) -> Sql:
            size = _FIRST_PAGE if query.limit is None else query.limit
            sql = self._page(query, size, known.archived_months(0, None), known)
            return Sql(f"EXPLAIN {sql.text}", sql.values, prepare=False)

        lines = self.complete(explained, FROM_PRIMARY)
        return "\n".join(line[0] for line in lines)


def span_of(query: EventQuery) -> tuple[int, int | None]:
    """Return behind and before which positions the rest of an answer lies."""
    after, before = query.after, query.before
    if query.behind is not None and query.order is Order.POSITION:
        # What lies in front of the cursor is no part of the answer any more.
        behind = query.behind[1]
        if query.is_backwards:
            before = behind if before is None else min(before, behind)
        else:
            after = max(after, behind)
    return after, before


def told(connection: psycopg.Connection, asking: Asking, parameters: list[Any]) -> int | None:
    """Return the head, None where the months are not those any more that are known."""
    row = connection.execute(f"SELECT {asking.told}", parameters, binary=True).fetchone()
    return row[0] if row else None


def _fetched(connection: psycopg.Connection, sql: Sql) -> list[tuple[Any, ...]]:
    return connection.execute(sql.text, sql.values, binary=True, prepare=sql.prepare).fetchall()
