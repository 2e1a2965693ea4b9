"""What the benchmarks of event stores have in common: an event like any other, and what a piece of work takes."""

from __future__ import annotations

import threading
import time
from itertools import islice
from typing import TYPE_CHECKING

from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kitty_status.eventstore.protocol import EventStore


def event_numbered(number: int) -> NewEvent:
    """Return an event; of ten types, fifty streams and five hundred issues it has one each, by its number."""
    return NewEvent(
        type=f"T{number % 10}",
        stream=f"s{number % 50}",
        data={"number": number, "text": "the review asks for a narrower lock"},
        tags={"issueId": str(number % 500)},
    )


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def cpu_of_work(work: Callable[[], object]) -> float:
    """Return how many seconds of CPU a piece of work takes in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def crowd(callers: int, work: Callable[[], object]) -> None:
    """Let so many threads do the same work at the same time."""
    threads = [threading.Thread(target=work) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def append_some(store: EventStore, count: int) -> None:
    """Append so many events, one by one."""
    for number in range(count):
        store.append(event_numbered(number))


def append_if_alone(store: EventStore, count: int, seats: Iterator[int]) -> None:
    """Append so many events, each on the condition that nobody has taken its seat since the one before."""
    after = 0
    for seat in islice(seats, count):
        tags = {"seat": str(seat)}
        event = NewEvent(type="T", data={"number": 1, "text": "the review asks for a narrower lock"}, tags=tags)
        after = store.append(event, condition=AppendCondition(EventQuery(tags=tags), after=after)).position
