"""Doctor: is this clone able to keep its promises? Every check, each on its own, and the safe ways to mend."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.checks import doctor_features as features
from kitty_status.checks import doctor_merging as merging
from kitty_status.checks import doctor_repository as place
from kitty_status.checks import doctor_work as work
from kitty_status.checks.ailments import SEVERITIES
from kitty_status.checks.diagnosis import AS_CONFIGURED, INSTALL, MEND_TAIL, RECONCILE, Clone, Diagnosis, Examination
from kitty_status.checks.doctor_hooks import check_hooks
from kitty_status.errors import ConfigurationError, GitError, KittyStatusError
from kitty_status.git import installation
from kitty_status.jsonl.append import mend_tail
from kitty_status.tracker.features import Project
from kitty_status.tracker.journal.reconcile import reconcile
from kitty_status.tracker.views.materialize import materialize_feature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kitty_status.checks.diagnosis import Fix, Limits


class Check(NamedTuple):
    """A check of the whole clone, and the codes that it may report."""

    name: str
    run: Callable[[Clone], Iterable[Diagnosis]]
    codes: tuple[str, ...]


ANYWHERE = (
    Check(
        "configuration",
        place.check_configuration,
        ("configuration-unreadable", "newer-tool-required", "invalid-phase"),
    ),
    Check("switch", place.check_switch, ("switched-off",)),
)
IN_A_REPOSITORY = (
    Check("operation", place.check_operation, ("operation-in-progress", "rebase-left-behind")),
    Check("heads", place.check_heads, ("head-unreadable",)),
    Check("completeness", place.check_completeness, ("shallow-clone", "partial-clone", "sparse-checkout")),
    Check(
        "attributes",
        merging.check_attributes,
        ("attributes-not-declared", "attributes-not-committed", "attributes-overridden"),
    ),
    Check(
        "local-attributes",
        merging.check_local_attributes,
        ("local-attributes-missing", "local-attributes-overridden"),
    ),
    Check(
        "drivers",
        merging.check_drivers,
        ("driver-missing", "driver-without-command", "driver-outdated", "driver-not-runnable"),
    ),
    Check("trial-merge", merging.check_trial_merge, ("trial-merge-failed", "trial-merge-degraded")),
    Check(
        "hooks",
        check_hooks,
        (
            "hook-missing",
            "hook-not-executable",
            "hook-foreign",
            "hook-outdated",
            "hook-silent",
            "hooks-managed-elsewhere",
        ),
    ),
    Check("unmerged", features.check_unmerged, ("log-unmerged", "snapshot-unmerged")),
    Check("ignored", features.check_ignored, ("log-ignored",)),
    Check("names", features.check_names, ("feature-names-collide",)),
    Check("autostash", place.check_autostash, ("autostash-unset",)),
    Check("journal", place.check_journal, ("event-vanished", "event-waits", "journal-unreadable")),
    Check("worktrees", work.check_worktrees, ("orphan-worktree", "orphan-workspace")),
    Check("quarantine", place.check_quarantine, ("quarantine-not-empty",)),
)
OF_A_FEATURE = (
    "invalid-phase",
    "log-unsafe",
    "log-unreadable",
    "log-damaged",
    "log-conflict-markers",
    "log-line-endings",
    "log-tail-torn",
    "log-ahead-of-clock",
    "snapshot-unreadable",
    "snapshot-missing",
    "snapshot-drift",
    "snapshot-without-log",
    "view-drift",
    "view-unreadable",
)

OF_THE_WORK = ("stale-claim", "migrated-claim", "chain-break", "competing-moves")

OBSTACLES = frozenset({"git-missing", "not-a-repository", "repository-unreadable", "check-failed"})
"""What keeps other checks from being made, and is reported whatever was asked for."""


def examine(start: Path, codes: Iterable[str] = (), limits: Limits = AS_CONFIGURED) -> Examination:
    """Make every check that may report one of `codes` (all of them where none is given), and write nothing.

    Whatever goes wrong within a check becomes a finding, `check-failed`, and the other checks are
    made all the same: nothing that is damaged can keep doctor from saying what else is.
    Where `limits` are given, they count instead of those of the configuration, and what their baseline accepts is
    passed over.
    """
    wanted = frozenset(codes)
    findings, known = _findings(start, wanted, limits)
    if wanted:
        findings = [finding for finding in findings if finding.code in wanted | OBSTACLES]
    return Examination(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)), known=known)


def mend(
    start: Path, examination: Examination, codes: Iterable[str] = (), limits: Limits = AS_CONFIGURED
) -> Examination:
    """Do what `examination.fixes` lists, examine again for the same codes, and say what was done and what could not be.

    Only that is done which takes nothing away: what of the installation is missing or outdated, the
    snapshot of a log that is sound, the end of a log that a crash cut short, events that vanished from a log.
    """
    project = Project(start)
    fixed: list[str] = []
    failed: list[str] = []
    for fix in examination.fixes:
        what = describe(fix)
        try:
            _mend(Clone(project), fix)
        except (KittyStatusError, OSError) as error:
            failed.append(f"{what}: {error}")
        else:
            fixed.append(what)
    after = examine(start, codes, limits)
    return Examination(after.findings, fixed, failed, after.known)


def describe(fix: Fix) -> str:
    """Return in a few words what a fix does."""
    if fix.action == INSTALL:
        return "install what is missing or outdated"
    if fix.action == RECONCILE:
        return "bring back what vanished from the logs"
    return f"mend the end of the log of {fix.feature}" if fix.action == MEND_TAIL else f"materialize {fix.feature}"


def _mend(clone: Clone, fix: Fix) -> None:
    if fix.action == INSTALL:
        if not installation.mend(clone.repository, snapshots=clone.snapshots):
            raise ConfigurationError("nothing is missing or outdated that may be written to without you")
        return
    if fix.action == RECONCILE:
        clone.config.check_may_write()
        reconcile(clone.repository)
        return
    feature = next(feature for feature in clone.features if feature.slug == fix.feature)
    clone.config.check_may_write()
    if fix.action == MEND_TAIL:
        for file in feature.log.files():
            mend_tail(feature.place_of(file))
    else:
        materialize_feature(feature, clone.config)


def _findings(start: Path, wanted: frozenset[str], limits: Limits) -> tuple[list[Diagnosis], int]:
    """Return what is found, and how many findings the baseline has accepted."""
    here = str(start)
    found = _guarded("git", here, partial(place.check_git, here))
    if any(finding.code == "git-missing" for finding in found):
        return found, 0
    try:
        project = Project(start)
    except GitError as error:
        return [*found, Diagnosis("repository-unreadable", here, f"{error.message}; {error.hint}")], 0
    clone = Clone(project, limits)
    obstacles = [place.missing_repository(here)] if project.repository is None else []
    obstacles += [] if obstacles else _guarded("access", here, partial(place.check_access, clone))
    found += obstacles
    for check in ANYWHERE if obstacles else (*ANYWHERE, *IN_A_REPOSITORY):
        if not wanted or wanted.intersection(check.codes):
            found += _guarded(check.name, here, partial(check.run, clone))
    if not wanted or wanted.intersection(OF_A_FEATURE):
        for feature in clone.features:
            found += _guarded("features", feature.slug, partial(features.check_feature, clone, feature))
    if not wanted or wanted.intersection(OF_THE_WORK):
        for feature in clone.features:
            found += _guarded("the work", feature.slug, partial(work.check_work, clone, feature))
    return found, clone.known


def _guarded(name: str, where: str, check: Callable[[], Iterable[Diagnosis]]) -> list[Diagnosis]:
    """Return what a check finds; where it fails, that is what was found."""
    found: list[Diagnosis] = []
    try:
        found.extend(check())
    except Exception as error:  # noqa: BLE001  a check that meets what nobody foresaw must not hide what the others find
        words = error.message if isinstance(error, KittyStatusError) else f"{type(error).__name__}: {error}"
        found.append(Diagnosis("check-failed", where, f"the check of {name} failed: {words}"))
    return found
