"""A status log that is copied into an event store, whichever it is, and back has the snapshot that it had."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from events import SEEDS, histories, line_of, record_of
from every_store import STORES
from folds import whole
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.event import NewEvent
from kitty_status.status.instants import parse_instant
from kitty_status.status.reducer import reduce_events, unique_events
from on_postgres import Schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.eventstore.protocol import EventStore

many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def copied(row: dict[str, Any]) -> NewEvent:
    """Return a line of a status log as an event of a store."""
    return NewEvent(
        type=f"moved-to-{row['to_lane']}",
        stream=row["feature_slug"],
        id=row["event_id"],
        at=parse_instant(row["at"]),
        data=row,
        tags={"workPackage": row["wp_id"], "actor": row["actor"]},
    )


def check_copies(store: EventStore, rows: list[dict[str, Any]], seed: int) -> None:
    """Copy a log, some lines twice, in batches; compare what comes back by the stream, and by work package."""
    chance = Random(seed)  # noqa: S311  nothing secret
    log = [*rows, *chance.choices(rows, k=chance.randint(0, 2))] if rows else []
    first = 0
    while first < len(log):
        size = chance.randint(1, 4)
        store.append_batch([copied(row) for row in log[first : first + size]])
        first += size
    found = [record_of(event.data) for event in store.get_events()]
    assert [record.line for record in found] == [line_of(row) for row in rows]
    events = unique_events([record_of(row) for row in log])
    assert whole(reduce_events(found)) == whole(reduce_events(events))
    if rows:
        assert [event.data for event in store.get_events(rows[0]["feature_slug"])] == rows


@pytest.mark.parametrize("opener", STORES.values(), ids=STORES.keys())
@many
@given(histories(), SEEDS)
def test_a_log_copied_through_a_store_has_the_same_snapshot(
    opener: Callable[[Path], EventStore], rows: list[dict[str, Any]], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as place, opener(Path(place)) as store:
        check_copies(store, rows, seed)


@settings(many, max_examples=15)
@given(histories(), SEEDS)
def test_a_log_copied_through_postgres_has_the_same_snapshot(
    postgres: str, rows: list[dict[str, Any]], seed: int
) -> None:
    schemas = Schemas(postgres)
    with schemas.open("status", durability=OS) as store:
        check_copies(store, rows, seed)
    schemas.drop()
