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
import time
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.owning import Owner
from kitty_status.eventstore.postgres.asking import Asking, Part
from kitty_status.eventstore.postgres.connections import Server, is_lost, store_error
from kitty_status.eventstore.postgres.driver import psycopg
from kitty_status.eventstore.postgres.rows import COLUMNS, copied_rows, events_of, row_of
from kitty_status.eventstore.postgres.schema import NOT_AT_THE_HEAD, partition_of, prepare
from kitty_status.eventstore.staging import Append, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.measuring import Measures
    from kitty_status.eventstore.query import EventQuery
    from kitty_status.eventstore.staging import Outcome

_log = logging.getLogger(__name__)
_MOST_REMEMBERED = 100_000
_TAKEN_ALREADY = "23505"
# After somebody else was found to write as well, so many commits hold the head from the start.
# Once a month: so long after a month has begun its first event is written.
_UNTIL_TOLD = 0.1
_WARY = 16
_UNCONFIRMED = "SELECT set_config('synchronous_commit', 'off', false)"
_CONFIRMED = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""


class _Stored:
    """What the database says while nobody else writes, or as if nobody did: then the insert will find out.

    `versions` are those that are known already, and are added to.
    """

    def __init__(self, connection: psycopg.Connection, asking: Asking, head: int, versions: dict[str, int]) -> None:
        self._connection = connection
        self._asking = asking
        self._head = head
        self._versions = versions

    def head(self) -> int:
        return self._head

    def events_with_ids(self, ids: Collection[str]) -> dict[str, Event]:
        rows = self._connection.execute(self._asking.by_ids, (list(ids),), binary=True).fetchall()
        return {event.id: event for event in events_of(rows)}

    def versions_of(self, streams: Collection[str]) -> dict[str, int]:
        unknown = [stream for stream in streams if stream not in self._versions]
        if unknown:
            rows = self._connection.execute(self._asking.versions, (unknown,), binary=True)
            self._versions.update((stream, version or 0) for stream, version in rows)
        return {stream: self._versions[stream] for stream in streams}

    def first_match(self, query: EventQuery) -> Event | None:
        sql = self._asking.page(query, Part(limit=1))
        # Planned for these values, as a prepared statement would not be.
        rows = self._connection.execute(sql.text, sql.values, binary=True, prepare=False).fetchall()
        return next(iter(events_of(rows)), None)


class _AnotherError(Exception):
    """Somebody else writes as well."""


class Writer:
    """The one connection of a store that writes. Never used by two threads at once.

    Raises:
        EventStoreError: STORAGE_ERROR: the server cannot be reached, or its tables are not ours.
    """

    def __init__(self, server: Server, asking: Asking, measures: Measures, *, flushes: bool) -> None:
        self._server = server
        self._asking = asking
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
        stage = Stage(_Stored(connection, self._asking, head, self._versions), appends)
        outcomes = [stage.outcome_of(append) for append in appends]
        if any(isinstance(outcome, EventStoreError) for outcome in outcomes):
            raise _AnotherError
        try:
            self._insert(connection, stage.events, self._month)
        except psycopg.Error as error:
            if error.sqlstate in (NOT_AT_THE_HEAD, _TAKEN_ALREADY):
                raise _AnotherError from error
            raise
        self._remember(stage.events, head)
        return outcomes

    def _holding_the_head(self, appends: Sequence[Append]) -> list[Outcome]:
        """Write while everybody else waits."""
        connection = self._connected()
        known, self._head = self._head, None
        while True:
            outcomes: list[Outcome] | None = None
            with connection.transaction():
                head, newest, month = self._held(connection)
                if newest < month:
                    # In a transaction of its own, see below.
                    self._begin(connection, month, head)
                else:
                    if head != known:
                        self._versions.clear()
                    self._wary = _WARY if known not in (None, head) else max(self._wary - 1, 0)
                    stage = Stage(_Stored(connection, self._asking, head, self._versions), appends)
                    outcomes = [stage.outcome_of(append) for append in appends]
                    self._insert(connection, stage.events, month)
            if outcomes is not None:
                self._month = month
                self._remember(stage.events, head)
                return outcomes
            # For a moment after a partition was attached, other connections may still plan without it. Of the readers
            # who had seen the head before, one in thousands missed an event that came at once.
            time.sleep(_UNTIL_TOLD)

    def _held(self, connection: psycopg.Connection) -> tuple[int, date, date]:
        """Take the head, and return it with the newest month and the one to write to."""
        schema = self._asking.schema
        row = connection.execute(
            f"SELECT head, month, {schema}.month_to_write_to() FROM {schema}.event_head FOR UPDATE",  # noqa: S608
            binary=True,
        ).fetchone()
        if row is None:
            raise EventStoreError(
                StoreCode.CORRUPT, f"{schema}.event_head is empty", hint="restore the schema from a copy", schema=schema
            )
        return row[0], row[1], row[2]

    def _begin(self, connection: psycopg.Connection, month: date, head: int) -> None:
        schema = self._asking.schema
        connection.execute(f"SELECT {schema}.begin_month(%s, %s)", (month, head))
        connection.execute(f"UPDATE {schema}.event_head SET month = %s", (month,))  # noqa: S608

    def _insert(self, connection: psycopg.Connection, events: Sequence[Event], month: date) -> None:
        if not events:
            return
        if self._cursor is None or self._cursor.connection is not connection:
            self._cursor = connection.cursor()
        insert, copy = _statements(self._asking.schema, month)
        if len(events) == 1:
            self._cursor.execute(insert, row_of(events[0], month), prepare=True)
            return
        with self._cursor.copy(copy) as copying:
            copying.write(copied_rows(events, month))

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
def _statements(schema: str, month: date) -> tuple[str, str]:
    """Return the statements that insert one event, and more than one, into the partition of a month."""
    into = f"{schema}.{partition_of(month)} ({', '.join(COLUMNS)})"
    marks = ", ".join(["%s"] * len(COLUMNS))
    return f"INSERT INTO {into} VALUES ({marks})", f"COPY {into} FROM STDIN (NULL '')"  # noqa: S608


def _this_month() -> date:
    return datetime.now(UTC).date().replace(day=1)


def _to_be_looked_for(append: Append) -> Append:
    """Return an append whose ids may all be stored, those that were minted for it as well."""
    drafts = tuple(msgspec.structs.replace(draft, is_fresh=False) for draft in append.drafts)
    return Append(drafts, append.versions, append.condition)
