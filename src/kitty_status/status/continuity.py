"""Whether the events of each work package follow on from one another: what only their sequence shows.

An event says which lane it leaves. Where the work package stood in another one, a line may be
missing, or two writers moved it without seeing each other. An event that names its `parents` is held
against these, any other against the event before it in (instant, event id) order.

A log grows at its end. An event whose line stands behind one with a later instant never decided where
its work package stood, unless it says that it came after that one: somebody's clock was ahead.
"""

from __future__ import annotations

from kitty_status.status.causality import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from kitty_status.status.record import LaneEvent

    Break: TypeAlias = tuple[LaneEvent, list[LaneEvent]]


def chain_breaks(events: Iterable[LaneEvent]) -> Iterator[Break]:
    """Yield each event that leaves a lane in which its work package did not stand, and the events before it.

    Events are given each once, in any order. Of one with nothing before it, nothing can be said.
    """
    by_id: dict[str, LaneEvent] = {}
    newest: dict[str, LaneEvent] = {}
    ordered = sorted(events, key=moment)
    for event in ordered:
        by_id[event.event_id] = event
    for event in ordered:
        before = newest.get(event.wp_id)
        newest[event.wp_id] = event
        if event.known_parents is None:
            seen = [] if before is None else [before]
        else:
            named = [by_id[parent] for parent in event.known_parents if parent in by_id]
            seen = [parent for parent in named if parent.wp_id == event.wp_id and parent is not event]
        if seen and event.from_lane not in [parent.to_lane for parent in seen]:
            yield event, seen


def is_certain(event: LaneEvent, before: Iterable[LaneEvent]) -> bool:
    """Say whether a break is a contradiction: both writers said what they had seen, and nobody forced anything."""
    known = [parent.known_parents is not None for parent in before]
    return event.known_parents is not None and all(known) and not event.force


def never_current(events: Iterable[LaneEvent]) -> Iterator[Break]:
    """Yield each event that never decided where its work package stood, and the event that stood in its way.

    Events are given each once, in the order of their lines.
    """
    latest: dict[str, LaneEvent] = {}
    for event in events:
        ahead = latest.get(event.wp_id)
        if ahead is None or moment(ahead) <= moment(event):
            latest[event.wp_id] = event
        elif event.known_parents is None:
            yield event, [ahead]
