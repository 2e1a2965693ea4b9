"""SQLite stores whose writers are killed at any moment: what was acknowledged is there, and every batch is whole.

`make crash` kills more often.
"""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from killing import Killed
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.sqlite.rows import tag_rows
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from store_kills import check_kept, writing

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.eventstore.event import Event

KILLS = int(os.environ.get("KITTY_STATUS_PROOF_STORE_KILLS", "100"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


def check_file(path: Path, everything: list[Event]) -> None:
    """Check what the file says of itself, and that the table of tags says what the events say."""
    with closing(sqlite3.connect(path)) as stranger:
        assert stranger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tags = stranger.execute("SELECT key, value, position FROM event_tags").fetchall()
    assert sorted(tags) == sorted(tag_rows(everything))


def test_a_kill_takes_nothing_acknowledged_and_leaves_no_part_of_a_batch(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    head = 0
    chance = random.Random(2)  # noqa: S311  nothing secret
    acknowledged: set[str] = set()
    for _ in range(max(1, KILLS // 20)):
        killed = Killed(writing(lambda: SqliteEventStore(path)), longest=0.05)
        killed.run(20, chance)
        assert killed.gave_up == 0
        acknowledged.update(killed.acknowledged)
        with SqliteEventStore(path) as store:
            assert store.head() >= head
            head = store.append(NewEvent(type="Looked")).position
            check_file(path, check_kept(store, acknowledged))
    assert len(acknowledged) > KILLS / 10
