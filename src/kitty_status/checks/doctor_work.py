"""What doctor looks at about the work itself: who holds what for how long, what competes, what can be tidied up."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from kitty_status.checks.diagnosis import ACCEPTABLE, Diagnosis
from kitty_status.checks.validate import validate
from kitty_status.errors import StoreError, UsageError, WorkPackageFileError
from kitty_status.git.head import worktrees
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.rows import is_safe_name
from kitty_status.status.validation import COMPETING_MOVES, ERROR
from kitty_status.tracker.log import read_log
from kitty_status.tracker.migrating.approval import holder_named
from kitty_status.tracker.moving.holding import claims_in
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.places.cleanup import survey
from kitty_status.tracker.places.workspaces import CONTEXTS_FOLDER, TREES_FOLDER
from kitty_status.tracker.work_packages.files import work_package_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.checks.diagnosis import Clone
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.validation import Finding
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.moving.holding import Claim


def check_work(clone: Clone, feature: Feature) -> Iterator[Diagnosis]:
    """Has somebody forgotten a claim, and is there something in the log that nobody has decided?

    A log that cannot be read, or is damaged, is reported as that; what it says about the work is not relied on.
    In phase 0 it is not read: nothing says who holds what since when.
    """
    if not phase_of(feature, clone.config).keeps_log:
        return
    try:
        events = unique_events(read_log(feature.log, feature.log.strictly()))
        sight = clone.surroundings.of(feature, events) if clone.surroundings else None
        snapshot = sight.together(clone.config.profile) if sight else reduce_events(events, clone.config.profile)
        validation = validate(feature, clone.config) if events else None
    except (StoreError, OSError):
        return
    claims = claims_in(snapshot)
    yield from _migrated_claims(feature, [claim for claim in claims if claim.is_migrated])
    yield from _stale_claims(clone, feature, [claim for claim in claims if not claim.is_migrated], snapshot.profile)
    if validation is None:
        return
    clone.set_known_aside(validation)
    for code in ACCEPTABLE:
        found = [finding for finding in validation.findings if finding.code == code]
        if found:
            yield _summary(feature, code, found)


def check_worktrees(clone: Clone) -> Iterator[Diagnosis]:
    """Are there work trees that nobody needs any more, or that have lost their branch?"""
    root = clone.project.root
    has_workspaces = any((root / folder).is_dir() for folder in (CONTEXTS_FOLDER, TREES_FOLDER))
    if len(worktrees(clone.repository)) == 1 and not has_workspaces:
        return
    try:
        found = survey(clone.project, clone.config)
    except UsageError:
        # Without a main branch, nothing says what is finished.
        return
    for tree in found.trees:
        where = tree.repository.worktree
        if tree.is_branch_gone:
            commands = ("git worktree list", f"git -C {shlex.quote(where)} status --short")
            yield Diagnosis(
                "orphan-worktree", where, f"its branch {tree.branch} is gone, or has no commit yet", commands
            )
        elif tree.is_finished:
            observed = f"{tree.feature} is finished in {found.base}"
            yield Diagnosis("orphan-worktree", where, observed, ("kitty-status cleanup --dry-run",))
    for workspace in found.workspaces:
        if workspace.is_gone or workspace.is_finished:
            observed = f"git knows no work tree in {workspace.folder}" if workspace.is_gone else ""
            finished = f"{workspace.feature} is finished in {found.base}" if workspace.is_finished else ""
            what = "; ".join(filter(None, (observed, finished)))
            yield Diagnosis("orphan-workspace", workspace.path, what, ("kitty-status cleanup --dry-run",))


def _migrated_claims(feature: Feature, claims: list[Claim]) -> Iterator[Diagnosis]:
    """Report claims that were made from a file, with the person whom the file names: nobody has made them."""
    names = _names_in_files(feature) if claims else {}
    for claim in claims:
        name = names.get(claim.wp_id, "")
        named = f"its file names {name}" if name else "its file names nobody"
        observed = f"{claim.wp_id} ({claim.lane}) is held by {claim.holder} since {claim.since}; {named}"
        commands = _ways_on(feature, claim, name or "NAME")
        yield Diagnosis("migrated-claim", feature.relative(feature.log.path), observed, commands)


def _names_in_files(feature: Feature) -> dict[str, str]:
    """Return {work package: who works on it by its file}, without those that name nobody or cannot be read."""
    found: dict[str, str] = {}
    try:
        for file in work_package_files(feature):
            with suppress(WorkPackageFileError):
                block = file.frontmatter()
                found[file.wp_id] = holder_named(block.values) if block else ""
    except (WorkPackageFileError, OSError):
        return found
    return found


def _stale_claims(clone: Clone, feature: Feature, claims: list[Claim], profile: LaneProfile) -> Iterator[Diagnosis]:
    """Report claims whose holder has moved nothing for too long, in any work tree or branch of the clone."""
    for claim in claims:
        if claim.is_stale(clone.limits, profile):
            observed = (
                f"{claim.holder} holds {claim.wp_id} ({claim.lane}) since {claim.since}, {claim.days:.1f} days, "
                "and has not moved it"
            )
            may_be_taken = claim.is_stale(clone.config, profile)
            commands = _ways_on(feature, claim, "NAME" if may_be_taken else None)
            yield Diagnosis("stale-claim", feature.relative(feature.log.path), observed, commands)


def _ways_on(feature: Feature, claim: Claim, taker: str | None) -> tuple[str, ...]:
    """Return how to see what was done, and how the taker takes the claim over; None where nobody may."""
    if not is_safe_name(feature.slug):
        return ("kitty-status validate --all",)
    wp_id = shlex.quote(claim.wp_id)
    look = f"kitty-status log {feature.slug} --wp {wp_id}"
    if taker is None:
        return (look,)
    return look, f"kitty-status take-over {wp_id} --feature {feature.slug} --actor {shlex.quote(taker)}"


def _summary(feature: Feature, code: str, found: list[Finding]) -> Diagnosis:
    errors = sum(finding.severity == ERROR for finding in found)
    count = f"{len(found)} {'finding' if len(found) == 1 else 'findings'}"
    of_which = f", {errors} of them certain" if errors else ""
    is_safe = is_safe_name(feature.slug)
    verb = "show" if code == COMPETING_MOVES else "validate"
    commands = (f"kitty-status {verb} {feature.slug}",) if is_safe else ("kitty-status validate --all",)
    where = feature.relative(feature.log.path)
    return Diagnosis(code, where, f"{count}{of_which}; the first: {found[0].message}", commands)
