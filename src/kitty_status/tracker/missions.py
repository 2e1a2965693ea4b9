"""Features that spec-kitty 3 manages too, which it calls missions: what their `meta.json` says, and their snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.errors import UnsafeLogError
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status.lanes import NINE_LANE
from kitty_status.status.mission import IDENTITY, snapshot_of_mission
from kitty_status.status.snapshot import rendered
from kitty_status.tracker.meta import meta_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.features import Feature


def mission_meta(feature: Feature) -> dict[str, Any] | None:
    """Return what the mission's `meta.json` says, None where spec-kitty 3 did not write one that can be read."""
    try:
        meta = meta_of(feature)
    except (OSError, ValueError, UnsafeLogError):
        return None
    return meta if IDENTITY in meta else None


def is_spec_kitty_mission(feature: Feature) -> bool:
    """Say whether the folder is one that spec-kitty 3 made; it writes the mission's identity beside the log."""
    return mission_meta(feature) is not None


def identity_of_events(feature: Feature) -> dict[str, Any]:
    """Return the keys by which a new event says whose it is; in a mission they are those that spec-kitty 3 writes."""
    meta = mission_meta(feature)
    if meta is None:
        return {"feature_slug": feature.slug}
    identity = {IDENTITY: feature.slug, "policy_metadata": None}
    mission_id = meta.get("mission_id")
    return {**identity, "mission_id": mission_id} if mission_id and isinstance(mission_id, str) else identity


def profile_of_new_log(feature: Feature, data: bytes) -> LaneProfile | None:
    """Return the profile of a log in which nothing shows one yet: a mission's has nine lanes. None where it shows."""
    return NINE_LANE if not data and is_spec_kitty_mission(feature) else None


def mission_snapshot(feature: Feature, existing: dict[str, Any]) -> bytes:
    """Return the bytes of the `status.json` that spec-kitty 3 keeps too, for the log as it is now.

    Raises:
        OSError: the operating system refused.
    """
    rows = _rows(feature.log.read() or b"")
    return rendered(snapshot_of_mission(rows, mission_meta(feature), existing))


def _rows(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        try:
            yield decode(line)
        except LineDamagedError:
            # Blank, or of no use to anybody until it is mended; who reads the log's events reports it.
            continue
