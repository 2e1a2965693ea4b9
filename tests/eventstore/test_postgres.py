"""The event store in PostgreSQL keeps the promises of every event store."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import psycopg
import pytest

from kitty_status.eventstore.durability import Durability
from kitty_status.eventstore.postgres.connections import Options
from kitty_status.eventstore.postgres.store import PostgresEventStore
from kitty_status.testing.event_store import EventStoreSuite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kitty_status.eventstore.protocol import EventStore


class OnPostgres(EventStoreSuite):
    """The suite with a schema of its own for each place, which is dropped after the test."""

    durability = Durability()
    dsn = ""

    @pytest.fixture(autouse=True)
    def _server(self, postgres: str) -> Iterator[None]:
        self.dsn = postgres
        self.schemas: set[str] = set()
        yield
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for schema in self.schemas:
                connection.execute(psycopg.sql.SQL("DROP SCHEMA {} CASCADE").format(psycopg.sql.Identifier(schema)))

    def open_store(self, place: Path) -> EventStore:
        schema = "test_" + sha256(str(place).encode()).hexdigest()[:20]
        self.schemas.add(schema)
        return PostgresEventStore(self.dsn, schema=schema, durability=self.durability, options=Options(patience=10))


class TestPostgres(OnPostgres):
    pass
