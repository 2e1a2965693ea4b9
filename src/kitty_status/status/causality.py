"""Which moves of one work package came after which, and which of the last ones compete.

Clocks do not decide this. A writer records in `parents` the newest events of the work package that
it had seen, which makes the events a graph; an event that more than one branch added to without
seeing the other leaves several *heads*. Events without `parents` (older logs, other writers) are
fitted in by one rule: such an event is concurrent with every head that left the same lane, whose
parents it takes, and comes after all other heads.

Events are placed parents first, and by (instant, event id) where the graph leaves the order open,
so the result is the same for every order in which a log holds them.

A long history mostly is a chain, each event after the one before. What all heads have in common
decides nothing between them, so the part of that chain which nobody names is left out beforehand.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from kitty_status.status.circles import circles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent

    IgnoredParent: TypeAlias = tuple[str, str, str]


RULE_ROLLBACK = "rollback"
RULE_NEWEST = "newest"
RULE_DOUBLE_CLAIM = "double_claim"


class Node:
    """An event in its place: the event and the nodes that it came directly after."""

    __slots__ = ("event", "has_known_parents", "parents")

    def __init__(self, event: LaneEvent, parents: tuple[Node, ...], *, has_known_parents: bool) -> None:
        self.event = event
        self.parents = parents
        self.has_known_parents = has_known_parents


class Outcome:
    """Where a work package stands: the head that decides, all heads, and the rule if they compete."""

    __slots__ = ("head", "heads", "rule")

    def __init__(self, head: LaneEvent, heads: Sequence[LaneEvent], rule: str | None) -> None:
        self.head = head
        self.heads = heads
        self.rule = rule


def moment(event: LaneEvent) -> tuple[datetime, str]:
    """Return what events are ordered by wherever causality leaves the order open."""
    return event.instant, event.event_id


def leaves_its_lane(event: LaneEvent) -> bool:
    """Say whether an event leaves the lane it starts in; a move from a lane to itself leaves nothing."""
    return event.from_lane != event.to_lane


def decide_outcome(
    events: Iterable[LaneEvent], profile: LaneProfile, ignored: list[IgnoredParent] | None = None
) -> Outcome:
    """Return where one work package stands after `events`, its own and each once, in any order.

    Parents that cannot be parents are passed over: absent ones, events of another work package, an
    event itself, and those that would close a circle. Each is added to `ignored` as
    (event id, parent, why).
    """
    ordered = sorted(events, key=moment)
    chain = _chain(ordered)
    if chain == len(ordered):
        return Outcome(ordered[-1], ordered[-1:], None)
    settled = _settled(ordered, chain)
    left = ordered[settled:]
    known = {event.event_id for event in left}
    # What is left begins with an event whose own place is clear if anything was settled before it.
    parents = _usable_parents(left[1:] if settled else left, known, ignored)
    rollback = next((event for event in ordered[:settled] if _is_rollback(event, profile)), None)
    if rollback is not None:
        # A history that holds one of the settled events holds them all, so one rollback stands for all of theirs.
        parents[left[0].event_id] = [rollback.event_id]
        left.insert(0, rollback)
    return _outcome(_heads(_placed(left, parents) if parents else left, parents), profile)


def comes_plainly_after(event: LaneEvent, head: LaneEvent | None) -> bool:
    """Say whether an event is a child of the one head that there was before it, or begins where there was none."""
    parents = event.known_parents
    if head is None:
        return not parents
    if parents is None:
        return head.from_lane != event.from_lane or not leaves_its_lane(head)
    return parents == [head.event_id]


def _chain(ordered: Sequence[LaneEvent]) -> int:
    """Return how many events from the first on each come plainly after the one before."""
    head = None
    for position, event in enumerate(ordered):
        if not comes_plainly_after(event, head):
            return position
        head = event
    return len(ordered)


def _settled(ordered: Sequence[LaneEvent], chain: int) -> int:
    """Return how many events of the chain that a history begins with come before every event that another one names.

    The last event of the chain may get rivals, and those take its parent: neither of these two is settled.
    """
    named: set[str] = set()
    for event in ordered[chain:]:
        named.update(event.known_parents or ())
    last = max(chain - 2, 0)
    return next((position for position in range(last) if ordered[position].event_id in named), last)


def _usable_parents(
    events: Iterable[LaneEvent], known: Container[str], ignored: list[IgnoredParent] | None
) -> dict[str, list[str]]:
    """Return, for each event whose place is known, the parents that count; `[]` begins a history."""
    usable: dict[str, list[str]] = {}
    for event in events:
        if event.known_parents is None:
            continue
        kept = []
        for parent in dict.fromkeys(event.known_parents):
            if parent == event.event_id or parent not in known:
                why = "it names itself" if parent == event.event_id else "this work package has no such event"
                _ignore(ignored, event.event_id, parent, why)
            else:
                kept.append(parent)
        if kept or not event.known_parents:
            usable[event.event_id] = kept
    if usable:
        _cut_circles(usable, ignored)
    return usable


def _cut_circles(usable: dict[str, list[str]], ignored: list[IgnoredParent] | None) -> None:
    for event_id, circle in circles(usable).items():
        own = usable.pop(event_id)
        for parent in circle.intersection(own):
            _ignore(ignored, event_id, parent, "each of the two comes after the other")
        kept = [parent for parent in own if parent not in circle]
        if kept:
            usable[event_id] = kept


def _ignore(ignored: list[IgnoredParent] | None, event_id: str, parent: str, why: str) -> None:
    if ignored is not None:
        ignored.append((event_id, parent, why))


def _placed(ordered: Sequence[LaneEvent], parents: dict[str, list[str]]) -> Iterable[LaneEvent]:
    """Yield the events parents first, the earliest of those that may come next."""
    placed: set[str] = set()
    for event in ordered:
        if not placed.issuperset(parents.get(event.event_id, ())):
            break
        placed.add(event.event_id)
    else:
        return ordered
    return _placed_by_graph(ordered, parents)


def _placed_by_graph(ordered: Sequence[LaneEvent], parents: dict[str, list[str]]) -> Iterable[LaneEvent]:
    rank = {event.event_id: position for position, event in enumerate(ordered)}
    waiting = {event_id: len(own) for event_id, own in parents.items()}
    children: dict[str, list[int]] = {}
    for event_id, own in parents.items():
        for parent in own:
            children.setdefault(parent, []).append(rank[event_id])
    ready = [position for position, event in enumerate(ordered) if not waiting.get(event.event_id)]
    heapify(ready)
    while ready:
        event = ordered[heappop(ready)]
        yield event
        for position in children.get(event.event_id, ()):
            child = ordered[position].event_id
            waiting[child] -= 1
            if not waiting[child]:
                heappush(ready, position)


def _heads(placed: Iterable[LaneEvent], parents: dict[str, list[str]]) -> list[Node]:
    nodes: dict[str, Node] = {}
    heads: dict[str, Node] = {}
    # The lane that all heads left and the parents that they all have, where that is so: one more such
    # sibling then costs the same, however often a claim was repeated.
    siblings: tuple[str, tuple[Node, ...]] | None = None
    for event in placed:
        own = parents.get(event.event_id)
        if own is not None:
            node = Node(event, tuple(nodes[parent] for parent in own), has_known_parents=True)
            for parent in own:
                heads.pop(parent, None)
            siblings = None
        elif siblings is not None and siblings[0] == event.from_lane:
            node = Node(event, siblings[1], has_known_parents=False)
        else:
            node, heads = _fitted_in(event, heads)
            siblings = None
        nodes[event.event_id] = heads[event.event_id] = node
        if not leaves_its_lane(event):
            siblings = None
        elif len(heads) == 1:
            siblings = event.from_lane, node.parents
    return list(heads.values())


def _fitted_in(event: LaneEvent, heads: dict[str, Node]) -> tuple[Node, dict[str, Node]]:
    """Place an event that does not say what it had seen; return its node and the heads that remain."""
    if len(heads) == 1:
        # The usual case: the next move of a work package that nobody else moved. A single head that
        # left the same lane is a sibling, and the caller has seen to that.
        return Node(event, tuple(heads.values()), has_known_parents=False), {}
    rivals = {
        head_id: head
        for head_id, head in heads.items()
        if leaves_its_lane(head.event) and head.event.from_lane == event.from_lane
    }
    before = [head for head_id, head in heads.items() if head_id not in rivals]
    inherited = {id(head.parents): head.parents for head in rivals.values()}
    parents = tuple(dict.fromkeys([*before, *(node for group in inherited.values() for node in group)]))
    return Node(event, parents, has_known_parents=False), rivals


def _outcome(heads: list[Node], profile: LaneProfile) -> Outcome:
    events = [head.event for head in heads]
    newest = max(events, key=moment)
    if len(heads) == 1:
        return Outcome(newest, events, None)
    events.sort(key=moment, reverse=True)
    if len({event.to_lane for event in events}) > 1:
        sent_back = _heads_with_a_rollback_of_their_own(heads, profile)
        if sent_back:
            return Outcome(max(sent_back, key=moment), events, RULE_ROLLBACK)
        return Outcome(newest, events, RULE_NEWEST)
    claims = {head.event.shown_actor for head in heads if head.has_known_parents}
    if newest.to_lane in profile.held and len(claims) > 1:
        return Outcome(newest, events, RULE_DOUBLE_CLAIM)
    return Outcome(newest, events, None)


def _heads_with_a_rollback_of_their_own(heads: list[Node], profile: LaneProfile) -> list[LaneEvent]:
    """Return the heads whose history holds a rollback that is not in the history of every head."""
    behind: dict[int, frozenset[str]] = {}
    rollbacks = []
    for head in heads:
        # Siblings share their parents, so what lies behind them is looked through once.
        if id(head.parents) not in behind:
            behind[id(head.parents)] = _rollbacks_behind(head.parents, profile)
        own = {head.event.event_id} if _is_rollback(head.event, profile) else set()
        rollbacks.append(behind[id(head.parents)] | own)
    common = frozenset.intersection(*rollbacks)
    return [head.event for head, own in zip(heads, rollbacks, strict=True) if own - common]


def _is_rollback(event: LaneEvent, profile: LaneProfile) -> bool:
    return profile.is_rollback(event.from_lane, event.to_lane, event.review_ref)


def _rollbacks_behind(parents: tuple[Node, ...], profile: LaneProfile) -> frozenset[str]:
    found: set[str] = set()
    seen = {id(node) for node in parents}
    pending = list(parents)
    while pending:
        node = pending.pop()
        if _is_rollback(node.event, profile):
            found.add(node.event.event_id)
        for parent in node.parents:
            if id(parent) not in seen:
                seen.add(id(parent))
                pending.append(parent)
    return frozenset(found)
