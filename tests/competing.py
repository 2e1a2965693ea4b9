"""Processes or threads that all want the same in the same moment, round after round."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.condition import NO_STREAM, AppendCondition
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier
    from typing import TypeAlias

    from kitty_status.eventstore.protocol import EventStore

    Opener: TypeAlias = Callable[[], EventStore]
    # A store, the round and the number of the process; what is returned becomes JSON.
    Attempt: TypeAlias = Callable[[EventStore, int, int], object]

_LONGEST = 120.0


def at_once(opener: Opener, attempt: Attempt, *, processes: int, rounds: int) -> list[list[Any]]:
    """Let processes attempt something in the same moment, and return for each round what they answered."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(processes)
    readable, writable = os.pipe()
    children = [
        context.Process(target=_attempts, args=(opener, _of(attempt, number), barrier, rounds, writable))
        for number in range(processes)
    ]
    for child in children:
        child.start()
    os.close(writable)
    with os.fdopen(readable) as answers:
        told = [json.loads(line) for line in answers]
    for child in children:
        child.join(_LONGEST)
    assert [child.exitcode for child in children] == [0] * processes
    return [[answer for of_round, answer in told if of_round == number] for number in range(rounds)]


def in_threads(store: EventStore, attempt: Attempt, *, threads: int, rounds: int) -> list[list[Any]]:
    """Let threads attempt something in the same moment, all in one store; see `at_once`."""
    barrier = threading.Barrier(threads)

    def attempts(number: int) -> list[object]:
        answers = []
        for of_round in range(rounds):
            barrier.wait(_LONGEST)
            answers.append(attempt(store, of_round, number))
        return answers

    with ThreadPoolExecutor(threads) as pool:
        of_threads = list(pool.map(attempts, range(threads)))
    return [list(answers) for answers in zip(*of_threads, strict=True)]


def _of(attempt: Attempt, number: int) -> Callable[[EventStore, int], object]:
    return lambda store, of_round: attempt(store, of_round, number)


def _attempts(
    opener: Opener, attempt: Callable[[EventStore, int], object], barrier: Barrier, rounds: int, answers: int
) -> None:
    with opener() as store:
        for of_round in range(rounds):
            barrier.wait(_LONGEST)
            line = json.dumps([of_round, attempt(store, of_round)])
            os.write(answers, f"{line}\n".encode())


def takes_seat(store: EventStore, seat: int, _: int) -> bool:
    """Take a seat, and say whether it was still free; every second one is guarded by the version of a stream."""
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
