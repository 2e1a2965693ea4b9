"""Which features spec-kitty 3 manages: it calls them missions, and writes their identity beside the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.git.repository import read_file
from kitty_status.status.snapshot import parse

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature

IDENTITY = "mission_slug"


def is_spec_kitty_mission(feature: Feature) -> bool:
    """Say whether the folder is one that spec-kitty 3 made; its `meta.json` names the mission."""
    try:
        return IDENTITY in parse(read_file(feature.folder / "meta.json"))
    except (OSError, ValueError):
        return False
