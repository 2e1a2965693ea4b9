"""Event stores whose writers are killed at any moment: what was acknowledged is there, and every batch is whole.

`make crash` kills more often.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from jsonl_stores import LAYOUTS, log_files
from killing import Killed
from kitty_status.clock import event_ids
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl import finding
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KILLS = int(os.environ.get("KITTY_STATUS_PROOF_STORE_KILLS", "100"))
# Long enough for a batch to take more than one page.
TEXT = "the review asks for a narrower lock " * 200

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


def writing(path: Path, layout: str) -> Callable[[str], str]:
    opened: dict[int, JsonlEventStore] = {}

    def write(name: str) -> str:
        store = opened.get(os.getpid())
        if store is None:
            store = opened[os.getpid()] = JsonlEventStore(path, layout=layout)
        batch = event_ids.mint()
        size = 1 + sum(name.encode()) % 6
        store.append_batch(
            [
                NewEvent(
                    type=f"T{size}", stream=f"s{number % 3}", id=f"{batch}-{number}", tags={"batch": batch}, data=TEXT
                )
                for number in range(size)
            ]
        )
        return batch

    return write


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_kill_takes_nothing_acknowledged_and_leaves_no_part_of_a_batch(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "LAG", 50)
    monkeypatch.setattr(finding, "_DEARER", 0)
    path = tmp_path / "events"
    head = 0
    chance = random.Random(1)  # noqa: S311  nothing secret
    acknowledged: set[str] = set()
    for _ in range(max(1, KILLS // 20)):
        killed = Killed(writing(path, layout))
        killed.run(20, chance)
        assert killed.gave_up == 0
        acknowledged.update(killed.acknowledged)
        with JsonlEventStore(path, layout=layout) as store:
            assert store.head() >= head
            head = store.append(NewEvent(type="Looked")).position
            everything = store.get_events()
            assert [event.position for event in everything] == list(range(1, head + 1))
            assert store.get_events(EventQuery(direction="desc")) == everything[::-1]
            versions: dict[str, int] = {}
            batches: dict[str, list[str]] = {}
            for event in everything:
                versions[event.stream] = versions.get(event.stream, 0) + 1
                assert event.version == versions[event.stream]
                if event.tags:
                    batches.setdefault(str(event.tags["batch"]), []).append(event.type)
            assert acknowledged <= batches.keys()
            assert all(types == [f"T{len(types)}"] * len(types) for types in batches.values())
            for event_type in ("T1", "T6"):
                indexed = store.get_events_by_type(event_type)
                assert indexed == [event for event in everything if event.type == event_type]
    assert len(acknowledged) > KILLS / 10
    assert store._finder.index.reached() > 0 or head < 100
    assert log_files(tmp_path) if layout != "single" else path.exists()
