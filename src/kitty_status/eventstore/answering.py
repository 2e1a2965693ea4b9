"""The answer to a query from events that come one by one, for backends that have no query language of their own."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from kitty_status.eventstore.cursor import sort_key
from kitty_status.eventstore.query import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.query import EventQuery


def answer(query: EventQuery, oldest_first: Iterable[Event], *, newest_first: Iterable[Event]) -> Iterator[Event]:
    """Return the answer from all events, of which only those that are asked for need to be among what is given.

    Sorted by position, nothing is kept; in any other order, the matching events are held while they are sorted.
    """
    if query.order is Order.POSITION:
        found: Iterable[Event] = filter(query.matches, newest_first if query.is_backwards else oldest_first)
    else:
        found = sorted(
            filter(query.matches, oldest_first),
            key=lambda event: (sort_key(event, query.order), event.position),
            reverse=query.is_backwards,
        )
    return cut(query, behind_cursor(query, found))


def cut(query: EventQuery, found: Iterable[Event]) -> Iterator[Event]:
    """Return as much of an answer as is wanted: what the query's offset and limit leave of it."""
    return islice(found, query.offset, None if query.limit is None else query.offset + query.limit)


def behind_cursor(query: EventQuery, found: Iterable[Event]) -> Iterable[Event]:
    """Return those events that come behind the query's cursor, in its order."""
    behind = query.behind
    if behind is None:
        return found
    places = ((event, (sort_key(event, query.order), event.position)) for event in found)
    return (event for event, place in places if (place < behind if query.is_backwards else place > behind))
