"""Where a work package stands, worked out the long way: the rule as it is written down, without regard for effort.

Every event carries the whole history behind it as a set. Tests hold `causality.decide_outcome`, which
keeps no such sets and leaves out what decides nothing, against it.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from kitty_status.status.lanes import LaneProfile

Decided = tuple[str, list[str], "str | None", list[tuple[str, str, str]]]
_REVIEW = "PR 7"


class Event:
    """What causes need to know of an event; a record made from a row would take ten times as long."""

    __slots__ = ("event_id", "from_lane", "instant", "known_parents", "review_ref", "shown_actor", "to_lane")

    def __init__(self, event_id: str, instant: int, lanes: tuple[str, str], actor: str, review_ref: str | None) -> None:
        self.event_id = event_id
        self.instant: datetime | int = instant
        self.from_lane, self.to_lane = lanes
        self.shown_actor = actor
        self.review_ref = review_ref
        self.known_parents: list[str] | None = None


def chained_history(chance: Random, profile: LaneProfile) -> list[Event]:
    """Return the events of one work package: a chain for the most part, with every kind of breach of it."""
    lanes = chance.choices(profile.lanes, k=chance.randint(2, 4))
    is_tied = chance.random() < 0.2
    breaches = chance.choice((0.0, 0.1, 0.3, 0.7))
    silence = chance.choice((0.0, 0.0, 0.5, 1.0))
    events: list[Event] = []
    here = lanes[0]
    for number in range(chance.randint(1, 14)):
        breaks = chance.random() < breaches
        moves_back = chance.random() < 0.15
        there = chance.choice(lanes)
        event = Event(
            f"{number:02}" if chance.random() < 0.9 else f"{chance.randint(0, 99):02}+{number}",
            0 if is_tied else chance.randint(0, 20) if breaks else number,
            chance.choice(sorted(profile.rollbacks))
            if moves_back
            else (chance.choice(lanes) if breaks else here, there),
            chance.choice(("ada", "grace")),
            chance.choice((None, _REVIEW, _REVIEW)),
        )
        here = event.to_lane
        events.append(event)
    ids = [event.event_id for event in events]
    for number, event in enumerate(events):
        if chance.random() < breaches:
            event.known_parents = _breach(chance, number, ids)
        elif chance.random() >= silence:
            event.known_parents = ids[number - 1 : number] if number else []
    return events


def _breach(chance: Random, number: int, ids: list[str]) -> list[str] | None:
    return chance.choice(
        (
            None,
            [],
            ["absent"],
            ids[number : number + 1],
            ids[number + 1 : number + 2],
            chance.choices(ids, k=1),
            chance.choices(ids[: number + 1], k=2),
            chance.choices([*ids, "absent"], k=3),
            ids[max(0, number - 2) : number],
        )
    )


def decided_the_long_way(events: Iterable[Event], profile: LaneProfile) -> Decided:
    """Return the deciding event, all heads, the rule where they compete, and the parents that were passed over."""
    ordered = sorted(events, key=_moment)
    parents, ignored = _parents_that_count(ordered)
    before: dict[str, frozenset[str]] = {}
    own: dict[str, tuple[str, ...]] = {}
    heads: list[Event] = []
    waiting = list(ordered)
    while waiting:
        event = next(event for event in waiting if before.keys() >= set(parents.get(event.event_id, ())))
        waiting.remove(event)
        if event.event_id in parents:
            direct = set(parents[event.event_id])
            heads = [head for head in heads if head.event_id not in direct]
        else:
            rivals = [head for head in heads if head.from_lane == event.from_lane != head.to_lane]
            direct = {head.event_id for head in heads if head not in rivals}
            direct.update(parent for rival in rivals for parent in own[rival.event_id])
            heads = rivals
        own[event.event_id] = tuple(direct)
        before[event.event_id] = frozenset(direct).union(*(before[parent] for parent in direct))
        heads = [*heads, event]
    by_id = {event.event_id: event for event in ordered}
    histories = {head.event_id: before[head.event_id] | {head.event_id} for head in heads}
    rollbacks = {
        head: {one for one in history if _is_rollback(by_id[one], profile)} for head, history in histories.items()
    }
    heads.sort(key=_moment, reverse=True)
    named = [head.event_id for head in heads]
    if len({head.to_lane for head in heads}) > 1:
        common = set.intersection(*rollbacks.values())
        sent_back = [head for head in named if rollbacks[head] - common]
        return (sent_back or named)[0], named, "rollback" if sent_back else "newest", ignored
    takers = {head.shown_actor for head in heads if head.event_id in parents}
    is_double = heads[0].to_lane in ("claimed", "in_progress") and len(takers) > 1
    return named[0], named, "double_claim" if is_double else None, ignored


def _moment(event: Event) -> tuple[datetime | int, str]:
    return event.instant, event.event_id


def _is_rollback(event: Event, profile: LaneProfile) -> bool:
    return (event.from_lane, event.to_lane) in profile.rollbacks and bool(event.review_ref)


def _parents_that_count(ordered: Sequence[Event]) -> tuple[dict[str, list[str]], list[tuple[str, str, str]]]:
    known = {event.event_id for event in ordered}
    ignored = []
    named: dict[str, list[str]] = {}
    for event in ordered:
        if event.known_parents is None:
            continue
        kept = []
        for parent in dict.fromkeys(event.known_parents):
            if parent == event.event_id:
                ignored.append((event.event_id, parent, "it names itself"))
            elif parent not in known:
                ignored.append((event.event_id, parent, "this work package has no such event"))
            else:
                kept.append(parent)
        if kept or not event.known_parents:
            named[event.event_id] = kept
    ancestors = {event_id: _reached_from(event_id, named) for event_id in named}
    counting: dict[str, list[str]] = {}
    for event_id, kept in named.items():
        circular = [parent for parent in kept if event_id in ancestors.get(parent, ())]
        ignored += [(event_id, parent, "each of the two comes after the other") for parent in circular]
        if len(circular) < len(kept) or not kept:
            counting[event_id] = [parent for parent in kept if parent not in circular]
    return counting, sorted(ignored)


def _reached_from(event_id: str, named: dict[str, list[str]]) -> set[str]:
    reached: set[str] = set()
    pending = [event_id]
    while pending:
        for parent in named.get(pending.pop(), ()):
            if parent not in reached:
                reached.add(parent)
                pending.append(parent)
    return reached
