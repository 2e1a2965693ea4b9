"""Giving a claim back, and taking one over that its holder seems to have forgotten. Both are events like any other.

A claim is stale when its holder has moved nothing for longer than the configuration allows its lane. One that was
migrated from a file belongs to nobody, and may be taken over at any time. A claim that another work tree or branch has
recorded, and that is not merged here, can be taken over as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kitty_status.clock import now
from kitty_status.errors import HeldByOtherError, MoveRefusedError, UsageError
from kitty_status.status.instants import hours_between, parse_instant
from kitty_status.status.lanes import GUARD_CLAIM
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.transitions import HELD_BY_OTHER, holder_of
from kitty_status.tracker.log import read_log
from kitty_status.tracker.moving.deciding import check_request
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.facts import MIGRATION
from kitty_status.tracker.moving.request import EmitRequest
from kitty_status.tracker.phases import refuse_unlogged
from kitty_status.tracker.places.sight import Surroundings

if TYPE_CHECKING:
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature, Project
    from kitty_status.tracker.moving.request import Emitted

_HOURS_A_DAY = 24
_BY_HAND = (
    "there, `assignee` and `agent` in the frontmatter say who holds a work package: change them by hand, and the lane "
    "with `kitty-status emit`"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a work package, in which lane, since when, and where that was found if it is not merged here."""

    wp_id: str
    holder: str
    lane: str
    since: str
    elsewhere: str | None = None

    @property
    def is_migrated(self) -> bool:
        """Whether it was made from a file, so that there is nobody who could be asked about it."""
        return self.holder == MIGRATION

    @property
    def days(self) -> float:
        """How long ago the holder moved it last."""
        return hours_between(parse_instant(self.since), parse_instant(now())) / _HOURS_A_DAY

    def is_stale(self, config: Config, profile: LaneProfile) -> bool:
        """Say whether that is longer than the configuration allows: less where work was claimed and not begun."""
        is_only_claimed = any(lane == self.lane for (_, lane), guard in profile.moves.items() if guard == GUARD_CLAIM)
        limit = config.stale_claimed_days if is_only_claimed else config.stale_in_progress_days
        return self.days > limit


def release(project: Project, config: Config, request: EmitRequest) -> Emitted:
    """Give a claim of the actor's own back: the work package goes to the lane where it can be claimed again.

    That is the initial lane, or the first of the board that a claim leaves if none leaves that one. The lane of the
    `request` is not looked at. With `force` the claim of somebody else is given back.

    Raises:
        HeldByOtherError: somebody else holds it.
        MoveRefusedError: nobody holds it, or there is no actor.
        And what `emit.emit` raises.
    """
    feature, _, before = _before(project, config, request)
    claim = _claim_here(before, request.wp_id)
    if claim is None:
        raise _nobody_holds(request, before)
    if claim.holder != request.actor and not request.force:
        raise _held(
            claim,
            "only its holder gives it back; `kitty-status take-over` takes one that is stale or migrated, and --force "
            "with a --reason gives it back for somebody else",
        )
    goal = _open_to_claims(before.profile)
    is_own = claim.holder == request.actor
    whose = "" if is_own else f" of {claim.holder}"
    reason = f"release{whose}: {request.reason or 'given back'}"
    if not is_own and not (request.reason or "").strip():
        raise UsageError("to give back the claim of somebody else needs a reason", hint="say why: --reason")
    is_legal = (claim.lane, goal) in before.profile.moves
    move = replace(request, to_lane=goal, force=not is_legal, reason=reason, heads=before.heads[request.wp_id])
    return emit(project, config, replace(move, feature=feature.slug))


def take_over(project: Project, config: Config, request: EmitRequest) -> Emitted:
    """Make the actor the holder of a work package that somebody else holds, in the lane where it is held.

    The lane of the `request` is not looked at. With `force` also a claim that is neither stale nor migrated.

    Raises:
        HeldByOtherError: the claim is not stale.
        MoveRefusedError: nobody else holds it, or there is no actor.
        And what `emit.emit` raises.
    """
    feature, own, before = _before(project, config, request)
    claim = _claim_here(before, request.wp_id) or _claim_elsewhere(feature, own, before.profile, request.wp_id)
    if claim is None:
        raise _nobody_holds(request, before)
    if claim.holder == request.actor:
        raise MoveRefusedError(
            f"{request.actor} holds {request.wp_id} already", hint="go on with it: `kitty-status emit`"
        )
    if not (claim.is_migrated or claim.is_stale(config, before.profile) or request.force):
        raise _held(claim, "ask its holder; --force with a --reason takes it all the same")
    if request.force and not (request.reason or "").strip():
        raise UsageError("to take over a claim that is not stale needs a reason", hint="say why: --reason")
    why = f": {request.reason}" if request.reason else ""
    where = f" in {claim.elsewhere}" if claim.elsewhere else ""
    reason = f"take-over from {claim.holder}, who held it{where} since {claim.since}{why}"
    heads = before.heads.get(request.wp_id, ())
    return emit(
        project,
        config,
        replace(request, feature=feature.slug, to_lane=claim.lane, force=True, reason=reason, heads=heads),
    )


def _open_to_claims(profile: LaneProfile) -> str:
    """Return the lane in which a work package waits to be claimed; the initial one if nothing is ever claimed."""
    sources = {source for (source, _), guard in profile.moves.items() if guard == GUARD_CLAIM} - profile.held
    in_order = (lane for lane in (profile.initial, *profile.lanes) if lane in sources)
    return next(in_order, profile.initial)


def claims_in(snapshot: Snapshot) -> list[Claim]:
    """Return who holds what after a reduction, by work package."""
    claims = (_claim_here(snapshot, wp_id) for wp_id in sorted(snapshot.work_packages))
    return [claim for claim in claims if claim is not None]


def _before(project: Project, config: Config, request: EmitRequest) -> tuple[Feature, list[LaneEvent], Snapshot]:
    check_request(request)
    if not request.actor.strip():
        raise MoveRefusedError("a claim belongs to somebody", hint="name the actor: --actor, or KITTY_STATUS_ACTOR")
    feature = project.feature(request.feature)
    refuse_unlogged(feature, config, _BY_HAND)
    events: list[LaneEvent] = unique_events(read_log(feature.log, feature.log.strictly()))
    return feature, events, reduce_events(events, config.profile)


def _claim_here(snapshot: Snapshot, wp_id: str) -> Claim | None:
    state = snapshot.work_packages.get(wp_id)
    holder = holder_of(state["lane"], state["actor"], snapshot.profile) if state else None
    return Claim(wp_id, holder, state["lane"], state["last_transition_at"]) if state and holder else None


def _claim_elsewhere(feature: Feature, own: list[LaneEvent], profile: LaneProfile, wp_id: str) -> Claim | None:
    """Return who holds a work package by an event that is not merged here."""
    if feature.repository is None:
        return None
    sight = Surroundings(feature.repository).of(feature, own)
    for head in sight.heads_elsewhere(wp_id, profile):
        holder = holder_of(head.to_lane, head.shown_actor, profile)
        if holder is not None:
            return Claim(wp_id, holder, head.to_lane, head.at, sight.places_of(head.event_id)[0].name)
    return None


def _nobody_holds(request: EmitRequest, before: Snapshot) -> MoveRefusedError:
    state = before.work_packages.get(request.wp_id)
    lane = state["lane"] if state else before.profile.initial
    return MoveRefusedError(
        f"{request.wp_id} is in {lane}, and nobody holds it",
        hint="`kitty-status lanes` says from which lane it can be claimed",
        wp_id=request.wp_id,
        from_lane=lane,
    )


def _held(claim: Claim, hint: str) -> HeldByOtherError:
    where = f" in {claim.elsewhere}" if claim.elsewhere else ""
    return HeldByOtherError(
        f"{claim.holder} holds {claim.wp_id} ({claim.lane}){where} since {claim.since}, {claim.days:.1f} days",
        hint=hint,
        wp_id=claim.wp_id,
        from_lane=claim.lane,
        refusals=[HELD_BY_OTHER],
        holder=claim.holder,
        since=claim.since,
    )
