"""The asynchronous twin of a store keeps the promises of every event store."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jsonl_stores import NOON
from kitty_status.eventstore.asynchronous import AsyncEventStore
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store import EventStoreSuite
from kitty_status.testing.event_store.base import SECONDS, event, numbers
from kitty_status.testing.event_store.twin import Twin


class TestTwinOfMemory(EventStoreSuite):
    persists = False

    def open_store(self, place: Path) -> EventStore:
        del place
        return Twin(MemoryEventStore())


class TestTwinOfSqlite(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return Twin(SqliteEventStore(place / "events.db"))


class TestTwinOfASingleFile(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return Twin(JsonlEventStore(place / "events.jsonl"))


class TestTwinOfDays(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return Twin(JsonlEventStore(place / "vault", layout="daily", clock=lambda: NOON))


class TestTwinOfDaysAndStreams(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return Twin(JsonlEventStore(place / "events", layout="per-day-and-stream"))


def test_appends_of_many_tasks_reach_the_disk_in_few_commits(tmp_path: Path) -> None:
    sizes: list[int] = []

    class Counting(SqliteEventStore):
        def commit(self, appends):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  it only counts
            sizes.append(len(appends))
            return super().commit(appends)

    async def work() -> list[int]:
        async with AsyncEventStore(Counting(tmp_path / "events.db")) as store:
            stored = await asyncio.gather(*(store.append(event(number)) for number in range(500)))
            return numbers(stored)

    assert asyncio.run(work()) == list(range(500))
    assert sum(sizes) == 500
    assert len(sizes) < 100


def test_a_handler_may_be_a_coroutine_function() -> None:
    async def work() -> list[int]:
        seen: list[int] = []
        done = asyncio.Event()

        async def handle(each: object) -> None:
            await asyncio.sleep(0)
            seen.append(getattr(each, "position", 0))
            if len(seen) == 3:
                done.set()

        async with AsyncEventStore(MemoryEventStore()) as store:
            unsubscribe = await store.subscribe(handle, after=0)
            for number in range(3):
                await store.append(event(number))
            await asyncio.wait_for(done.wait(), 30)
            await unsubscribe()
        return seen

    assert asyncio.run(work()) == [1, 2, 3]


def test_a_loop_that_is_busy_is_told_once_that_the_store_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> int:
        told: list[object] = []
        loop = asyncio.get_running_loop()
        store = MemoryEventStore()
        async with AsyncEventStore(store) as twin:
            subscription = await twin.subscribe(after=0)
            waiting = asyncio.create_task(subscription.next_within(SECONDS))
            await asyncio.sleep(0.05)
            tell = loop.call_soon_threadsafe

            def count_and_tell(callback: Callable[[], object], *arguments: Any) -> asyncio.Handle:
                told.append(callback)
                return tell(callback, *arguments)

            monkeypatch.setattr(loop, "call_soon_threadsafe", count_and_tell)
            store.append(event())
            time.sleep(0.2)  # noqa: ASYNC251  the loop is busy, that is the point
            count = len(told)
            assert (await waiting) is not None
        return count

    assert asyncio.run(work()) == 1


def test_an_append_whose_event_loop_has_ended_holds_up_no_other() -> None:
    store = MemoryEventStore()

    def tell(_: object) -> None:
        raise RuntimeError("Event loop is closed")

    for _ in range(2):
        store.append_later(store.prepared([event()]), tell)
    answered = threading.Event()
    store.append_later(store.prepared([event()]), lambda _: answered.set())
    assert answered.wait(SECONDS)
    assert store.head() == 3
    store.close()
