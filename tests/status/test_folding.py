"""Folding: the rule in full, in one pass, for events that stand in order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import SEEDS, histories, instant, moves, record, record_of, row, ulid
from folds import fold, whole
from kitty_status.status.folding import CannotFoldError, Fold, IdsDoNotIncreaseError, Lenient
from kitty_status.status.reducer import reduce_events, unique_events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.status.causality import IgnoredParent
    from kitty_status.status.record import LaneEvent


@settings(max_examples=3000)
@given(histories(in_order=True), st.booleans(), st.integers(1, 9))
def test_folding_gives_the_answer_of_the_rule_in_full(
    rows: list[dict[str, Any]], remember_ids: bool, batch: int
) -> None:
    events = [record_of(content) for content in rows]
    try:
        found = fold(events, remember_ids=remember_ids, batch=batch)
    except IdsDoNotIncreaseError:
        assert not remember_ids
        assert any(one.event_id >= other.event_id for one, other in pairwise(events))
        return
    assert whole(found) == whole(reduce_events(events))


@settings(max_examples=2000)
@given(histories(), histories(in_order=True), SEEDS, st.booleans())
def test_folding_refuses_what_it_would_miscount(
    rows: list[dict[str, Any]], ordered: list[dict[str, Any]], seed: int, remember_ids: bool
) -> None:
    chosen = ordered if seed % 3 else rows[:3]
    place = seed % (len(chosen) + 1)
    chosen = [*chosen[:place], *chosen[:1], *chosen[place:]] if seed % 2 else chosen
    events = [record_of(content) for content in chosen]
    try:
        found = fold(events, remember_ids=remember_ids)
    except CannotFoldError:
        in_order = sorted(events, key=lambda event: (event.instant, event.event_id)) == events
        ids = [event.event_id for event in events]
        assert not in_order or len(set(ids)) < len(ids) or (not remember_ids and ids != sorted(ids))
        return
    assert whole(found) == whole(reduce_events(unique_events(events)))


@pytest.mark.parametrize("remember_ids", [True, False])
def test_an_id_that_stands_twice_is_never_folded(remember_ids: bool) -> None:
    for rows in ([row(), row()], [row(), row(event_id=ulid(2), at=instant(1)), row(at=instant(2))]):
        folding = Fold(remember_ids=remember_ids)
        with pytest.raises(CannotFoldError):
            folding.add([record_of(content) for content in rows])


def test_events_out_of_order_are_not_folded() -> None:
    events = [record(event_id=ulid(1), at=instant(5)), record(event_id=ulid(2), at=instant(1))]
    for remember_ids in (True, False):
        with pytest.raises(CannotFoldError) as caught:
            fold(events, remember_ids=remember_ids)
        assert not isinstance(caught.value, IdsDoNotIncreaseError)
    tied = [record(event_id=ulid(2)), record(event_id=ulid(1))]
    with pytest.raises(CannotFoldError):
        fold(tied)


def test_ids_that_do_not_increase_are_folded_once_they_are_remembered() -> None:
    events = [record(event_id=ulid(2)), record(event_id=ulid(1), from_lane="claimed", at=instant(1))]
    with pytest.raises(IdsDoNotIncreaseError):
        fold(events, remember_ids=False)
    assert fold(events).last_event_id == ulid(1)


def test_only_tangled_work_packages_are_asked_for_again() -> None:
    events = [record(wp_id="WP02", event_id="a"), *moves([("b", "planned", "claimed", 1, [])])]
    events += moves([("c", "planned", "claimed", 2, [])])
    folding = Fold()
    folding.add(events)
    asked: list[set[str]] = []

    def again(tangled: set[str]) -> Iterable[LaneEvent]:
        asked.append(set(tangled))
        return events

    snapshot = folding.snapshot(None, again)
    assert asked == [{"WP01"}]
    assert snapshot.work_packages["WP01"]["conflict"]["head_count"] == 2
    assert "conflict" not in snapshot.work_packages["WP02"]


class Listening(Lenient):
    """A judge that writes down what it is asked."""

    plain_moves = frozenset({("planned", "claimed")})
    slug = "001-feature"

    def __init__(self) -> None:
        self.looked: list[str] = []
        self.others: list[str] = []
        self.ignored: list[IgnoredParent] | None = []

    def look(self, event: LaneEvent) -> None:
        self.looked.append(event.event_id)

    def other_feature(self, event: LaneEvent) -> None:
        self.others.append(event.event_id)


def test_a_judge_is_asked_about_every_event_that_is_not_plainly_in_order() -> None:
    events = [
        record(event_id=ulid(1)),
        record(event_id=ulid(2), force=True),
        record(event_id=ulid(3), to_lane="done"),
        record(event_id=ulid(4), feature_slug="other", parents=["absent"]),
    ]
    judge = Listening()
    folding = Fold(judge=judge)
    folding.add(events)
    folding.snapshot(None, lambda _tangled: events)
    assert judge.looked == [ulid(2), ulid(3)]
    assert judge.others == [ulid(4)]
    assert judge.ignored == [(ulid(4), "absent", "this work package has no such event")]


@pytest.mark.parametrize("odd", [None, 0, 1, 8, 9, 10])
def test_an_odd_id_is_noticed_wherever_it_stands(odd: int | None) -> None:
    events = [record(event_id=ulid(number)) for number in range(11)]
    if odd is not None:
        events[odd].event_id += "x"
    folding = Fold(judge=Listening())
    for start in (0, 9):
        folding.add(events[start : start + 9])
    folding.add([])
    assert folding.has_odd_ids == (odd is not None)
    careless = Fold()
    careless.add(events)
    assert not careless.has_odd_ids


def test_a_lenient_judge_minds_nothing() -> None:
    events = [record(event_id="odd", force=True, feature_slug="another", to_lane="done")]
    assert whole(fold(events)) == whole(reduce_events(events))
    Lenient().other_feature(events[0])
