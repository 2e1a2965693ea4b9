"""The two lane profiles, cell by cell, against tables written down on their own."""

from __future__ import annotations

import pytest

from kitty_status.status.lanes import (
    ALL_LANES,
    GUARDS,
    NINE_LANE,
    PROFILES,
    SEVEN_LANE,
    LaneProfile,
    needs_nine_lanes,
)

SEVEN = ("planned", "claimed", "in_progress", "for_review", "done", "blocked", "canceled")
NINE = (
    "genesis",
    "planned",
    "claimed",
    "in_progress",
    "for_review",
    "in_review",
    "approved",
    "done",
    "blocked",
    "canceled",
)

# One line per lane that is left, one word per lane that may be reached, with the guard of the move.
SEVEN_TABLE = """
planned:     claimed/claim blocked canceled
claimed:     in_progress/workspace blocked canceled
in_progress: for_review/subtasks planned/reason blocked canceled
for_review:  done/approval in_progress/review-ref blocked canceled
done:
blocked:     in_progress canceled
canceled:
"""
NINE_TABLE = """
genesis:     planned canceled
planned:     claimed/claim blocked canceled
claimed:     in_progress/workspace blocked canceled
in_progress: for_review/subtasks approved/approval planned/reason blocked canceled
for_review:  in_review blocked canceled
in_review:   approved/approval done/approval in_progress/review-result planned/review-result
in_review:   blocked/review-result canceled/review-result
approved:    done/approval in_progress/review-ref planned/review-ref blocked canceled
done:
blocked:     in_progress canceled
canceled:
"""


def cells(table: str) -> dict[tuple[str, str], str]:
    found = {}
    for text in table.strip().splitlines():
        source, _, targets = text.partition(":")
        for cell in targets.split():
            target, _, guard = cell.partition("/")
            found[source, target] = guard
    return found


@pytest.mark.parametrize(
    ("profile", "lanes", "table"), [(SEVEN_LANE, SEVEN, SEVEN_TABLE), (NINE_LANE, NINE, NINE_TABLE)]
)
def test_every_cell_of_a_profile_is_as_its_table_says(profile: LaneProfile, lanes: tuple[str, ...], table: str) -> None:
    assert profile.lanes == lanes
    expected = cells(table)
    for source in lanes:
        for target in lanes:
            assert profile.moves.get((source, target)) == expected.get((source, target)), (source, target)
    assert set(profile.moves) == set(expected)


def test_the_profiles_have_as_many_moves_as_their_contracts() -> None:
    assert len(SEVEN_LANE.moves) == 16
    assert len(NINE_LANE.moves) == 29


def test_the_default_profile_is_a_part_of_all_lanes() -> None:
    assert set(NINE_LANE.lanes) == ALL_LANES
    assert set(SEVEN_LANE.lanes) < ALL_LANES
    assert set(PROFILES) == {"seven-lane", "nine-lane"}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_work_begins_as_planned(profile: LaneProfile) -> None:
    assert profile.initial == "planned"


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_no_move_leaves_a_terminal_lane_and_every_other_lane_is_left(profile: LaneProfile) -> None:
    assert profile.terminal == {"done", "canceled"}
    assert {lane for lane in profile.lanes if not profile.targets(lane)} == profile.terminal


def test_targets_stand_in_the_order_of_the_board() -> None:
    assert SEVEN_LANE.targets("in_progress") == ("planned", "for_review", "blocked", "canceled")
    assert NINE_LANE.targets("in_review") == ("planned", "in_progress", "approved", "done", "blocked", "canceled")
    assert SEVEN_LANE.targets("in_review") == ()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_an_alias_is_understood_and_is_no_lane(profile: LaneProfile) -> None:
    assert profile.resolve("doing") == "in_progress"
    assert "doing" not in profile.lanes
    assert not any("doing" in move for move in profile.moves)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_lane_is_understood_however_a_person_spells_it(profile: LaneProfile) -> None:
    for lane in profile.lanes:
        assert profile.resolve(lane) == lane
        assert profile.resolve(f"  {lane.upper()} ") == lane
        assert profile.resolve(lane.replace("_", "-")) == lane
    assert profile.resolve(" Doing") == "in_progress"


@pytest.mark.parametrize("spelling", ["", " ", "in progress", "finished", "uninitialized", "planned\n\nx"])
def test_what_is_no_lane_is_not_guessed_at(spelling: str) -> None:
    assert SEVEN_LANE.resolve(spelling) is None
    assert NINE_LANE.resolve(spelling) is None


def test_lanes_of_the_other_profile_are_not_understood() -> None:
    for lane in ("genesis", "in_review", "approved"):
        assert SEVEN_LANE.resolve(lane) is None
        assert NINE_LANE.resolve(lane) == lane


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (SEVEN_LANE, {("for_review", "in_progress")}),
        (
            NINE_LANE,
            {
                ("for_review", "in_progress"),
                ("for_review", "planned"),
                ("in_review", "in_progress"),
                ("in_review", "planned"),
            },
        ),
    ],
)
def test_only_a_reviewer_who_names_the_review_sends_work_back(
    profile: LaneProfile, expected: set[tuple[str, str]]
) -> None:
    pairs = [(source, target) for source in ALL_LANES for target in ALL_LANES]
    assert {move for move in pairs if profile.is_rollback(*move, "PR 7")} == expected
    assert not [move for move in pairs if profile.is_rollback(*move, None)]


def test_lanes_before_the_first_are_not_counted() -> None:
    assert SEVEN_LANE.counted == SEVEN
    assert NINE_LANE.counted == NINE[1:]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_work_is_held_while_it_is_claimed_or_in_progress(profile: LaneProfile) -> None:
    assert profile.held == {"claimed", "in_progress"}


def test_every_guard_that_can_be_named_says_what_it_asks_for() -> None:
    assert set(GUARDS) == {guard for profile in PROFILES.values() for guard in profile.moves.values()} - {""}
    assert all(GUARDS.values())


def test_a_log_needs_nine_lanes_as_soon_as_a_move_names_one_of_them() -> None:
    for source in NINE:
        for target in NINE:
            expected = bool({source, target} & {"genesis", "in_review", "approved"})
            assert needs_nine_lanes(source, target) == expected
