"""The event store in SQLite, against bare statements on the same tables, bare writes and bare notifications.

What a disk takes to confirm changes from one moment to the next, so everything takes turns, and wall time is taken.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measuring import Figure, in_turn, ratio
from bench.notices import notices
from bench.places import RESULTS
from bench.store_events import append_some, cpu_of_work, crowd, event_numbered, timed

from kitty_status.clock import event_ids
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.sqlite.asking import COLUMNS
from kitty_status.eventstore.sqlite.schema import prepare
from kitty_status.eventstore.sqlite.store import SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_APPENDS = 250
# Of each size so many rounds, each of so many batches: what the disk takes for one of them says little.
_BATCHES = {100: (30, 10), 10_000: (9, 1)}
_CALLERS = 64
_EACH = 20
_LARGE = 1_000_000
_EVENT = f"INSERT OR ROLLBACK INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  the names are ours
_TAG = "INSERT OR ROLLBACK INTO event_tags (key, value, position) VALUES (?, ?, ?)"


def run(folder: Path) -> Iterator[Figure]:
    """Measure appends, how soon subscribers hear of events, then reading a million events and asking for some."""
    # Beside the results: a folder for temporary files may be no disk at all.
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as here:
        yield from _batches(Path(here))
        yield from _singles(Path(here))
        yield from notices(Path(here), "sqlite")
    yield from _reads(folder)


def _batches(here: Path) -> Iterator[Figure]:
    for size, (rounds, each) in _BATCHES.items():
        batch = [event_numbered(number) for number in range(size)]
        with SqliteEventStore(here / f"{size}.db") as store, closing(_Bare(here / f"bare {size}.db")) as bare:
            times = in_turn(
                rounds,
                {
                    "bare": partial(_repeated, each, partial(bare.append, size)),
                    "ours": partial(_repeated, each, partial(timed, partial(store.append_batch, batch))),
                },
            )
        name = f"sqlite, durable batches of {size:,}"
        yield ratio(
            name, times["bare"], times["ours"], target=0.85, of="executemany, same tables, all encoded", at_least=True
        )
        rates = [size * each / seconds for seconds in times["ours"]]
        low, middle, high = statistics.quantiles(rates, n=4)
        yield Figure(name, middle, 10_000, "", low, high, unit="/s", at_least=True)


def _repeated(times: int, work: Callable[[], float]) -> float:
    return sum(work() for _ in range(times))


class _Bare:
    """A connection to the same tables, whose rows are made before the time is taken."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        prepare(self._connection, str(path))
        self._head = 0
        self._versions: dict[str, int] = {}

    def append(self, size: int) -> float:
        """Insert as many events as the store is given, with the same values, and return the seconds that it took."""
        rows, tags = self._rows(size)

        def insert() -> None:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_EVENT, rows)
            self._connection.executemany(_TAG, tags)
            self._connection.execute("COMMIT")

        return timed(insert)

    def _rows(self, size: int) -> tuple[list[tuple[object, ...]], list[tuple[str, str, int]]]:
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        rows: list[tuple[object, ...]] = []
        tags = []
        for number, event_id in enumerate(event_ids.mint_many(size)):
            self._head += 1
            stream, issue = f"s{number % 50}", str(number % 500)
            version = self._versions[stream] = self._versions.get(stream, 0) + 1
            data = f'{{"number":{number},"text":"the review asks for a narrower lock"}}'
            rows.append(
                (self._head, event_id, f"T{number % 10}", stream, version, at, data, f'{{"issueId":"{issue}"}}', "{}")
            )
            tags.append(("issueId", issue, self._head))
        return rows, tags

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def _singles(here: Path) -> Iterator[Figure]:
    line = b"x" * 210 + b"\n"
    raw = os.open(here / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with SqliteEventStore(here / "one.db") as store, closing(_Bare(here / "bare one.db")) as bare:
        one = in_turn(
            _APPENDS,
            {
                "raw": lambda: _raw(raw, line),
                "bare": lambda: bare.append(1),
                "ours": lambda: timed(lambda: store.append(event_numbered(1))),
            },
        )
        crowded = in_turn(7, {"bare": lambda: _alone(bare), "ours": lambda: _crowd(store)})
    os.close(raw)
    name = "sqlite, one durable append"
    yield ratio(name, one["bare"], one["ours"], target=0.7, of="the same by bare statements", at_least=True)
    yield ratio(name, one["raw"], one["ours"], target=0.5, of="write and fdatasync, descriptor held", at_least=True)
    of = "one bare transaction after the other"
    yield ratio(f"sqlite, {_CALLERS} callers", crowded["bare"], crowded["ours"], target=3, of=of, at_least=True)


def _alone(bare: _Bare) -> float:
    return _repeated(_EACH, partial(bare.append, 1)) * _CALLERS


def _raw(descriptor: int, data: bytes) -> float:
    def write() -> None:
        os.write(descriptor, data)
        os.fdatasync(descriptor)

    return timed(write)


def _crowd(store: SqliteEventStore) -> float:
    return timed(lambda: crowd(_CALLERS, lambda: append_some(store, _EACH)))


def _reads(folder: Path) -> Iterator[Figure]:
    path = folder / "events.db"
    with SqliteEventStore(path, durability=OS) as store, closing(sqlite3.connect(path)) as bare:
        for first in range(0, _LARGE, 10_000):
            store.append_batch([event_numbered(number) for number in range(first, first + 10_000)])
        last = f"SELECT {COLUMNS} FROM events WHERE position > ? ORDER BY position"  # noqa: S608  the names are ours
        after = _LARGE - 200_000
        everything = in_turn(
            7,
            {
                "bare": lambda: cpu_of_work(lambda: bare.execute(last, (after,)).fetchall()),
                "ours": lambda: cpu_of_work(lambda: sum(1 for _ in store.stream_events(EventQuery(after=after)))),
                "list": lambda: cpu_of_work(lambda: store.get_events(EventQuery(after=after))),
            },
        )
        of = "fetchall, which decodes nothing"
        name = "sqlite, reading 200,000 of a million"
        yield ratio(name, everything["bare"], everything["ours"], target=0.7, of=of, at_least=True)
        name = "sqlite, the same as one list"
        yield ratio(name, everything["bare"], everything["list"], target=0.7, of=of, at_least=True)
        for name, query in (
            ("one tag", EventQuery(tags={"issueId": "7"})),
            ("a type, a tag and a time", EventQuery(types="T7", tags={"issueId": "7"}, start="2020-01-01T00:00:00Z")),
            ("a stream", EventQuery(streams="s7", limit=1000)),
        ):
            seconds = [timed(lambda query=query: store.get_events(query)) for _ in range(8)][1:]  # type: ignore[misc]
            low, middle, high = (each * 1000 for each in statistics.quantiles(seconds, n=4))
            yield Figure(f"sqlite, {name} in a million", middle, 100, "", low, high, unit="ms")
