"""What the benchmarks of event stores have in common: an event like any other, and what a piece of work takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kitty_status.eventstore.event import NewEvent

if TYPE_CHECKING:
    from collections.abc import Callable


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
