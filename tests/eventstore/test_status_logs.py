"""A status log that is copied into an event store, whichever it is, and back has the snapshot that it had."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from corpus import logs, needs_corpus
from events import SEEDS, histories, line_of, record_of, records_in
from every_store import STORES
from folds import whole
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.event import NewEvent
from kitty_status.jsonl.codec import decode
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


def copied_line(row: dict[str, Any], mission: str) -> NewEvent:
    """Return any line of a real log, also one that is no move, as an event of the stream of its mission."""
    return NewEvent(
        type=row.get("event_type", "moved"),
        stream=mission,
        id=row["event_id"],
        at=parse_instant(row["at"]) if "at" in row else None,
        data=row,
    )


def check_real_logs(store: EventStore) -> None:
    """Copy all real logs into one store, a piece of one after a piece of another; compare what comes back of each."""
    real = {log.parent.name: [decode(line) for line in log.read_bytes().splitlines()] for log in logs()}
    left = {mission: list(rows) for mission, rows in real.items() if rows}
    chance = Random(1)  # noqa: S311  nothing secret
    while left:
        mission = chance.choice(list(left))
        size = chance.randint(1, 40)
        store.append_batch([copied_line(row, mission) for row in left[mission][:size]])
        left[mission] = left[mission][size:]
        left = {each: rows for each, rows in left.items() if rows}
    assert store.head() == sum(map(len, real.values())) > 3000
    for log in logs():
        found = [event.data for event in store.get_events(log.parent.name)]
        assert found == real[log.parent.name]
        before = reduce_events(records_in(log.read_bytes()))
        assert whole(reduce_events(records_in(b"".join(map(line_of, found))))) == whole(before)


@needs_corpus
@pytest.mark.parametrize("opener", STORES.values(), ids=STORES.keys())
def test_real_logs_copied_through_a_store_have_the_snapshots_that_they_had(
    opener: Callable[[Path], EventStore], tmp_path: Path
) -> None:
    with opener(tmp_path) as store:
        check_real_logs(store)


@needs_corpus
def test_real_logs_copied_through_postgres_have_the_snapshots_that_they_had(schemas: Schemas) -> None:
    with schemas.open("real", durability=OS) as store:
        check_real_logs(store)


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
