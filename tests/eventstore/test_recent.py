"""The newest events that a store keeps for its subscribers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kitty_status.eventstore import recent
from kitty_status.eventstore.asynchronous import AsyncEventStore
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.recent import Recent, decode
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store.base import SECONDS, event, events, positions

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.eventstore.event import Event


class _Subscriber:
    pass


@pytest.fixture
def stored() -> list[Event]:
    return MemoryEventStore().append_batch(events(400))


@pytest.fixture
def subscriber() -> _Subscriber:
    return _Subscriber()


@pytest.fixture
def kept(subscriber: _Subscriber) -> Recent:
    kept = Recent()
    kept.serve(subscriber)
    return kept


def numbers(kept: Recent, after: int) -> list[int]:
    return positions(map(decode, kept.after(after)))


def test_what_follows_on_what_is_kept_is_kept_with_it(kept: Recent, stored: list[Event]) -> None:
    assert kept.after(0) == []
    kept.add(stored[9:12])
    kept.add(stored[12:13])
    kept.add(stored[11:14])
    assert numbers(kept, 9) == [10, 11, 12, 13, 14]
    assert numbers(kept, 12) == [13, 14]
    assert [numbers(kept, position) for position in (0, 8, 14, 99)] == [[], [], [], []]


def test_nothing_is_kept_across_a_gap(kept: Recent, stored: list[Event]) -> None:
    kept.add(stored[:3])
    kept.add(stored[4:6])
    assert (numbers(kept, 0), numbers(kept, 4)) == ([], [5, 6])
    kept.add([stored[1], stored[8], stored[9]])
    assert (numbers(kept, 4), numbers(kept, 8)) == ([], [9, 10])
    kept.add(stored[:2])
    assert numbers(kept, 8) == [9, 10], "older ones do not take the place of newer ones"
    kept.add(stored[6:12])
    assert numbers(kept, 6) == [7, 8, 9, 10, 11, 12]


def test_what_is_kept_is_bounded_in_number_and_in_bytes(
    kept: Recent, stored: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.add(stored)
    assert kept.after(399) == [], "so many at once are read from the store"
    kept.add(stored[:200])
    kept.add(stored[200:])
    assert numbers(kept, 144) == list(range(145, 401))
    assert kept.after(143) == []
    monkeypatch.setattr(recent, "MOST_BYTES", 10 * len(kept.after(399)[0]))
    store = MemoryEventStore()
    store.recent = kept
    store._events = [("", "", b"")] * 400
    store._head = 400
    store.append(event(data={"text": "short"}))
    assert 0 < len(kept.after(401 - 5)) <= 5
    store.append(event(data={"text": "long" * 1000}))
    assert kept.after(401) == []
    assert kept._kept[1:] == ([], 0)


def test_nothing_is_kept_for_nobody(kept: Recent, stored: list[Event], subscriber: _Subscriber) -> None:
    kept.leave(subscriber)
    kept.add(stored[:1])
    assert kept.after(0) == []
    kept.serve(_Subscriber())
    kept.add(stored[:1])
    assert kept.after(0) == [], "who is gone without a word counts no more"


def test_a_subscriber_that_has_seen_everything_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryEventStore()
    with store.subscribe(after=0) as subscription, store.subscribe(EventQuery(types="Wanted")) as filtered:
        store.append_batch(events(3))
        monkeypatch.setattr(store, "stream_events", None)
        first = [subscription.next_within(SECONDS) for _ in range(3)]
        assert positions(filter(None, first)) == [1, 2, 3]
        assert filtered.next_within(0) is None
        assert filtered.position == 3
        stored = store.append(event(type="Wanted"))
        found = filtered.next_within(SECONDS)
        assert found == stored
        assert found is not stored, "what a reader changes is nobody else's"


def test_what_others_commit_between_is_read(tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "x.db") as store, SqliteEventStore(tmp_path / "x.db") as other:
        subscription = store.subscribe()
        store.append(event(1))
        other.append_batch(events(2))
        store.append(event(4))
        found = [subscription.next_within(SECONDS) for _ in range(4)]
        assert positions(filter(None, found)) == [1, 2, 3, 4]
        assert subscription.next_within(0) is None
        subscription.close()


def test_a_task_that_has_seen_everything_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def subscribe() -> None:
        store = MemoryEventStore()
        async with AsyncEventStore(store) as twin:
            subscription = await twin.subscribe(EventQuery(types="Wanted"), after=0)
            waiting = asyncio.create_task(subscription.next_within(SECONDS))
            await asyncio.sleep(0)
            monkeypatch.setattr(store, "stream_events", None)
            await twin.append_batch([event(1), event(2, type="Wanted"), event(3)])
            found = await waiting
            assert found is not None
            assert found.position == 2
            assert await subscription.next_within(0) is None
            assert subscription.position == 3
            subscription.close()

    asyncio.run(subscribe())
