"""The calls that would succeed where a move was refused: what the refused call lacks, or the legal way round."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kitty_status.status import lanes, transitions
from kitty_status.tracker.moving.facts import MIGRATION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.transitions import Move

_EMIT = "kitty-status emit"
_TAKE_OVER = "kitty-status take-over"
# What a person has to fill in is written in capitals.
_MISSING = {
    transitions.MISSING_ACTOR: ("--actor NAME",),
    transitions.FORCE_NEEDS_ACTOR: ("--actor NAME",),
    transitions.FORCE_NEEDS_REASON: ("--reason WHY",),
    transitions.MISSING_REASON: ("--reason WHY",),
    transitions.MISSING_REVIEW_REF: ("--review-ref WHERE",),
    transitions.MISSING_REVIEW_RESULT: ("--reviewer NAME", "--verdict changes_requested", "--reference WHERE"),
    transitions.MISSING_WORKSPACE: ("--execution-mode direct_repo",),
    transitions.MISSING_EVIDENCE: ("--reviewer NAME", "--verdict approved", "--reference WHERE"),
    transitions.OPEN_SUBTASKS: ("--force", "--reason WHY"),
}
_GUARD_NEEDS = {
    lanes.GUARD_APPROVAL: transitions.MISSING_EVIDENCE,
    lanes.GUARD_REVIEW_REF: transitions.MISSING_REVIEW_REF,
    lanes.GUARD_REVIEW_RESULT: transitions.MISSING_REVIEW_RESULT,
    lanes.GUARD_REASON: transitions.MISSING_REASON,
}


def ways(
    wp_id: str, move: Move, codes: Collection[str], profile: LaneProfile, *, has_open_subtasks: Callable[[], bool]
) -> list[str]:
    """Return the calls that bring a work package where a refused move was to bring it, in their order.

    None where no call of this actor would, since somebody else holds the work package, or it is there already. A claim
    that was migrated is nobody's, and is taken over.
    `has_open_subtasks` is asked only if the way round leads past the guard that minds them.
    """
    if transitions.HELD_BY_OTHER in codes and move.holder == MIGRATION:
        return [" ".join([_TAKE_OVER, shlex.quote(wp_id), *(_actor(move) or _MISSING[transitions.MISSING_ACTOR])])]
    if transitions.HELD_BY_OTHER in codes or (transitions.ILLEGAL in codes and move.from_lane == move.to_lane):
        return []
    if transitions.ILLEGAL not in codes:
        return [_call(wp_id, move, move.to_lane, [option for code in codes for option in _MISSING[code]])]
    steps = _shortest(move.from_lane, move.to_lane, profile)
    if not steps:
        return [_call(wp_id, move, move.to_lane, ["--force", "--reason WHY"])]
    return [_call(wp_id, move, step[1], _needs(profile.moves[step], has_open_subtasks)) for step in steps]


def _needs(guard: str, has_open_subtasks: Callable[[], bool]) -> list[str]:
    code = _GUARD_NEEDS.get(guard)
    if guard == lanes.GUARD_SUBTASKS and has_open_subtasks():
        code = transitions.OPEN_SUBTASKS
    return list(_MISSING[code]) if code else []


def _call(wp_id: str, move: Move, to_lane: str, further: list[str]) -> str:
    actor = _actor(move) or _MISSING[transitions.MISSING_ACTOR]
    given = [f"--reason {shlex.quote(move.reason)}"] if move.reason and move.reason.strip() else []
    if given:
        further = [option for option in further if not option.startswith("--reason")] + given
    if move.force:
        further.append("--force")
    return " ".join([_EMIT, shlex.quote(wp_id), "--to", to_lane, *dict.fromkeys([*actor, *further])])


def _actor(move: Move) -> list[str]:
    return [f"--actor {shlex.quote(move.actor)}"] if move.actor.strip() else []


def _shortest(source: str, target: str, profile: LaneProfile) -> list[tuple[str, str]]:
    """Return the fewest legal moves that lead from one lane to another, none where none do."""
    before: dict[str, str | None] = {source: None}
    waiting = [source]
    for lane in waiting:
        for after in profile.targets(lane):
            if after not in before:
                before[after] = lane
                waiting.append(after)
    steps: list[tuple[str, str]] = []
    lane = target
    while lane != source:
        previous = before.get(lane)
        if previous is None:
            return []
        steps.insert(0, (previous, lane))
        lane = previous
    return steps
