"""What doctor looks at about the work itself: who holds what for how long, what competes, what can be tidied up."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kitty_status.checks.diagnosis import Diagnosis
from kitty_status.checks.validate import validate
from kitty_status.errors import StoreError, UsageError
from kitty_status.git.head import worktrees
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.rows import is_safe_name
from kitty_status.status.validation import CHAIN_BREAK, COMPETING_MOVES, ERROR
from kitty_status.tracker.cleanup import survey
from kitty_status.tracker.holding import claims_in
from kitty_status.tracker.log import read_log
from kitty_status.tracker.phases import phase_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.checks.diagnosis import Clone
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.status.validation import Finding
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.holding import Claim


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
        findings = validate(feature, clone.config).findings if events else []
    except (StoreError, OSError):
        return
    yield from _stale_claims(clone, feature, snapshot)
    for code in (CHAIN_BREAK, COMPETING_MOVES):
        found = [finding for finding in findings if finding.code == code]
        if found:
            yield _summary(feature, code, found)


def check_worktrees(clone: Clone) -> Iterator[Diagnosis]:
    """Are there work trees that nobody needs any more, or that have lost their branch?"""
    if len(worktrees(clone.repository)) == 1:
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


def _stale_claims(clone: Clone, feature: Feature, snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Report claims whose holder has moved nothing for too long, in any work tree or branch of the clone."""
    for claim in claims_in(snapshot):
        if claim.is_stale(clone.limits, snapshot.profile):
            observed = (
                f"{claim.holder} holds {claim.wp_id} ({claim.lane}) since {claim.since}, {claim.days:.1f} days, "
                "and has not moved it"
            )
            may_be_taken = claim.is_stale(clone.config, snapshot.profile)
            commands = _ways_on(feature, claim, may_be_taken=may_be_taken)
            yield Diagnosis("stale-claim", feature.relative(feature.log.path), observed, commands)


def _ways_on(feature: Feature, claim: Claim, *, may_be_taken: bool) -> tuple[str, ...]:
    """Return how to see what was done, and how to take the claim over where the configuration allows it."""
    if not is_safe_name(feature.slug):
        return ("kitty-status validate --all",)
    wp_id = shlex.quote(claim.wp_id)
    look = f"kitty-status log {feature.slug} --wp {wp_id}"
    take = f"kitty-status take-over {wp_id} --feature {feature.slug} --actor NAME"
    return (look, take) if may_be_taken else (look,)


def _summary(feature: Feature, code: str, found: list[Finding]) -> Diagnosis:
    errors = sum(finding.severity == ERROR for finding in found)
    count = f"{len(found)} {'finding' if len(found) == 1 else 'findings'}"
    of_which = f", {errors} of them certain" if errors else ""
    is_safe = is_safe_name(feature.slug)
    verb = "show" if code == COMPETING_MOVES else "validate"
    commands = (f"kitty-status {verb} {feature.slug}",) if is_safe else ("kitty-status validate --all",)
    where = feature.relative(feature.log.path)
    return Diagnosis(code, where, f"{count}{of_which}; the first: {found[0].message}", commands)
