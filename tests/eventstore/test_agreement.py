"""Whatever is done to them, every backend gives the answers that the store in memory gives."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from every_store import LASTING
from jsonl_stores import NOON
from kitty_status.eventstore import EventStore, JsonlEventStore, MemoryEventStore, chunks
from kitty_status.eventstore.durability import OS
from on_postgres import Schemas
from operations_at_random import everything, operations, outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def days_pass(place: Path) -> EventStore:
    """Open a store in files for which half a day passes with each look at the clock."""
    return JsonlEventStore(
        place, layout="per-day-and-stream", durability=OS, clock=lambda: NOON + timedelta(hours=12 * next(_LOOKS))
    )


_LOOKS = count()
OPENERS = {**LASTING, "jsonl-streams-while-days-pass": days_pass}


@pytest.fixture(autouse=True, scope="module")
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "MOST_EVENTS", 3)
        yield


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS.keys())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(operations=operations)
def test_random_operations_agree_with_the_store_in_memory(
    opener: Callable[[Path], EventStore], operations: list[object]
) -> None:
    with tempfile.TemporaryDirectory() as place, MemoryEventStore() as memory:
        with opener(Path(place)) as store:
            for operation in operations:
                assert outcome(store, operation) == outcome(memory, operation), operation
            assert everything(store) == everything(memory)
        with opener(Path(place)) as again:
            assert everything(again) == everything(memory)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(operations=operations)
def test_random_operations_on_postgres_agree_with_the_store_in_memory(postgres: str, operations: list[object]) -> None:
    schemas = Schemas(postgres)
    with MemoryEventStore() as memory:
        with schemas.open("agreement", durability=OS) as store:
            for operation in operations:
                got = outcome(store, operation, lambda: schemas.turn_the_month("agreement"))
                assert got == outcome(memory, operation), operation
            assert everything(store) == everything(memory)
        with schemas.open("agreement") as again:
            assert everything(again) == everything(memory)
    schemas.drop()
