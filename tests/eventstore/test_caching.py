"""Answers that were given before are given again, as long as they are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsonl_stores import NOON
from kitty_status.eventstore.caching import QueryCache
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store import EventStoreSuite
from kitty_status.testing.event_store.base import event, events, numbers
from kitty_status.testing.event_store.twin import Twin
from on_postgres import Schemas


class TestMemoryWithACache(EventStoreSuite):
    persists = False

    def open_store(self, place: Path) -> EventStore:
        del place
        return cached(MemoryEventStore())


class TestSqliteWithACache(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return cached(SqliteEventStore(place / "events.db"))


class TestASingleFileWithACache(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return cached(JsonlEventStore(place / "events.jsonl"))


class TestDaysWithACache(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return cached(JsonlEventStore(place / "events", layout="daily", clock=lambda: NOON))


class TestDaysAndStreamsWithACache(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return cached(JsonlEventStore(place / "events", layout="per-day-and-stream"))


class TestTwinOfSqliteWithACache(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return Twin(cached(SqliteEventStore(place / "events.db")))


class TestPostgresWithACache(EventStoreSuite):
    @pytest.fixture(autouse=True)
    def _schemas(self, schemas: Schemas) -> None:
        self.schemas = schemas

    def open_store(self, place: Path) -> EventStore:
        return cached(self.schemas.open(place, durability=OS))


def cached(store: EventStore) -> EventStore:
    """Return a store that remembers its answers."""
    store.cache = QueryCache()
    return store


def test_the_same_question_is_asked_once_until_the_store_grows() -> None:
    store = MemoryEventStore()
    store.cache = cache = QueryCache()
    store.append_batch(events(3))
    query = EventQuery(types=["Counted", "Else"], tags={})
    assert store.get_events(query) == store.get_events(EventQuery(types=("Else", "Counted")))
    assert (cache.hits, cache.misses) == (1, 1)
    store.append(event(4))
    assert numbers(store.get_events(query)) == [1, 2, 3, 4]
    assert (cache.hits, cache.misses) == (1, 2)


def test_queries_that_differ_have_answers_of_their_own() -> None:
    store = MemoryEventStore()
    store.cache = QueryCache()
    store.append_batch(events(3))
    assert numbers(store.get_events(EventQuery(limit=1))) == [1]
    assert numbers(store.get_events(EventQuery(limit=1, direction="desc"))) == [3]
    assert numbers(store.get_events(EventQuery(limit=1, offset=1))) == [2]
    assert numbers(store.get_events(EventQuery(before=3))) == [1, 2]


def test_a_cached_answer_can_be_changed_without_harm() -> None:
    store = MemoryEventStore()
    store.cache = QueryCache()
    store.append(event(1))
    store.get_events()[0].data["number"] = 2
    store.get_events()[0].data["number"] = 3
    assert numbers(store.get_events()) == [1]


def test_an_answer_that_is_larger_than_the_cache_is_not_kept() -> None:
    store = MemoryEventStore()
    store.cache = cache = QueryCache(max_bytes=10)
    store.append(event(1))
    assert store.get_events() == store.get_events()
    assert (cache.hits, cache.misses) == (0, 2)


def test_stores_that_share_a_cache_have_answers_of_their_own() -> None:
    one, other = MemoryEventStore(), MemoryEventStore()
    one.cache = other.cache = QueryCache()
    one.append(event(1))
    other.append(event(2))
    assert numbers(one.get_events()) == [1]
    assert numbers(other.get_events()) == [2]


def test_answers_that_say_nothing_do_not_fill_the_memory() -> None:
    store = MemoryEventStore()
    store.cache = cache = QueryCache(max_bytes=10_000)
    for number in range(100):
        assert store.get_events(EventQuery(types=f"T{number}")) == []
    for number in range(100):
        store.get_events(EventQuery(types=f"T{number}"))
    assert cache.hits < 20
