"""How far facts carry a work package that its log has left behind: the legal moves from its lane to where it is.

Pure: facts go in, moves and the reason for going no further come out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from kitty_status.status.route import route_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent
    from kitty_status.status.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a work package beside its log.

    * `has_work`: there are commits for it
    * `is_merged`: all of them are part of the branch that work is merged into; otherwise `not_merged` says why not
    * `is_reviewed`: a person is named who approved of all of them; otherwise `not_reviewed` says what is missing
    """

    has_work: bool = False
    is_merged: bool = False
    is_reviewed: bool = False
    not_merged: str = ""
    not_reviewed: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """The moves, as pairs of lanes, and why they go no further; `is_stuck` if the facts would carry it further."""

    moves: list[tuple[str, str]] = field(default_factory=list)
    stop: str = ""
    is_stuck: bool = False


def chain(lane: str, facts: Facts, profile: LaneProfile, *, actor: str, holder: str | None) -> Chain:
    """Return the moves by which `actor` would bring a work package from `lane` to where the facts say it is.

    No move is skipped, none goes back, and none takes a work package from its `holder`: who it is
    goes on being said by the log. A lane beyond what the facts show is left alone, since people know more.
    """
    if not facts.has_work:
        return Chain()
    if lane in profile.terminal:
        return Chain(stop=f"{lane} is final; {facts.not_merged}" if facts.not_merged else "")
    route = route_of(profile)
    path = route.order
    if lane not in path:
        return Chain(stop=f"there are commits for it, and only a person takes it out of {lane}")
    number, stop = _goal(facts)
    ahead = path[path.index(lane) : _furthest(route, number) + 1]
    moves: list[tuple[str, str]] = []
    for source, target in pairwise(ahead):
        if (source, target) not in profile.moves:
            return Chain(moves, f"{profile.name} has no move from {source} to {target}", is_stuck=True)
        if target in profile.held and holder not in (None, actor):
            why = f"{holder} holds it, and {target} would take it away; --actor {holder} moves it for its holder"
            return Chain(moves, why, is_stuck=True)
        moves.append((source, target))
    return Chain(moves, stop)


def _goal(facts: Facts) -> tuple[int, str]:
    """Return to which of the three landmarks of a route facts lead, and why not to a later one."""
    if not facts.is_merged:
        return 0, facts.not_merged
    if not facts.is_reviewed:
        return 1, facts.not_reviewed
    return 2, ""


def _furthest(route: Route, number: int) -> int:
    """Return the place of a landmark. The lane before the next one is as far as facts lead where a profile lacks it."""
    marks = (route.begun, route.handed_in, route.approved)
    if marks[number] is not None:
        return route.order.index(str(marks[number]))
    later = next((mark for mark in marks[number + 1 :] if mark is not None), None)
    return route.order.index(later) - 1 if later is not None else len(route.order) - 1


def sent_back(events: Sequence[LaneEvent], profile: LaneProfile) -> LaneEvent | None:
    """Return the newest of a work package's events that moved it back, None where none did.

    Commits from before it are what was sent back; they say nothing about the state since.
    """
    rank = {lane: number for number, lane in enumerate(route_of(profile).order)}
    back = [event for event in events if rank.get(event.to_lane, len(rank)) < rank.get(event.from_lane, -1)]
    return max(back, key=lambda event: (event.instant, event.event_id), default=None)
