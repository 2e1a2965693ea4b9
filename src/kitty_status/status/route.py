"""The way that work takes through a lane profile when nothing goes wrong, from the first lane to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kitty_status.status import lanes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.status.lanes import LaneProfile

# In the profiles that ship, a shorter way would leave out who approved.
_SHIPPED = (
    lanes.GENESIS,
    lanes.PLANNED,
    lanes.CLAIMED,
    lanes.IN_PROGRESS,
    lanes.FOR_REVIEW,
    lanes.IN_REVIEW,
    lanes.APPROVED,
    lanes.DONE,
)


class Route(NamedTuple):
    """The lanes of the way in their order, and which of them are reached once work is begun, handed in, and approved.

    A profile may lack any of the three.
    """

    order: tuple[str, ...]
    begun: str | None
    handed_in: str | None
    approved: str | None


def route_of(profile: LaneProfile) -> Route:
    """Return the way through a profile.

    In one that a repository defines, the guards say what its lanes are for: work begins where `workspace`, else
    `claim`, leads to, is handed in where `subtasks` does, and is over in the terminal lane that asks for `approval`.
    Where no guard says so, a lane that is called as in the profiles that ship does.
    """
    if lanes.PROFILES.get(profile.name) is profile:
        order = tuple(lane for lane in _SHIPPED if lane in profile.lanes)
        return Route(order, lanes.IN_PROGRESS, lanes.FOR_REVIEW, lanes.DONE)
    begun = next(_led_to(profile, lanes.GUARD_WORKSPACE, lanes.GUARD_CLAIM, lanes.IN_PROGRESS), None)
    handed_in = next(_led_to(profile, lanes.GUARD_SUBTASKS, lanes.FOR_REVIEW), None)
    ends = (lane for lane in _led_to(profile, lanes.GUARD_APPROVAL, lanes.DONE) if lane in profile.terminal)
    approved = next(ends, lanes.DONE if lanes.DONE in profile.lanes else None)
    seeds = [lane for lane in profile.pre_seed if (lane, profile.initial) in profile.moves]
    ahead = [*seeds[:1], profile.initial]
    for lane in (begun, handed_in, approved):
        if lane is not None and lane not in ahead:
            # Where no way leads, the next move is not legal, and whoever follows the route says so.
            ahead += way_forward(ahead[-1], lane, profile) or [lane]
    return Route(tuple(ahead), begun, handed_in, approved)


def way_forward(source: str, target: str, profile: LaneProfile) -> list[str]:
    """Return the lanes behind `source`, on the shortest legal way that only goes forward on the board.

    None without one.
    """
    order = {lane: position for position, lane in enumerate(profile.lanes)}
    ways = [[source]] if source != target else []
    reached = {source}
    while ways:
        way = ways.pop(0)
        for lane in profile.targets(way[-1]):
            if lane == target:
                return [*way[1:], target]
            if order[way[-1]] < order[lane] < order[target] and lane not in reached:
                reached.add(lane)
                ways.append([*way, lane])
    return []


def _led_to(profile: LaneProfile, *guards_or_lane: str) -> Iterator[str]:
    """Yield the lanes that moves with one of these guards lead to, or that are called so, guard by guard."""
    for each in guards_or_lane:
        targets = {target for (_, target), guard in profile.moves.items() if guard == each}
        yield from (lane for lane in profile.lanes if lane in targets or lane == each)
