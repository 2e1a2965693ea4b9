"""From events to a snapshot: deduplicate, order, fold per work package.

This is the rule in full. `folding.Fold` gives the same answer in one pass for the usual log.
"""

from __future__ import annotations

from kitty_status.status.causality import decide_outcome, moment
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kitty_status.status.causality import IgnoredParent
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent


def profile_of(events: Iterable[LaneEvent]) -> LaneProfile:
    """Return the profile that a log is kept by: nine lanes where one of its events needs them."""
    return NINE_LANE if any(event.nine_lane for event in events) else SEVEN_LANE


def unique_events(
    events: Iterable[LaneEvent], on_repeated: Callable[[LaneEvent, LaneEvent], None] | None = None
) -> list[LaneEvent]:
    """Return each event once, by its id, in the order of first appearance.

    Of two with one id and different lines, the one whose line is smaller bytewise counts, so that
    every clone agrees whatever order its log is in. `on_repeated(first, second)` hears of every repetition.
    """
    unique: dict[str, LaneEvent] = {}
    for event in events:
        first = unique.setdefault(event.event_id, event)
        if first is not event:
            if on_repeated is not None:
                on_repeated(first, event)
            if event.line < first.line:
                unique[event.event_id] = event
    return list(unique.values())


def reduce_events(
    events: Iterable[LaneEvent], profile: LaneProfile | None = None, ignored: list[IgnoredParent] | None = None
) -> Snapshot:
    """Return the snapshot of `events`, of which no two share an id, in any order.

    Parents that were passed over are added to `ignored`, see `causality.decide_outcome`.
    """
    ordered = sorted(events, key=moment)
    snapshot = Snapshot(profile or profile_of(ordered))
    by_work_package: dict[str, list[LaneEvent]] = {}
    for event in ordered:
        by_work_package.setdefault(event.wp_id, []).append(event)
    if ordered:
        describe(snapshot, ordered[0].slug, ordered[-1], len(ordered))
    for wp_id, own in by_work_package.items():
        snapshot.place(wp_id, decide_outcome(own, snapshot.profile, ignored), sum(event.force for event in own))
    return snapshot


def reduce_with(
    before: Snapshot, events: Iterable[LaneEvent], event: LaneEvent, profile: LaneProfile | None = None
) -> Snapshot:
    """Return what `reduce_events` gives for `events` and one more event, whose id none of them has.

    `before` is what it gave for `events` alone, by the same `profile`; it stays as it is. An event moves its own
    work package only, so nothing is decided again but that one, unless the event is not the newest or shows that
    the log is kept by another profile.
    """
    wanted = profile or (NINE_LANE if event.nine_lane else before.profile)
    newest, newest_id = before.newest_instant, before.last_event_id
    if newest is None or newest_id is None or wanted is not before.profile or moment(event) <= (newest, newest_id):
        return reduce_events([*events, event], profile)
    after = before.copy()
    own = [each for each in events if each.wp_id == event.wp_id]
    forced = sum(each.force for each in own) + event.force
    describe(after, before.feature_slug, event, before.event_count + 1)
    after.place(event.wp_id, decide_outcome([*own, event], after.profile), forced)
    return after


def describe(snapshot: Snapshot, slug: str, newest: LaneEvent, count: int) -> None:
    """Say in a snapshot which events it was made from: their feature, the newest of them, and how many."""
    snapshot.feature_slug = slug
    snapshot.materialized_at = newest.at
    snapshot.newest_instant = newest.instant
    snapshot.last_event_id = newest.event_id
    snapshot.event_count = count
