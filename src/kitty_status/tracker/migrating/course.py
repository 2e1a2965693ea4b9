"""The course of a work package as its frontmatter tells it: from the initial lane to the one it stands in.

Everything comes from the file, and nothing from a clock or from git, so that every clone finds the same course. The
`lane` of the file has the last word: whatever its history says, the course ends there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import WorkPackageFileError
from kitty_status.status.instants import microsecond_after, parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.work_packages.frontmatter import Value

HISTORY = "history"
BOOTSTRAP = "bootstrap"
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""When events are dated of which nothing says when they were: the same everywhere, and plainly no real time."""

_TIMES = ("timestamp", "at")
_LONGEST_NAME = 200


class Step(NamedTuple):
    """One move of a course: the lane that it leads to, when, and what is known of where that comes from."""

    lane: str
    at: datetime
    why: str


class Course(NamedTuple):
    """The moves of a work package in their order, none where it stands where all begin.

    * `lane` is where it stands, None where the file says nothing of it
    * `origin` says what the moves were made from, None where there are none
    * `remarks` say what a person should know of it
    """

    lane: str | None
    steps: tuple[Step, ...] = ()
    origin: str | None = None
    remarks: tuple[str, ...] = ()


class _Entry(NamedTuple):
    lane: str
    at: datetime
    agent: str


class _CannotReconstructError(Exception):
    """The history does not tell a course; the text says why."""


def lanes_named(values: Mapping[str, Value]) -> list[str]:
    """Return every lane that a frontmatter names, as it is spelled there."""
    named = [values.get("lane"), *(entry.get("lane") for entry in _entries_with_lane(values.get("history")))]
    return [each for each in named if isinstance(each, str) and each.strip()]


def course_of(values: Mapping[str, Value], profile: LaneProfile, where: str, begun: datetime | None) -> Course:
    """Return the course that the frontmatter `values` of the file `where` tell.

    `begun` is when the feature was begun, as far as that is known; it counts where the file has no time of its own.

    Raises:
        WorkPackageFileError: it names a current lane that the profile does not have.
    """
    current = _current_lane(values, profile, where)
    created = time_of(values.get("created_at")) or begun
    remarks: tuple[str, ...] = ()
    try:
        entries = _history(values.get("history"), profile, created)
    except _CannotReconstructError as error:
        remarks = (f"{where}: the history was not migrated: {error}",)
        entries = []
    lane = current or (entries[-1].lane if entries else None)
    steps = tuple(_in_sequence(_steps(entries, lane, profile), where)) if entries else ()
    origin = HISTORY if steps else None
    if not entries and lane not in (None, profile.initial):
        at = max(_times_in(values.get("history")), default=created or NO_TIME)
        why = "its lane; the history cannot be reconstructed" if remarks else "its lane; there is no history"
        steps, origin = (Step(str(lane), at, why),), BOOTSTRAP
    if steps and steps[0].at == NO_TIME:
        remarks += (f"{where}: nothing says when it was moved, so the events are dated {NO_TIME.date()}",)
    return Course(lane, steps, origin, remarks)


def _current_lane(values: Mapping[str, Value], profile: LaneProfile, where: str) -> str | None:
    spelled = values.get("lane")
    if not isinstance(spelled, str) or not spelled.strip():
        return None
    lane = profile.resolve(spelled)
    if lane is None:
        raise WorkPackageFileError(
            f"{where}: {spelled!a} is no lane of {profile.name}",
            hint=f"write one of {', '.join(profile.lanes)}, or pin the profile that has it: `status.lanes`",
        )
    return lane


def _history(value: Value, profile: LaneProfile, created: datetime | None) -> list[_Entry]:
    """Return the entries that name a lane, by time; entries of one time stay in the order of the file."""
    if value in (None, "", {}):
        return []
    if not isinstance(value, list):
        raise _CannotReconstructError("it is no list of entries")
    found: list[_Entry] = []
    known = next(_times_in(value), None)
    latest = min((each for each in (created, known) if each is not None), default=NO_TIME)
    for entry in _entries_with_lane(value):
        latest = _entry_time(entry) or latest
        found.append(_Entry(_lane_of(entry, profile), latest, _agent_of(entry)))
    return sorted(found, key=lambda each: each.at)


def _entries_with_lane(value: Value) -> Iterator[dict[str, Value]]:
    """Yield the entries of a history that tell of a lane; others are notes."""
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict) and entry.get("lane") not in (None, ""):
            yield entry


def _lane_of(entry: dict[str, Value], profile: LaneProfile) -> str:
    spelled = entry["lane"]
    lane = profile.resolve(spelled) if isinstance(spelled, str) else None
    if lane is None:
        raise _CannotReconstructError(f"{spelled!a} is no lane of {profile.name}")
    return lane


def _agent_of(entry: dict[str, Value]) -> str:
    agent = entry.get("agent")
    return " ".join(agent.split())[:_LONGEST_NAME] if isinstance(agent, str) else ""


def _entry_time(entry: dict[str, Value]) -> datetime | None:
    """Return when an entry says it was, None where it says nothing."""
    spelled = next((entry[key] for key in _TIMES if entry.get(key) not in (None, "")), None)
    if spelled is None:
        return None
    moment = time_of(spelled)
    if moment is None:
        raise _CannotReconstructError(f"{spelled!a} is no time")
    return moment


def _times_in(value: Value) -> Iterator[datetime]:
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            times = (time_of(entry.get(key)) for key in _TIMES)
            yield from (each for each in times if each is not None)


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


def _steps(entries: list[_Entry], lane: str | None, profile: LaneProfile) -> Iterator[Step]:
    stands = profile.initial
    for entry in entries:
        yield from _between(stands, entry.lane, entry.at, profile)
        if entry.lane != stands:
            by = f", by {entry.agent}" if entry.agent else ""
            yield Step(entry.lane, entry.at, f"its history{by}")
        stands = entry.lane
    if lane is not None and lane != stands:
        at = entries[-1].at
        yield from _between(stands, lane, at, profile)
        yield Step(lane, at, "its lane, to which its history does not lead")


def _between(source: str, target: str, at: datetime, profile: LaneProfile) -> Iterator[Step]:
    for lane in _legal_way(source, target, profile):
        yield Step(lane, at, f"filled in; its history goes from {source} to {target}")


def _legal_way(source: str, target: str, profile: LaneProfile) -> list[str]:
    """Return the lanes between two, on the shortest legal way that only goes forward on the board; none without one."""
    order = {lane: position for position, lane in enumerate(profile.lanes)}
    ways = [[source]] if source != target else []
    reached = {source}
    while ways:
        way = ways.pop(0)
        for lane in profile.targets(way[-1]):
            if lane == target:
                return way[1:]
            if order[way[-1]] < order[lane] < order[target] and lane not in reached:
                reached.add(lane)
                ways.append([*way, lane])
    return []


def _in_sequence(steps: Iterator[Step], where: str) -> Iterator[Step]:
    """Yield the steps, each later than the one before, so that no reader needs more than the times to order them."""
    before: datetime | None = None
    for step in steps:
        at = step.at
        if before is not None and at <= before:
            try:
                at = microsecond_after(before)
            except ValueError as error:
                raise WorkPackageFileError(
                    f"{where}: {before} is the last time there is, and more was moved after it",
                    hint="correct the times of the history; nothing was written",
                ) from error
        before = at
        yield step._replace(at=at)
