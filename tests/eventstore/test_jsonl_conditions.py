"""What is known of the newest events decides conditions as reading all events would."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsonl_stores import opened
from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl import finding, recent
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import MOMENT, event, events, positions, refused

if TYPE_CHECKING:
    from kitty_status.eventstore.protocol import EventStore

few = st.sampled_from(["a", "b", "c"])
some = st.lists(few, max_size=2, unique=True)
tags = st.dictionaries(few, few | st.lists(few, min_size=1, max_size=2, unique=True), max_size=2)
drafts = st.builds(
    lambda number, kind, stream, tags, day: NewEvent(
        id=f"{number}", type=kind, stream=stream, tags=tags, at=MOMENT + timedelta(days=day)
    ),
    st.integers(0, 10**9),
    few,
    few,
    tags,
    st.integers(0, 3),
)
queries = st.builds(
    lambda types, streams, ids, tags, day, after: EventQuery(
        types=types, streams=streams, ids=ids, tags=tags, start=MOMENT + timedelta(days=day), after=after
    ),
    some,
    some,
    st.lists(st.sampled_from(["1", "2", "3"]), max_size=1),
    st.dictionaries(few, few, max_size=1),
    st.integers(0, 2),
    st.integers(0, 6),
)


def outcome(store: EventStore, batch: list[NewEvent], condition: AppendCondition) -> list[int] | str:
    try:
        return positions(store.append_batch(batch, condition=condition))
    except EventStoreError as error:
        return f"{error.code} {error.context.get('position')}"


batches = st.lists(drafts, min_size=1, max_size=4, unique_by=lambda each: each.id)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(batches, queries), max_size=10), st.sampled_from([2, 5, 5_000]))
def test_a_condition_is_judged_as_in_memory(steps: list[tuple[list[NewEvent], EventQuery]], lag: int) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "LAG", lag)
        patch.setattr(finding, "_DEARER", 0)
        one, other = (opened(Path(place), "single") for _ in range(2))
        with one, other, MemoryEventStore() as memory:
            for number, (batch, query) in enumerate(steps):
                condition = AppendCondition(query, after=number // 3)
                said = outcome(one if number % 3 else other, batch, condition)
                assert said == outcome(memory, batch, condition)


def test_a_condition_that_begins_far_back_is_judged_by_all_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "LAG", 10)
    monkeypatch.setattr(recent, "_MOST_WORDS", 20)
    seat = AppendCondition(EventQuery(tags={"seat": "1"}))
    with opened(tmp_path, "single") as store:
        store.append(event(tags={"seat": "1"}))
        for number in range(40):
            after = store.append_batch(events(1 + number % 13))[-1].position
            store.append(
                event(tags={"free": str(number)}), condition=AppendCondition(seat.fail_if, after=max(1, after - 5))
            )
            with refused(StoreCode.CONFLICT, "position 1"):
                store.append(event(), condition=seat)
