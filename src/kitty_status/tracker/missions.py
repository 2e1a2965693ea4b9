"""Which features spec-kitty 3 manages: it calls them missions, and writes their identity beside the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.errors import UnsafeLogError
from kitty_status.tracker.meta import meta_of

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature

IDENTITY = "mission_slug"


def is_spec_kitty_mission(feature: Feature) -> bool:
    """Say whether the folder is one that spec-kitty 3 made; its `meta.json` names the mission."""
    try:
        return IDENTITY in meta_of(feature)
    except (OSError, ValueError, UnsafeLogError):
        return False
