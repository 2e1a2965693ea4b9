"""The event store in PostgreSQL keeps the promises of every event store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kitty_status.eventstore.durability import OS, Durability
from kitty_status.testing.event_store import EventStoreSuite
from kitty_status.testing.event_store.twin import Twin
from on_postgres import Schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kitty_status.eventstore.protocol import EventStore


class TestPostgres(EventStoreSuite):
    archives = True
    durability = Durability()

    @pytest.fixture(autouse=True)
    def _schemas(self, postgres: str) -> Iterator[None]:
        self.schemas = Schemas(postgres)
        yield
        self.schemas.drop()

    def open_store(self, place: Path) -> EventStore:
        return self.schemas.open(place, durability=self.durability)

    def period_ends(self, place: Path) -> None:
        self.schemas.turn_the_month(place)


class TestPostgres16(TestPostgres):
    durability = OS

    @pytest.fixture(autouse=True)
    def _schemas(self, postgres_16: str) -> Iterator[None]:
        self.schemas = Schemas(postgres_16)
        yield
        self.schemas.drop()


class TestTwinOfPostgresWithLingeringCommits(TestPostgres):
    conditional_rounds = 5
    durability = Durability.parse("batch(1)")

    def open_store(self, place: Path) -> EventStore:
        return Twin(super().open_store(place))
