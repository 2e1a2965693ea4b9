"""Subscribers of one process while several others write."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from kitty_status import open_store
from kitty_status.eventstore.asynchronous import AsyncEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import SECONDS, event

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.eventstore.protocol import EventStore

_ROUNDS, _WRITERS, _OWN = 25, 3, 60
_SIZES = (1, 3, 1, 70)
_WRITER = """
import sys
from kitty_status import open_store
from kitty_status.testing.event_store.base import event
url, rounds, *sizes = sys.argv[1:]
with open_store(url) as store:
    sys.stdin.read(1)
    for _ in range(int(rounds)):
        for size in map(int, sizes):
            store.append_batch([event(number, type="AB"[number % 2]) for number in range(size)])
"""


def _positions(store: EventStore, query: EventQuery, after: int, last: int) -> list[int]:
    found: list[int] = []
    with store.subscribe(query, after=after) as subscription:
        while subscription.position < last:
            each = subscription.next_within(0.5)
            if each is not None:
                found.append(each.position)
    return found


async def _positions_awaited(url: str, last: int) -> list[int]:
    found: list[int] = []
    async with AsyncEventStore(open_store(url)) as store:
        subscription = await store.subscribe(after=0)
        while len(found) < last:
            each = await subscription.next_within(SECONDS)
            assert each is not None
            found.append(each.position)
        subscription.close()
    return found


@pytest.mark.parametrize("kind", ["sqlite:{}?durability=os", "jsonl:{}?durability=os"])
def test_no_subscriber_skips_or_repeats_what_other_processes_append(tmp_path: Path, kind: str) -> None:
    url = kind.format(tmp_path / "events")
    total = _WRITERS * _ROUNDS * sum(_SIZES) + _OWN
    argv = [sys.executable, "-c", _WRITER, url, str(_ROUNDS), *map(str, _SIZES)]
    with open_store(url) as store, ThreadPoolExecutor(8) as pool:
        writers = [subprocess.Popen(argv, stdin=subprocess.PIPE) for _ in range(_WRITERS)]
        whole = [pool.submit(_positions, store, EventQuery(), 0, total) for _ in range(2)]
        filtered = pool.submit(_positions, store, EventQuery(types="B"), 0, total)
        awaited = pool.submit(asyncio.run, _positions_awaited(url, total))
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write(b".")
            writer.stdin.close()
        for number in range(_OWN):
            store.append(event(number, type="A"))
        assert [writer.wait() for writer in writers] == [0] * _WRITERS
        assert [each.result() for each in whole] == [list(range(1, total + 1))] * 2
        assert awaited.result() == list(range(1, total + 1))
        assert filtered.result() == [each.position for each in store.stream_events(EventQuery(types="B"))]
