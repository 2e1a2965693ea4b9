"""Claims across work trees: whether somebody holds a work package in another work tree or branch of this clone.

One lock per feature serves all work trees of a clone, and the caller holds it, so that looking and
appending are one step: of two who claim at the same moment, one wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.errors import HeldByOtherError
from kitty_status.status.lanes import GUARD_CLAIM
from kitty_status.status.transitions import HELD_BY_OTHER, holder_of
from kitty_status.tracker.places.sight import Surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent
    from kitty_status.status.transitions import Move
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.places.sight import Sight

_SEE = "`kitty-status worktrees` shows what is not merged"


def refuse_if_held_elsewhere(
    feature: Feature, wp_id: str, move: Move, events: Sequence[LaneEvent], profile: LaneProfile
) -> list[str]:
    """Return what a claimant should know of other work trees and branches; nothing for any other move.

    `events` are those of this work tree's log, each once. `force` sets other holders aside.

    Raises:
        HeldByOtherError: another actor holds the work package by an event that this log does not hold.
        GitError, OSError: git or the journal could not be asked.
    """
    is_claim = profile.moves.get((move.from_lane, move.to_lane)) == GUARD_CLAIM
    if feature.repository is None or move.force or not is_claim:
        return []
    surroundings = Surroundings(feature.repository)
    sight = surroundings.of(feature, events)
    # Asked only now: looking adds to what could not be looked at.
    warnings = [*surroundings.warnings, *sight.warnings]
    for head in sight.heads_elsewhere(wp_id, profile):
        place = sight.places_of(head.event_id)[0].name
        holder = holder_of(head.to_lane, head.shown_actor, profile)
        if holder not in (None, move.actor):
            raise _held(wp_id, move, head, sight, profile.targets(move.from_lane), warnings)
        if holder is not None:
            warnings.append(f"{holder} holds {wp_id} already, in {place}, by an event that is not merged here")
        elif head.to_lane != move.from_lane:
            warnings.append(
                f"{head.shown_actor} has moved {wp_id} to {head.to_lane} in {place}; that is not merged here"
            )
    return warnings


def _held(
    wp_id: str, move: Move, head: LaneEvent, sight: Sight, legal: Sequence[str], warnings: list[str]
) -> HeldByOtherError:
    places = sight.places_of(head.event_id)
    first = places[0]
    ways = [f"ask {head.shown_actor} to give it back", _SEE]
    if first.branch is not None and not first.in_journal:
        ways.insert(0, f"merge branch {first.branch}")
    return HeldByOtherError(
        f"{wp_id} is in {move.from_lane} here, but {head.shown_actor} holds it ({head.to_lane}) in {first.name}",
        hint="; ".join([*ways, "if that claim is forgotten, --force with a --reason sets it aside"]),
        wp_id=wp_id,
        from_lane=move.from_lane,
        to_lane=move.to_lane,
        legal_lanes=list(legal),
        refusals=[HELD_BY_OTHER],
        commands=[],
        holder=head.shown_actor,
        event_id=head.event_id,
        lane=head.to_lane,
        worktree=first.worktree,
        branch=first.branch,
        places=[place.to_dict() for place in places],
        warnings=warnings,
    )
