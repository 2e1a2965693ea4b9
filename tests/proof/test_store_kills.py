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
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl import finding
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from store_kills import check_kept, writing

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("KITTY_STATUS_PROOF_STORE_KILLS", "100"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


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
        killed = Killed(writing(lambda: JsonlEventStore(path, layout=layout)))
        killed.run(20, chance)
        assert killed.gave_up == 0
        acknowledged.update(killed.acknowledged)
        with JsonlEventStore(path, layout=layout) as store:
            assert store.head() >= head
            head = store.append(NewEvent(type="Looked")).position
            check_kept(store, acknowledged)
    assert len(acknowledged) > KILLS / 10
    assert store._finder.index.reached() > 0 or head < 100
    assert log_files(tmp_path) if layout != "single" else path.exists()
