"""Whether a move may be made: every guard passing and failing, and legality cell by cell."""

from __future__ import annotations

from typing import Any

import pytest

from events import APPROVAL
from kanban import own_profile
from kitty_status.status import lanes, transitions
from kitty_status.status.lanes import NINE_LANE, PROFILES, SEVEN_LANE, LaneProfile
from kitty_status.status.transitions import Move, has_approval, holder_of, needs_look, refusals

# Everything that a guard may ask for.
COMPLETE: dict[str, Any] = {
    "actor": "ada",
    "reason": "because",
    "review_ref": "PR 7",
    "evidence": APPROVAL,
    "review_result": APPROVAL["review"],
    "execution_mode": "worktree",
}
CELLS = [
    pytest.param(profile, source, target, id=f"{profile.name}: {source} to {target}")
    for profile in PROFILES.values()
    for source in profile.lanes
    for target in profile.lanes
]


def codes(source: str, target: str, profile: LaneProfile = SEVEN_LANE, **facts: Any) -> list[str]:
    return [refusal.code for refusal in refusals(Move(source, target, **{"actor": "ada", **facts}), profile)]


@pytest.mark.parametrize(("profile", "source", "target"), CELLS)
def test_a_move_is_legal_where_its_profile_has_it_and_forced_anywhere(
    profile: LaneProfile, source: str, target: str
) -> None:
    expected = [] if (source, target) in profile.moves else ["illegal-move"]
    assert codes(source, target, profile, **COMPLETE) == expected
    assert codes(source, target, profile, actor="ada", force=True, reason="because") == []


@pytest.mark.parametrize(("profile", "source", "target"), CELLS)
def test_a_legal_move_without_facts_is_refused_by_its_guard_alone(
    profile: LaneProfile, source: str, target: str
) -> None:
    by_guard = {
        "workspace": ["missing-workspace"],
        "approval": ["missing-evidence"],
        "review-ref": ["missing-review-ref"],
        "review-result": ["missing-review-result"],
        "reason": ["missing-reason"],
    }
    guard = profile.moves.get((source, target))
    expected = ["illegal-move"] if guard is None else by_guard.get(guard, [])
    assert codes(source, target, profile) == expected


# For each guard, what satisfies it, what does not, and what the refusal is called.
BY_GUARD: dict[str, tuple[dict[str, Any], dict[str, Any], str | None]] = {
    "": ({}, {}, None),
    "claim": ({"holder": None}, {"holder": "grace"}, "held-by-other"),
    "workspace": ({"execution_mode": "direct_repo"}, {}, "missing-workspace"),
    "subtasks": ({"open_subtasks": []}, {"open_subtasks": ["T001 the form"]}, "open-subtasks"),
    "approval": ({"evidence": APPROVAL}, {"evidence": {"review": {"verdict": "approved"}}}, "missing-evidence"),
    "review-ref": ({"review_ref": "PR 7"}, {"review_ref": " "}, "missing-review-ref"),
    "review-result": ({"review_result": APPROVAL["review"]}, {"review_ref": "PR 7"}, "missing-review-result"),
    "reason": ({"reason": "because"}, {"reason": " "}, "missing-reason"),
}
EVERY_CELL = [*PROFILES.values(), own_profile()]


@pytest.mark.parametrize("profile", EVERY_CELL, ids=[profile.name for profile in EVERY_CELL])
@pytest.mark.parametrize("satisfied", [True, False])
def test_every_cell_of_a_table_forced_and_unforced_with_its_guard_satisfied_and_not(
    profile: LaneProfile, satisfied: bool
) -> None:
    for source in profile.lanes:
        for target in profile.lanes:
            guard = profile.moves.get((source, target))
            good, bad, refusal = BY_GUARD[guard or ""]
            facts = good if satisfied else bad
            expected = [refusal] if refusal and not satisfied else []
            unforced = ["illegal-move"] if guard is None else expected
            assert codes(source, target, profile, **facts) == unforced, (source, target)
            said = {"reason": "it has to be", "actor": "ada"} if satisfied else {"reason": " ", "actor": ""}
            forced = [] if satisfied else ["force-without-actor", "force-without-reason"]
            assert codes(source, target, profile, **{**facts, **said, "force": True}) == forced, (source, target)


GUARDS = [
    ("planned", "claimed", {}, []),
    ("planned", "claimed", {"holder": "ada"}, []),
    ("planned", "claimed", {"holder": "grace"}, ["held-by-other"]),
    ("claimed", "in_progress", {"execution_mode": "worktree"}, []),
    ("claimed", "in_progress", {"execution_mode": "direct_repo"}, []),
    ("claimed", "in_progress", {}, ["missing-workspace"]),
    ("in_progress", "for_review", {}, []),
    ("in_progress", "planned", {"reason": "blocked by the weather"}, []),
    ("in_progress", "planned", {}, ["missing-reason"]),
    ("in_progress", "planned", {"reason": ""}, ["missing-reason"]),
    ("in_progress", "planned", {"reason": " \t\n"}, ["missing-reason"]),
    ("for_review", "in_progress", {"review_ref": "PR 7"}, []),
    ("for_review", "in_progress", {}, ["missing-review-ref"]),
    ("for_review", "in_progress", {"review_ref": "  "}, ["missing-review-ref"]),
    ("for_review", "in_progress", {"reason": "a reason is no reference"}, ["missing-review-ref"]),
    ("for_review", "done", {"evidence": APPROVAL}, []),
    ("for_review", "done", {}, ["missing-evidence"]),
    ("planned", "blocked", {}, []),
    ("blocked", "in_progress", {}, []),
    ("blocked", "canceled", {}, []),
]


@pytest.mark.parametrize(("source", "target", "facts", "expected"), GUARDS)
def test_each_guard_passes_and_fails(source: str, target: str, facts: dict[str, Any], expected: list[str]) -> None:
    assert codes(source, target, **facts) == expected


@pytest.mark.parametrize("actor", ["", " ", "\t\n"])
def test_a_move_needs_an_actor_besides_what_its_guard_asks_for(actor: str) -> None:
    assert codes("planned", "claimed", actor=actor) == ["missing-actor"]
    assert codes("in_progress", "planned", actor=actor) == ["missing-actor", "missing-reason"]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"reason": "because"}, []),
        ({}, ["force-without-reason"]),
        ({"reason": ""}, ["force-without-reason"]),
        ({"reason": "  "}, ["force-without-reason"]),
        ({"actor": "", "reason": "because"}, ["force-without-actor"]),
        ({"actor": " "}, ["force-without-actor", "force-without-reason"]),
    ],
)
@pytest.mark.parametrize("move", [("planned", "claimed"), ("done", "planned"), ("planned", "planned")])
def test_force_asks_for_an_actor_and_a_reason_whether_or_not_it_was_needed(
    move: tuple[str, str], facts: dict[str, Any], expected: list[str]
) -> None:
    assert codes(*move, force=True, **facts) == expected


def test_force_passes_every_guard_and_another_holder() -> None:
    assert codes("planned", "claimed", holder="grace", force=True, reason="grace is away") == []
    assert codes("for_review", "done", force=True, reason="released already") == []


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (APPROVAL, True),
        (None, False),
        ({}, False),
        ({"review": None}, False),
        ({"review": "approved"}, False),
        ({"review": {"reviewer": "g", "verdict": "approved", "reference": "PR 7"}, "repos": []}, True),
        ({"review": {"reviewer": "g", "verdict": "changes_requested", "reference": "PR 7"}}, False),
        ({"review": {"reviewer": "g", "verdict": "Approved", "reference": "PR 7"}}, False),
        ({"review": {"reviewer": "g", "reference": "PR 7"}}, False),
        ({"review": {"reviewer": " ", "verdict": "approved", "reference": "PR 7"}}, False),
        ({"review": {"verdict": "approved", "reference": "PR 7"}}, False),
        ({"review": {"reviewer": "g", "verdict": "approved", "reference": ""}}, False),
        ({"review": {"reviewer": "g", "verdict": "approved"}}, False),
        ({"review": {"reviewer": "g", "verdict": "approved", "reference": 7}}, False),
    ],
)
def test_an_approval_names_who_approved_and_where_that_can_be_read(
    evidence: dict[str, Any] | None, expected: bool
) -> None:
    assert has_approval(evidence) is expected
    assert (codes("for_review", "done", evidence=evidence) == []) is expected
    assert (codes("in_review", "approved", NINE_LANE, evidence=evidence) == []) is expected


def test_a_claim_of_what_somebody_else_holds_is_named_as_that() -> None:
    for lane in ("claimed", "in_progress"):
        (refusal,) = refusals(Move(lane, "claimed", actor="ada", holder="grace"), SEVEN_LANE)
        assert refusal.code == "held-by-other"
        assert "grace holds it" in refusal.message


def test_a_move_that_is_illegal_for_the_holder_too_is_just_illegal() -> None:
    (refusal,) = refusals(Move("claimed", "claimed", actor="ada", holder="ada"), SEVEN_LANE)
    assert refusal.code == "illegal-move"
    assert "holds" not in refusal.message
    (refusal,) = refusals(Move("in_progress", "done", actor="ada", holder="grace"), SEVEN_LANE)
    assert refusal.code == "illegal-move"
    assert "grace holds it" in refusal.message


def test_a_refusal_names_the_legal_lanes_or_that_there_are_none() -> None:
    (refusal,) = refusals(Move("planned", "done", actor="ada"), SEVEN_LANE)
    assert refusal.hint == "from planned it may go to claimed, blocked, canceled"
    (refusal,) = refusals(Move("done", "planned", actor="ada"), SEVEN_LANE)
    assert refusal.hint.startswith("done is final")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_what_an_event_alone_cannot_show_needs_no_look(profile: LaneProfile) -> None:
    plain = needs_look(profile)
    for move, guard in profile.moves.items():
        assert (move in plain) == (guard in {"", "claim", "workspace", "subtasks"})
        facts = {"execution_mode": "given"}
        assert (codes(*move, profile, **facts) == []) == (move in plain)


def test_only_held_lanes_have_a_holder() -> None:
    holders = {lane: holder_of(lane, "ada", NINE_LANE) for lane in NINE_LANE.lanes}
    assert {lane for lane, holder in holders.items() if holder == "ada"} == {lanes.CLAIMED, lanes.IN_PROGRESS}
    assert {holder for lane, holder in holders.items() if lane not in NINE_LANE.held} == {None}


def test_every_guard_of_a_profile_is_known() -> None:
    used = {guard for profile in PROFILES.values() for guard in profile.moves.values()}
    assert used == set(transitions._GUARDS)
