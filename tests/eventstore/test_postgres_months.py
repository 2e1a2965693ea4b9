"""No reader misses an event because a month has just begun.

PostgreSQL plans a statement before it takes its snapshot. What was attached to `events` in between is no part of the
plan, though `event_head` already shows the events in it; readers of the store name the tables of months instead.
"""

# ruff: noqa: S608  every name is the test's own

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import pytest

from kitty_status.eventstore.errors import EventStoreError
from kitty_status.eventstore.postgres.months import Known
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, events, positions

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.eventstore.postgres.store import PostgresEventStore
    from on_postgres import Schemas

MONTHS = int(os.environ.get("KITTY_STATUS_PROOF_MONTHS", "60"))


def a_month_for_each_event(schemas: Schemas, name: str) -> None:
    """Let a month begin with every event."""
    with schemas.stranger() as stranger:
        stranger.execute(
            f"CREATE OR REPLACE FUNCTION {name}.month_to_write_to() RETURNS date LANGUAGE sql STABLE "
            f"AS $$ SELECT (date '1000-01-01' + head * interval '1 month')::date FROM {name}.event_head $$"
        )


def by_position(reader: PostgresEventStore, after: int, head: int) -> list[int]:
    return positions(reader.get_events(EventQuery(after=after, before=head + 1)))


def filtered(reader: PostgresEventStore, after: int, head: int) -> list[int]:
    found = positions(reader.get_events(EventQuery(types="Counted", tags={"a": "b"}, after=after)))
    return [position for position in found if position <= head]


def counted(reader: PostgresEventStore, after: int, head: int) -> list[int]:
    assert reader.count_events(EventQuery(types="Counted", after=after)) >= head - after
    return list(range(after + 1, head + 1))


@pytest.mark.parametrize("ask", [by_position, filtered, counted])
def test_no_reader_misses_the_first_event_of_a_month(
    schemas: Schemas, ask: Callable[[PostgresEventStore, int, int], list[int]]
) -> None:
    with schemas.open("a") as store, schemas.open("a") as other, schemas.open("a") as reader:
        a_month_for_each_event(schemas, schemas.name("a"))

        def read_on(_: int) -> list[int]:
            seen: list[int] = []
            while len(seen) < MONTHS:
                head = reader.head()
                if head > len(seen):
                    seen += ask(reader, len(seen), head)
                    assert len(seen) == head, "an event was there, and was not read"
            return seen

        with ThreadPoolExecutor(3) as pool:
            readers = [pool.submit(read_on, number) for number in range(3)]
            for number in range(MONTHS):
                (store, other)[number % 2].append(event(tags={"a": "b"}))
            for each in readers:
                assert each.result() == list(range(1, MONTHS + 1))


@pytest.mark.parametrize("query", [EventQuery(), EventQuery(types="Counted"), EventQuery(order_by="timestamp")])
def test_a_month_that_begins_while_a_question_waits_is_part_of_the_answer(schemas: Schemas, query: EventQuery) -> None:
    # A question that waits for a lock was planned, or is about to be, with the months of before.
    name = schemas.name("a")
    with schemas.open("a") as store, schemas.open("a") as reader, schemas.stranger() as stranger:
        a_month_for_each_event(schemas, name)
        store.append(event())
        assert positions(reader.get_events(query)) == [1]
        with ThreadPoolExecutor(1) as pool:
            with stranger.transaction():
                stranger.execute(f"LOCK TABLE {name}.events_1000_01 IN ACCESS EXCLUSIVE MODE")
                answer = pool.submit(reader.get_events, query)
                waits = f"SELECT FROM pg_locks WHERE NOT granted AND relation = '{name}.events_1000_01'::regclass"
                deadline = time.monotonic() + 30
                while not stranger.execute(waits).fetchall():
                    assert time.monotonic() < deadline
                assert store.append(event()).position == 2
            assert positions(answer.result(30)) == [1, 2]


def test_the_questions_that_find_nothing_in_the_months_that_are_known_look_into_the_new_one(schemas: Schemas) -> None:
    with schemas.open("a") as store, schemas.open("a") as reader:
        questions: list[Callable[[], bool]] = [
            lambda: reader.get_event("new 0") is not None,
            lambda: reader.get_events(EventQuery(streams="new 1")) != [],
            lambda: reader.count_events(EventQuery(types="New 2")) == 1,
            lambda: "New 3" in reader.get_event_types(),
            lambda: reader.get_tags()["a"][-1] == "new 4",
            lambda: len(reader.get_event_files()) == 1,
            lambda: reader.create_snapshot("new 6", 1, {}).position == 8,
            lambda: "events_1000_08" in reader.explain(EventQuery(order_by="type")),
        ]
        a_month_for_each_event(schemas, schemas.name("a"))
        store.append(event(type="First", tags={"a": "1"}))
        assert reader.get_event_types() == ["First"]
        for number, ask in enumerate(questions):
            new = f"new {number}"
            store.append(event(id=new, stream=new, type=new.capitalize(), tags={"a": new}))
            assert ask(), number


def test_the_next_month_has_its_partition_before_it_begins(schemas: Schemas) -> None:
    name = schemas.name("a")
    with schemas.open("a") as store, schemas.stranger() as stranger:
        a_month_for_each_event(schemas, name)
        store.append(event())
        there = stranger.execute("SELECT relid::regclass::text FROM pg_partition_tree(%s)", (f"{name}.events",))
        assert [row[0].partition(".")[2] for row in there] == ["events", "events_1000_01", "events_1000_02"]
        assert stranger.execute(f"SELECT month::text FROM {name}.event_months").fetchall() == [("1000-01-01",)]
        store.append_batch(events(2))
        assert stranger.execute(f"SELECT after_position FROM {name}.event_months ORDER BY 1").fetchall() == [(0,), (1,)]


def test_a_table_that_is_gone_is_an_error_and_never_a_shorter_answer(schemas: Schemas) -> None:
    name = schemas.name("a")
    with schemas.open("a") as store, schemas.stranger() as stranger:
        a_month_for_each_event(schemas, name)
        for _ in range(3):
            store.append(event())
        stranger.execute(f"DROP TABLE {name}.events_1000_02")
        for ask in (store.get_events, store.get_event_types, store.get_tags):
            with pytest.raises(EventStoreError, match="events_1000_02"):
                ask()
        # Whoever says that a month is gone has it left out.
        stranger.execute(f"ALTER TABLE {name}.event_months DISABLE TRIGGER ALL")
        stranger.execute(f"DELETE FROM {name}.event_months WHERE month = '1000-02-01'")
        assert positions(store.get_events()) == [1, 3]


def test_months_are_those_that_positions_may_lie_in() -> None:
    jan, feb, mar = (date(2026, month, 1) for month in (1, 2, 3))
    known = Known.of([(feb, 10, False, 0), (jan, 0, False, 0), (mar, 20, False, 0)])
    assert known.newest == mar
    for first, before, months in (
        (1, None, (jan, feb, mar)),
        (1, 11, (jan,)),
        (1, 12, (jan, feb)),
        (10, 11, (jan,)),
        (11, 12, (feb,)),
        (11, 22, (feb, mar)),
        (21, None, (mar,)),
        (500, 600, (mar,)),
        (5, 3, (jan,)),
        (1, 0, (jan,)),
    ):
        assert known.holding(first, before) == months
    assert Known().holding(1, None) == ()
