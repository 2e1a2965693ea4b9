"""Callers that exclude each other in a store of lines, sixteen at a time: one wins every time.

`make crash` competes for longer.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from competing import compete, compete_in_threads
from jsonl_stores import LAYOUTS
from kitty_status.eventstore.jsonl.store import JsonlEventStore

if TYPE_CHECKING:
    from pathlib import Path

SEATS = int(os.environ.get("KITTY_STATUS_PROOF_SEATS", "20"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_of_sixteen_processes_that_exclude_each_other_one_wins_every_time(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "events"
    assert compete(lambda: JsonlEventStore(path, layout=layout), processes=16, seats=SEATS) == [1] * SEATS
    with JsonlEventStore(path, layout=layout) as store:
        assert [event.data for event in store.get_events()] == list(range(SEATS))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_of_sixteen_threads_that_exclude_each_other_one_wins_every_time(tmp_path: Path, layout: str) -> None:
    with JsonlEventStore(tmp_path / "events", layout=layout) as store:
        assert compete_in_threads(store, threads=16, seats=SEATS) == [1] * SEATS
        assert [event.data for event in store.get_events()] == list(range(SEATS))
