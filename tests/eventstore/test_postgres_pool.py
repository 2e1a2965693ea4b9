"""The connections that are lent to readers."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.measuring import Measures
from kitty_status.eventstore.postgres.connections import Options
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, events, positions

if TYPE_CHECKING:
    from collections.abc import Callable

    from on_postgres import Schemas


def test_answers_that_nobody_reads_on_leave_a_clear_error_to_others(schemas: Schemas) -> None:
    with schemas.open("a", options=Options(max_connections=1, patience=0.2)) as store:
        store.append_batch(events(1200))
        begun = store.stream_events(EventQuery(types="Counted"))
        seen = [next(begun) for _ in range(600)]
        with pytest.raises(EventStoreError, match="in use") as refusal:
            store.get_events()
        assert refusal.value.code == StoreCode.STORAGE_ERROR
        assert refusal.value.retryable
        assert "max_connections" in refusal.value.hint
        assert positions([*seen, *begun]) == positions(store.get_events())


def test_whoever_measures_keeps_no_closed_store_alive(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[Callable[[], dict[str, int]]] = []
    monkeypatch.setattr(Measures, "watch_pool", lambda _, states: watched.append(states))
    store = schemas.open("a")
    store.append(event())
    assert watched[0]().keys() == {"idle", "used", "waited for"}
    store.close()
    assert watched[0]() == {}
    kept = weakref.ref(store)
    del store
    gc.collect()
    assert kept() is None
    assert watched[0]() == {}


def test_the_pool_says_what_it_has(schemas: Schemas) -> None:
    with schemas.open("a", options=Options(min_connections=2, max_connections=3)) as store:
        store.head()
        assert store.pool_stats()["pool_max"] == 3
        assert store.pool_stats()["requests_num"] >= 1
        assert sum(store._connections().values()) >= 2
