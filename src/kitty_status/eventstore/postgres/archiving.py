"""Moving months that are over to the archive, and back.

The chunks of a month are packed, written and read back while everybody reads and writes; until the month is marked,
they are nothing, and what an interruption has left of them the next attempt writes anew. Then one short transaction,
which holds the head, marks the month and drops its table. It waits for those who read the table, and whoever comes
then waits for it; so it waits a moment only, and tries again.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from kitty_status.eventstore.archives import damaged_archive
from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.chunks import events_of, packed, together, unpacked
from kitty_status.eventstore.postgres import rows
from kitty_status.eventstore.postgres.archived import MANIFEST
from kitty_status.eventstore.postgres.connections import store_error
from kitty_status.eventstore.postgres.driver import Int8, psycopg
from kitty_status.eventstore.postgres.months import Known
from kitty_status.eventstore.postgres.schema import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.postgres.archived import ArchiveTable
    from kitty_status.eventstore.postgres.asking import Asking
    from kitty_status.eventstore.postgres.connections import Server
    from kitty_status.eventstore.postgres.months import Months

# ruff: noqa: S608  the names are ours; every value is a parameter
_AT_ONCE = 1000
_A_MOMENT = "SET LOCAL lock_timeout = '100ms'"
_WAITED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


class Archiver:
    """Moves months through a connection of its own, one process at a time."""

    def __init__(self, server: Server, asking: Asking, archive: ArchiveTable, months: Months) -> None:
        self._server = server
        self._asking = asking
        self._archive = archive
        self._months = months
        schema = asking.schema
        self._lock = f"SELECT pg_advisory_lock(hashtextextended('kitty-status archive of {schema}', 0))"
        self._hold = f"SELECT FROM {schema}.event_head FOR UPDATE"
        self._over = (
            "SELECT month, after_position, last_position FROM (SELECT month, archived, after_position, "
            f"lead(after_position) OVER (ORDER BY month) AS last_position FROM {schema}.event_months) AS months "
            "WHERE NOT archived AND after_position < last_position "
            f"AND last_position < (SELECT head FROM {schema}.event_head) ORDER BY month"
        )
        self._forget = f"DELETE FROM {schema}.event_archives WHERE month = %s"
        marks = ", ".join(["%s"] * (len(MANIFEST) + 2))
        self._keep = f"INSERT INTO {schema}.event_archives ({', '.join(MANIFEST)}, month, lines) VALUES ({marks})"

    def movable(self, before: datetime) -> int:
        """Return how many events `move` would move."""
        with self._connected() as connection:
            return sum(last - after for _, after, last in self._closed(connection, before))

    def move(self, before: datetime) -> int:
        """Move the months that are over, and whose events all happened before an instant; return how many events.

        Raises:
            EventStoreError: STORAGE_ERROR: the server failed, or somebody went on reading a month (`retryable`).
        """
        moved = 0
        with self._alone() as connection:
            for month, after, last in self._closed(connection, before):
                self._pack(connection, month, after, last)
                self._take(connection, month)
                moved += last - after
        return moved

    def _closed(self, connection: psycopg.Connection, before: datetime) -> list[tuple[date, int, int]]:
        found = []
        for month, after, last in connection.execute(self._over).fetchall():
            later = f"SELECT FROM {self._table(month)} WHERE at >= %s LIMIT 1"
            if not connection.execute(later, (before,)).fetchall():
                found.append((month, after, last))
        return found

    def _pack(self, connection: psycopg.Connection, month: date, after: int, last: int) -> None:
        connection.execute(self._forget, (month,))
        while after < last:
            events = together(self._events(connection, month, after))
            chunk, data = packed(events)
            connection.execute(self._keep, (*msgspec.structs.astuple(chunk), month, data))
            if events_of(chunk, unpacked(chunk, self._archive.kept(connection, chunk))) != events:
                raise damaged_archive(chunk.name, "it could not be read back as it was written")
            after = chunk.last

    def _events(self, connection: psycopg.Connection, month: date, after: int) -> Iterator[Event]:
        statement = (
            f"SELECT {rows.READ} FROM {self._table(month)} AS events "
            f"WHERE position > %s ORDER BY position LIMIT {_AT_ONCE}"
        )
        while found := rows.events_of(connection.execute(statement, (Int8(after),), binary=True).fetchall()):
            yield from found
            after = found[-1].position

    def _take(self, connection: psycopg.Connection, month: date) -> None:
        tries = attempts(self._server.options.patience)
        next(tries)
        while True:
            try:
                with connection.transaction():
                    connection.execute(self._hold)
                    connection.execute(_A_MOMENT)
                    connection.execute(f"SELECT {self._asking.schema}.archive_month(%s)", (month,))
            except _WAITED:
                if next(tries, None) is None:
                    raise
            else:
                break
        self._learn(connection)

    def restore(self, name: str) -> int:
        """Bring a month back, in one transaction; return how many events it holds, 0 where it is not in the archive.

        Raises:
            EventStoreError: STORAGE_ERROR. CORRUPT: it does not hold what was put into it; nothing was changed.
        """
        schema = self._asking.schema
        named = f"SELECT month FROM {schema}.event_months WHERE archived AND to_char(month, 'YYYY-MM') = %s"
        with self._alone() as connection:
            row = connection.execute(named, (name,)).fetchone()
            if row is None:
                return 0
            (month,), restored = row, 0
            with connection.transaction():
                connection.execute(f"SELECT {schema}.make_table(%s)", (month,))
                for events in self._archive.contents(connection, month):
                    rows.copy_into(connection.cursor(), self._table(month), events)
                    restored += len(events)
                low, end = Known.of(connection.execute(self._asking.months).fetchall()).archived_months(0, None)[month]
                if restored != end - low - 1:
                    raise damaged_archive(name, f"it lacks chunks: {restored} of {end - low - 1} events are there")
                # Whoever begins a month takes the head first, too, and then what attaching a table takes.
                connection.execute(self._hold)
                connection.execute(f"SELECT {schema}.restore_month(%s)", (month,))
            self._learn(connection)
        return restored

    def _table(self, month: date) -> str:
        return f"{self._asking.schema}.{partition_of(month)}"

    def _learn(self, connection: psycopg.Connection) -> None:
        self._months.learn(Known.of(connection.execute(self._asking.months, binary=True).fetchall()))

    @contextmanager
    def _alone(self) -> Iterator[psycopg.Connection]:
        """Lend a connection while no other process archives or restores."""
        with self._connected() as connection:
            connection.execute(self._lock)
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        connection = self._server.connect_patiently()
        try:
            yield connection
        except psycopg.Error as error:
            raise store_error(error, self._server.name) from error
        finally:
            connection.close()
