"""Processes or threads that all want the same seat in the same moment, seat after seat."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kitty_status.eventstore.condition import NO_STREAM, AppendCondition
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier

    from kitty_status.eventstore.protocol import EventStore

    Awaited = Barrier | threading.Barrier

_LONGEST = 120.0


def compete(opener: Callable[[], EventStore], *, processes: int, seats: int) -> list[int]:
    """Return for each seat how many processes took it; every second one is guarded by the version of a stream."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(processes)
    readable, writable = os.pipe()
    children = [
        context.Process(target=_take_seats, args=(opener, barrier, seats, writable), daemon=True)
        for _ in range(processes)
    ]
    for child in children:
        child.start()
    os.close(writable)
    with os.fdopen(readable) as answers:
        taken = [int(line) for line in answers]
    for child in children:
        child.join(_LONGEST)
    assert [child.exitcode for child in children] == [0] * processes
    return [taken.count(seat) for seat in range(seats)]


def compete_in_threads(store: EventStore, *, threads: int, seats: int) -> list[int]:
    """Return for each seat how many threads took it, all in one store."""
    barrier = threading.Barrier(threads)
    taken: list[int] = []
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(_take, store, barrier, seats, taken.append) for _ in range(threads)]:
            done.result(_LONGEST)
    return [taken.count(seat) for seat in range(seats)]


def _take_seats(opener: Callable[[], EventStore], barrier: Barrier, seats: int, answers: int) -> None:
    with opener() as store:
        _take(store, barrier, seats, lambda seat: os.write(answers, f"{seat}\n".encode()))


def _take(store: EventStore, barrier: Awaited, seats: int, took: Callable[[int], object]) -> None:
    for seat in range(seats):
        barrier.wait(_LONGEST)
        if _takes(store, seat):
            took(seat)


def _takes(store: EventStore, seat: int) -> bool:
    tags = {"seat": str(seat)}
    event = NewEvent(type="SeatTaken", stream=f"seat {seat}", data=seat, tags=tags)
    try:
        if seat % 2:
            store.append(event, expected_version=NO_STREAM)
        else:
            store.append(event, condition=AppendCondition(EventQuery(tags=tags)))
    except EventStoreError as error:
        if error.code != StoreCode.CONFLICT:
            raise
        return False
    return True
