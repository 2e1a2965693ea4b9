"""How far facts carry a work package, lane by lane, in every profile."""

from __future__ import annotations

from itertools import pairwise

import pytest

from events import instant, record
from kanban import own_profile
from kitty_status.status.catching_up import Facts, chain, sent_back
from kitty_status.status.lanes import NINE_LANE, NO_GUARD, SEVEN_LANE, LaneProfile
from kitty_status.status.route import route_of

NOTHING = Facts()
OPEN = Facts(has_work=True, not_merged="it is open")
MERGED = Facts(has_work=True, is_merged=True, not_reviewed="nobody looked")
REVIEWED = Facts(has_work=True, is_merged=True, is_reviewed=True)


def lanes_of(lane: str, facts: Facts, profile: LaneProfile = SEVEN_LANE) -> list[str]:
    return [target for _, target in chain(lane, facts, profile, actor="reconcile", holder=None).moves]


SEVEN = {
    "planned": (2, 3, 4),
    "claimed": (1, 2, 3),
    "in_progress": (0, 1, 2),
    "for_review": (0, 0, 1),
    "done": (0, 0, 0),
    "blocked": (0, 0, 0),
    "canceled": (0, 0, 0),
}
NINE = {
    "genesis": (3, 4, 7),
    "planned": (2, 3, 6),
    "claimed": (1, 2, 5),
    "in_progress": (0, 1, 4),
    "for_review": (0, 0, 3),
    "in_review": (0, 0, 2),
    "approved": (0, 0, 1),
    "done": (0, 0, 0),
    "blocked": (0, 0, 0),
    "canceled": (0, 0, 0),
}


@pytest.mark.parametrize(
    ("profile", "lane", "counts"),
    [(SEVEN_LANE, *each) for each in SEVEN.items()] + [(NINE_LANE, *each) for each in NINE.items()],
)
def test_facts_carry_a_lane_as_far_as_the_table_says_by_legal_moves_only(
    profile: LaneProfile, lane: str, counts: tuple[int, ...]
) -> None:
    assert set(SEVEN) == set(SEVEN_LANE.lanes)
    assert set(NINE) == set(NINE_LANE.lanes)
    for facts, count, goal in zip((OPEN, MERGED, REVIEWED), counts, ("in_progress", "for_review", "done"), strict=True):
        found = chain(lane, facts, profile, actor="reconcile", holder=None)
        assert len(found.moves) == count
        assert not found.is_stuck
        assert all(move in profile.moves for move in found.moves)
        assert not any(move in profile.rollbacks for move in found.moves)
        if count:
            assert found.moves[0][0] == lane
            assert found.moves[-1][1] == goal
    assert chain(lane, NOTHING, profile, actor="reconcile", holder=None).moves == []


def test_the_nine_lanes_lead_through_review_and_approval() -> None:
    assert lanes_of("in_progress", REVIEWED, NINE_LANE) == ["for_review", "in_review", "approved", "done"]


def test_a_chain_says_why_it_goes_no_further() -> None:
    def stop(lane: str, facts: Facts) -> str:
        return chain(lane, facts, SEVEN_LANE, actor="reconcile", holder=None).stop

    assert stop("planned", OPEN) == "it is open"
    assert stop("in_progress", OPEN) == "it is open"
    assert stop("for_review", OPEN) == "it is open"
    assert stop("planned", MERGED) == "nobody looked"
    assert stop("for_review", MERGED) == "nobody looked"
    assert stop("planned", REVIEWED) == stop("planned", NOTHING) == stop("done", REVIEWED) == ""
    assert stop("done", OPEN) == "done is final; it is open"
    assert stop("blocked", REVIEWED) == "there are commits for it, and only a person takes it out of blocked"


@pytest.mark.parametrize("lane", ["planned", "claimed"])
def test_what_somebody_else_holds_is_not_taken_and_its_holder_may_be_named(lane: str) -> None:
    found = chain(lane, OPEN, SEVEN_LANE, actor="reconcile", holder="ada")
    assert (found.moves, found.is_stuck) == ([], True)
    assert "ada holds it" in found.stop
    assert chain(lane, OPEN, SEVEN_LANE, actor="ada", holder="ada").moves[-1] == ("claimed", "in_progress")


def test_what_somebody_holds_leaves_their_hands_for_review() -> None:
    found = chain("in_progress", MERGED, SEVEN_LANE, actor="reconcile", holder="ada")
    assert found.moves == [("in_progress", "for_review")]


def test_a_profile_with_other_lanes_is_followed_as_far_as_it_is_understood() -> None:
    lanes = ("planned", "claimed", "in_progress", "testing", "for_review", "done")
    moves = dict.fromkeys(pairwise(lanes), NO_GUARD)
    own = LaneProfile("own", lanes=lanes, moves=moves, rollbacks=[], terminal=["done"])
    found = chain("planned", REVIEWED, own, actor="reconcile", holder=None)
    assert found.moves == list(pairwise(lanes))
    assert chain("testing", OPEN, own, actor="a", holder=None).moves == []
    gap = {move: guard for move, guard in moves.items() if "testing" not in move}
    broken = LaneProfile("broken", lanes=lanes, moves=gap, rollbacks=[], terminal=["done"])
    found = chain("planned", REVIEWED, broken, actor="reconcile", holder=None)
    assert found.moves == [("planned", "claimed"), ("claimed", "in_progress")]
    assert (found.stop, found.is_stuck) == ("broken has no move from in_progress to for_review", True)
    assert "only a person takes it out of testing" in chain("testing", OPEN, broken, actor="a", holder=None).stop
    short = LaneProfile(
        "short",
        lanes=("planned", "claimed", "done"),
        moves=moves | {("claimed", "done"): ""},
        rollbacks=[],
        terminal=[],
    )
    assert lanes_of("planned", MERGED, short) == ["claimed"]
    assert lanes_of("planned", REVIEWED, short) == ["claimed", "done"]


def test_the_newest_move_back_is_the_one_that_counts() -> None:
    def move(source: str, target: str, minute: int) -> object:
        return record(event_id=str(minute), from_lane=source, to_lane=target, at=instant(minute))

    forward = [move("planned", "claimed", 1), move("claimed", "in_progress", 2), move("blocked", "in_progress", 3)]
    back = [move("for_review", "in_progress", 5), move("in_progress", "planned", 4), move("in_progress", "blocked", 9)]
    assert sent_back(forward, SEVEN_LANE) is None  # type: ignore[arg-type]
    assert sent_back([*forward, *back], SEVEN_LANE) is back[0]  # type: ignore[list-item]
    assert sent_back([], SEVEN_LANE) is None
    own = [move("review", "working", 1), move("working", "review", 2)]
    assert sent_back(own, own_profile()) is own[0]  # type: ignore[arg-type]


def test_the_guards_of_a_profile_say_which_of_its_lanes_facts_lead_to() -> None:
    own = own_profile()
    assert route_of(own) == (
        ("idea", "backlog", "ready", "working", "review", "shipped"),
        "working",
        "review",
        "shipped",
    )
    assert lanes_of("idea", OPEN, own) == ["backlog", "ready", "working"]
    assert lanes_of("backlog", MERGED, own) == ["ready", "working", "review"]
    assert lanes_of("ready", REVIEWED, own) == ["working", "review", "shipped"]
    assert lanes_of("dropped", REVIEWED, own) == []


def test_a_profile_without_any_landmark_is_left_to_people() -> None:
    own = LaneProfile("own", lanes=("a", "b"), initial="a", moves={("a", "b"): ""}, rollbacks=[], terminal=["b"])
    assert route_of(own).order == ("a",)
    assert lanes_of("a", REVIEWED, own) == []
