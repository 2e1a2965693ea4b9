"""Chains: which events do not follow on from what came before, and which never decided anything."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

from events import instant, row, ulid
from kitty_status.status.continuity import chain_breaks, is_certain, never_current
from kitty_status.status.lanes import SEVEN_LANE
from kitty_status.status.record import StatusRecord
from kitty_status.status.validation import Judge

if TYPE_CHECKING:
    from kitty_status.status.record import LaneEvent


def event(number: int, from_lane: str, to_lane: str, **more: Any) -> LaneEvent:
    content = {"event_id": ulid(number), "at": instant(number), "from_lane": from_lane, "to_lane": to_lane}
    return StatusRecord(row(**{**content, **more}))


def broken(*events: LaneEvent) -> list[tuple[str, list[str]]]:
    found = {
        tuple((one.event_id[-1], tuple(each.event_id[-1] for each in before)) for one, before in chain_breaks(order))
        for order in permutations(events)
    }
    assert len(found) == 1, "the order of lines decides nothing"
    return [(one, list(before)) for one, before in found.pop()]


CLAIM = event(1, "planned", "claimed")


def test_what_follows_on_breaks_nothing() -> None:
    assert broken(CLAIM, event(2, "claimed", "in_progress"), event(3, "in_progress", "in_progress", force=True)) == []
    assert broken(event(1, "for_review", "done"), event(2, "planned", "claimed", wp_id="WP02")) == []
    assert broken() == []


def test_a_claim_that_is_repeated_leaves_a_lane_that_was_left_already() -> None:
    assert broken(CLAIM, event(2, "planned", "claimed"), event(3, "claimed", "in_progress")) == [("2", ["1"])]


def test_an_event_is_held_against_the_parents_that_it_names_and_not_against_the_clock() -> None:
    first = event(1, "planned", "claimed", parents=[])
    ours = event(2, "claimed", "blocked", parents=[ulid(1)])
    theirs = event(3, "claimed", "in_progress", parents=[ulid(1)])
    assert broken(first, ours, theirs) == []
    assert broken(first, ours, theirs, event(4, "blocked", "canceled", parents=[ulid(2), ulid(3)])) == []
    assert broken(first, ours, theirs, event(4, "planned", "canceled", parents=[ulid(2), ulid(3)])) == [
        ("4", ["2", "3"])
    ]


def test_parents_that_are_absent_or_of_another_work_package_or_the_event_itself_say_nothing() -> None:
    other = event(5, "planned", "claimed", wp_id="WP02")
    for parent in (ulid(9), ulid(5), ulid(2)):
        assert broken(CLAIM, other, event(2, "for_review", "done", parents=[parent])) == []


def test_a_break_is_certain_only_where_both_say_what_they_had_seen_and_nothing_was_forced() -> None:
    told, untold = event(1, "planned", "claimed", parents=[]), CLAIM
    late = event(2, "for_review", "done", parents=[ulid(1)])
    assert is_certain(late, [told])
    assert not is_certain(late, [untold])
    assert not is_certain(late, [told, untold])
    assert not is_certain(event(2, "for_review", "done"), [told])
    assert not is_certain(event(2, "for_review", "done", parents=[ulid(1)], force=True), [told])


def test_an_event_behind_a_later_one_never_decided_anything_unless_it_names_its_parents() -> None:
    ahead = event(9, "planned", "claimed")
    late = event(2, "claimed", "in_progress")
    assert [(one, other) for one, (other,) in never_current([ahead, late])] == [(late, ahead)]
    assert list(never_current([late, ahead])) == []
    assert list(never_current([ahead, event(2, "claimed", "in_progress", parents=[ulid(9)])])) == []
    assert list(never_current([ahead, event(2, "planned", "claimed", wp_id="WP02")])) == []


def test_the_order_of_lines_shows_nothing_where_they_follow_each_other_from_several_files() -> None:
    events = [event(9, "planned", "claimed"), event(2, "claimed", "in_progress")]
    for is_divided, expected in ((False, {"chain-break", "never-current"}), (True, {"chain-break"})):
        judge = Judge(SEVEN_LANE, "001-feature", is_divided=is_divided)
        judge.sequence(events)
        assert {finding.code for finding in judge.found.values()} == expected
