"""Validate a feature: everything that is wrong with its log, its snapshot and its views, in one run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.checks.lines import Spelling, odd_lines
from kitty_status.checks.phases import phase_findings
from kitty_status.checks.shards import foreign_files
from kitty_status.checks.views import view_findings
from kitty_status.clock import future_ids
from kitty_status.errors import UnsafeLogError
from kitty_status.jsonl.codec import decode, describe_damage
from kitty_status.jsonl.damage import is_in_flight
from kitty_status.jsonl.reading import open_log
from kitty_status.jsonl.tail import TAIL_COMPLETE, TAIL_CUT, classify_tail
from kitty_status.status import validation
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.validation import ERROR, WARNING, Finding, Judge
from kitty_status.tracker.former import former_slugs
from kitty_status.tracker.log import read_log, reduce_log
from kitty_status.tracker.mending.same_feature import how_to_unite
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.views.materialize import compare, events_counted_by, log_oid, reduce_with_oid

if TYPE_CHECKING:
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import DecodeRow
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.mending.same_feature import Namesakes

_MEND_LINE = "`kitty-status resolve --dry-run` says what can be mended and what would be set aside, `resolve` does it"
_MATERIALIZE = "run `kitty-status materialize {slug}`"


class Validation:
    """What was found in one feature, how many events there were, and how many findings a baseline has accepted."""

    def __init__(self, feature: Feature, findings: list[Finding], event_count: int) -> None:
        self.feature = feature
        self.findings = findings
        self.event_count = event_count
        self.known = 0

    @property
    def passed(self) -> bool:
        """Whether nothing worse than a warning was found."""
        return not any(finding.severity == ERROR for finding in self.findings)


def validate(feature: Feature, config: Config, namesakes: Namesakes | None = None) -> Validation:
    """Return every finding about a feature's log, snapshot and views. Nothing is written, no lock is taken.

    With `namesakes`, it is also asked whether another folder holds events of the same feature.
    """
    try:
        found = _validated(feature, config)
    except UnsafeLogError as error:
        # The other features of the run are to be heard of, too.
        finding = Finding(error.code, error.message, hint=error.hint, path=feature.relative(feature.log.path))
        found = Validation(feature, [finding], 0)
    except OSError as error:
        found = Validation(feature, [_unreadable(feature, error)], 0)
    if namesakes is not None:
        found.findings += [_split(feature, other) for other in namesakes.others_of(feature)]
    return found


def _unreadable(feature: Feature, error: OSError) -> Finding:
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else feature.log.path
    return Finding(
        validation.UNREADABLE_FILE,
        f"the operating system refuses it ({error.strerror or error}), so nothing else was looked at",
        hint="see that it is a file that may be read, and call again",
        path=feature.relative(path) if path.is_relative_to(feature.folder) else str(path),
    )


def _split(feature: Feature, other: Feature) -> Finding:
    return Finding(
        validation.SPLIT_LOG,
        f"{feature.relative(other.folder)} holds events of the same feature",
        hint=f"`{how_to_unite(feature, other)}` unites the two logs; no line is lost",
        path=feature.relative(feature.log.path),
    )


def _validated(feature: Feature, config: Config) -> Validation:
    damage = _DamageList()
    profile = config.profile or _profile_at_first_sight(feature)
    spelling = Spelling()
    judge, snapshot = _judged(feature, profile, damage, spelling.decode)
    if config.profile is None and snapshot.profile is not profile:
        damage = _DamageList()
        judge, snapshot = _judged(feature, snapshot.profile, damage)
    judge.found.update(spelling.found)
    events = read_log(feature.log, _quietly) if judge.ignored else ()
    findings = [*damage.findings, *judge.whole_log(snapshot, events), *_with_line_numbers(feature, judge)]
    for finding in findings:
        file, finding.line = _place_of(finding, feature)
        finding.path = feature.relative(file)
    for file in feature.log.files():
        findings += _line_end_findings(feature, file)
        findings += [] if spelling.was_asked else odd_lines(file, feature.relative(file))
    findings += foreign_files(feature)
    findings.sort(key=lambda finding: (finding.line is None, finding.path, finding.line or 0, finding.code))
    phase = phase_of(feature, config)
    findings += phase_findings(feature, config, phase, snapshot)
    if phase.keeps_log and not any(finding.severity == ERROR for finding in damage.findings):
        findings += snapshot_findings(feature, config, snapshot) + view_findings(feature, config, snapshot)
    return Validation(feature, findings, snapshot.event_count)


def _place_of(finding: Finding, feature: Feature) -> tuple[Path, int | None]:
    if finding.line is None:
        return feature.log.path, None
    return feature.log.locate(finding.line)


class _DamageList:
    """The policy that goes on behind a damaged line and reports each once, however often the log is read."""

    def __init__(self) -> None:
        self._seen: dict[int, Finding] = {}

    @property
    def findings(self) -> list[Finding]:
        return list(self._seen.values())

    def __call__(self, number: int, line: bytes, why: str, is_json: bool) -> None:
        self._seen[number] = _damage(number, line, why, is_json=is_json)


def _damage(number: int, line: bytes, why: str, *, is_json: bool) -> Finding:
    if is_in_flight(line):
        return _cut_tail(number)
    code = validation.INVALID_EVENT if is_json else validation.DAMAGED_LINE
    message = describe_damage(line, why, is_json=is_json)
    return Finding(code, message, hint=_MEND_LINE, line=number, event_id=_event_id(line) if is_json else None)


def _cut_tail(number: int, path: str = "") -> Finding:
    return Finding(
        validation.CUT_TAIL,
        "the last line is being written, or a crash cut it short",
        hint="nothing to do: the next event that is written moves it to the quarantine folder",
        severity=WARNING,
        path=path,
        line=number,
    )


def _event_id(line: bytes) -> str | None:
    event_id = decode(line.removesuffix(b"\n")).get("event_id")
    return event_id if isinstance(event_id, str) else None


def _line_end_findings(feature: Feature, file: Path) -> list[Finding]:
    """Report a last line that is whole but for its LF: it counts, and the next event that is written ends it.

    In a writer's file also one that is cut short, which the readers of a divided log do not get to see.
    """
    log = open_log(file)
    if log is None:
        return []
    number, line = 0, b"\n"
    with log:
        if not log.seek(0, os.SEEK_END):
            return []
        log.seek(-1, os.SEEK_END)
        if log.read() == b"\n":
            return []
        log.seek(0)
        for number, line in enumerate(log, start=1):  # noqa: B007  the last ones are wanted
            pass
    path, kind = feature.relative(file), classify_tail(line)
    if kind == TAIL_CUT and feature.log.is_divided:
        return [_cut_tail(number, path)]
    if kind != TAIL_COMPLETE:
        return []
    message, hint = "the last line has no line end", "nothing to do: the next event that is written ends it"
    return [Finding(validation.NO_LINE_END, message, hint=hint, severity=WARNING, path=path, line=number)]


def _judged(
    feature: Feature, profile: LaneProfile, damage: _DamageList, decode_row: DecodeRow = decode
) -> tuple[Judge, Snapshot]:
    judge = Judge(
        profile, feature.slug, former_slugs(feature.log), future=future_ids(), is_divided=feature.log.is_divided
    )
    return judge, reduce_log(feature.log, None, damage, judge=judge, decode_row=decode_row)


def _profile_at_first_sight(feature: Feature) -> LaneProfile:
    for event in read_log(feature.log, _quietly, bytes_to_read=0):
        return NINE_LANE if event.nine_lane else SEVEN_LANE
    return SEVEN_LANE


def _quietly(number: int, line: bytes, why: str, is_json: bool) -> None:
    """Pass over a damaged line that is reported elsewhere."""


def _with_line_numbers(feature: Feature, judge: Judge) -> list[Finding]:
    """Give each finding the number of its line; they are looked up afterwards because so few lines have one."""
    wanted: dict[bytes, list[Finding]] = {}
    for (line, _), finding in judge.found.items():
        wanted.setdefault(line.removesuffix(b"\n"), []).append(finding)
    log = feature.log.open() if wanted else None
    if log is None:
        return []
    numbered = []
    with log:
        for number, line in enumerate(log, start=1):
            for finding in wanted.get(line.removesuffix(b"\n"), ()):
                if finding.line is None or finding.code in _OF_THE_LATER_LINE:
                    finding.line = number
                    numbered.append(finding)
    return list(dict.fromkeys(numbered))


_OF_THE_LATER_LINE = frozenset({validation.REPEATED_EVENT})


def snapshot_findings(feature: Feature, config: Config, snapshot: Snapshot) -> list[Finding]:
    """Return what is wrong with `status.json`, where `snapshot` was just reduced from the log beside it.

    Raises:
        StoreError, BusyError, OSError: as `materialize.reduce_with_oid`.
    """
    path = feature.relative(feature.snapshot)
    mend = _MATERIALIZE.format(slug=feature.slug)
    compared = compare(feature, config, snapshot, log_oid(feature))
    if compared.drifted:
        # The log may have changed since it was read: only what differs from one and the same log has drifted.
        compared = compare(feature, config, *reduce_with_oid(feature, config))
    if compared.existing is None:
        if not (snapshot.event_count and config.commits_snapshots):
            return []
        message = "the feature has events and no snapshot"
        return [Finding(validation.SNAPSHOT_MISSING, message, hint=mend, severity=WARNING, path=path)]
    if not compared.drifted:
        return []
    if config.commits_snapshots and not snapshot.event_count and events_counted_by(feature):
        return [
            Finding(
                validation.SNAPSHOT_WITHOUT_LOG,
                "the snapshot counts events and the log has none",
                hint="the log may have been lost: look for it in git's history before anything else is written",
                path=path,
            )
        ]
    # Where it is not committed, nobody else sees it: a merge that brought new lines leaves it behind.
    severity = ERROR if config.commits_snapshots else WARNING
    message = "the snapshot is not what the log says"
    return [Finding(validation.SNAPSHOT_DRIFT, message, hint=mend, severity=severity, path=path)]
