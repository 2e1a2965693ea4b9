"""Folding: the reducer's answer in one pass over a log whose events stand in order, as nearly every log's do.

Where the rule in full, `reducer.reduce_events`, sorts all events and asks each work package's for
their causes, a fold keeps one event per work package. What it cannot decide that way it leaves to
the rule in full, so both give one answer.
"""

from __future__ import annotations

from itertools import chain
from operator import lt

from kitty_status.status.causality import Outcome, comes_plainly_after, decide_outcome
from kitty_status.status.instants import BEGINNING_OF_TIME
from kitty_status.status.lanes import ALL_LANES, NINE_LANE, SEVEN_LANE
from kitty_status.status.reducer import describe
from kitty_status.status.rows import are_ulids
from kitty_status.status.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from datetime import datetime
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

        def has_odd_ids(self, ids: Sequence[str], events: Iterable[LaneEvent]) -> bool:
            """Say whether one of these ids is worth a look at all events."""

        def look(self, event: LaneEvent) -> None:
            """Hear of an event whose move is forced or not plain."""

        def other_feature(self, event: LaneEvent) -> None:
            """Hear of an event that names another feature."""


class Lenient:
    """The judge of those who only want to know where things stand: it finds nothing wrong with any event."""

    plain_moves: Container[tuple[str, str]] = frozenset((one, other) for one in ALL_LANES for other in ALL_LANES)
    slug: str | None = None
    ignored: list[IgnoredParent] | None = None

    def has_odd_ids(self, ids: Sequence[str], _events: Iterable[LaneEvent]) -> bool:
        """Accept the ids, if they are ULIDs."""
        return not are_ulids(ids)

    def look(self, event: LaneEvent) -> None:
        """Accept the event."""

    def other_feature(self, event: LaneEvent) -> None:
        """Accept the event."""


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
    * `has_odd_ids` says whether an event with an id that is no ULID, or lies in the future, was among them, where
      there is a judge
    * `unsteady` names the work packages of which an event left another lane than the one before it had led to
    """

    def __init__(self, *, remember_ids: bool = False, judge: Judge | None = None) -> None:
        self._seen: set[str] | None = set() if remember_ids else None
        self._judge = judge or Lenient()
        self.has_odd_ids = False
        self._newest: LaneEvent | None = None
        self._newest_moment = (BEGINNING_OF_TIME, "")
        self._slug = ""
        self.count = 0
        self._heads: dict[str, LaneEvent] = {}
        self._forced: dict[str, int] = {}
        self._nine = False
        self.tangled: set[str] = set()
        self.unsteady: set[str] = set()

    def add(self, events: Sequence[LaneEvent]) -> None:
        """Fold in the next `events`, some hundreds at a time: what can be asked of all of them at once costs least.

        Raises:
            CannotFoldError: an event stands after one that it precedes, or its id stands twice.
        """
        if not events:
            return
        ids = [event.event_id for event in events]
        self._take_in_order(ids, [event.instant for event in events])
        if self._newest is None:
            self._slug = events[0].slug
        self._newest = events[-1]
        self._move(events)
        slug = self._judge.slug
        if slug is None:
            return
        self.has_odd_ids = self.has_odd_ids or self._judge.has_odd_ids(ids, events)
        if [event.slug for event in events].count(slug) != len(events):
            for event in events:
                if event.slug != slug:
                    self._judge.other_feature(event)

    def _take_in_order(self, ids: list[str], instants: list[datetime]) -> None:
        newest_instant, newest_id = self._newest_moment
        self.count += len(ids)
        if self._seen is not None:
            self._seen.update(ids)
            if len(self._seen) != self.count:
                raise CannotFoldError
        elif not all(map(lt, chain((newest_id,), ids), ids)):
            raise IdsDoNotIncreaseError
        # Instants that increase settle the order for nearly every batch; only where two are equal do ids decide.
        if not all(map(lt, chain((newest_instant,), instants), instants)):
            moments = list(zip(instants, ids, strict=True))
            if not all(map(lt, chain((self._newest_moment,), moments), moments)):
                raise CannotFoldError
        self._newest_moment = instants[-1], ids[-1]

    def _move(self, events: Sequence[LaneEvent]) -> None:
        """Let each event move its work package, and have those that are not plainly in order looked at.

        This is the loop that a large log spends its time in, so it calls nothing for the usual event.
        """
        heads, plain_moves, look = self._heads, self._judge.plain_moves, self._judge.look
        for event in events:
            wp_id = event.wp_id
            from_lane = event.from_lane
            if event.force:
                self._forced[wp_id] = self._forced.get(wp_id, 0) + 1
                look(event)
            elif (from_lane, event.to_lane) not in plain_moves:
                look(event)
            parents = event.known_parents
            head = heads.get(wp_id)
            if head is not None and head.to_lane != from_lane:
                self.unsteady.add(wp_id)
            names_the_head = head is not None and parents is not None and parents == [head.event_id]
            if not names_the_head and not comes_plainly_after(event, head):
                self.tangled.add(wp_id)
            heads[wp_id] = event
            if event.nine_lane:
                self._nine = True

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
            describe(snapshot, self._slug, self._newest, self.count)
        for wp_id, head in self._heads.items():
            own = tangled.get(wp_id)
            outcome = decide_outcome(own, snapshot.profile, ignored) if own else Outcome(head, [head], None)
            snapshot.place(wp_id, outcome, self._forced.get(wp_id, 0))
        return snapshot
