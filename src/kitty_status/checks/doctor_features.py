"""What doctor looks at in the feature folders: logs, snapshots, and what git makes of them."""

from __future__ import annotations

import os
import shlex
import time
import unicodedata
from typing import TYPE_CHECKING

from kitty_status.checks.diagnosis import MATERIALIZE, MEND_TAIL, Diagnosis, Fix
from kitty_status.checks.validate import snapshot_findings
from kitty_status.checks.views import view_findings
from kitty_status.clock import MAX_HOURS_AHEAD, now
from kitty_status.errors import UnsafeLogError
from kitty_status.git.log_paths import STATUS_PATHSPECS, feature_of, is_log_path
from kitty_status.git.run import git, read_blobs, run_git
from kitty_status.jsonl.codec import CONFLICT_MARKERS, LINE_ENDINGS_CHANGED
from kitty_status.jsonl.disk import DISK
from kitty_status.jsonl.quarantine import unfinished_tail
from kitty_status.status.instants import hours_between, parse_instant
from kitty_status.status.rows import is_safe_name
from kitty_status.status.validation import SNAPSHOT_WITHOUT_LOG, VIEW_DRIFT
from kitty_status.tracker.features import Feature
from kitty_status.tracker.log import reduce_log
from kitty_status.tracker.meta import META_FILENAME
from kitty_status.tracker.phases import phase_of, warnings_about

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kitty_status.checks.diagnosis import Clone
    from kitty_status.status.snapshot import Snapshot

# As long as one append may take: what is still there afterwards is not being written.
_MOMENT = 0.05


def check_feature(clone: Clone, feature: Feature) -> Iterator[Diagnosis]:
    """Can the log be read, does it end well, and does the snapshot say the same?"""
    phase = phase_of(feature, clone.config)
    for warning in phase.warnings:
        if warning not in warnings_about(clone.config):
            where = feature.relative(feature.folder / META_FILENAME)
            yield Diagnosis("invalid-phase", where, warning, _call("phase", feature.slug))
    path = feature.relative(feature.log.path)
    damage = _Damage(feature, path)
    try:
        snapshot = reduce_log(feature.log, clone.config.profile, damage)
        tails = {file: tail for file in feature.log.files() if (tail := unfinished_tail(file, DISK))}
    except UnsafeLogError as error:
        yield Diagnosis("log-unsafe", path, error.message)
        return
    except OSError as error:
        yield Diagnosis("log-unreadable", path, error.strerror or str(error))
        return
    yield from damage.findings()
    torn = [found for file, tail in tails.items() if (found := _torn(clone, feature, file, tail))]
    yield from torn
    if not damage.count:
        yield from _clock_findings(feature, snapshot)
        if phase.keeps_log and not torn:
            yield from _snapshot_diagnoses(clone, feature, snapshot)
            yield from _view_diagnoses(clone, feature, snapshot)


def _call(verb: str, slug: str, *options: str) -> tuple[str, ...]:
    """Return the command that does something about a feature; one whose name is no safe slug cannot be named."""
    if not is_safe_name(slug):
        return ("kitty-status validate --all",)
    return (" ".join(("kitty-status", verb, slug, *options)),)


class _Damage:
    """The policy that goes on behind damaged lines and counts them by kind; an unfinished last line is no damage."""

    def __init__(self, feature: Feature, path: str) -> None:
        self._feature = feature
        self._path = path
        self._first: dict[str, tuple[int, str]] = {}
        self._counts: dict[str, int] = {}

    @property
    def count(self) -> int:
        return sum(self._counts.values())

    def __call__(self, number: int, line: bytes, why: str, is_json: bool) -> None:
        if not line.endswith(b"\n"):
            return
        code = "log-damaged"
        if not is_json and line.startswith(CONFLICT_MARKERS):
            code = "log-conflict-markers"
        elif why == LINE_ENDINGS_CHANGED:
            code = "log-line-endings"
        self._first.setdefault(code, (number, why))
        self._counts[code] = self._counts.get(code, 0) + 1

    def findings(self) -> Iterator[Diagnosis]:
        commands = {
            "log-damaged": _call("validate", self._feature.slug),
            "log-conflict-markers": _call("resolve", self._feature.slug, "--dry-run"),
            "log-line-endings": (f"git ls-files --eol -- {shlex.quote(f':/{self._path}')}", "kitty-status init"),
        }
        for code, (number, why) in self._first.items():
            more = f"{self._counts[code]} lines, beginning with " if self._counts[code] > 1 else ""
            file, own_number = self._feature.log.locate(number)
            observed = f"{more}line {own_number}: {why}"
            yield Diagnosis(code, f"{self._feature.relative(file)}:{own_number}", observed, commands[code])


def _torn(clone: Clone, feature: Feature, file: Path, tail: bytes) -> Diagnosis | None:
    """Return what is wrong with the end of a log file, None where somebody was only in the middle of writing it."""
    time.sleep(_MOMENT)
    if unfinished_tail(file, DISK) != tail:
        return None
    path = feature.relative(file)
    observed = f"{len(tail)} bytes stand behind the last line end"
    if clone.project.repository is not None:
        blobs = read_blobs([f":{path}", f"HEAD:{path}"], cwd=clone.repository.worktree)
        if any(blob and blob[1].endswith(tail) for blob in blobs):
            commands = _call("validate", feature.slug)
            observed += ", and git holds them as well: the next event that is written mends it"
            return Diagnosis("log-tail-torn", path, observed, commands)
    return Diagnosis("log-tail-torn", path, observed, ("kitty-status doctor --fix",), Fix(MEND_TAIL, feature.slug))


def _clock_findings(feature: Feature, snapshot: Snapshot) -> Iterator[Diagnosis]:
    newest = snapshot.newest_instant
    if newest is not None and hours_between(parse_instant(now()), newest) > MAX_HOURS_AHEAD:
        observed = f"event {snapshot.last_event_id} is of {snapshot.materialized_at}, and here it is {now()}"
        commands = _call("log", feature.slug, "--limit", "1")
        yield Diagnosis("log-ahead-of-clock", feature.relative(feature.log.path), observed, commands)


def _snapshot_diagnoses(clone: Clone, feature: Feature, snapshot: Snapshot) -> Iterator[Diagnosis]:
    try:
        findings = snapshot_findings(feature, clone.config, snapshot)
    except OSError as error:
        yield Diagnosis("snapshot-unreadable", feature.relative(feature.snapshot), error.strerror or str(error))
        return
    for finding in findings:
        if finding.code == SNAPSHOT_WITHOUT_LOG:
            log = shlex.quote(f":/{feature.relative(feature.log.path)}")
            yield Diagnosis(finding.code, finding.path, finding.message, (f"git log --oneline -- {log}",))
        else:
            commands = _call("materialize", feature.slug)
            # Without its repository, a snapshot could not say which log it was made from.
            fix = Fix(MATERIALIZE, feature.slug) if feature.repository else None
            yield Diagnosis(finding.code, finding.path, finding.message, commands, fix)


def _view_diagnoses(clone: Clone, feature: Feature, snapshot: Snapshot) -> Iterator[Diagnosis]:
    for finding in view_findings(feature, clone.config, snapshot):
        where = f"{finding.path}:{finding.line}" if finding.line else finding.path
        if finding.code == VIEW_DRIFT:
            fix = Fix(MATERIALIZE, feature.slug) if feature.repository else None
            yield Diagnosis(finding.code, where, finding.message, _call("materialize", feature.slug), fix)
        else:
            yield Diagnosis(finding.code, where, f"{finding.message}; {finding.hint}")


def check_unmerged(clone: Clone) -> Iterator[Diagnosis]:
    """Does git wait for somebody to resolve a log or a snapshot?"""
    listed = os.fsdecode(git(["ls-files", "--unmerged", "-z", "--", *STATUS_PATHSPECS], cwd=clone.repository.worktree))
    for path in dict.fromkeys(entry.partition("\t")[2] for entry in listed.split("\0")[:-1]):
        slug = feature_of(path).rpartition("/")[2]
        if is_log_path(path):
            commands = _call("resolve", slug, "--dry-run")
            yield Diagnosis("log-unmerged", path, "git has a conflict in it", commands)
        else:
            commands = (*_call("materialize", slug), f"git add -- {shlex.quote(f':/{path}')}")
            yield Diagnosis("snapshot-unmerged", path, "git has a conflict in it", commands)


def check_ignored(clone: Clone) -> Iterator[Diagnosis]:
    """Does git ignore a log?"""
    logs = [feature.relative(path) for feature in clone.features for path in feature.log.files()]
    asked = os.fsencode("".join(f"{path}\0" for path in logs))
    found = run_git(["check-ignore", "--stdin", "-z"], cwd=clone.repository.worktree, stdin=asked)
    for path in os.fsdecode(found.out).split("\0")[:-1]:
        commands = (f"git check-ignore -v -- {shlex.quote(f':/{path}')}",)
        yield Diagnosis("log-ignored", path, "a rule of .gitignore or info/exclude matches it", commands)


def check_names(clone: Clone) -> Iterator[Diagnosis]:
    """Are there features that some file systems do not tell apart?"""
    folder = clone.project.features_folder.relative_to(clone.project.root).as_posix()
    listed = os.fsdecode(git(["ls-files", "-z", "--", f":(top,literal){folder}"], cwd=clone.repository.worktree))
    paths = [path.removeprefix(f"{folder}/").split("/") for path in listed.split("\0")[:-1]]
    slugs = {parts[0] for parts in paths if len(parts) > 1} | {feature.slug for feature in clone.features}
    alike: dict[str, list[str]] = {}
    for slug in sorted(slugs):
        alike.setdefault(unicodedata.normalize("NFC", slug).casefold(), []).append(slug)
    for names in alike.values():
        if len(names) > 1:
            yield Diagnosis("feature-names-collide", folder, " and ".join(names), ("kitty-status show",))
