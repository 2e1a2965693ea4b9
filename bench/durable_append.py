"""One durable append, against writing the same bytes to a file that is held open.

What a disk takes to confirm changes from one moment to the next, so the operations alternate one by
one, and wall time is taken: the wait is what is measured.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.logs import write_log
from bench.measuring import in_turn, ratio
from bench.places import RESULTS
from bench.repository import LOG, Repository

from kitty_status import Lane, StatusEvent, append_event
from kitty_status.clock import event_ids, now
from kitty_status.jsonl.codec import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.measuring import Figure

_ROUNDS = 250


def run(folder: Path) -> Iterator[Figure]:
    """Measure appends to a log of 1,000 and one of 100,000 lines."""
    # Beside the results: a folder for temporary files may be no disk at all.
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as here:
        project = Repository(Path(here) / "project")
        features = {}
        for count in (1_000, 100_000):
            features[count] = project.path / "kitty-specs" / f"{count}-lines"
            features[count].mkdir(parents=True)
            shutil.copyfile(write_log(folder, count), features[count] / LOG)
        held = Path(here) / "held"
        shutil.copyfile(features[1_000] / LOG, held)
        descriptor = os.open(held, os.O_WRONLY | os.O_APPEND)
        try:
            times = in_turn(
                _ROUNDS,
                {
                    "held": lambda: _write(descriptor),
                    "small": lambda: _append(features[1_000]),
                    "large": lambda: _append(features[100_000]),
                },
            )
        finally:
            os.close(descriptor)
    yield ratio(
        "append to 1,000 lines", times["small"], times["held"], target=1.1, of="write and fdatasync, descriptor held"
    )
    yield ratio("append to 100,000 lines", times["large"], times["small"], target=1.1, of="append to 1,000 lines")


def event_to_append() -> StatusEvent:
    """Return an event like any other, with an id of its own."""
    return StatusEvent(
        event_id=event_ids.mint(),
        feature_slug="001-benchmark",
        wp_id="WP01",
        from_lane=Lane.PLANNED,
        to_lane=Lane.CLAIMED,
        at=now(),
        actor="ada",
        force=False,
        execution_mode="worktree",
    )


def _append(feature: Path) -> float:
    event = event_to_append()
    started = time.perf_counter()
    append_event(feature, event)
    return time.perf_counter() - started


def _write(descriptor: int) -> float:
    line = encode(event_to_append().to_dict(), json.dumps)
    started = time.perf_counter()
    os.write(descriptor, line)
    os.fdatasync(descriptor)
    return time.perf_counter() - started
