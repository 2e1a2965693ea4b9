"""The event stores in files, against the library `eventsourcing` on SQLite and the server UmaDB.

All take turns in one run on one file system, each writes durably, and wall time is taken. The peers encode nothing, or
as little as they can; our stores are given events as a program has them, and check, number and encode them.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bench import eventsourcing_peer, umadb_peer
from bench.measuring import in_turn, ratio
from bench.peer import CannotInstallError, Peer, python_of
from bench.places import EVENTSOURCING, RESULTS, UMADB
from bench.store_events import append_if_alone, append_some, crowd, event_numbered, timed

from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.sqlite.store import SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.measuring import Figure

    from kitty_status.eventstore.protocol import EventStore

_ROUNDS = 15
_ONES = 50
_HUNDREDS = 10
_CALLERS = 64
_EACH = 20
_MANY = 100_000
_LIBRARY, _SERVER = "eventsourcing 9.5.6 on SQLite", "UmaDB 0.7.8"


def run(folder: Path) -> Iterator[Figure | str]:
    """Measure appends, appends of many callers, conditional appends, reading everything and reading one tag."""
    del folder
    # Beside the results: a folder for temporary files may be no disk at all.
    RESULTS.mkdir(exist_ok=True)
    try:
        pythons = (
            python_of(EVENTSOURCING, eventsourcing_peer.RELEASE),
            python_of(UMADB, umadb_peer.RELEASE),
        )
    except CannotInstallError as error:
        yield str(error)
        return
    with tempfile.TemporaryDirectory(dir=RESULTS) as place, ExitStack() as open_now:
        here = Path(place)
        library = open_now.enter_context(
            Peer(pythons[0], eventsourcing_peer.SCRIPT, "sqlite", str(here / "eventsourcing.db"))
        )
        server = open_now.enter_context(Peer(pythons[1], umadb_peer.SCRIPT, str(here), str(_CALLERS)))
        stores: dict[str, EventStore] = {
            "jsonl": open_now.enter_context(JsonlEventStore(here / "events.jsonl")),
            "sqlite": open_now.enter_context(SqliteEventStore(here / "events.db")),
        }
        yield from _appends(stores, library, server)
        yield from _callers(stores, server)
        yield from _reads(stores, library, server)


def _appends(stores: dict[str, EventStore], library: Peer, server: Peer) -> Iterator[Figure]:
    seats = count()
    batch = [event_numbered(number) for number in range(100)]
    works: dict[str, Callable[[EventStore], object]] = {
        "one": lambda store: append_some(store, _ONES),
        "hundred": lambda store: [store.append_batch(batch) for _ in range(_HUNDREDS)],
        "conditional": lambda store: append_if_alone(store, _ONES, seats),
    }
    contestants: dict[str, Callable[[], float]] = {
        "library one": lambda: library("one", _ONES),
        "library hundred": lambda: library("hundred", _HUNDREDS),
        "server one": lambda: server("one", _ONES),
        "server hundred": lambda: server("hundred", _HUNDREDS),
        "server conditional": lambda: server("conditional", _ONES),
    }
    times = in_turn(_ROUNDS, contestants | _ours(stores, works))
    for name in stores:
        for what, words, target in (("one", "one append", 1), ("hundred", "batches of 100", 1.5)):
            yield _faster(f"{name}, {words}", times[f"library {what}"], times[f"{name} {what}"], target, _LIBRARY)
            yield _faster(f"{name}, {words}", times[f"server {what}"], times[f"{name} {what}"], 1, _SERVER)
        conditional = times[f"{name} conditional"]
        yield _faster(f"{name}, a conditional append", times["server conditional"], conditional, 1, _SERVER)


def _callers(stores: dict[str, EventStore], server: Peer) -> Iterator[Figure]:
    seats = count(1_000_000)
    works: dict[str, Callable[[EventStore], object]] = {
        "crowd": lambda store: crowd(_CALLERS, lambda: append_some(store, _EACH)),
        "conditional": lambda store: crowd(_CALLERS, lambda: append_if_alone(store, _EACH, seats)),
    }
    contestants: dict[str, Callable[[], float]] = {
        "server crowd": lambda: server("crowd", _EACH),
        "server conditional": lambda: server("conditional-crowd", _EACH),
    }
    times = in_turn(_ROUNDS, contestants | _ours(stores, works))
    for name in stores:
        of = f"{_SERVER}, as many callers"
        yield _faster(f"{name}, {_CALLERS} callers", times["server crowd"], times[f"{name} crowd"], 3, of)
        conditional = times[f"{name} conditional"]
        yield _faster(f"{name}, {_CALLERS} conditional callers", times["server conditional"], conditional, 1, of)


def _reads(stores: dict[str, EventStore], library: Peer, server: Peer) -> Iterator[Figure]:
    """Read stores of as many events; what the appends before have left is the smaller part of them."""
    for store in stores.values():
        for first in range(0, _MANY, 10_000):
            store.append_batch([event_numbered(number) for number in range(first, first + 10_000)])
    library("hundred", _MANY // 100)
    server("fill", _MANY)
    tag = EventQuery(tags={"issueId": "7"})
    works: dict[str, Callable[[EventStore], object]] = {
        "all": lambda store: sum(1 for _ in store.stream_events()),
        "tag": lambda store: store.get_events(tag),
    }
    contestants: dict[str, Callable[[], float]] = {
        "library all": lambda: library("all"),
        "server all": lambda: server("all"),
        "server decoded": lambda: server("decoded"),
        "server tag": lambda: server("tag"),
    }
    times = in_turn(_ROUNDS, contestants | _ours(stores, works))
    for name in stores:
        words = f"{name}, reading everything"
        ours = times[f"{name} all"]
        yield _faster(words, times["library all"], ours, 1, f"{_LIBRARY}, data as bytes")
        yield _faster(words, times["server all"], ours, 1, f"{_SERVER}, data as bytes")
        yield _faster(words, times["server decoded"], ours, 1, f"{_SERVER}, data decoded by json")
        yield _faster(f"{name}, reading one tag", times["server tag"], times[f"{name} tag"], 1, _SERVER)


def _ours(
    stores: dict[str, EventStore], works: dict[str, Callable[[EventStore], object]]
) -> dict[str, Callable[[], float]]:
    return {
        f"{name} {what}": lambda store=store, work=work: timed(lambda: work(store))  # type: ignore[misc]
        for name, store in stores.items()
        for what, work in works.items()
    }


def _faster(name: str, other: list[float], ours: list[float], target: float, of: str) -> Figure:
    return ratio(name, other, ours, target=target, of=of, at_least=True)
