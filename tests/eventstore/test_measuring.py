"""What a store tells OpenTelemetry about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from kitty_status import open_store
from kitty_status.eventstore import measuring
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.measuring import Measures
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import event, events, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kitty_status.eventstore.event import Event


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    monkeypatch.setattr(measuring, "_meter", lambda: provider.get_meter(measuring.METER))
    return reader


def figures(reader: InMemoryMetricReader) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    data: Any = reader.get_metrics_data()
    found: dict[str, list[tuple[dict[str, Any], Any]]] = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        for point in metric.data.data_points:
            value = point.value if hasattr(point, "value") else (point.count, point.sum)
            found.setdefault(metric.name, []).append((dict(point.attributes), value))
    return found


def test_appends_are_counted_by_what_became_of_them(reader: InMemoryMetricReader) -> None:
    store = MemoryEventStore()
    store.append_batch(events(3))
    store.append(event(id="one"))
    with refused(StoreCode.CONFLICT):
        store.append(event(), expected_version=9)
    found = figures(reader)
    outcomes = {labels["outcome"]: count for labels, count in found["eventstore.appends"]}
    assert outcomes == {"stored": 2, "CONFLICT": 1}
    assert found["eventstore.batch.events"] == [({"backend": "MemoryEventStore"}, (2, 4))]


def test_an_append_that_is_not_even_handed_over_is_counted_too(reader: InMemoryMetricReader) -> None:
    with refused(StoreCode.VALIDATION_FAILED):
        MemoryEventStore().append(event(type=""))
    assert [labels["outcome"] for labels, _ in figures(reader)["eventstore.appends"]] == ["VALIDATION_FAILED"]


def test_a_commit_that_fails_is_counted_too(reader: InMemoryMetricReader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise EventStoreError(StoreCode.CORRUPT, "the file is damaged", hint="mend it")

    monkeypatch.setattr(MemoryEventStore, "commit", fail)
    with refused(StoreCode.CORRUPT):
        MemoryEventStore().append(event())
    assert [labels["outcome"] for labels, _ in figures(reader)["eventstore.appends"]] == ["CORRUPT"]


def test_queries_lag_retries_and_pools_are_measured(reader: InMemoryMetricReader) -> None:
    store = MemoryEventStore()
    store.append_batch(events(3))
    with store.subscribe(after=0) as subscription:
        next(subscription)
    store.measures.retried()
    store.measures.watch_pool(lambda: {"idle": 2, "used": 1})
    found = figures(reader)
    assert found["eventstore.subscription.lag"][0][1] == (1, 3)
    assert found["eventstore.query.duration"][0][1][0] == 1
    assert found["eventstore.retries"][0][1] == 1
    assert {labels["state"]: count for labels, count in found["eventstore.pool.connections"]} == {"idle": 2, "used": 1}


@pytest.mark.parametrize("kind", ["memory:", "sqlite:{}", "jsonl:{}"])
def test_every_way_to_ask_is_a_query(reader: InMemoryMetricReader, kind: str, tmp_path: Path) -> None:
    with open_store(kind.format(tmp_path / "events")) as store:
        store.append_batch(events(3))
        assert "eventstore.query.duration" not in figures(reader)
        ways: list[Callable[[], object]] = [
            store.get_events,
            lambda: list(store.stream_events()),
            lambda: next(store.stream_events()),
            lambda: store.get_page(EventQuery(limit=2)),
            store.count_events,
            lambda: list(store.stream_events(EventQuery(order_by="timestamp"))),
        ]
        for number, way in enumerate(ways, start=1):
            way()
            assert figures(reader)["eventstore.query.duration"][0][1][0] == number
        unasked = store.stream_events()
        del unasked
        assert figures(reader)["eventstore.query.duration"][0][1][0] == len(ways)


def test_nothing_is_measured_and_nothing_fails_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "find_spec", lambda _: None)
    measures = Measures("any")
    measures.committed([[], EventStoreError(StoreCode.CONFLICT, "it is", hint="so")])
    measures.watch_pool(dict)
    with measures.querying():
        measures.retried()
    found: Iterator[Event] = iter(())
    assert measures.streamed(found) is found
    assert measures._appends.add(1).anything() is measures._appends
