"""Sorting more events than there is memory for: runs of sorted events go to a temporary file and are merged."""

from __future__ import annotations

import heapq
import tempfile
from itertools import chain, pairwise
from typing import IO, TYPE_CHECKING

import msgspec

from kitty_status.eventstore.answering import behind_cursor, cut
from kitty_status.eventstore.cursor import sort_key
from kitty_status.eventstore.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kitty_status.eventstore.query import EventQuery

_IN_MEMORY = 8 << 20
_RUN = 1 << 20
_PIECE = 1 << 16
_LEAST, _TOGETHER = 1 << 12, 1 << 20
_encode, _encode_lines = msgspec.json.Encoder().encode, msgspec.json.Encoder().encode_lines
_decode_lines = msgspec.json.Decoder(Event).decode_lines


def in_order(query: EventQuery, events: Iterable[Event]) -> Iterator[Event]:
    """Yield the answer to a query from all events that match it."""
    runs = _runs(behind_cursor(query, events))
    first = next(runs, [])
    second = next(runs, None)
    if second is None:
        yield from cut(query, sorted(first, key=_key_of(query), reverse=query.is_backwards))
        return
    held = [first, second]
    first, second = [], []
    yield from merged(query, chain(_given_away(held), runs), ())


def _runs(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Yield events in lists that take some megabytes each."""
    run: list[Event] = []
    size = 0
    for event in events:
        run.append(event)
        size += len(_encode(event))
        if size > _RUN:
            yield run
            run, size = [], 0
    if run:
        yield run


def _given_away(runs: list[list[Event]]) -> Iterator[list[Event]]:
    while runs:
        yield runs.pop(0)


def merged(query: EventQuery, runs: Iterable[Iterable[Event]], others: Iterable[Event]) -> Iterator[Event]:
    """Yield the answer to a query from runs of matching events and from others, which are in its order already.

    A run is held while it is sorted, afterwards only a piece of each: what exceeds some megabytes waits in a file.
    """
    key = _key_of(query)
    wanted = None if query.limit is None else query.offset + query.limit
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        ends = [0]
        for run in runs:
            events = sorted(behind_cursor(query, run), key=key, reverse=query.is_backwards)[:wanted]
            ends.append(ends[-1] + file.write(_encode_lines(events)))
        # However many runs there are, what is read of all of them fits into memory.
        piece = max(_LEAST, min(_PIECE, _TOGETHER // len(ends)))
        sources = [_read(file, start, end, piece) for start, end in pairwise(ends)]
        yield from cut(query, heapq.merge(*sources, others, key=key, reverse=query.is_backwards))


def _key_of(query: EventQuery) -> Callable[[Event], tuple[str | int, int]]:
    return lambda event: (sort_key(event, query.order), event.position)


def _read(file: IO[bytes], start: int, end: int, piece: int) -> Iterator[Event]:
    while start < end:
        file.seek(start)
        data = file.read(min(piece, end - start))
        cut = data.rfind(b"\n") + 1
        if not cut:
            data += file.readline()
            cut = len(data)
        yield from _decode_lines(data[:cut])
        start += cut
