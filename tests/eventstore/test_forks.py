"""A child that was forked in the middle of something waits for none of its parent's threads, and undoes nothing."""

from __future__ import annotations

import gc
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from jsonl_stores import LAYOUTS, opened
from kitty_status.eventstore.owning import Connection
from kitty_status.testing.event_store.base import event, events, positions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")

if hasattr(os, "fork"):
    from kitty_status.testing.event_store.forking import child_says


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_child_waits_for_no_lock_that_a_thread_of_its_parent_holds(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path, layout) as store:
        store.append_batch(events(3))
        assert not store.wait_for(4, 0)
        locks: list[Any] = [
            store._growth._changed,
            store._known.lock,
            store._finder.index._lock,
            store._watch._lock,
            store._writing._at_work,
            store._writing._starting,
        ]
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            for lock in locks:
                lock.acquire()
            held.set()
            done.wait()
            for lock in locks:
                lock.release()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()

        def close() -> str:
            store.close()
            return "closed"

        try:
            assert child_says(close) == "closed"
        finally:
            done.set()
            thread.join()
        assert store.append(event()).position == 4


@pytest.mark.parametrize("mode", ["TRUNCATE", "WAL"])
def test_a_child_that_loses_its_parents_connection_does_not_undo_what_is_under_way(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "file.db"
    connections = [Connection(path, isolation_level=None)]
    connections[0].execute(f"PRAGMA journal_mode = {mode}")
    connections[0].execute("CREATE TABLE numbers (number INTEGER)")
    connections[0].execute("INSERT INTO numbers VALUES (0)")
    connections[0].execute("PRAGMA cache_size = 1")
    connections[0].execute("BEGIN IMMEDIATE")
    connections[0].executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in range(1, 20_000)])

    def lose() -> str:
        connections.clear()
        gc.collect()
        return "lost"

    assert child_says(lose) == "lost"
    connections[0].execute("COMMIT")
    connections[0].close()
    with sqlite3.connect(path) as stranger:
        assert stranger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert stranger.execute("SELECT count(*), sum(number) FROM numbers").fetchone() == (20_000, 199_990_000)
    stranger.close()


def test_a_child_reads_by_an_index_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitty_status.eventstore.jsonl.finding.LAG", 5)
    monkeypatch.setattr("kitty_status.eventstore.jsonl.finding._DEARER", 0)
    with opened(tmp_path, "single") as store:
        store.append_batch(events(20, tags={"issueId": "7"}))
        assert len(store.get_events_by_issue_id("7")) == 20

        def read() -> str:
            store.close()
            with opened(tmp_path, "single") as own:
                assert own._finder.index._connection is None
                return str(len(own.get_events_by_issue_id("7")))

        assert child_says(read) == "20"
        store.append(event(tags={"issueId": "7"}))
        assert positions(store.get_events_by_issue_id("7")) == list(range(1, 22))
