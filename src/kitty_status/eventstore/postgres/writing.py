"""Writing: appends are staged and inserted in one transaction, which the database confirms or refuses as a whole.

Who has written last knows the head, the versions and the month, and goes on from there with a single statement: if
another process has written meanwhile, the database refuses positions that do not follow on its head, nothing is
stored, and the appends are staged again inside of a transaction that holds the head, so that nobody can come between.

Where the connection is lost before the answer came, the events may be stored or not. On the next connection they are
looked for by their ids while the head is held: nobody else can be writing them then, the lost transaction neither.
Should it not have begun yet, it comes too late: the head has moved on, by these events or by those that refused them.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.errors import EventStoreError
from kitty_status.eventstore.owning import Owner
from kitty_status.eventstore.postgres.connections import Server, is_lost, store_error, without_head
from kitty_status.eventstore.postgres.driver import psycopg
from kitty_status.eventstore.postgres.months import Known, MovedError
from kitty_status.eventstore.postgres.rows import WRITTEN, copy_into, row_of
from kitty_status.eventstore.postgres.schema import partition_of, prepare
from kitty_status.eventstore.postgres.stored import Stored
from kitty_status.eventstore.postgres.tables import NOT_AT_THE_HEAD
from kitty_status.eventstore.staging import Append, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.measuring import Measures
    from kitty_status.eventstore.postgres.archived import ArchiveTable
    from kitty_status.eventstore.postgres.asking import Asking
    from kitty_status.eventstore.postgres.months import Months
    from kitty_status.eventstore.staging import Outcome

_log = logging.getLogger(__name__)
_MOST_REMEMBERED = 100_000
_TAKEN_ALREADY = "23505"
# After somebody else was found to write as well, so many commits hold the head from the start.
_WARY = 16
_UNCONFIRMED = "SELECT set_config('synchronous_commit', 'off', false)"
_CONFIRMED = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""


class _AnotherError(Exception):
    """Somebody else writes as well."""


class Writer:
    """The one connection of a store that writes. Never used by two threads at once.

    Raises:
        EventStoreError: STORAGE_ERROR: the server cannot be reached, or its tables are not ours.
    """

    def __init__(
        self, server: Server, places: tuple[Asking, ArchiveTable], months: Months, measures: Measures, *, flushes: bool
    ) -> None:
        self._server = server
        self._places = places
        self._asking = places[0]
        self._months = months
        self._measures = measures
        self._flushes = flushes
        self._owner = Owner()
        self._head: int | None = None
        self._month = date.min
        self._versions: dict[str, int] = {}
        self._wary = 0
        self._cursor: psycopg.Cursor | None = None
        try:
            self._connection: psycopg.Connection | None = self._settled(server.connect())
        except psycopg.Error as error:
            raise store_error(error, server.name) from error

    def _settled(self, connection: psycopg.Connection) -> psycopg.Connection:
        try:
            prepare(connection, self._asking.schema)
            # A server may be told to confirm more than its own disk; what it is told is lowered only if asked for.
            connection.execute(_CONFIRMED if self._flushes else _UNCONFIRMED)
        except BaseException:
            connection.close()
            raise
        return connection

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends; see `EventStore.commit`."""
        tries = attempts(self._server.options.patience)
        next(tries)
        is_lost_before = False
        attempt = self._going_on if self._may_go_on() else self._holding_the_head
        while True:
            try:
                return attempt(appends)
            except _AnotherError:
                self._wary = _WARY
            except psycopg.Error as error:
                is_lost_before = is_lost_before or is_lost(error, self._connection)
                self._forget()
                if not is_lost(error, self._connection) or next(tries, None) is None:
                    raise store_error(error, self._server.name, outcome_unknown=is_lost_before) from error
                _log.warning("%s: the connection was lost while events were written: %s", self._server.name, error)
                self._measures.retried()
                self.close()
                appends = [_to_be_looked_for(append) for append in appends]
            except EventStoreError as error:
                error.outcome_unknown = error.outcome_unknown or is_lost_before
                error.retryable = error.retryable or is_lost_before
                raise
            except BaseException:
                # A person has interrupted it: what the server was asked for may still be answered.
                self._forget()
                self.close()
                raise
            attempt = self._holding_the_head

    def _may_go_on(self) -> bool:
        return self._head is not None and not self._wary and _this_month() <= self._month

    def _forget(self) -> None:
        self._head = None
        self._versions.clear()

    def _going_on(self, appends: Sequence[Append]) -> list[Outcome]:
        """Write as if nobody else did.

        Raises:
            _AnotherError: somebody did, or may have: an append is refused, which only what is stored can decide.
        """
        head, self._head = self._head or 0, None
        connection = self._connected()
        try:
            stage = Stage(self._stored(connection, head), appends)
            outcomes = [stage.outcome_of(append) for append in appends]
            if any(isinstance(outcome, EventStoreError) for outcome in outcomes):
                raise _AnotherError
            self._insert(connection, stage.events, self._month)
        except MovedError as error:
            raise _AnotherError from error
        except psycopg.Error as error:
            if error.sqlstate in (NOT_AT_THE_HEAD, _TAKEN_ALREADY) or isinstance(error, psycopg.errors.UndefinedTable):
                raise _AnotherError from error
            raise
        self._remember(stage.events, head)
        return outcomes

    def _holding_the_head(self, appends: Sequence[Append]) -> list[Outcome]:
        """Write while everybody else waits."""
        connection = self._connected()
        known, self._head = self._head, None
        while True:
            with connection.transaction():
                head, newest, month, moves = self._held(connection)
                if newest < month:
                    # In a transaction of its own, for those who ask `events` and not the tables of months.
                    connection.execute(f"SELECT {self._asking.schema}.begin_month(%s, %s)", (month, head))
                    continue
                if (newest, moves) != (self._months.known.newest, self._months.known.moves):
                    self._months.learn(Known.of(connection.execute(self._asking.months, binary=True).fetchall()))
                if head != known:
                    self._versions.clear()
                self._wary = _WARY if known not in (None, head) else max(self._wary - 1, 0)
                stage = Stage(self._stored(connection, head), appends)
                outcomes = [stage.outcome_of(append) for append in appends]
                self._insert(connection, stage.events, month)
            self._month = month
            self._remember(stage.events, head)
            return outcomes

    def _stored(self, connection: psycopg.Connection, head: int) -> Stored:
        return Stored(connection, self._places, self._months.known, head, self._versions)

    def _held(self, connection: psycopg.Connection) -> tuple[int, date, date, int]:
        """Take the head, and return it with the newest month, the one to write to, and the number of moves."""
        schema = self._asking.schema
        row = connection.execute(
            f"SELECT head, month, {schema}.month_to_write_to(), moves FROM {schema}.event_head FOR UPDATE",  # noqa: S608
            binary=True,
        ).fetchone()
        if row is None:
            raise without_head(schema)
        return row[0], row[1], row[2], row[3]

    def _insert(self, connection: psycopg.Connection, events: Sequence[Event], month: date) -> None:
        if not events:
            return
        if self._cursor is None or self._cursor.connection is not connection:
            self._cursor = connection.cursor()
        if len(events) == 1:
            self._cursor.execute(_insert_into(self._asking.schema, month), row_of(events[0]), prepare=True)
        else:
            copy_into(self._cursor, f"{self._asking.schema}.{partition_of(month)}", events)

    def _remember(self, events: Sequence[Event], head: int) -> None:
        if len(self._versions) > _MOST_REMEMBERED:
            self._versions.clear()
        self._versions.update((event.stream, event.version) for event in events)
        self._head = head + len(events)

    # When the connection is lost

    def _connected(self) -> psycopg.Connection:
        self._owner.refuse_others()
        if self._connection is None or self._connection.closed:
            self._forget()
            self._connection = self._settled(self._server.connect_patiently())
        return self._connection

    def execute(self, statement: str, values: Sequence[Any]) -> None:
        """Write something else than events, that may be written twice.

        Raises:
            EventStoreError: STORAGE_ERROR.
        """
        try:
            try:
                self._connected().execute(statement, values)
            except psycopg.OperationalError as error:
                if not is_lost(error, self._connection):
                    raise
                self.close()
                self._connected().execute(statement, values)
        except psycopg.Error as error:
            raise store_error(error, self._server.name) from error

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@lru_cache(maxsize=8)
def _insert_into(schema: str, month: date) -> str:
    """Return the statement that inserts an event into the table of a month."""
    marks = ", ".join(["%s"] * len(WRITTEN))
    return f"INSERT INTO {schema}.{partition_of(month)} ({', '.join(WRITTEN)}) VALUES ({marks})"  # noqa: S608


def _this_month() -> date:
    return datetime.now(UTC).date().replace(day=1)


def _to_be_looked_for(append: Append) -> Append:
    """Return an append whose ids may all be stored, those that were minted for it as well."""
    drafts = tuple(msgspec.structs.replace(draft, is_fresh=False) for draft in append.drafts)
    return Append(drafts, append.versions, append.condition)
