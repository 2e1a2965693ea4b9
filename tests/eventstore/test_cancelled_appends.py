"""A task that is cancelled while its append waits: the append is stored whole or not at all, and the store goes on."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from every_store import STORES
from kitty_status.eventstore.asynchronous import AsyncEventStore
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import SECONDS, event, positions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kitty_status.eventstore.event import NewEvent
    from kitty_status.eventstore.protocol import EventStore
    from kitty_status.eventstore.staging import Append, Outcome
    from on_postgres import Schemas

_TASKS = 60
_SIZE = 3


def batch(number: int) -> list[NewEvent]:
    return [event(each, id=f"{number}/{each}", stream=f"s{number % 4}") for each in range(_SIZE)]


async def check_cancelling(store: AsyncEventStore) -> None:
    """Cancel every second one of many tasks, each after it had a little more time than the one before."""
    tasks = [asyncio.create_task(store.append_batch(batch(number))) for number in range(_TASKS)]
    for number in range(0, _TASKS, 2):
        if number % 8 == 0:
            await asyncio.sleep(0)
        if number % 16 == 0:
            await asyncio.sleep(0.001)
        tasks[number].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for number, answer in enumerate(answers):
        if number % 2 or not isinstance(answer, asyncio.CancelledError):
            assert isinstance(answer, list)
            assert [each.id for each in answer] == [each.id for each in batch(number)]
    # What was handed over is on its way; it has arrived when something that came later has.
    await store.append(event(id="later"))
    everything = await store.get_events()
    assert positions(everything) == list(range(1, len(everything) + 1))
    for number in range(_TASKS):
        found = [each for each in everything if each.id.startswith(f"{number}/")]
        assert len(found) in (0, _SIZE)
        assert await store.append_batch(batch(number)) == (found or await store.get_events(_ids(number)))
    assert await store.head() == _TASKS * _SIZE + 1


def _ids(number: int) -> EventQuery:
    return EventQuery(ids=[f"{number}/{each}" for each in range(_SIZE)])


@pytest.mark.parametrize("opener", STORES.values(), ids=STORES.keys())
def test_an_append_whose_task_is_cancelled_is_whole_or_nothing_and_may_be_repeated(
    opener: Callable[[Path], EventStore], tmp_path: Path
) -> None:
    async def work() -> None:
        async with AsyncEventStore(opener(tmp_path)) as store:
            await check_cancelling(store)

    asyncio.run(work())


def test_so_it_is_in_postgres(schemas: Schemas) -> None:
    async def work() -> None:
        async with AsyncEventStore(schemas.open("a", durability=OS)) as store:
            await check_cancelling(store)

    asyncio.run(work())


def test_what_was_handed_over_is_stored_though_its_task_was_cancelled_and_what_was_not_is_not() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    class Held(MemoryEventStore):
        def commit(self, appends: Sequence[Append]) -> list[Outcome]:
            begun.set()
            assert goes_on.wait(SECONDS)
            return super().commit(appends)

    async def work() -> list[str]:
        async with AsyncEventStore(Held()) as store:
            handed_over = asyncio.create_task(store.append(event(id="handed over")))
            await asyncio.to_thread(begun.wait, SECONDS)
            waiting = asyncio.create_task(store.append(event(id="waiting")))
            await asyncio.sleep(0)
            never_begun = asyncio.create_task(store.append(event(id="never begun")))
            for task in (handed_over, waiting, never_begun):
                task.cancel()
            answers = await asyncio.gather(handed_over, waiting, never_begun, return_exceptions=True)
            assert [type(each) for each in answers] == [asyncio.CancelledError] * 3
            goes_on.set()
            await store.append(event(id="later"))
            return [each.id for each in await store.get_events()]

    assert asyncio.run(work()) == ["handed over", "waiting", "later"]


def test_a_program_that_gives_up_all_its_appends_loses_none_that_it_handed_over(tmp_path: Path) -> None:
    opener = STORES["sqlite"]

    async def work() -> None:
        async with AsyncEventStore(opener(tmp_path)) as store:
            tasks = [asyncio.create_task(store.append_batch(batch(number))) for number in range(_TASKS)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(work())
    with opener(tmp_path) as store:
        assert {each.id for each in store.get_events()} == {
            each.id for number in range(_TASKS) for each in batch(number)
        }
