"""A process that writes to an event store in PostgreSQL until it is told to stop, and says what was acknowledged.

    python postgres_writer.py DSN SCHEMA NAME SIZE          batches of 1 to SIZE events; a line ends it
    python postgres_writer.py DSN SCHEMA NAME seats ROUNDS  four threads take seats; each seat can be taken once

Each line of the output is JSON: the ids and positions of a batch, or a seat and what became of each attempt.
"""

# ruff: noqa: T201  what it prints is what it is for

from __future__ import annotations

import json
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from kitty_status.eventstore.backoff import attempts
from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.postgres.connections import Options
from kitty_status.eventstore.postgres.store import PostgresEventStore
from kitty_status.eventstore.query import EventQuery

PATIENT = Options(patience=60)


def write(store: PostgresEventStore, name: str, size: int) -> None:
    """Append batches until there is a line to read."""
    told = threading.Thread(target=sys.stdin.readline, daemon=True)
    told.start()
    chance = random.Random(name)  # noqa: S311  it is no secret
    number = 0
    while told.is_alive():
        batch = []
        for _ in range(chance.randint(1, size)):
            number += 1
            batch.append(NewEvent(type="Written", stream=name, id=f"{name}/{number}", tags={"writer": name}))
        stored = store.append_batch(batch)
        print(json.dumps([[each.id, each.position] for each in stored]), flush=True)


def take_seats(store: PostgresEventStore, name: str, rounds: int) -> None:
    """Try to take each seat from four threads at once."""

    def attempt(seat: int) -> str:
        tags = {"seat": str(seat)}
        guarded = {"condition": AppendCondition(EventQuery(tags=tags))} if seat % 2 else {"expected_version": 0}
        try:
            store.append(NewEvent(type="SeatTaken", stream=f"seat {seat}", data=name, tags=tags), **guarded)
        except EventStoreError as error:
            if error.code != StoreCode.CONFLICT:
                raise
            return "conflict"
        return "taken"

    with ThreadPoolExecutor(4) as pool:
        for seat in range(rounds):
            print(json.dumps(list(pool.map(attempt, [seat] * 4))), flush=True)


def opened_in_the_end(dsn: str, schema: str) -> PostgresEventStore:
    """Open a store, however often the server is not there."""
    for _ in attempts(60):
        try:
            return PostgresEventStore(dsn, schema=schema, options=PATIENT)
        except EventStoreError as error:
            if not error.retryable:
                raise
    raise TimeoutError(dsn)


if __name__ == "__main__":
    dsn, schema, who, *what = sys.argv[1:]
    with opened_in_the_end(dsn, schema) as opened:
        if what[0] == "seats":
            take_seats(opened, who, int(what[1]))
        else:
            write(opened, who, int(what[0]))
