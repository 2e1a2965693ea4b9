"""A writer for the proofs: emits one event after another and notes each that was acknowledged.

    writer.py WORKTREE NAME ACKNOWLEDGED STOP LAYOUT

It claims work packages of its own, each once, until the file STOP exists. A refusal is counted; only
what `emit` returned for is noted, one event id a line.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from kitty_status.errors import KittyStatusError
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest

SLUG = "001-feature"


def main(worktree: str, name: str, acknowledged: str, stop: str, layout: str) -> None:
    """Write until told to stop, and say how often what went wrong."""
    refused: Counter[str] = Counter()
    number = 0
    with Path(acknowledged).open("a", encoding="ascii", buffering=1) as notes:
        while not Path(stop).exists():
            number += 1
            request = EmitRequest(wp_id=f"WP-{name}-{number}", to_lane="claimed", actor=name, feature=SLUG)
            try:
                emitted = emit(Project(Path(worktree)), Config({"layout": layout}), request)
            except (KittyStatusError, OSError) as error:
                refused[type(error).__name__] += 1
            else:
                notes.write(f"{emitted.event['event_id']}\n")
    print(dict(refused))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
