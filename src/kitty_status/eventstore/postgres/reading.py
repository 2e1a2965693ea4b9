"""Reading answers in bounded memory, from the primary or a replica, also when a connection is lost in between.

The first page is one statement, which also tells the head; most answers are complete with it. A plain history is then
read on page by page by position, each page by its own index range. Whatever is filtered or sorted is read on through a
cursor on the server, so that the server finds and sorts it once.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.postgres.asking import Asking, Part, Sql, is_plain
from kitty_status.eventstore.postgres.connections import Server, is_passing, store_error, without_head
from kitty_status.eventstore.postgres.driver import psycopg
from kitty_status.eventstore.postgres.months import Known, Months
from kitty_status.eventstore.postgres.rows import events_of
from kitty_status.eventstore.query import EventQuery, Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeVar

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.measuring import Measures

    Answer = TypeVar("Answer")

_FIRST_PAGE = 500
_LARGEST_PAGE = 4000
_PAUSE = 0.001
_REST = 5.0
_log = logging.getLogger(__name__)

FROM_PRIMARY = 2**63
"""A position that no replica ever has."""


class Reader:
    """Reads from the primary, or from replicas that have come far enough.

    `seen` is the greatest position that this store has spoken of: nothing is read from where less is stored.
    """

    def __init__(
        self, primary: Server, replicas: Sequence[Server], asking: Asking, months: Months, measures: Measures
    ) -> None:
        self._primary = primary
        self._replicas = [_Replica(each) for each in replicas]
        self._turn = 0
        self._measures = measures
        self._asking = asking
        self._months = months
        self.seen = 0

    def saw(self, position: int) -> None:
        """Note that the store has spoken of a position."""
        self.seen = max(self.seen, position)

    def head(self) -> int:
        """Return the head, from the primary."""
        head: int = self._patiently(self._head_of, FROM_PRIMARY)
        self.saw(head)
        return head

    def rows(self, sql: Sql, min_position: int = 0) -> list[tuple[Any, ...]]:
        """Return all rows of a short answer."""
        return self._patiently(lambda connection: _fetched(connection, sql), min_position)

    def complete(self, ask: Callable[[Known], Sql], min_position: int = 0) -> list[tuple[Any, ...]]:
        """Return all rows of a short answer that names months: those that had begun when it was given.

        `ask` makes the statement from the months that are known; the last column tells the head, see `asking`.
        """
        return self._patiently(lambda connection: self._completed(connection, ask), min_position)

    def _completed(self, connection: psycopg.Connection, ask: Callable[[Known], Sql]) -> list[tuple[Any, ...]]:
        known = self._months.known
        gone: psycopg.Error | None = None
        while True:
            try:
                rows = _fetched(connection, ask(known))
                # An empty answer tells nothing. The months that were known cover it if they are all even now.
                told = rows[0][-1] if rows else self._told(connection, known)
            except psycopg.errors.UndefinedTable as error:
                # A month that this server does not have yet, or not any more.
                rows, told, gone = [], None, error
            if told is not None:
                return rows
            # What this very server says: a replica may know of fewer months than are known here.
            before, known = known, Known.of(connection.execute(self._asking.months, binary=True).fetchall())
            if known == before:
                # A month that begins stands in both tables at once.
                raise gone or without_head(self._asking.schema)
            gone = None
            self._months.learn(known)

    def _told(self, connection: psycopg.Connection, known: Known) -> int | None:
        row = connection.execute(f"SELECT {self._asking.told}", (known.newest,), binary=True).fetchone()
        return row[0] if row else None

    def events(self, query: EventQuery, min_position: int = 0) -> Iterator[Event]:
        """Yield the events of an answer."""
        offset, left = query.offset, query.limit
        if left == 0:
            return
        size = _FIRST_PAGE if left is None else min(left, _LARGEST_PAGE)
        rows = self.complete(partial(self._page, query, offset, size), min_position)
        page = events_of(rows)
        yield from page
        if len(page) < size or left == size:
            return
        before = rows[0][-1] + 1
        rest = query.narrowed(
            before=before if query.before is None else min(before, query.before),
            limit=None if left is None else left - size,
            offset=0,
            cursor=query.cursor_of(page[-1]),
        )
        # The first page may hold more than was stored at the head it told only if it was told of another moment.
        yield from self._rest(rest, max(min_position, before - 1))

    def _page(self, query: EventQuery, offset: int, size: int | None, known: Known) -> Sql:
        after, before = query.after, query.before
        if query.behind is not None and query.order is Order.POSITION:
            # What lies in front of the cursor is no part of the answer any more.
            behind = query.behind[1]
            if query.is_backwards:
                before = behind if before is None else min(before, behind)
            else:
                after = max(after, behind)
        if size is not None and is_plain(query):
            # Positions have no gap, so it is known which ones the page holds. Without a bound on both sides, a server
            # that has no statistics yet finds and sorts all that is left for each page.
            if not query.is_backwards:
                end = after + offset + size + 1
                before = end if before is None else min(before, end)
            elif before is not None:
                after = max(after, before - 1 - offset - size)
        return self._asking.page(query, Part(known, after, before, offset, size))

    def _rest(self, query: EventQuery, min_position: int) -> Iterator[Event]:
        """Yield what lies behind the query's cursor; after a lost connection, go on behind the last event."""
        pages = self._by_page if is_plain(query) else self._by_cursor
        tries = attempts(self._primary.options.patience)
        while True:
            try:
                for page in pages(query, min_position):
                    yield from page
                    tries = attempts(self._primary.options.patience)
                    left = None if query.limit is None else query.limit - len(page)
                    query = query.narrowed(cursor=query.cursor_of(page[-1]), limit=left)
            except psycopg.Error as error:
                is_gone = isinstance(error, psycopg.errors.UndefinedTable)
                if not (is_gone or is_passing(error)) or next(tries, None) is None:
                    raise store_error(error, self._primary.name) from error
                if is_gone:
                    self._months.learn(Known.of(self.rows(Sql(self._asking.months, []), FROM_PRIMARY)))
                self._measures.retried()
                continue
            return

    def _by_page(self, query: EventQuery, min_position: int) -> Iterator[list[Event]]:
        left, size = query.limit, _FIRST_PAGE
        while left != 0:
            size = min(size * 2, _LARGEST_PAGE)
            wanted = size if left is None else min(size, left)
            rows = self.complete(partial(self._page, query, 0, wanted), min_position)
            if rows:
                yield events_of(rows)
            if len(rows) < wanted:
                return
            left = None if left is None else left - len(rows)
            last = rows[-1][0]
            query = query.narrowed(before=last) if query.is_backwards else query.narrowed(after=last)

    def _by_cursor(self, query: EventQuery, min_position: int) -> Iterator[list[Event]]:
        if query.limit == 0:
            return
        # Bounded by the head that the first page told, so it lies in the months that were known then.
        sql = self._page(query, 0, query.limit, self._months.known)
        with self._lent(min_position) as connection, connection.transaction():
            connection.execute("SET LOCAL cursor_tuple_fraction = 1")
            with connection.cursor(name="events", binary=True) as cursor:
                cursor.execute(sql.text, sql.values)
                while rows := cursor.fetchmany(_LARGEST_PAGE):
                    yield events_of(rows)

    def plan(self, query: EventQuery) -> str:
        """Return the plan by which the primary would find the first page of an answer."""

        def explained(known: Known) -> Sql:
            sql = self._page(query, query.offset, _FIRST_PAGE if query.limit is None else query.limit, known)
            return Sql(f"EXPLAIN {sql.text}", sql.values, prepare=False)

        lines = self.complete(explained, FROM_PRIMARY)
        return "\n".join(line[0] for line in lines)

    def _head_of(self, connection: psycopg.Connection) -> int:
        row = connection.execute(self._asking.head, binary=True).fetchone()
        return row[0] if row else 0

    # Where to read

    def _patiently(self, ask: Callable[[psycopg.Connection], Answer], min_position: int) -> Answer:
        """Ask once more, for a while, where the connection is lost: a question may be asked any number of times."""
        primary = self._primary
        tries = attempts(primary.options.patience)
        next(tries)
        while True:
            try:
                with self._lent(min_position) as connection:
                    return ask(connection)
            except psycopg.Error as error:
                if not is_passing(error) or next(tries, None) is None:
                    raise store_error(error, primary.name) from error
                self._measures.retried()

    @contextmanager
    def _lent(self, min_position: int) -> Iterator[psycopg.Connection]:
        """Lend a connection to a server on which everything up to a position is stored: a replica if possible."""
        for replica in self._in_turn() if min_position < FROM_PRIMARY else ():
            with ExitStack() as stack:
                try:
                    connection = stack.enter_context(replica.server.reading())
                    has_come = self._has_come(connection, max(min_position, self.seen))
                except psycopg.errors.UndefinedTable:
                    # It has not come as far as to the tables.
                    continue
                except psycopg.Error as error:
                    replica.rest(error)
                    continue
                if has_come:
                    try:
                        yield connection
                    except psycopg.Error as error:
                        # The next attempt goes elsewhere: a replica may cancel what the primary would answer.
                        replica.rest(error)
                        raise
                    return
        with self._primary.reading() as connection:
            yield connection

    def _in_turn(self) -> list[_Replica]:
        """Return the replicas that are not resting, beginning with another one each time."""
        if not self._replicas:
            return []
        self._turn += 1
        first = self._turn % len(self._replicas)
        return [each for each in self._replicas[first:] + self._replicas[:first] if not each.is_resting]

    def _has_come(self, connection: psycopg.Connection, position: int) -> bool:
        """Wait, not long, until a replica has everything up to a position, and say whether it has."""
        deadline = time.monotonic() + self._primary.options.replica_patience
        while self._head_of(connection) < position:
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
        return True


class _Replica:
    """A replica, which rests for a while after it has failed."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self._rests_until

    def rest(self, error: psycopg.Error) -> None:
        self._rests_until = time.monotonic() + _REST
        _log.warning("%s: nothing is read from this replica for %g s: %s", self.server.name, _REST, error)


def _fetched(connection: psycopg.Connection, sql: Sql) -> list[tuple[Any, ...]]:
    return connection.execute(sql.text, sql.values, binary=True, prepare=sql.prepare).fetchall()
