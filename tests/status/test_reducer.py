"""From events to a snapshot: one answer for every order, duplication and clone, and the same in one pass."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import SEEDS, histories, instant, moves, record, record_of, row, shuffled, their_row, ulid
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.reducer import (
    _BATCH,
    CannotFoldError,
    Fold,
    IdsDoNotIncreaseError,
    Lenient,
    profile_of,
    reduce_events,
    unique_events,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.status.causality import IgnoredParent
    from kitty_status.status.record import LaneEvent, StatusRecord
    from kitty_status.status.snapshot import Snapshot


def fold(events: Sequence[StatusRecord], *, remember_ids: bool = True) -> Snapshot:
    folding = Fold(remember_ids=remember_ids)
    folding.add_all(events)
    return folding.snapshot(None, lambda _tangled: events)


def whole(snapshot: Snapshot) -> tuple[object, ...]:
    return (
        snapshot.to_dict(),
        snapshot.heads,
        snapshot.newest_instant,
        snapshot.profile.name,
        list(snapshot.work_packages),
    )


def test_of_two_events_with_one_id_the_bytewise_smaller_line_counts_in_every_order() -> None:
    one, other = record(actor="ada"), record(actor="grace")
    assert one.line < other.line
    for events in ([one, other], [other, one], [other, one, other]):
        assert [event.shown_actor for event in unique_events(events)] == ["ada"]


def test_every_repetition_is_heard_of() -> None:
    one, again, other, else_ = record(), record(), record(actor="grace"), record(event_id=ulid(2))
    heard: list[tuple[LaneEvent, LaneEvent]] = []
    unique = unique_events([other, else_, one, again], lambda *pair: heard.append(pair))
    assert heard == [(other, one), (one, again)]
    assert [event.event_id for event in unique] == [ulid(1), ulid(2)]


def test_events_count_in_the_order_of_their_instants_not_of_their_spellings() -> None:
    early = record(event_id=ulid(2), at="2026-01-01T19:05:48Z", to_lane="blocked")
    late = record(event_id=ulid(1), at="2026-01-01T19:05:48.300166+00:00", from_lane="blocked", to_lane="canceled")
    assert late.at < early.at
    snapshot = reduce_events([late, early])
    assert snapshot.work_packages["WP01"]["lane"] == "canceled"
    assert snapshot.last_event_id == ulid(1)
    assert snapshot.materialized_at == "2026-01-01T19:05:48.300166+00:00"


def test_a_log_without_events_gives_an_empty_snapshot() -> None:
    for snapshot in (reduce_events([]), fold([])):
        assert snapshot.to_dict() == {
            "feature_slug": "",
            "materialized_at": None,
            "event_count": 0,
            "last_event_id": None,
            "work_packages": {},
            "summary": dict.fromkeys(SEVEN_LANE.lanes, 0),
        }


def test_a_snapshot_says_where_every_work_package_stands() -> None:
    events = [
        record(),
        record(event_id=ulid(2), from_lane="claimed", to_lane="done", at=instant(1), force=True, reason="r"),
        record(event_id=ulid(3), wp_id="WP02", at=instant(2), actor={"tool": "claude"}),
        record(event_id=ulid(4), from_lane="done", to_lane="done", at=instant(3), force=True, actor="grace"),
    ]
    snapshot = reduce_events(events)
    assert snapshot.event_count == 4
    assert snapshot.feature_slug == "001-feature"
    assert snapshot.work_packages == {
        "WP01": {
            "lane": "done",
            "actor": "grace",
            "last_transition_at": instant(3),
            "last_event_id": ulid(4),
            "force_count": 2,
        },
        "WP02": {
            "lane": "claimed",
            "actor": "claude",
            "last_transition_at": instant(2),
            "last_event_id": ulid(3),
            "force_count": 0,
        },
    }
    assert snapshot.summary == {**dict.fromkeys(SEVEN_LANE.lanes, 0), "claimed": 1, "done": 1}
    assert snapshot.heads == {"WP01": (ulid(4),), "WP02": (ulid(3),)}


def test_the_first_event_in_time_names_the_feature() -> None:
    events = [record(event_id=ulid(2), at=instant(2), feature_slug="new"), record(feature_slug="old")]
    assert reduce_events(events).feature_slug == "old"
    assert fold(events[::-1]).feature_slug == "old"


@pytest.mark.parametrize(
    ("content", "profile"),
    [
        (row(), SEVEN_LANE),
        (their_row(), NINE_LANE),
        (row(to_lane="approved"), NINE_LANE),
        (row(from_lane="genesis"), NINE_LANE),
    ],
)
def test_a_log_shows_by_which_profile_it_is_kept(content: dict[str, Any], profile: object) -> None:
    events = [record(event_id=ulid(0)), record_of(content)]
    assert profile_of(events) is profile
    assert reduce_events(events).profile is profile
    assert fold(events).profile is profile


def test_a_profile_that_was_asked_for_is_the_one_that_counts() -> None:
    folding = Fold()
    folding.add_all([record()])
    assert folding.snapshot(NINE_LANE, lambda _tangled: []).profile is NINE_LANE
    assert reduce_events([record()], NINE_LANE).profile is NINE_LANE


def test_work_before_the_first_lane_is_placed_but_not_counted() -> None:
    snapshot = reduce_events([record(from_lane="planned", to_lane="genesis")])
    assert snapshot.work_packages["WP01"]["lane"] == "genesis"
    assert sum(snapshot.summary.values()) == 0
    assert "genesis" not in snapshot.summary


@settings(deadline=None, max_examples=2000)
@given(histories(), SEEDS)
def test_every_order_and_duplication_of_a_log_gives_one_answer(rows: list[dict[str, Any]], seed: int) -> None:
    events = [record_of(content) for content in rows]
    again = [record_of(content) for content in shuffled(rows, seed + 1)[: seed % 6]]
    ignored: list[IgnoredParent] = []
    ignored_then: list[IgnoredParent] = []
    expected = reduce_events(events, ignored=ignored)
    found = reduce_events(unique_events(shuffled([*events, *again], seed)), ignored=ignored_then)
    assert whole(found) == whole(expected)
    assert ignored_then == ignored
    assert found == expected


@settings(deadline=None, max_examples=1000)
@given(histories(), SEEDS)
def test_ids_that_stand_for_two_things_give_one_answer_in_every_order(rows: list[dict[str, Any]], seed: int) -> None:
    events = [record_of(content) for content in rows]
    events += [record_of({**content, "to_lane": "blocked", "actor": "zoe"}) for content in rows[:3]]
    assert whole(reduce_events(unique_events(shuffled(events, seed)))) == whole(reduce_events(unique_events(events)))


@settings(deadline=None, max_examples=3000)
@given(histories(in_order=True), st.booleans())
def test_folding_gives_the_answer_of_the_rule_in_full(rows: list[dict[str, Any]], remember_ids: bool) -> None:
    events = [record_of(content) for content in rows]
    try:
        found = fold(events, remember_ids=remember_ids)
    except IdsDoNotIncreaseError:
        assert not remember_ids
        assert any(one.event_id >= other.event_id for one, other in pairwise(events))
        return
    assert whole(found) == whole(reduce_events(events))


@settings(deadline=None, max_examples=2000)
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
            folding.add_all([record_of(content) for content in rows])


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
    folding.add_all(events)
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
    folding.add_all(events)
    folding.snapshot(None, lambda _tangled: events)
    assert judge.looked == [ulid(2), ulid(3)]
    assert judge.others == [ulid(4)]
    assert judge.ignored == [(ulid(4), "absent", "this work package has no such event")]


@pytest.mark.parametrize("odd", [None, 0, 1, _BATCH - 1, _BATCH, _BATCH + 5])
def test_an_odd_id_is_noticed_wherever_it_stands(odd: int | None) -> None:
    events = [record(event_id=ulid(number)) for number in range(_BATCH + 10)]
    if odd is not None:
        events[odd].event_id += "x"
    folding = Fold(judge=Listening())
    folding.add_all(events)
    assert folding.has_odd_ids == (odd is not None)
    careless = Fold()
    careless.add_all(events)
    assert not careless.has_odd_ids


def test_a_lenient_judge_minds_nothing() -> None:
    events = [record(event_id="odd", force=True, feature_slug="another", to_lane="done")]
    assert whole(fold(events)) == whole(reduce_events(events))
    Lenient().other_feature(events[0])
