"""What migrating a feature takes: which of its work packages tell of moves that its log does not hold.

Only work packages without any event are migrated, in this log and wherever else the clone can see: whatever was
recorded counts for more than a file. A work package of which a crash left the first events in the log gets the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kitty_status.clock import MAX_HOURS_AHEAD, now
from kitty_status.errors import KittyStatusError, StoreError, UnsafeLogError, WorkPackageFileError
from kitty_status.status.instants import hours_between, parse_instant
from kitty_status.status.lanes import SEVEN_LANE, profile_that_has
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.tracker.log import read_log
from kitty_status.tracker.meta import meta_of
from kitty_status.tracker.migrating.course import Course, Told, course_of, lanes_named
from kitty_status.tracker.migrating.history import time_of
from kitty_status.tracker.migrating.lines import events_of_course
from kitty_status.tracker.places.sight import Surroundings
from kitty_status.tracker.views.materialize import refuse_lost_log
from kitty_status.tracker.work_packages.files import work_package_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent, StatusRecord
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.views.views import View
    from kitty_status.tracker.work_packages.files import WorkPackageFile
    from kitty_status.tracker.work_packages.frontmatter import Value

    # {work package: (file, what its frontmatter says)}
    Files: TypeAlias = dict[str, tuple[WorkPackageFile, Mapping[str, Value]]]

MIGRATED = "migrated"
ALREADY = "already"
KEPT = "kept"
NOTHING = "nothing"


class UnreadableError(WorkPackageFileError):
    """Work packages of a feature cannot be read. `problems` are all of them."""

    def __init__(self, feature: Feature, problems: list[KittyStatusError]) -> None:
        super().__init__(
            f"{feature.slug} was left as it is: {'; '.join(each.message for each in problems)}",
            hint=problems[0].hint,
            problems=[{"message": each.message, "hint": each.hint} for each in problems],
        )
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one work package.

    * `what`: `migrated`; `already`, by an earlier run; `kept`, since it has events of its own; or `nothing`, since its
      file tells of no move
    * `lane` is where its file says that it stands, `logged` where the log says so, None where either says nothing
    * `events` are those that are missing in the log
    """

    wp_id: str
    what: str
    lane: str | None
    logged: str | None
    origin: str | None = None
    events: tuple[StatusRecord, ...] = ()

    @property
    def disagrees(self) -> bool:
        """Whether file and log say different lanes."""
        return self.what == KEPT and None not in (self.lane, self.logged) and self.lane != self.logged


@dataclass(slots=True)
class Migration:
    """What migrating a feature takes, by work package, from which `files`, and whether it was done.

    `views` are those of the log with the events in it, once it was done.
    """

    feature: Feature
    outcomes: list[Outcome]
    profile: str
    files: Files = field(default_factory=dict)
    written: bool = False
    warnings: list[str] = field(default_factory=list)
    views: list[View] = field(default_factory=list)

    @property
    def events(self) -> list[StatusRecord]:
        """The events that are missing in the log, the oldest first."""
        events = [event for outcome in self.outcomes for event in outcome.events]
        return sorted(events, key=lambda event: (event.instant, event.event_id))


def plan(feature: Feature, config: Config, first: Migration | None = None, *, may_be_lost: bool = False) -> Migration:
    """Return what migrating a feature takes; nothing is written.

    `first` is given under the log's lock: it is what this function returned before, and files that are as they were
    are not parsed again. With `may_be_lost` a log that has vanished is taken for one that is empty: the journal may
    bring it back.

    Raises:
        UnreadableError: work packages cannot be read.
        StoreError: the log is damaged, or it would give another lane than the frontmatter.
        OSError: a file cannot be read.
    """
    events = unique_events(read_log(feature.log, feature.log.strictly(under_lock=first is not None)))
    before = reduce_events(events, config.profile)
    problems: list[KittyStatusError] = []
    files = _frontmatters(feature, first.files if first else {}, problems)
    profile = _profile(config, before, files.values())
    begun = _begun(feature)
    migration = Migration(feature, [], profile.name, files)
    for wp_id, (file, values) in files.items():
        where = file.where
        try:
            course = course_of(_told(file, values), profile, begun)
            derived = events_of_course(feature.slug, wp_id, course, profile, where)
            _refuse_future(derived, where)
        except WorkPackageFileError as error:
            problems.append(error)
            continue
        own = [event for event in events if event.wp_id == wp_id]
        outcome = _outcome(wp_id, course, derived, own, before)
        migration.outcomes.append(outcome)
        migration.warnings += _warnings(outcome, course, where)
    if problems:
        raise UnreadableError(feature, sorted(problems, key=lambda each: each.message))
    if migration.events:
        if not may_be_lost:
            refuse_lost_log(feature, before, config)
        _keep_what_is_elsewhere(migration, events, before.profile)
    check_lanes(migration, reduce_events([*events, *migration.events], config.profile))
    return migration


def _frontmatters(feature: Feature, known: Files, problems: list[KittyStatusError]) -> Files:
    """Return each work package's file with its values; what cannot be read is added to `problems`."""
    found: Files = {}
    try:
        files = work_package_files(feature)
    except WorkPackageFileError as error:
        problems.append(error)
        return {}
    for file in files:
        before, values = known.get(file.wp_id, (None, {}))
        try:
            if before is None or (before.where, before.data) != (file.where, file.data):
                block = file.frontmatter()
                values = block.values if block else {}
        except WorkPackageFileError as error:
            problems.append(error)
            continue
        found[file.wp_id] = (file, values)
    return found


def _told(file: WorkPackageFile, values: Mapping[str, Value]) -> Told:
    body = file.body()
    return Told(file.where, values, body, file.data.count(b"\n") - body.count(b"\n"))


def _profile(
    config: Config, before: Snapshot, files: Iterable[tuple[WorkPackageFile, Mapping[str, Value]]]
) -> LaneProfile:
    """Return the profile by which lanes are understood: the one in force, which the lanes themselves may decide."""
    if config.profile is not None or before.profile is not SEVEN_LANE:
        return before.profile
    return profile_that_has(lane for file, values in files for lane in lanes_named(_told(file, values)))


def _begun(feature: Feature) -> datetime | None:
    """Return when the feature was begun by what `meta.json` says; it is committed, so that all clones agree."""
    try:
        return time_of(meta_of(feature).get("created_at"))
    except (OSError, ValueError, UnsafeLogError):
        return None


def _refuse_future(events: list[StatusRecord], where: str) -> None:
    ahead = hours_between(parse_instant(now()), events[-1].instant) if events else 0
    if ahead > MAX_HOURS_AHEAD:
        raise WorkPackageFileError(
            f"{where}: {events[-1].at} lies more than {MAX_HOURS_AHEAD} hours ahead of this clock",
            hint="correct the times in the file, or the clock; no event could be recorded after such a one",
            file=where,
        )


def _outcome(
    wp_id: str, course: Course, derived: list[StatusRecord], own: list[LaneEvent], before: Snapshot
) -> Outcome:
    logged = before.work_packages[wp_id]["lane"] if own else None
    present = {event.line.removesuffix(b"\n") for event in own}
    missing = tuple(event for event in derived if event.line.removesuffix(b"\n") not in present)
    is_ours = len(missing) + len(present) == len(derived)
    if own and not is_ours:
        return Outcome(wp_id, KEPT, course.lane, logged)
    what = MIGRATED if missing else ALREADY if own else NOTHING
    return Outcome(wp_id, what, course.lane, logged, course.origin, missing)


def _keep_what_is_elsewhere(migration: Migration, events: list[LaneEvent], profile: LaneProfile) -> None:
    """Leave out the work packages that other work trees or branches have moved: the two pasts would compete."""
    feature = migration.feature
    if feature.repository is None:
        return
    sight = Surroundings(feature.repository).of(feature, events)
    for position, outcome in enumerate(migration.outcomes):
        derived = {event.event_id for event in outcome.events}
        heads = sight.heads_elsewhere(outcome.wp_id, profile) if derived else []
        head = next((each for each in heads if each.event_id not in derived), None)
        if head is None:
            continue
        migration.outcomes[position] = replace(outcome, what=KEPT, origin=None, events=())
        migration.warnings.append(
            f"{feature.slug}: {outcome.wp_id} was not migrated: {head.shown_actor} has moved it to {head.to_lane} in "
            f"{sight.places_of(head.event_id)[0].name}; merge that first"
        )


def _warnings(outcome: Outcome, course: Course, where: str) -> list[str]:
    if outcome.disagrees:
        return [
            f"{where}: its frontmatter says {outcome.lane}, and the log {outcome.logged}: the log counts, and was kept"
        ]
    return list(course.remarks) if outcome.what == MIGRATED else []


def check_lanes(migration: Migration, after: Snapshot) -> None:
    """Make sure that the log gives every work package that is migrated the lane that its frontmatter says.

    Raises:
        StoreError: it does not.
    """
    slug = migration.feature.slug
    for outcome in migration.outcomes:
        if outcome.what not in (MIGRATED, ALREADY):
            continue
        lane = after.work_packages[outcome.wp_id]["lane"]
        if lane != outcome.lane:
            raise StoreError(
                f"{slug}: {outcome.wp_id} stands in {lane} by the migrated events, and in {outcome.lane} by its "
                "frontmatter",
                hint=f"`kitty-status validate {slug}` and `kitty-status log {slug} --wp {outcome.wp_id}` show why; "
                f"`kitty-status emit {outcome.wp_id} --to {outcome.lane}` moves it there",
            )
