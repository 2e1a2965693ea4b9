"""From events to a snapshot: deduplicate, order, fold per work package.

`reduce_events` is the rule in full. `Fold` gives the same answer for the usual log, whose events
stand in order and whose work packages each have one head, while keeping one event per work package
instead of all of them. What it cannot decide that way it leaves to the rule in full.
"""

from __future__ import annotations

from kitty_status.status.causality import Outcome, decide_outcome, moment
from kitty_status.status.instants import BEGINNING_OF_TIME
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent


def _no_judgement(event: LaneEvent) -> None:
    """Accept any event."""


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


def reduce_events(events: Iterable[LaneEvent], profile: LaneProfile | None = None) -> Snapshot:
    """Return the snapshot of `events`, of which no two share an id, in any order."""
    ordered = sorted(events, key=moment)
    snapshot = Snapshot(profile or profile_of(ordered))
    by_work_package: dict[str, list[LaneEvent]] = {}
    for event in ordered:
        by_work_package.setdefault(event.wp_id, []).append(event)
    if ordered:
        _describe(snapshot, ordered[0].slug, ordered[-1], len(ordered))
    for wp_id, own in by_work_package.items():
        snapshot.place(wp_id, decide_outcome(own, snapshot.profile), sum(event.force for event in own))
    return snapshot


def _describe(snapshot: Snapshot, slug: str, newest: LaneEvent, count: int) -> None:
    snapshot.feature_slug = slug
    snapshot.materialized_at = newest.at
    snapshot.newest_instant = newest.instant
    snapshot.last_event_id = newest.event_id
    snapshot.event_count = count


class CannotFoldError(Exception):
    """The events cannot be folded as they come: they are out of order, or an id stands twice."""


class IdsDoNotIncreaseError(CannotFoldError):
    """Two events stand against the order of their ids, so a repeated id could go unseen; remember the ids."""


class Fold:
    """Reduces events as they come, in one pass, if they come in (instant, event id) order.

    * an id that stands twice is always noticed: strictly increasing ids exclude it, and otherwise
      `remember_ids` keeps every id seen
    * a work package whose events leave more than one head is *tangled*: `tangled` names it, and
      `snapshot` asks for all of its events to decide it in full
    * `judge` is called with each event and its (from, to) that is forced or not among `plain_moves`
    """

    def __init__(
        self,
        *,
        remember_ids: bool = False,
        plain_moves: Container[tuple[str, str]] = (),
        judge: Callable[[LaneEvent], None] | None = None,
    ) -> None:
        self._seen: set[str] | None = set() if remember_ids else None
        self._plain_moves = plain_moves
        self._judge = judge or _no_judgement
        self._newest: LaneEvent | None = None
        self._slug = ""
        self._count = 0
        self._heads: dict[str, LaneEvent] = {}
        self._forced: dict[str, int] = {}
        self._nine = False
        self.tangled: set[str] = set()

    def add_all(self, events: Iterable[LaneEvent]) -> None:  # noqa: C901, PLR0912  one loop on purpose
        """Fold `events` in, once.

        This is the loop that a large log spends its time in, so a work package's next event is
        judged here and not in a function of its own.

        Raises:
            CannotFoldError: an event stands after one that it precedes, or its id stands twice.
        """
        heads, plain_moves, judge, seen = self._heads, self._plain_moves, self._judge, self._seen
        newest: LaneEvent | None = None
        newest_instant, newest_id = BEGINNING_OF_TIME, ""
        count = 0
        for count, event in enumerate(events, start=1):  # noqa: B007  read after the loop
            event_id = event.event_id
            instant = event.instant
            if seen is not None:
                if event_id in seen or instant < newest_instant or (instant == newest_instant and event_id < newest_id):
                    raise CannotFoldError
                seen.add(event_id)
            elif event_id <= newest_id:
                raise IdsDoNotIncreaseError
            elif instant < newest_instant:
                raise CannotFoldError
            newest_instant, newest_id = instant, event_id
            from_lane = event.from_lane
            if event.force:
                self._forced[event.wp_id] = self._forced.get(event.wp_id, 0) + 1
                judge(event)
            elif (from_lane, event.to_lane) not in plain_moves:
                judge(event)
            wp_id = event.wp_id
            parents = event.known_parents
            if wp_id in heads:
                head = heads[wp_id]
                if parents is None:
                    if head.from_lane == from_lane != head.to_lane:
                        self.tangled.add(wp_id)
                elif len(parents) != 1 or parents[0] != head.event_id:
                    self.tangled.add(wp_id)
            elif parents:
                self.tangled.add(wp_id)
            if newest is None:
                self._slug = event.slug
            heads[wp_id] = newest = event
            if event.nine_lane:
                self._nine = True
        self._newest = newest
        self._count = count

    def snapshot(self, profile: LaneProfile | None, events_of: Callable[[set[str]], Iterable[LaneEvent]]) -> Snapshot:
        """Return the snapshot; `events_of` returns all events of the work packages it is given."""
        tangled: dict[str, list[LaneEvent]] = {}
        if self.tangled:
            for event in events_of(self.tangled):
                if event.wp_id in self.tangled:
                    tangled.setdefault(event.wp_id, []).append(event)
        snapshot = Snapshot(profile or (NINE_LANE if self._nine else SEVEN_LANE))
        if self._newest is not None:
            _describe(snapshot, self._slug, self._newest, self._count)
        for wp_id, head in self._heads.items():
            own = tangled.get(wp_id)
            outcome = decide_outcome(own, snapshot.profile) if own else Outcome(head, [head], None)
            snapshot.place(wp_id, outcome, self._forced.get(wp_id, 0))
        return snapshot
