"""The course of a work package as its file tells it: from the initial lane to the one it stands in.

Everything comes from the file, and nothing from a clock or from git, so that every clone finds the same course. Two
parts of a file tell of moves: the `history` of its frontmatter and the section `## Activity Log` below. Their entries
are put in one order by their times, and what both tell is told once. The `lane` of the file has the last word: whatever
its past says, the course ends there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kitty_status.errors import WorkPackageFileError
from kitty_status.status.instants import microsecond_after
from kitty_status.status.lanes import GUARD_APPROVAL
from kitty_status.status.route import way_forward
from kitty_status.tracker.migrating.activity import ACTIVITY_LOG, activity_entries, activity_lanes, activity_times
from kitty_status.tracker.migrating.approval import approval_of, holder_named
from kitty_status.tracker.migrating.history import (
    HISTORY,
    NO_TIME,
    CannotReconstructError,
    history_entries,
    history_lanes,
    history_times,
    time_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.migrating.history import Entry
    from kitty_status.tracker.work_packages.frontmatter import Value

BOOTSTRAP = "bootstrap"
_IN_WORDS = {HISTORY: "history", ACTIVITY_LOG: "Activity Log"}


class Told(NamedTuple):
    """What a file tells: the values of its frontmatter, the text below, and how many lines lie above that text."""

    where: str
    values: Mapping[str, Value]
    body: bytes = b""
    lines_before: int = 0


class Step(NamedTuple):
    """One move of a course: the lane that it leads to, when, what is known of where that comes from, and evidence."""

    lane: str
    at: datetime
    why: str
    source: str | None = None
    evidence: dict[str, Any] | None = None


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


def lanes_named(told: Told) -> list[str]:
    """Return every lane that a file names, as it is spelled there."""
    named = [told.values.get("lane"), *history_lanes(told.values.get("history")), *activity_lanes(told.body)]
    return [each for each in named if isinstance(each, str) and each.strip()]


def course_of(told: Told, profile: LaneProfile, begun: datetime | None) -> Course:
    """Return the course that a file tells.

    `begun` is when the feature was begun, as far as that is known; it counts where the file has no time of its own.

    Raises:
        WorkPackageFileError: it names a current lane that the profile does not have.
    """
    values, where = told.values, told.where
    current = _current_lane(values, profile, where)
    created = time_of(values.get("created_at")) or begun
    entries, problems = _entries(told, profile, created)
    lane = current or (entries[-1].lane if entries else None)
    steps = list(_in_sequence(_steps(entries, lane, profile), where)) if entries else []
    origin = _origin(entries, steps) if steps else None
    if not entries and lane not in (None, profile.initial):
        times = [*history_times(values.get("history")), *activity_times(told.body)]
        steps, origin = [_bootstrap(values, str(lane), max(times, default=created or NO_TIME), problems)], BOOTSTRAP
    if steps and steps[0].at == NO_TIME:
        problems.append(f"nothing says when it was moved, so the events are dated {NO_TIME.date()}")
    problems += _add_approval(told, steps, profile)
    return Course(lane, tuple(steps), origin, tuple(f"{where}: {problem}" for problem in problems))


def _entries(told: Told, profile: LaneProfile, created: datetime | None) -> tuple[list[Entry], list[str]]:
    """Return what the file tells of lanes, by time, and what cannot be understood of it.

    Each of the two parts counts as a whole or not at all. Entries of one time stay in the order of the file.
    """
    found: list[Entry] = []
    problems: list[str] = []
    readers: dict[str, Callable[[], list[Entry]]] = {
        HISTORY: lambda: history_entries(told.values.get("history"), profile, created),
        ACTIVITY_LOG: lambda: activity_entries(told.body, profile, told.lines_before),
    }
    for source, read in readers.items():
        try:
            found += read()
        except CannotReconstructError as error:
            problems.append(f"the {_IN_WORDS[source]} was not migrated: {error}")
    return sorted(found, key=lambda each: each.at), problems


def _origin(entries: list[Entry], steps: list[Step]) -> str:
    """Return which parts of the file the moves come from; where all of them are filled in, what tells of lanes."""
    sources = {step.source for step in steps if step.source} or {entry.source for entry in entries}
    return "+".join(source for source in _IN_WORDS if source in sources)


def _bootstrap(values: Mapping[str, Value], lane: str, at: datetime, problems: list[str]) -> Step:
    why = "its lane; the history cannot be reconstructed" if problems else "its lane; there is no history"
    name = holder_named(values)
    return Step(lane, at, f"{why}; the file names {name}" if name else why)


def _add_approval(told: Told, steps: list[Step], profile: LaneProfile) -> list[str]:
    """Put the approval that the file tells of to the last moves that ask for one, and return what is wrong with it.

    The file knows of one review, the last: an earlier one has left nothing but its entry.
    """
    approved = {target for (_, target), guard in profile.moves.items() if guard == GUARD_APPROVAL}
    positions = [position for position, step in enumerate(steps) if step.lane in approved]
    if not positions:
        return []
    evidence, problem = approval_of(told.values, told.where)
    position = positions[-1]
    while evidence is not None and position >= 0 and steps[position].lane in approved:
        steps[position] = steps[position]._replace(evidence=evidence)
        position -= 1
    return [problem] if problem else []


def _current_lane(values: Mapping[str, Value], profile: LaneProfile, where: str) -> str | None:
    spelled = values.get("lane")
    if not isinstance(spelled, str) or not spelled.strip():
        return None
    lane = profile.resolve(spelled)
    if lane is None:
        raise WorkPackageFileError(
            f"{where}: {spelled!a} is no lane of {profile.name}",
            hint=f"write one of {', '.join(profile.lanes)}, or pin the profile that has it: `status.lanes`",
            file=where,
        )
    return lane


def _steps(entries: list[Entry], lane: str | None, profile: LaneProfile) -> Iterator[Step]:
    stands = profile.initial
    for entry in entries:
        yield from _between(stands, entry.lane, entry.at, profile)
        if entry.lane != stands:
            by = f", by {entry.agent}" if entry.agent else ""
            yield Step(entry.lane, entry.at, f"its {_IN_WORDS[entry.source]}{by}", entry.source)
        stands = entry.lane
    if lane is not None and lane != stands:
        at = entries[-1].at
        yield from _between(stands, lane, at, profile)
        yield Step(lane, at, "its lane, to which its history does not lead")


def _between(source: str, target: str, at: datetime, profile: LaneProfile) -> Iterator[Step]:
    for lane in way_forward(source, target, profile)[:-1]:
        yield Step(lane, at, f"filled in; its history goes from {source} to {target}")


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
                    file=where,
                ) from error
        before = at
        yield step._replace(at=at)
