"""Connections to PostgreSQL: one that writes, a pool that reads, and what becomes of their errors."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.errors import EventStoreError, StoreCode, closed, invalid
from kitty_status.eventstore.owning import Owner
from kitty_status.eventstore.postgres.driver import psycopg, psycopg_pool

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)
_NAME = "kitty-status"
# What holds where the connection string says nothing else: a server that is gone is noticed.
_DEFAULTS: dict[str, str | int] = {
    "application_name": _NAME,
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_CANCELLED = "57014"
# Prepared statements that are there or are not: somebody between us and the server changes connections.
_OF_ANOTHER = ("42P05", "26000")
_DAMAGED = ("XX001", "XX002")
# Connection trouble, too few resources, a server that stops or starts, serialization and locks, a replica's conflict.
_PASSING = ("08", "53", "57P", "40", "55P03")


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a store talks to its server.

    * `min_connections` and `max_connections` of the pool that reads; one more writes and one listens
    * `statement_timeout`: after so many seconds a question is given up; 0 for never
    * `patience`: for so many seconds a lost connection is tried again before an operation fails
    * `replica_patience`: for so many seconds a read waits for a replica to catch up before it goes to the primary
    """

    min_connections: int = 1
    max_connections: int = 10
    statement_timeout: float = 60.0
    patience: float = 30.0
    replica_patience: float = 0.05


DEFAULTS = Options()


class Server:
    """One server, of which connections are lent for reading.

    Raises:
        EventStoreError: STORAGE_ERROR: it cannot be reached.
    """

    def __init__(self, dsn: str, options: Options) -> None:
        self.options = options
        try:
            told = psycopg.conninfo.conninfo_to_dict(dsn)
        except psycopg.ProgrammingError as error:
            raise invalid(f"the connection string: {str(error).strip()}", "write it as libpq takes it") from error
        with failures("the connection string"):
            defaults = {k: v for k, v in _DEFAULTS.items() if k not in told}
            # Whatever the surroundings say: an event may hold any character.
            self._dsn = psycopg.conninfo.make_conninfo(dsn, **defaults, client_encoding="UTF8")
        # A connection string may hold a password: it never stands in a message.
        self.name = f"{told.get('host') or 'localhost'}/{told.get('dbname') or ''}".rstrip("/")
        self._owner = Owner()
        self._pool = psycopg_pool.ConnectionPool(
            self._dsn,
            min_size=options.min_connections,
            max_size=max(options.min_connections, options.max_connections),
            open=False,
            name=_NAME,
            timeout=options.patience,
            configure=self._configure,
            kwargs={"autocommit": True},
            num_workers=1,
        )
        self._opening = threading.Lock()
        self._is_closed = False

    def _configure(self, connection: psycopg.Connection) -> None:
        _settle(connection, statement_timeout=self.options.statement_timeout)

    def connect(self) -> psycopg.Connection:
        """Open a connection of one's own.

        Raises:
            psycopg.Error: the server refused.
        """
        connection = psycopg.connect(self._dsn, autocommit=True)
        try:
            # Whoever holds the head and says nothing more keeps everybody from writing.
            patience = self.options.patience
            _settle(connection, lock_timeout=patience, idle_in_transaction_session_timeout=patience)
        except BaseException:
            connection.close()
            raise
        return connection

    def connect_patiently(self) -> psycopg.Connection:
        """Open a connection of one's own, and try again for a while where that fails for a reason that may pass.

        Raises:
            EventStoreError: STORAGE_ERROR: it could not be had.
        """
        tries = attempts(self.options.patience)
        next(tries)
        while True:
            try:
                return self.connect()
            except psycopg.Error as error:
                if not is_passing(error) or next(tries, None) is None:
                    raise store_error(error, self.name) from error
                _log.warning("%s: no connection yet: %s", self.name, str(error).strip())

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection]:
        """Lend a connection to whoever reads, with the errors of psycopg."""
        self._owner.refuse_others()
        if self._is_closed or self._pool.closed:
            self._open()
        with self._pool.connection() as connection:
            yield connection

    def _open(self) -> None:
        with self._opening:
            if self._is_closed:
                raise closed()
            self._pool.open()

    def statistics(self) -> dict[str, int]:
        """Return what the pool counts: connections, those that are free, requests that wait, errors, ..."""
        return self._pool.get_stats()

    def close(self) -> None:
        """Close every connection of the pool."""
        with self._opening:
            self._is_closed = True
            self._pool.close()


def is_lost(error: psycopg.Error, connection: psycopg.Connection | None = None) -> bool:
    """Say whether the connection is gone, or the server is, and the same may succeed on another one."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    return (connection is not None and connection.closed) or (error.sqlstate or "08").startswith(("08", "57P"))


@contextmanager
def failures(where: str) -> Iterator[None]:
    """Raise what psycopg raises as the event store's error."""
    try:
        yield
    except psycopg.Error as error:
        raise store_error(error, where) from error


def store_error(error: psycopg.Error, where: str, *, outcome_unknown: bool = False) -> EventStoreError:
    """Return the event store's error for one of PostgreSQL's."""
    state = error.sqlstate or ""
    says = (error.diag.message_primary or str(error)).strip()
    if state == _CANCELLED:
        return EventStoreError(
            StoreCode.QUERY_ERROR,
            f"{where}: the query was given up: {says}",
            hint="ask for less, or give the store a longer statement_timeout",
            sqlstate=state,
        )
    if state in _DAMAGED:
        return EventStoreError(
            StoreCode.CORRUPT, f"{where}: {says}", hint="keep a copy of the data, then ask its keeper", sqlstate=state
        )
    if isinstance(error, psycopg_pool.PoolTimeout):
        return EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"{where}: every connection for reading is in use: {says}",
            hint="read or close the answers that were begun, or give the store more max_connections",
            retryable=True,
        )
    if state in _OF_ANOTHER:
        return EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"{where}: this is not the connection of before: {says}",
            hint="let PgBouncer lend whole sessions (pool_mode = session), or connect past it",
            sqlstate=state,
        )
    passes = is_passing(error)
    return EventStoreError(
        StoreCode.STORAGE_ERROR,
        f"{where}: {says}",
        hint="try again, with the same event ids" if passes else "see whether the role may use the schema",
        retryable=passes,
        outcome_unknown=outcome_unknown,
        sqlstate=state,
    )


def without_head(schema: str) -> EventStoreError:
    """Return the error for tables that do not say any more where the newest event is."""
    return EventStoreError(
        StoreCode.CORRUPT, f"{schema}.event_head is empty", hint="restore the schema from a copy", schema=schema
    )


def is_passing(error: psycopg.Error) -> bool:
    """Say whether the same may succeed later."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return state.startswith(_PASSING)


def _settle(connection: psycopg.Connection, **seconds: float) -> None:
    """Give a connection the settings that our statements count on, and timeouts."""
    settings = {"TimeZone": "UTC"}
    settings |= {name: str(int(value * 1000)) for name, value in seconds.items()}
    calls = ", ".join(["set_config(%s, %s, false)"] * len(settings))
    connection.execute(f"SELECT {calls}", [each for pair in settings.items() for each in pair])
