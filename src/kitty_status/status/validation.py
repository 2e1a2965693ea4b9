"""The rules that a log's events are held to, and what is found where they are broken.

Whether a line can be read at all is settled before; here it is asked whether what was read should
be there. Rules that need one event are asked of each event that is not plainly in order; rules that
need the whole log are asked of the snapshot.
"""

from __future__ import annotations

from kitty_status.status.continuity import chain_breaks, is_certain, never_current
from kitty_status.status.lanes import GUARD_APPROVAL, GUARD_REVIEW_REF, GUARD_REVIEW_RESULT
from kitty_status.status.rows import are_ulids, is_ulid, milliseconds_of
from kitty_status.status.transitions import Move, has_approval, needs_look, refusals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from kitty_status.status.causality import IgnoredParent
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent
    from kitty_status.status.snapshot import Snapshot

ERROR = "error"
WARNING = "warning"
INFO = "info"

DAMAGED_LINE = "damaged-line"
INVALID_EVENT = "invalid-event"
CUT_TAIL = "cut-tail"
UNREADABLE_FILE = "unreadable-file"
NO_LINE_END = "no-line-end"
ODD_LOG_FOLDER = "odd-log-folder"
ID_NOT_ULID = "id-not-ulid"
UNKNOWN_LANE = "unknown-lane"
REPEATED_EVENT = "repeated-event"
CONFLICTING_EVENT = "conflicting-event"
OTHER_FEATURE = "other-feature"
SPLIT_LOG = "split-log"
IGNORED_PARENT = "ignored-parent"
COMPETING_MOVES = "competing-moves"
CHAIN_BREAK = "chain-break"
NEVER_CURRENT = "never-current"
ID_IN_FUTURE = "id-in-future"
NON_CANONICAL_LINE = "non-canonical-line"
LANE_IN_FOREIGN_ROW = "lane-in-foreign-row"
SNAPSHOT_DRIFT = "snapshot-drift"
SNAPSHOT_MISSING = "snapshot-missing"
SNAPSHOT_WITHOUT_LOG = "snapshot-without-log"
INVALID_PHASE = "invalid-phase"
LOG_NOT_READ = "log-not-read"
UNREADABLE_WORK_PACKAGE = "unreadable-work-package"
VIEW_DRIFT = "view-drift"
VIEW_UNREADABLE = "view-unreadable"

NO_FUTURE = ("Z", "Z")
"""For those who do not ask for a clock: no id lies in the future."""

_ADD_EVENT = "events are never edited: emit a further event that puts it right, with --force and a --reason"

_LOOK_FOR_LINE = "a line may be missing: look on other branches; if none is, a further event says where it stands"
_MOST_NAMED = 3
_REVIEW_GUARDS = (GUARD_REVIEW_REF, GUARD_REVIEW_RESULT)
_SECONDS_OF_A_DAY = 86_400


class Finding:
    """Something that a check has to say: a stable code, a severity, a place, what, and what to do next."""

    __slots__ = ("code", "event_id", "hint", "line", "message", "path", "severity")

    def __init__(  # noqa: PLR0913  a finding has these parts
        self,
        code: str,
        message: str,
        *,
        hint: str,
        severity: str = ERROR,
        path: str = "",
        line: int | None = None,
        event_id: str | None = None,
    ) -> None:
        self.code = code
        self.severity = severity
        self.path = path
        self.line = line
        self.event_id = event_id
        self.message = message
        self.hint = hint

    def to_dict(self) -> dict[str, Any]:
        """Return the finding in plain JSON types."""
        return {
            name: getattr(self, name) for name in ("code", "severity", "path", "line", "event_id", "message", "hint")
        }


class Judge:
    """Holds the events of one log to the rules and collects what it finds.

    * `look` is asked about events whose move is forced or not among `plain_moves`, and may be asked twice
    * `is_divided` says that the lines of several files follow each other, so that their order shows nothing
    * `future` are two ids: between them lies one of the future, if the event's own `at` agrees
    * each finding is kept with the line that it is about, so that its number can be looked up afterwards
    """

    def __init__(
        self,
        profile: LaneProfile,
        slug: str,
        former_slugs: Iterable[str] = (),
        *,
        future: tuple[str, str] = NO_FUTURE,
        is_divided: bool = False,
    ) -> None:
        self.profile = profile
        self._future = future
        self._is_divided = is_divided
        self.slug = slug
        self._former_slugs = frozenset(former_slugs)
        self.plain_moves = needs_look(profile)
        self._lanes = frozenset(profile.lanes)
        self._needs_approval = frozenset(move for move, guard in profile.moves.items() if guard == GUARD_APPROVAL)
        self._needs_review = frozenset(move for move, guard in profile.moves.items() if guard in _REVIEW_GUARDS)
        self.found: dict[tuple[bytes, str], Finding] = {}
        self.ignored: list[IgnoredParent] = []

    def look(self, event: LaneEvent) -> None:
        """Ask whether the event's move is one that its profile allows, with everything it needs."""
        if self._is_in_order(event):
            return  # nearly every event that is asked about; only the others are taken apart
        move = Move(
            event.from_lane,
            event.to_lane,
            actor=event.shown_actor,
            force=event.force,
            reason=event.reason,
            review_ref=event.review_ref,
            evidence=event.evidence,
            review_result=event.review_result or None,
            execution_mode="given",
            is_recorded=True,
        )
        for refusal in refusals(move, self.profile):
            self._add(event, Finding(refusal.code, f"{event.wp_id}: {refusal.message}", hint=_ADD_EVENT))
        for lane in (event.from_lane, event.to_lane):
            if lane not in self.profile.lanes:
                message = f"{event.wp_id}: {lane} is no lane of {self.profile.name}"
                hint = "pin the profile: `status.lanes` in the configuration"
                self._add(event, Finding(UNKNOWN_LANE, message, hint=hint), key=f"{UNKNOWN_LANE} {lane}")

    def _is_in_order(self, event: LaneEvent) -> bool:
        if not event.shown_actor.strip():
            return False
        if event.force:
            said = event.reason
            return bool(said and said.strip()) and event.from_lane in self._lanes and event.to_lane in self._lanes
        move = event.from_lane, event.to_lane
        if move in self._needs_approval:
            return has_approval(event.evidence)
        said = event.review_ref
        return move in self._needs_review and bool(said and said.strip())

    def other_feature(self, event: LaneEvent) -> None:
        """Note an event that names another feature than the folder it stands in, now or before it was renamed."""
        if event.slug in self._former_slugs:
            return
        message = f"the event names the feature {event.slug}, its folder is {self.slug}"
        hint = "if the folder was renamed by hand this is harmless; if the event strayed here, emit one that says so"
        self._add(event, Finding(OTHER_FEATURE, message, hint=hint, severity=WARNING))

    def has_odd_ids(self, ids: Sequence[str], events: Iterable[LaneEvent]) -> bool:
        """Say whether one of the `ids`, which those of `events` are, is no ULID or one of the future."""
        if not are_ulids(ids):
            return True
        return max(ids, default="") > self._future[0] and any(map(self._is_of_the_future, events))

    def ids(self, events: Sequence[LaneEvent]) -> None:
        """Note the events whose id is no ULID, or one of the future."""
        if not self.has_odd_ids([event.event_id for event in events], events):
            return
        for event in events:
            if not is_ulid(event.event_id):
                message = f"event id {event.event_id!a} is no ULID"
                hint = "whoever writes this log should mint ULIDs: 26 characters of Crockford's base 32"
                self._add(event, Finding(ID_NOT_ULID, message, hint=hint, severity=WARNING))
            elif self._is_of_the_future(event):
                message = f"event id {event.event_id} was minted by a clock more than a day ahead of this one"
                hint = "set the clock of the machine that wrote it, or of this one; the event itself stays"
                self._add(event, Finding(ID_IN_FUTURE, message, hint=hint, severity=WARNING))

    def _is_of_the_future(self, event: LaneEvent) -> bool:
        """Say whether a clock ahead of this one minted an id; one that was derived from content tells another time."""
        beginning, end = self._future
        if not beginning < event.event_id < end:
            return False
        return abs(milliseconds_of(event.event_id) / 1000 - event.instant.timestamp()) < _SECONDS_OF_A_DAY

    def sequence(self, events: Sequence[LaneEvent]) -> None:
        """Note what only the sequence of events shows; they are given each once, in the order of their lines."""
        for event, before in chain_breaks(events):
            stood = " and ".join(f"{parent.to_lane} ({parent.event_id})" for parent in before[:_MOST_NAMED])
            message = f"{event.wp_id}: the event leaves {event.from_lane}, and the work package stood in {stood}"
            severity = ERROR if is_certain(event, before) else WARNING
            self._add(event, Finding(CHAIN_BREAK, message, hint=_LOOK_FOR_LINE, severity=severity))
        for event, (ahead,) in () if self._is_divided else never_current(events):
            message = (
                f"{event.wp_id}: the event never decided where it stands: {ahead.event_id}, which the log had before "
                f"it, is dated later ({ahead.at})"
            )
            hint = "a clock was ahead, or the line was put in later: emit where the work package stands, if need be"
            self._add(event, Finding(NEVER_CURRENT, message, hint=hint, severity=WARNING))

    def repeated(self, first: LaneEvent, second: LaneEvent, *, same_content: bool) -> None:
        """Note an event id that stands twice."""
        if same_content:
            message, hint, severity = "the event stands in the log twice", "this is harmless", WARNING
            finding = Finding(REPEATED_EVENT, message, hint=hint, severity=severity)
        else:
            message = f"event id {second.event_id} stands for two different events"
            hint = "find out from git's history which of the two is genuine; all clones take the bytewise smaller line"
            finding = Finding(CONFLICTING_EVENT, message, hint=hint)
        self._add(second, finding, key=f"{finding.code} {first.line!r}")

    def whole_log(self, snapshot: Snapshot, events: Iterable[LaneEvent]) -> list[Finding]:
        """Return what only the whole log shows: parents that were passed over, moves that compete."""
        by_id = {event.event_id: event for event in events} if self.ignored else {}
        for event_id, parent, why in self.ignored:
            message = f"the parent {parent} was passed over: {why}"
            hint = "a line may be missing: look for it in git's history and on other branches"
            self._add(by_id[event_id], Finding(IGNORED_PARENT, message, hint=hint, severity=WARNING), key=parent)
        return [_competing(wp_id, state) for wp_id, state in snapshot.work_packages.items() if "conflict" in state]

    def _add(self, event: LaneEvent, finding: Finding, key: str = "") -> None:
        finding.event_id = event.event_id
        self.found.setdefault((event.line, key or finding.code), finding)


def _competing(wp_id: str, state: dict[str, Any]) -> Finding:
    conflict = state["conflict"]
    heads = ", ".join(f"{head['lane']} by {head['actor']} ({head['event_id']})" for head in conflict["heads"])
    return Finding(
        COMPETING_MOVES,
        f"{wp_id}: {conflict['head_count']} moves compete, {state['lane']} stands by {conflict['rule']}: {heads}",
        hint=f"`kitty-status emit {wp_id} --to LANE` decides it: the next event comes after all of them",
        severity=WARNING,
        event_id=state["last_event_id"],
    )
