"""Event stores in PostgreSQL for tests: each place has a schema of its own."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import psycopg

from kitty_status.eventstore.postgres.connections import Options
from kitty_status.eventstore.postgres.store import PostgresEventStore

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = Options(patience=10)
# The processes of one test run share a server.
PROGRAM = f"kitty-status {os.getpid()}"


@dataclass
class Schemas:
    """Makes stores in a database, and drops their schemas in the end."""

    dsn: str
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Have connections named after this process."""
        self.dsn = psycopg.conninfo.make_conninfo(self.dsn, application_name=PROGRAM)

    def name(self, place: object) -> str:
        """Return the name of the schema for a place."""
        name = "test_" + sha256(f"{PROGRAM} {place}".encode()).hexdigest()[:20]
        self.used.add(name)
        return name

    def open(self, place: object, **options: Any) -> PostgresEventStore:
        """Open the store of a place."""
        return PostgresEventStore(self.dsn, schema=self.name(place), **({"options": QUICK} | options))

    def turn_the_month(self, place: object) -> None:
        """Let the next month begin in the store of a place, if it has one yet."""
        name = self.name(place)
        with self.stranger() as connection, connection.transaction():
            connection.execute(f"SELECT FROM {name}.event_head FOR UPDATE")
            connection.execute(
                f"SELECT {name}.begin_month((month + interval '1 month')::date, head) "  # noqa: S608
                f"FROM {name}.event_head WHERE month > '0001-01-01'"
            )

    def drop(self) -> None:
        """Drop every schema that was used."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for schema in self.used:
                connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    @contextmanager
    def stranger(self) -> Iterator[psycopg.Connection]:
        """Lend a connection of somebody who knows nothing of us."""
        with psycopg.connect(self.dsn, autocommit=True, application_name="stranger") as connection:
            yield connection


def end_connections(schemas: Schemas, like: str = "%") -> int:
    """End the connections of kitty-status whose last statement is like a text, and say how many there were."""
    with schemas.stranger() as stranger:
        row = stranger.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = %s AND query LIKE %s",
            (PROGRAM, like),
        ).fetchone()
        return int(row[0]) if row else 0
