"""The event store in PostgreSQL, against bare statements on the same tables and the library `eventsourcing`.

What a disk takes to confirm changes from one moment to the next, so everything takes turns on one server, and wall
time is taken. All figures are "so many times as fast as".
"""

from __future__ import annotations

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import psycopg
from bench import eventsourcing_peer
from bench.measuring import Figure, in_turn, ratio
from bench.peer import CannotInstallError, Peer, python_of
from bench.places import EVENTSOURCING
from bench.store_events import timed
from psycopg.types.json import set_json_loads

import postgres_server
from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.event import Event, NewEvent
from kitty_status.eventstore.postgres.rows import BRIEF, READ, WRITTEN, copied_rows, row_of
from kitty_status.eventstore.postgres.store import PostgresEventStore
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ROUNDS = 25
_DECODED = READ.replace("::text", "")
_ONES = 100
_HUNDREDS = 10
_CALLERS = 128
_EACH = 8
_LOCKING = 16
_MANY = 1_000_000
_NOTICES = 200
_FAST_ENOUGH = 10_000
_SOON_ENOUGH = 0.1


def run(folder: Path) -> Iterator[Figure | str]:
    """Measure appends, reading, queries over a million events, and how soon a subscriber hears of an event."""
    del folder
    with (
        postgres_server.alone(18, postgres_server.DURABLE) as server,
        PostgresEventStore(server.dsn) as store,
        psycopg.connect(server.dsn, autocommit=True) as bare,
    ):
        store.append_batch([_event(number) for number in range(1000)])
        yield from _appends(store, server, bare)
        yield from _callers(store, server)
        yield from _notices(store, server)
        yield from _reads(store, server)


def _event(number: int) -> NewEvent:
    return NewEvent(
        type=f"Type{number % 5}",
        stream=f"stream {number % 50}",
        data={"number": number, "text": "some text that is not short"},
        tags={"issueId": str(number % 500), "provider": "github"},
    )


def _appends(
    store: PostgresEventStore, server: postgres_server.Server, bare: psycopg.Connection
) -> Iterator[Figure | str]:
    batch = [_event(number) for number in range(100)]
    floor = _Floor(bare)
    contestants: dict[str, Callable[[], float]] = {
        "one": lambda: timed(lambda: [store.append(_event(number)) for number in range(_ONES)]),
        "hundred": lambda: timed(lambda: [store.append_batch(batch) for _ in range(_HUNDREDS)]),
        "conditional": lambda: timed(lambda: _append_if(store)),
        "insert": lambda: timed(lambda: _repeat(floor.insert, _ONES)),
        "copy": lambda: timed(lambda: _repeat(floor.copy, _HUNDREDS)),
    }
    peer = None
    try:
        python = python_of(EVENTSOURCING, eventsourcing_peer.RELEASE)
        peer = Peer(python, eventsourcing_peer.SCRIPT, "postgres", server.folder)
    except CannotInstallError as error:
        yield str(error)
    else:
        contestants |= {
            "peer one": lambda: peer("one", _ONES),
            "peer hundred": lambda: peer("hundred", _HUNDREDS),
            "peer conditional": lambda: peer("conditional", _ONES),
        }
    times = in_turn(_ROUNDS, contestants)
    if peer is not None:
        peer.close()
        for what, target in (("one", 2.3), ("hundred", 1.7), ("conditional", 1.8)):
            name = {"one": "one append", "hundred": "a batch of 100", "conditional": "a conditional append"}[what]
            yield _faster(f"postgres, {name}", times[f"peer {what}"], times[what], target, "eventsourcing 9.5.6")
    yield _faster("postgres, one append", times["insert"], times["one"], 0.8, "INSERT into a table with these indexes")
    yield _faster("postgres, a batch of 100", times["copy"], times["hundred"], 0.8, "COPY into such a table")
    rates = [_HUNDREDS * 100 / seconds for seconds in times["hundred"]]
    low, middle, high = statistics.quantiles(rates, n=4)
    yield Figure("postgres, batches of 100", middle, _FAST_ENOUGH, "", low, high, unit="/s", at_least=True)


def _append_if(store: PostgresEventStore) -> None:
    head = store.head()
    for number in range(_ONES):
        query = EventQuery(types="Counted", tags={"issueId": str(number % 500)})
        head = store.append(_event(number), condition=AppendCondition(query, after=head)).position


class _Floor:
    """Bare statements on a table with the columns and indexes of `events`, and nothing else."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        connection.execute("CREATE TABLE floor (LIKE kitty_status.events INCLUDING ALL)")
        connection.execute("ALTER TABLE floor ALTER month SET DEFAULT '2026-01-01'; CREATE UNIQUE INDEX ON floor (id)")
        self._number = 0
        self._insert = f"INSERT INTO floor ({', '.join(WRITTEN)}) VALUES ({', '.join(['%s'] * len(WRITTEN))})"  # noqa: S608

    def _next(self) -> Event:
        self._number += 1
        new = _event(self._number)
        return Event(
            self._number,
            f"01K{self._number:023}",
            new.type,
            new.stream,
            self._number,
            datetime.now(UTC),
            new.data,
            dict(new.tags),
            {},
        )

    def insert(self) -> None:
        """Insert one event."""
        self._connection.execute(self._insert, row_of(self._next()), prepare=True)

    def copy(self) -> None:
        """Insert a hundred events."""
        rows, _ = copied_rows([self._next() for _ in range(100)])
        with self._connection.cursor().copy(f"COPY floor ({', '.join(BRIEF)}) FROM STDIN (NULL '')") as copy:
            copy.write(rows)


def _callers(store: PostgresEventStore, server: postgres_server.Server) -> Iterator[Figure]:
    dsn = server.dsn
    connections = [psycopg.connect(dsn, autocommit=True) for _ in range(_LOCKING)]
    connections[0].execute("CREATE TABLE locked (LIKE floor INCLUDING ALL)")
    connections[0].execute("CREATE SEQUENCE locked_positions OWNED BY locked.position")
    values = ", ".join(["nextval('locked_positions')", "nextval('locked_positions')", *["%s"] * (len(WRITTEN) - 2)])
    statement = f"INSERT INTO locked ({', '.join(WRITTEN)}) VALUES ({values})"  # noqa: S608

    def lock(number: int) -> None:
        connection = connections[number]
        for each in range(_CALLERS * _EACH // _LOCKING):
            event = Event(
                1, f"{number}/{each}/{time.monotonic_ns()}", "T", "s", 1, datetime.now(UTC), {}, {"a": "b"}, {}
            )
            row = row_of(event)
            with connection.transaction():
                connection.execute("LOCK TABLE locked IN EXCLUSIVE MODE")
                connection.execute(statement, row[2:], prepare=True)

    def append(number: int) -> None:
        for each in range(_EACH):
            store.append(_event(number + each))

    with ThreadPoolExecutor(_CALLERS) as pool:
        times = in_turn(
            7,
            {
                "ours": lambda: timed(lambda: list(pool.map(append, range(_CALLERS)))),
                "locked": lambda: timed(lambda: list(pool.map(lock, range(_LOCKING)))),
            },
        )
    for connection in connections:
        connection.close()
    yield _faster(
        f"postgres, {_CALLERS} callers", times["locked"], times["ours"], 3, f"LOCK TABLE, {_LOCKING} connections"
    )


def _notices(store: PostgresEventStore, server: postgres_server.Server) -> Iterator[Figure]:
    """Compare how long after an append a subscriber of another store is called with a bare notification."""
    heard = threading.Event()
    ours: list[float] = []
    bare: list[float] = []
    with (
        PostgresEventStore(server.dsn) as other,
        psycopg.connect(server.dsn, autocommit=True) as tells,
        psycopg.connect(server.dsn, autocommit=True) as hears,
    ):
        hears.execute("LISTEN bench")

        def listen() -> None:
            for _ in hears.notifies(stop_after=_NOTICES):
                heard.set()

        unsubscribe = other.subscribe(lambda _: heard.set())
        thread = threading.Thread(target=listen)
        thread.start()
        for number in range(_NOTICES):
            heard.clear()
            event = _event(number)
            store.append(event)
            ours.append(timed(heard.wait))
            time.sleep(0.002)
            heard.clear()
            start = time.perf_counter()
            tells.execute("SELECT pg_notify('bench', '1')", prepare=True)
            heard.wait()
            bare.append(time.perf_counter() - start)
            time.sleep(0.002)
        unsubscribe()
        thread.join()
    yield ratio("postgres, from an append to a subscriber", ours, bare, target=3, of="NOTIFY, from the call on")


def _reads(store: PostgresEventStore, server: postgres_server.Server) -> Iterator[Figure | str]:
    while (head := store.head()) < _MANY:
        store.append_batch([_event(number) for number in range(head, min(head + 20_000, _MANY))])
    plain = EventQuery(after=head - 100_000)
    with psycopg.connect(server.dsn) as bare:
        # The server does so by itself, within a minute.
        bare.execute("ANALYZE kitty_status.events")
        times = in_turn(
            7,
            {
                "ours": lambda: timed(lambda: sum(1 for _ in store.stream_events(plain))),
                "cursor": lambda: timed(lambda: _through_a_cursor(bare, head - 100_000, READ)),
                "decoding cursor": lambda: timed(lambda: _through_a_cursor(bare, head - 100_000, _DECODED)),
            },
        )
    name = "postgres, reading 100,000 of a million"
    yield _faster(name, times["decoding cursor"], times["ours"], 0.8, "a binary cursor that decodes JSON")
    yield _faster(name, times["cursor"], times["ours"], 0.8, "a binary cursor that leaves JSON as text")
    for name, query in (
        ("one tag", EventQuery(tags={"issueId": "77"})),
        ("a type, a tag and a time", EventQuery(types="Type2", tags={"issueId": "77"}, start="2020-01-01T00:00:00Z")),
        ("a stream", EventQuery(streams="stream 7", limit=1000)),
    ):
        seconds = [timed(lambda query=query: store.get_events(query)) for _ in range(8)][1:]  # type: ignore[misc]
        low, middle, high = (each * 1000 for each in statistics.quantiles(seconds, n=4))
        yield Figure(f"postgres, {name} in a million", middle, _SOON_ENOUGH * 1000, "", low, high, unit="ms")


def _through_a_cursor(connection: psycopg.Connection, after: int, columns: str) -> None:
    set_json_loads(msgspec.json.decode, connection)
    with connection.cursor(name="bare", binary=True) as cursor:
        cursor.execute(
            f"SELECT {columns} FROM kitty_status.events AS events WHERE position > %s ORDER BY position",  # noqa: S608
            (after,),
        )
        while cursor.fetchmany(4000):
            pass


def _faster(name: str, other: list[float], ours: list[float], target: float, of: str) -> Figure:
    return ratio(name, other, ours, target=target, of=of, at_least=True)


def _repeat(work: Callable[[], object], times: int) -> None:
    for _ in range(times):
        work()
