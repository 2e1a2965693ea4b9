"""Judging a request: the move it asks for, with the facts its guard looks at, and the refusal if it may not be made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from kitty_status.errors import HeldByOtherError, MovedOnError, MoveRefusedError, UsageError, WorkPackageFileError
from kitty_status.status import transitions
from kitty_status.status.lanes import GUARD_SUBTASKS, GUARD_WORKSPACE
from kitty_status.tracker.moving.facts import Subtasks, execution_mode, subtasks_of, workspace_of
from kitty_status.tracker.moving.ways import ways

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.moving.request import EmitRequest


def lane_asked_for(request: EmitRequest, profile: LaneProfile) -> str:
    """Return the lane that a request names.

    Raises:
        UsageError: the profile has none of that name.
    """
    lane = profile.resolve(request.to_lane)
    if lane is None:
        raise UsageError(f"{request.to_lane!a} is no lane of {profile.name}", hint=f"lanes: {', '.join(profile.lanes)}")
    return lane


def move_asked_for(
    feature: Feature, request: EmitRequest, to_lane: str, before: Snapshot
) -> tuple[transitions.Move, list[str]]:
    """Return the move that a request asks for, and what a person should know of what could not be checked.

    Raises:
        WorkPackageFileError: the subtasks count, and a file that may hold some cannot be understood.
        GitError, OSError: the facts cannot be looked up.
        UsageError: two places are named where one review can be read.
    """
    state = before.work_packages.get(request.wp_id)
    from_lane = state["lane"] if state else before.profile.first(to_lane)
    outcome = transitions.outcome_of(request.evidence) if from_lane in before.profile.reviewing else None
    guard = None if request.force else before.profile.moves.get((from_lane, to_lane))
    mode = request.execution_mode or execution_mode(feature)
    workspace = workspace_of(feature, request.wp_id, request.execution_mode) if guard == GUARD_WORKSPACE else mode
    subtasks = subtasks_of(feature, request.wp_id) if guard == GUARD_SUBTASKS else Subtasks()
    move = transitions.Move(
        from_lane,
        to_lane,
        actor=request.actor,
        force=request.force,
        reason=request.reason,
        review_ref=_review_ref(request, outcome, (from_lane, to_lane) in before.profile.rollbacks),
        evidence=request.evidence,
        review_result=outcome,
        execution_mode=workspace,
        holder=transitions.holder_of(from_lane, state["actor"], before.profile) if state else None,
        open_subtasks=[f"{text} ({where})" for where, text in subtasks.open],
    )
    has_none = guard == GUARD_SUBTASKS and not subtasks.count
    return move, [f"no subtasks of {request.wp_id} are written down, so none were checked"] if has_none else []


def _review_ref(request: EmitRequest, outcome: Mapping[str, Any] | None, is_rollback: bool) -> str | None:
    """Return where the review can be read: a rollback that says how its review ended says that already."""
    if outcome is None:
        return request.review_ref
    reference: str = outcome["reference"]
    if (request.review_ref or "").strip() not in ("", reference.strip()):
        raise UsageError(
            f"the review is said to be read at {request.review_ref!a} and at {reference!a}",
            hint="leave out --review-ref: the reference of the review is taken",
        )
    return reference if is_rollback else request.review_ref


def refuse_if_moved_on(request: EmitRequest, before: Snapshot) -> None:
    """Refuse where a work package is not as the caller has seen it.

    Raises:
        MovedOnError: it has other newest events by now.
    """
    if request.heads is not None and request.heads != before.heads.get(request.wp_id, ()):
        state = before.work_packages.get(request.wp_id)
        raise MovedOnError(
            f"{request.wp_id} was moved by somebody else meanwhile; "
            f"it is in {state['lane'] if state else before.profile.initial} now",
            hint="look at it with `kitty-status log`, then make the call again",
            wp_id=request.wp_id,
        )


def refuse_if_against_the_rules(
    feature: Feature, request: EmitRequest, move: transitions.Move, before: Snapshot
) -> None:
    """Refuse a move that its profile forbids, with every reason at once and the calls that would succeed.

    Raises:
        MoveRefusedError: so it is (HeldByOtherError: because somebody else holds the work package).
    """
    refusals = transitions.refusals(move, before.profile)
    if not refusals:
        return
    codes = [refusal.code for refusal in refusals]
    commands = ways(
        request.wp_id, move, codes, before.profile, has_open_subtasks=partial(_has_open_subtasks, feature, request)
    )
    example = f"; for example `{commands[0]} --feature {feature.slug}`" if commands else ""
    error = HeldByOtherError if transitions.HELD_BY_OTHER in codes else MoveRefusedError
    raise error(
        f"{request.wp_id} is in {move.from_lane}: " + "; ".join(refusal.message for refusal in refusals),
        hint="; ".join(refusal.hint for refusal in refusals) + example,
        wp_id=request.wp_id,
        from_lane=move.from_lane,
        to_lane=move.to_lane,
        legal_lanes=list(before.profile.targets(move.from_lane)),
        refusals=codes,
        commands=[f"{command} --feature {feature.slug}" for command in commands],
        holder=move.holder,
    )


def _has_open_subtasks(feature: Feature, request: EmitRequest) -> bool:
    try:
        return bool(subtasks_of(feature, request.wp_id).open)
    except (WorkPackageFileError, OSError):
        # The move that minds them says so.
        return False
