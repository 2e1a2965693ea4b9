"""Writers that also archive and restore, and are killed at any moment: everything stays readable, others go on.

`make crash` kills more often.
"""

from __future__ import annotations

import os
import random
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from jsonl_stores import NOON
from killing import Killed
from kitty_status.eventstore import EventStore, JsonlEventStore, SqliteEventStore, chunks
from kitty_status.testing.event_store.archiving import LATER
from store_kills import check_kept, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = max(1, int(os.environ.get("KITTY_STATUS_PROOF_STORE_KILLS", "100")) // 50)
DAYS_IN_A_SECOND = 5
BEGINNING = time.time()

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


def quickly() -> datetime:
    """Return what a clock says on which days pass in moments, the same one in every process."""
    return NOON + timedelta(days=DAYS_IN_A_SECOND * (time.time() - BEGINNING))


OPENERS: dict[str, Callable[[Path], EventStore]] = {
    "sqlite": lambda place: SqliteEventStore(place / "events.db"),
    "single": lambda place: JsonlEventStore(place / "events.jsonl"),
    "daily": lambda place: JsonlEventStore(place, layout="daily", clock=quickly),
    "streams": lambda place: JsonlEventStore(place, layout="per-day-and-stream", clock=quickly),
}


def archiving(opener: Callable[[], EventStore]) -> Callable[[str], str]:
    """Return what `Killed` calls: it appends a batch, and archives or restores what is there."""
    store: EventStore | None = None

    def opened() -> EventStore:
        nonlocal store
        store = store or opener()
        return store

    append = writing(opened)

    def write(name: str) -> str:
        batch = append(name)
        chance = random.Random(name)  # noqa: S311  nothing secret
        opened().compact_events(LATER)
        archives = opened().archives()
        if archives and chance.random() < 1 / 2:
            opened().restore_events(chance.choice(archives).name)
        return batch

    return write


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS.keys())
def test_a_kill_while_events_are_archived_or_restored_is_harmless(
    tmp_path: Path, opener: Callable[[Path], EventStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MOST_EVENTS", 5)
    chance = random.Random(3)  # noqa: S311  nothing secret
    acknowledged: set[str] = set()
    for _ in range(ROUNDS):
        killed = Killed(archiving(lambda: opener(tmp_path)), longest=0.08)
        killed.run(20, chance)
        assert killed.gave_up == 0
        acknowledged.update(killed.acknowledged)
        with opener(tmp_path) as store:
            everything = check_kept(store, acknowledged)
            store.compact_events(LATER)
            assert check_kept(store, acknowledged) == everything
            for archive in store.archives():
                store.check_archive(archive.name)
    assert len(acknowledged) > 2 * ROUNDS
    with opener(tmp_path) as store:
        assert store.archives()
        for archive in reversed(store.archives()):
            assert store.restore_events(archive.name) == archive.events
        assert check_kept(store, acknowledged) == everything
