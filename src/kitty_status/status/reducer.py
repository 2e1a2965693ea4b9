"""From events to a snapshot: deduplicate, order, fold per work package.

`reduce_events` is the rule in full. `Fold` gives the same answer for the usual log, whose events
stand in order and whose work packages each have one head, while keeping one event per work package
instead of all of them. What it cannot decide that way it leaves to the rule in full.
"""

from __future__ import annotations

from kitty_status.status.causality import Outcome, decide_outcome, moment
from kitty_status.status.instants import BEGINNING_OF_TIME
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.rows import are_ulids
from kitty_status.status.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from typing import Protocol

    from kitty_status.status.causality import IgnoredParent
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent

    class Judge(Protocol):
        """Who is asked about events while they are folded; see `validation.Judge`."""

        @property
        def plain_moves(self) -> Container[tuple[str, str]]:
            """The moves that need no look."""

        @property
        def slug(self) -> str | None:
            """The feature that every event should name, None where that does not matter."""

        @property
        def ignored(self) -> list[IgnoredParent] | None:
            """Takes the parents that were passed over."""

        def look(self, event: LaneEvent) -> None:
            """Hear of an event whose move is forced or not plain."""

        def other_feature(self, event: LaneEvent) -> None:
            """Hear of an event that names another feature."""


_BATCH = 4096


class _Everything:
    """Contains every move."""

    def __contains__(self, move: object) -> bool:
        return True


class Lenient:
    """The judge of those who only want to know where things stand: it finds nothing wrong with any event."""

    plain_moves: Container[tuple[str, str]] = _Everything()
    slug: str | None = None
    ignored: list[IgnoredParent] | None = None

    def look(self, event: LaneEvent) -> None:
        """Accept the event."""

    def other_feature(self, event: LaneEvent) -> None:
        """Accept the event."""


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
        _describe(snapshot, ordered[0].slug, ordered[-1], len(ordered))
    for wp_id, own in by_work_package.items():
        snapshot.place(wp_id, decide_outcome(own, snapshot.profile, ignored), sum(event.force for event in own))
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
    * a `judge` is asked about each event that is not plainly in order
    * `has_odd_ids` says whether an event with an id that is no ULID was among them, where there is a judge
    """

    def __init__(self, *, remember_ids: bool = False, judge: Judge | None = None) -> None:
        self._seen: set[str] | None = set() if remember_ids else None
        self._judge = judge or Lenient()
        self._ids: list[str] = []
        self.has_odd_ids = False
        self._newest: LaneEvent | None = None
        self._slug = ""
        self.count = 0
        self._heads: dict[str, LaneEvent] = {}
        self._forced: dict[str, int] = {}
        self._nine = False
        self.tangled: set[str] = set()

    def add_all(self, events: Iterable[LaneEvent]) -> None:  # noqa: C901, PLR0912, PLR0915  one loop on purpose
        """Fold `events` in, once.

        This is the loop that a large log spends its time in, so a work package's next event is
        judged here and not in a function of its own.

        Raises:
            CannotFoldError: an event stands after one that it precedes, or its id stands twice.
        """
        heads, seen = self._heads, self._seen
        plain_moves, look, slug = self._judge.plain_moves, self._judge.look, self._judge.slug
        other_feature, ids = self._judge.other_feature, self._ids
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
                look(event)
            elif (from_lane, event.to_lane) not in plain_moves:
                look(event)
            if slug is not None:
                ids.append(event_id)
                if len(ids) == _BATCH:
                    self.has_odd_ids = self.has_odd_ids or not are_ulids(ids)
                    ids.clear()
                if event.slug != slug:
                    other_feature(event)
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
        self.count = count
        self.has_odd_ids = self.has_odd_ids or not are_ulids(ids)
        ids.clear()

    def snapshot(self, profile: LaneProfile | None, events_of: Callable[[set[str]], Iterable[LaneEvent]]) -> Snapshot:
        """Return the snapshot; `events_of` returns all events of the work packages it is given."""
        tangled: dict[str, list[LaneEvent]] = {}
        if self.tangled:
            for event in events_of(self.tangled):
                if event.wp_id in self.tangled:
                    tangled.setdefault(event.wp_id, []).append(event)
        ignored = self._judge.ignored
        snapshot = Snapshot(profile or (NINE_LANE if self._nine else SEVEN_LANE))
        if self._newest is not None:
            _describe(snapshot, self._slug, self._newest, self.count)
        for wp_id, head in self._heads.items():
            own = tangled.get(wp_id)
            outcome = decide_outcome(own, snapshot.profile, ignored) if own else Outcome(head, [head], None)
            snapshot.place(wp_id, outcome, self._forced.get(wp_id, 0))
        return snapshot
