"""Files that are read side by side: their events in the order of positions, with no more in memory than was just read.

Positions have no gap, so an event is laid down under its own and taken up when its turn comes. Nothing is compared.
Where two files have an event at one position, `twice` is told of both, and the one with the lesser id is taken.
"""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kitty_status.eventstore.event import Event


_FEW = 8
_id = attrgetter("id")


def merged(
    sources: Sequence[Iterator[list[Event]]], after: int, twice: Callable[[Event, Event], None]
) -> Iterator[list[Event]]:
    """Yield the events behind a position in lists, from sources that give theirs in lists, in order."""
    laid: dict[int, Event] = {}
    furthest = [(after, number) for number in range(len(sources))]
    heapify(furthest)
    while furthest:
        reached, number = furthest[0]
        if reached > after:
            if taken := [laid.pop(position) for position in _those_in(laid, after + 1, reached)]:
                yield taken
            after = reached
        events = next(sources[number], None)
        if events is None:
            heappop(furthest)
        elif events:
            _lay({event.position: event for event in events if event.position > after}, laid, twice)
            heapreplace(furthest, (max(reached, events[-1].position), number))
    if laid:
        yield [laid[position] for position in sorted(laid)]


def _lay(new: dict[int, Event], laid: dict[int, Event], twice: Callable[[Event, Event], None]) -> None:
    if not laid.keys().isdisjoint(new):
        for position in laid.keys() & new.keys():
            new[position], other = sorted((laid[position], new[position]), key=_id)
            twice(new[position], other)
    laid.update(new)


def _those_in(laid: dict[int, Event], first: int, last: int) -> list[int]:
    """Return the positions from one to another that are laid down, in order; where few are, none is counted up to."""
    if last - first > _FEW * len(laid):
        return sorted(position for position in laid if first <= position <= last)
    return [position for position in range(first, last + 1) if position in laid]


def merged_backwards(
    sources: Sequence[Iterator[list[Event]]], last: int, twice: Callable[[Event, Event], None]
) -> Iterator[list[Event]]:
    """Yield the events up to a position in lists, the last list first, from sources that give theirs like this."""
    laid: dict[int, Event] = {}
    furthest = [(-last - 1, number) for number in range(len(sources))]
    heapify(furthest)
    while furthest:
        reached, number = -furthest[0][0], furthest[0][1]
        if reached <= last:
            if taken := [laid.pop(position) for position in _those_in(laid, reached, last)]:
                yield taken
            last = reached - 1
        events = next(sources[number], None)
        if events is None:
            heappop(furthest)
        elif events:
            _lay({event.position: event for event in events if event.position <= last}, laid, twice)
            heapreplace(furthest, (-min(reached, events[0].position), number))
    if laid:
        yield [laid[position] for position in sorted(laid)]
