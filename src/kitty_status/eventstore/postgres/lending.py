"""From where is read: the primary, or a replica that has come far enough, also after a connection was lost."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.postgres.connections import Server, is_passing, store_error, without_head
from kitty_status.eventstore.postgres.driver import psycopg
from kitty_status.eventstore.postgres.months import Known, MovedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeVar

    from kitty_status.eventstore.measuring import Measures
    from kitty_status.eventstore.postgres.asking import Asking
    from kitty_status.eventstore.postgres.months import Months

    Answer = TypeVar("Answer")

_PAUSE = 0.001
_REST = 5.0
_log = logging.getLogger(__name__)

FROM_PRIMARY = 2**63
"""A position that no replica ever has."""


class Lender:
    """Lends connections to the primary, or to replicas that have come far enough.

    `seen` is the greatest position that this store has spoken of: nothing is read from where less is stored.
    """

    def __init__(
        self, primary: Server, replicas: Sequence[Server], asking: Asking, months: Months, measures: Measures
    ) -> None:
        self.primary = primary
        self._replicas = [_Replica(each) for each in replicas]
        self._turn = 0
        self._asking = asking
        self._months = months
        self._measures = measures
        self.seen = 0

    def saw(self, position: int) -> None:
        """Note that the store has spoken of a position."""
        self.seen = max(self.seen, position)

    def settled(self, ask: Callable[[psycopg.Connection, Known], Answer], min_position: int = 0) -> Answer:
        """Return a short answer that rests on which months there are: those that there were when it was given.

        `ask` raises `MovedError` where there were others than those that it is told of.
        """
        # Known before a connection is lent, which is to a server that knows as much.
        known = self._months.known
        return self.patiently(lambda connection: self._settled(connection, ask, known), min_position)

    def _settled(
        self, connection: psycopg.Connection, ask: Callable[[psycopg.Connection, Known], Answer], known: Known
    ) -> Answer:
        while True:
            try:
                return ask(connection, known)
            except (MovedError, psycopg.errors.UndefinedTable) as error:
                # What this very server says: a replica may know of fewer months than are known here.
                before, known = known, self.learned(connection)
                if known == before:
                    # A month that begins, or moves, stands in both tables at once.
                    raise without_head(self._asking.schema) if isinstance(error, MovedError) else error from None

    def learned(self, connection: psycopg.Connection) -> Known:
        """Return which months there are, and remember it."""
        known = Known.of(connection.execute(self._asking.months, binary=True).fetchall())
        self._months.learn(known)
        return known

    def patiently(self, ask: Callable[[psycopg.Connection], Answer], min_position: int) -> Answer:
        """Ask once more, for a while, where the connection is lost: a question may be asked any number of times."""
        primary = self.primary
        tries = attempts(primary.options.patience)
        next(tries)
        while True:
            try:
                with self.lent(min_position) as connection:
                    return ask(connection)
            except psycopg.Error as error:
                if not is_passing(error) or next(tries, None) is None:
                    raise store_error(error, primary.name) from error
                self._measures.retried()

    @contextmanager
    def lent(self, min_position: int) -> Iterator[psycopg.Connection]:
        """Lend a connection to a server on which everything up to a position is stored: a replica if possible."""
        for replica in self._in_turn() if min_position < FROM_PRIMARY else ():
            with ExitStack() as stack:
                try:
                    connection = stack.enter_context(replica.server.reading())
                    has_come = self._has_come(connection, max(min_position, self.seen))
                except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
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
        with self.primary.reading() as connection:
            yield connection

    def _in_turn(self) -> list[_Replica]:
        """Return the replicas that are not resting, beginning with another one each time."""
        if not self._replicas:
            return []
        self._turn += 1
        first = self._turn % len(self._replicas)
        return [each for each in self._replicas[first:] + self._replicas[:first] if not each.is_resting]

    def _has_come(self, connection: psycopg.Connection, position: int) -> bool:
        """Wait, not long, until a replica has everything up to a position, and say whether it has.

        It has to know of every move to the archive that is known here, too.
        """
        deadline = time.monotonic() + self.primary.options.replica_patience
        while True:
            row = connection.execute(self._asking.state, binary=True).fetchone()
            if row is not None and row[0] >= position and row[1] >= self._months.known.moves:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)


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
