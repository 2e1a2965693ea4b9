"""From events to a snapshot: one answer for every order, duplication and clone, and the same in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import SEEDS, histories, instant, record, record_of, row, shuffled, their_row, ulid
from folds import fold, whole
from kitty_status.status.causality import moment
from kitty_status.status.folding import Fold
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.reducer import profile_of, reduce_events, reduce_with, unique_events

if TYPE_CHECKING:
    from kitty_status.status.causality import IgnoredParent
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent


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


@settings(max_examples=3000)
@given(histories(), SEEDS, st.sampled_from([None, SEVEN_LANE, NINE_LANE]))
def test_one_more_event_gives_the_snapshot_of_them_all(
    rows: list[dict[str, Any]], seed: int, profile: LaneProfile | None
) -> None:
    *events, last = unique_events(shuffled([record_of(content) for content in rows or [row()]], seed))
    if seed % 2:
        # As a writer does it: the newest event comes last.
        *events, last = sorted([*events, last], key=moment)
    before = reduce_events(events, profile)
    was = whole(before)
    assert whole(reduce_with(before, events, last, profile)) == whole(reduce_events([*events, last], profile))
    assert whole(before) == was


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
    folding.add([record()])
    assert folding.snapshot(NINE_LANE, lambda _tangled: []).profile is NINE_LANE
    assert reduce_events([record()], NINE_LANE).profile is NINE_LANE


def test_work_before_the_first_lane_is_placed_but_not_counted() -> None:
    snapshot = reduce_events([record(from_lane="planned", to_lane="genesis")])
    assert snapshot.work_packages["WP01"]["lane"] == "genesis"
    assert sum(snapshot.summary.values()) == 0
    assert "genesis" not in snapshot.summary


@settings(max_examples=2000)
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


@settings(max_examples=1000)
@given(histories(), SEEDS)
def test_ids_that_stand_for_two_things_give_one_answer_in_every_order(rows: list[dict[str, Any]], seed: int) -> None:
    events = [record_of(content) for content in rows]
    events += [record_of({**content, "to_lane": "blocked", "actor": "zoe"}) for content in rows[:3]]
    assert whole(reduce_events(unique_events(shuffled(events, seed)))) == whole(reduce_events(unique_events(events)))
