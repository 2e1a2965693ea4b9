"""Whatever is done to them, every backend gives the answers that the store in memory gives."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from every_store import LASTING
from kitty_status.eventstore import EventStore, MemoryEventStore
from kitty_status.eventstore.durability import OS
from on_postgres import Schemas
from operations_at_random import everything, operations, outcome

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("opener", LASTING.values(), ids=LASTING.keys())
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
                assert outcome(store, operation) == outcome(memory, operation), operation
            assert everything(store) == everything(memory)
        with schemas.open("agreement") as again:
            assert everything(again) == everything(memory)
    schemas.drop()
