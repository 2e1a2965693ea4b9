"""Which moves came after which, and which of the last ones compete: by example, in words."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from events import instant, moves, record
from kitty_status.status.causality import decide_outcome
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.reducer import reduce_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.status.record import StatusRecord

Told = tuple[str, str, str, int, "Sequence[str] | None"]
CLAIM: Told = ("claim", "planned", "claimed", 0, [])
START: Told = ("start", "claimed", "in_progress", 1, ["claim"])
READY: Told = ("ready", "in_progress", "for_review", 2, ["start"])


def standing(events: Sequence[StatusRecord]) -> tuple[str, str | None, set[str]]:
    """Return the deciding event, the rule where moves compete, and all heads."""
    outcome = decide_outcome(events, SEVEN_LANE)
    return outcome.head.event_id, outcome.rule, {event.event_id for event in outcome.heads}


def told(*events: Told) -> tuple[str, str | None, set[str]]:
    return standing(moves(events))


def passed_over(*events: Told) -> set[tuple[str, str, str]]:
    ignored: list[tuple[str, str, str]] = []
    decide_outcome(moves(events), SEVEN_LANE, ignored)
    assert len(ignored) == len(set(ignored))
    return set(ignored)


def test_an_event_comes_after_its_parents_whatever_the_clocks_said() -> None:
    late: Told = ("claim", "planned", "claimed", 59, [])
    assert told(late, START) == ("start", None, {"start"})
    assert told(late, START, READY) == ("ready", None, {"ready"})


def test_two_moves_after_one_parent_compete_and_the_newest_stands() -> None:
    block: Told = ("block", "claimed", "blocked", 5, ["claim"])
    assert told(CLAIM, START, block) == ("block", "newest", {"start", "block"})
    early: Told = ("block", "claimed", "blocked", 0, ["claim"])
    assert told(CLAIM, START, early) == ("start", "newest", {"start", "block"})


def test_of_two_moves_at_one_instant_the_greater_id_stands() -> None:
    one: Told = ("x1", "claimed", "blocked", 5, ["claim"])
    other: Told = ("x2", "claimed", "in_progress", 5, ["claim"])
    assert told(CLAIM, one, other) == ("x2", "newest", {"x1", "x2"})


def test_empty_parents_begin_a_history_of_their_own() -> None:
    again: Told = ("again", "planned", "blocked", 9, [])
    assert told(CLAIM, START, again) == ("again", "newest", {"start", "again"})


def test_an_event_without_parents_comes_after_the_head_that_it_continues() -> None:
    start: Told = ("start", "claimed", "in_progress", 1, None)
    assert told(CLAIM, start) == ("start", None, {"start"})


def test_an_event_without_parents_is_concurrent_with_a_head_that_left_the_same_lane() -> None:
    start: Told = ("start", "claimed", "in_progress", 1, None)
    block: Told = ("block", "claimed", "blocked", 2, None)
    assert told(CLAIM, start, block) == ("block", "newest", {"start", "block"})


def test_an_event_without_parents_comes_after_all_heads_that_left_other_lanes() -> None:
    block: Told = ("block", "claimed", "blocked", 5, ["claim"])
    further: Told = ("further", "in_progress", "for_review", 6, None)
    assert told(CLAIM, START, block, further) == ("further", None, {"further"})


def test_a_rival_of_one_head_that_comes_after_another_has_its_history() -> None:
    back: Told = ("back", "for_review", "in_progress", 0, [])
    claim: Told = ("claim", "planned", "claimed", 1, [])
    block: Told = ("block", "planned", "blocked", 2, None)
    assert told(back, claim, block) == ("block", "rollback", {"claim", "block"})


def test_an_event_without_parents_takes_those_of_its_rivals() -> None:
    # The rollback stands in the history of both rivals, so it does not speak for either.
    back: Told = ("back", "for_review", "in_progress", 3, ["ready"])
    ready: Told = ("ready again", "in_progress", "for_review", 4, ["back"])
    block: Told = ("block", "in_progress", "blocked", 5, None)
    assert told(CLAIM, START, READY, back, ready, block) == ("block", "newest", {"ready again", "block"})


def test_rivals_with_different_parents_give_all_of_them_to_the_next() -> None:
    one: Told = ("one", "planned", "blocked", 1, ["root one"])
    other: Told = ("other", "planned", "canceled", 2, ["root other"])
    back: Told = ("root one", "for_review", "in_progress", 0, [])
    roots: list[Told] = [back, ("root other", "claimed", "planned", 0, [])]
    third: Told = ("third", "planned", "claimed", 3, None)
    # The rollback is in the history of `one` and of `third`; the later of them stands.
    assert told(*roots, one, other, third) == ("third", "rollback", {"one", "other", "third"})


def test_a_move_to_the_lane_itself_leaves_nothing_so_what_follows_comes_after_it() -> None:
    note: Told = ("note", "planned", "planned", 0, None)
    claim: Told = ("claim", "planned", "claimed", 1, None)
    assert told(note, claim) == ("claim", None, {"claim"})
    assert told(note, ("note 2", "planned", "planned", 1, None)) == ("note 2", None, {"note 2"})


def test_repeated_claims_of_older_logs_agree_and_are_no_conflict() -> None:
    claims: list[Told] = [(f"claim {number}", "planned", "claimed", number, None) for number in range(5)]
    assert told(*claims) == ("claim 4", None, {event[0] for event in claims})
    assert told(*claims, ("start", "claimed", "in_progress", 9, None)) == ("start", None, {"start"})


@pytest.mark.parametrize(("lane", "before"), [("claimed", "planned"), ("in_progress", "claimed")])
def test_two_actors_who_took_the_same_work_unseen_by_each_other_compete(lane: str, before: str) -> None:
    one, other = moves([("one", before, lane, 0, []), ("other", before, lane, 1, [])])
    assert standing([one, other]) == ("other", "double_claim", {"one", "other"})
    other.shown_actor = one.shown_actor
    assert standing([one, other]) == ("other", None, {"one", "other"})


def test_two_actors_agree_where_nobody_holds_the_work() -> None:
    one, other = moves([("one", "in_progress", "for_review", 0, []), ("other", "in_progress", "for_review", 1, [])])
    assert one.shown_actor != other.shown_actor
    assert standing([one, other]) == ("other", None, {"one", "other"})


def test_a_claim_that_does_not_say_what_it_saw_is_no_double_claim() -> None:
    assert told(("one", "planned", "claimed", 0, []), ("other", "planned", "claimed", 1, None))[1] is None


BACK: Told = ("back", "for_review", "in_progress", 0, ["ready"])
APPROVE: Told = ("approve", "for_review", "done", 0, ["ready"])
APPROVE_TOO: Told = ("approve too", "for_review", "done", 0, ["ready"])
BACK_TOO: Told = ("back too", "for_review", "in_progress", 0, ["ready"])


@pytest.mark.parametrize("knows_parents", [True, False])
@pytest.mark.parametrize(
    "rivals", [(BACK, APPROVE), (BACK, APPROVE, APPROVE_TOO), (BACK, BACK_TOO, APPROVE), (BACK, BACK_TOO, APPROVE_TOO)]
)
def test_a_rollback_beats_concurrent_approvals_in_every_time_order(
    rivals: tuple[Told, ...], knows_parents: bool
) -> None:
    for order in permutations(range(len(rivals))):
        events: list[Told] = [
            (name, source, target, 10 + minute, parents if knows_parents else None)
            for (name, source, target, _, parents), minute in zip(rivals, order, strict=True)
        ]
        backs = [event for event in events if event[0].startswith("back")]
        newest_back = max(backs, key=lambda event: event[3])[0]
        assert told(CLAIM, START, READY, *events) == (newest_back, "rollback", {event[0] for event in events})


def test_work_that_goes_on_after_a_rollback_keeps_its_precedence() -> None:
    for minutes in permutations(range(10, 13)):
        back, again, approve = minutes
        events: list[Told] = [
            ("back", "for_review", "in_progress", back, ["ready"]),
            ("again", "in_progress", "for_review", again, ["back"]),
            ("approve", "for_review", "done", approve, ["ready"]),
        ]
        assert told(CLAIM, START, READY, *events) == ("again", "rollback", {"again", "approve"})


def test_a_stale_approval_that_names_older_parents_does_not_approve_reworked_code() -> None:
    back: Told = ("back", "for_review", "in_progress", 3, ["ready"])
    again: Told = ("again", "in_progress", "for_review", 4, ["back"])
    stale: Told = ("stale", "for_review", "done", 50, ["ready"])
    assert told(CLAIM, START, READY, back, again, stale) == ("again", "rollback", {"again", "stale"})
    fresh: Told = ("fresh", "for_review", "done", 5, ["again"])
    assert told(CLAIM, START, READY, back, again, fresh) == ("fresh", None, {"fresh"})


def test_a_rollback_without_a_review_has_no_precedence() -> None:
    events = moves([CLAIM, START, READY, BACK, ("approve", "for_review", "done", 9, ["ready"])])
    events[3].review_ref = None
    assert standing(events) == ("approve", "newest", {"back", "approve"})


def test_which_moves_are_rollbacks_the_profile_says() -> None:
    events: list[Told] = [
        ("ready", "for_review", "in_review", 0, []),
        ("back", "in_review", "planned", 1, ["ready"]),
        ("approve", "in_review", "approved", 2, ["ready"]),
    ]
    ready, back, approve = moves(events)
    back.review_ref = "PR 7"
    outcome = decide_outcome([ready, back, approve], NINE_LANE)
    assert (outcome.head.event_id, outcome.rule) == ("back", "rollback")
    outcome = decide_outcome([ready, back, approve], SEVEN_LANE)
    assert (outcome.head.event_id, outcome.rule) == ("approve", "newest")


def test_an_event_whose_parents_include_all_heads_ends_the_conflict() -> None:
    block: Told = ("block", "claimed", "blocked", 5, ["claim"])
    settle: Told = ("settle", "blocked", "in_progress", 3, ["start", "block"])
    assert told(CLAIM, START, block, settle) == ("settle", None, {"settle"})


def test_an_event_that_names_some_of_the_heads_leaves_the_conflict() -> None:
    block: Told = ("block", "claimed", "blocked", 5, ["claim"])
    partly: Told = ("partly", "blocked", "in_progress", 6, ["block"])
    ready: Told = ("ready", "in_progress", "for_review", 7, ["start"])
    assert told(CLAIM, START, block, partly, ready) == ("ready", "newest", {"partly", "ready"})


def test_at_most_twenty_heads_are_listed_and_all_are_counted() -> None:
    events = moves([(f"{number:02}", "planned", "claimed", number, []) for number in range(25)])
    conflict = reduce_events(events).work_packages["WP01"]["conflict"]
    assert conflict["rule"] == "double_claim"
    assert conflict["head_count"] == 25
    assert [head["event_id"] for head in conflict["heads"]] == [f"{number:02}" for number in range(24, 4, -1)]
    assert conflict["heads"][0] == {"event_id": "24", "lane": "claimed", "actor": "actor of 24"}


def test_an_absent_parent_is_passed_over_and_reported() -> None:
    start: Told = ("start", "claimed", "in_progress", 1, ["claim", "lost"])
    assert told(CLAIM, start) == ("start", None, {"start"})
    assert passed_over(CLAIM, start) == {("start", "lost", "this work package has no such event")}


def test_an_event_left_without_parents_is_fitted_in_like_one_that_named_none() -> None:
    start: Told = ("start", "claimed", "in_progress", 1, ["lost"])
    assert told(CLAIM, start) == ("start", None, {"start"})
    block: Told = ("block", "claimed", "blocked", 2, ["lost"])
    assert told(CLAIM, start, block) == ("block", "newest", {"start", "block"})


def test_an_event_cannot_be_its_own_parent() -> None:
    claim: Told = ("claim", "planned", "claimed", 0, ["claim", "claim"])
    assert told(claim, START) == ("start", None, {"start"})
    assert passed_over(claim, START) == {("claim", "claim", "it names itself")}


def test_an_event_of_another_work_package_is_no_parent() -> None:
    ignored: list[tuple[str, str, str]] = []
    events = [record(event_id="a"), record(event_id="b", wp_id="WP02", at=instant(1), parents=["a"])]
    snapshot = reduce_events(events, ignored=ignored)
    assert snapshot.heads == {"WP01": ("a",), "WP02": ("b",)}
    assert ignored == [("b", "a", "this work package has no such event")]


def test_parents_in_a_circle_are_passed_over_and_others_beside_them_kept() -> None:
    one: Told = ("one", "claimed", "in_progress", 1, ["two", "claim"])
    two: Told = ("two", "in_progress", "for_review", 2, ["one"])
    why = "each of the two comes after the other"
    assert passed_over(CLAIM, one, two) == {("one", "two", why), ("two", "one", why)}
    assert told(CLAIM, one, two) == ("two", None, {"two"})
    assert told(CLAIM, one, two, ("last", "for_review", "done", 3, ["two"])) == ("last", None, {"last"})
