"""What the `history` of a frontmatter tells: who moved a work package to which lane, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.status.instants import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.work_packages.frontmatter import Value

HISTORY = "history"
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""When events are dated of which nothing says when they were: the same everywhere, and plainly no real time."""

_TIMES = ("timestamp", "at")
_LONGEST_NAME = 200
_MOST_SHOWN = 80


class Entry(NamedTuple):
    """One entry that names a lane: the lane, when, who, "" where that is not said, and what tells of it."""

    lane: str
    at: datetime
    agent: str
    source: str


class CannotReconstructError(Exception):
    """What tells of the past tells no course; the text says why."""


def history_entries(value: Value, profile: LaneProfile, created: datetime | None) -> list[Entry]:
    """Return the entries that name a lane, as they stand in the file.

    Raises:
        CannotReconstructError: one cannot be understood, or it is no list.
    """
    if value in (None, "", {}):
        return []
    if not isinstance(value, list):
        raise CannotReconstructError("it is no list of entries")
    found: list[Entry] = []
    known = next(history_times(value), None)
    latest = min((each for each in (created, known) if each is not None), default=NO_TIME)
    for entry in _with_lane(value):
        latest = _entry_time(entry) or latest
        found.append(Entry(lane_of(entry["lane"], profile), latest, name_of(entry.get("agent")), HISTORY))
    return found


def history_lanes(value: Value) -> list[Value]:
    """Return the lanes that a history names, as they are spelled there."""
    return [entry["lane"] for entry in _with_lane(value)]


def history_times(value: Value) -> Iterator[datetime]:
    """Yield every time that a history names, of whatever entry."""
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            times = (time_of(entry.get(key)) for key in _TIMES)
            yield from (each for each in times if each is not None)


def lane_of(spelled: Value, profile: LaneProfile) -> str:
    """Return the lane that an entry means.

    Raises:
        CannotReconstructError: the profile has none of that name.
    """
    lane = profile.resolve(spelled) if isinstance(spelled, str) else None
    if lane is None:
        raise CannotReconstructError(f"{_shown(spelled)} is no lane of {profile.name}")
    return lane


def moment_of(spelled: Value) -> datetime:
    """Return when an entry says it was.

    Raises:
        CannotReconstructError: that is no time.
    """
    moment = time_of(spelled)
    if moment is None:
        raise CannotReconstructError(f"{_shown(spelled)} is no time")
    return moment


def _shown(value: Value) -> str:
    text = ascii(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def name_of(value: Value) -> str:
    """Return who is named, as one line of a name's length; "" where nobody is."""
    return " ".join(value.split())[:_LONGEST_NAME] if isinstance(value, str) else ""


def time_of(value: Value) -> datetime | None:
    """Return the instant that a scalar spells; one without a zone is one of UTC, one without an hour its midnight."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    for spelling in (text, f"{text}+00:00", f"{text}T00:00:00+00:00"):
        try:
            return parse_instant(spelling).astimezone(UTC)
        except (ValueError, IndexError, OverflowError):
            continue
    return None


def _with_lane(value: Value) -> Iterator[dict[str, Value]]:
    """Yield the entries of a history that tell of a lane; others are notes."""
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict) and entry.get("lane") not in (None, ""):
            yield entry


def _entry_time(entry: dict[str, Value]) -> datetime | None:
    """Return when an entry says it was, None where it says nothing."""
    spelled = next((entry[key] for key in _TIMES if entry.get(key) not in (None, "")), None)
    return None if spelled is None else moment_of(spelled)
