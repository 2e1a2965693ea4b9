"""The models at the boundary: what goes in comes out, and what is wrong is said in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from events import APPROVAL, KEYS, histories, line_of, row, their_row
from kitty_status.status.events import (
    DoneEvidence,
    Lane,
    RepoEvidence,
    ReviewApproval,
    StatusEvent,
    VerificationResult,
)
from kitty_status.status.lanes import ALL_LANES
from kitty_status.status.rows import problem_with

if TYPE_CHECKING:
    from kitty_status.status.events import _Model

REVIEW = ReviewApproval(reviewer="grace", verdict="approved", reference="PR 7")
REPO = RepoEvidence(repo="main", branch="work", commit="0123abc", files_touched=("a.py", "b.py"))
CHECK = VerificationResult(command="make test", result="pass", summary="all of it")


def test_lanes_are_those_of_the_profiles() -> None:
    assert {lane.value for lane in Lane} == ALL_LANES
    assert f"{Lane.IN_PROGRESS}" == "in_progress"
    assert Lane("done") is Lane.DONE


@given(histories())
def test_an_event_comes_back_as_it_was_written(rows: list[dict[str, Any]]) -> None:
    for content in rows:
        event = StatusEvent.from_dict(content)
        assert event.to_dict() == content
        assert StatusEvent.from_dict(event.to_dict()) == event


@pytest.mark.parametrize("content", [row(), their_row()])
def test_what_is_written_is_plain_json_that_a_log_may_hold(content: dict[str, Any]) -> None:
    written = StatusEvent.from_dict(content).to_dict()
    assert json.loads(json.dumps(written)) == content
    assert problem_with(written) is None


def test_all_twelve_keys_are_written_though_the_optional_ones_were_absent() -> None:
    content = row()
    for key in ("reason", "review_ref", "evidence"):
        del content[key]
    written = StatusEvent.from_dict(content).to_dict()
    assert set(written) == set(KEYS)
    assert written == row()


@given(st.permutations(list(row(actor={"tool": "claude"}, evidence=APPROVAL).items())))
def test_the_order_of_keys_means_nothing(pairs: list[tuple[str, Any]]) -> None:
    expected = StatusEvent.from_dict(row(actor={"tool": "claude"}, evidence=APPROVAL))
    event = StatusEvent.from_dict(dict(pairs))
    assert event == expected
    assert line_of(event.to_dict()) == line_of(expected.to_dict())


def test_unknown_keys_are_kept_and_written_again() -> None:
    content = row(lamport=7, policy={"gate": [1, None]}, evidence={**APPROVAL, "ci": {"run": 9}})
    assert StatusEvent.from_dict(content).to_dict() == content


def test_a_mission_stays_a_mission() -> None:
    event = StatusEvent.from_dict(their_row())
    assert event.feature_slug == "001-feature"
    assert "feature_slug" not in event.to_dict()
    assert event.to_dict() == their_row()


def test_a_structured_actor_is_kept_whole_and_shows_as_its_tool() -> None:
    actor = {"role": "reviewer", "profile": None, "tool": "claude", "model": "opus"}
    event = StatusEvent.from_dict(row(actor=actor))
    assert event.shown_actor == "claude"
    assert event.to_dict()["actor"] == actor
    assert StatusEvent.from_dict(row()).shown_actor == "ada"


def test_an_event_knows_its_instant() -> None:
    event = StatusEvent.from_dict(row(at="2026-01-01T01:00:00+01:00"))
    assert event.instant == datetime(2026, 1, 1, tzinfo=UTC)
    assert event.to_dict()["at"] == "2026-01-01T01:00:00+01:00"


@pytest.mark.parametrize("parents", [[], ["a"], ["a", "b"]])
def test_parents_are_written_where_any_were_given(parents: list[str]) -> None:
    event = StatusEvent.from_dict(row(parents=parents))
    assert event.parents == tuple(parents)
    assert event.to_dict() == row(parents=parents)
    assert StatusEvent(**{**row(), "parents": tuple(parents)}) == event


def test_an_event_made_without_parents_writes_none() -> None:
    event = StatusEvent(**row(), parents=None)
    assert event.parents is None
    assert "parents" not in event.to_dict()


def test_evidence_comes_as_models_and_goes_as_json() -> None:
    evidence = DoneEvidence(review=REVIEW, repos=(REPO,), verification=(CHECK,))
    event = StatusEvent(**{**row(from_lane="for_review", to_lane=Lane.DONE), "evidence": evidence})
    assert event.to_dict()["evidence"] == {
        "review": APPROVAL["review"],
        "repos": [{"repo": "main", "branch": "work", "commit": "0123abc", "files_touched": ["a.py", "b.py"]}],
        "verification": [{"command": "make test", "result": "pass", "summary": "all of it"}],
    }
    again = StatusEvent.from_dict(event.to_dict())
    assert again.evidence == evidence
    assert isinstance(again.evidence, DoneEvidence)


@pytest.mark.parametrize("model", [REVIEW, REPO, CHECK, DoneEvidence(review=REVIEW, verification=(CHECK,))])
def test_each_part_of_the_evidence_comes_back_as_it_was_written(model: _Model) -> None:
    assert type(model).from_dict(json.loads(json.dumps(model.to_dict()))) == model


def test_evidence_without_commits_and_verifications_holds_the_review_alone() -> None:
    assert DoneEvidence(review=REVIEW).to_dict() == APPROVAL
    assert RepoEvidence(repo="r", branch="b", commit="c").to_dict()["files_touched"] == []


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"review": None},
        {"review": {"reviewer": "grace", "verdict": "looks good", "reference": "PR 7"}},
        {"review": {"reviewer": "grace", "verdict": "approved"}},
        {"note": "from before"},
        {"review": APPROVAL["review"], "repos": "none"},
    ],
)
def test_evidence_of_older_logs_is_kept_as_it_is_and_is_no_done_evidence(evidence: dict[str, Any]) -> None:
    event = StatusEvent.from_dict(row(evidence=evidence))
    assert event.evidence == evidence
    assert not isinstance(event.evidence, DoneEvidence)
    assert event.to_dict()["evidence"] == evidence
    with pytest.raises(ValueError, match=r"review|repos"):
        DoneEvidence.from_dict(evidence)


@pytest.mark.parametrize("verdict", ["approved", "changes_requested"])
def test_a_review_says_one_of_two_things(verdict: str) -> None:
    evidence = {"review": {"reviewer": "grace", "verdict": verdict, "reference": "PR 7"}}
    assert DoneEvidence.from_dict(evidence).review.verdict == verdict


@pytest.mark.parametrize("result", ["pass", "fail", "skip"])
def test_a_verification_ends_in_one_of_three_ways(result: str) -> None:
    assert VerificationResult.from_dict({"command": "c", "result": result, "summary": "s"}).result == result
    with pytest.raises(ValueError, match="result"):
        VerificationResult.from_dict({"command": "c", "result": result.upper(), "summary": "s"})


@pytest.mark.parametrize(
    ("model", "field"),
    [(REVIEW, "verdict"), (REPO, "commit"), (CHECK, "result"), (StatusEvent.from_dict(row()), "to_lane")],
)
def test_a_model_cannot_be_changed(model: _Model, field: str) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model, field, "approved")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to_lane": "doing"}, "to_lane must be one of the lanes"),
        ({"force": "false"}, "force must be true or false, not 'false'"),
        ({"force": 0}, "force must be true or false, not 0"),
        ({"at": "2026-01-01T00:00:00"}, "names no time zone"),
        ({"wp_id": "../../x"}, "wp_id '../../x' is not a safe name"),
        ({"evidence": "done, trust me"}, "evidence must be an object or null"),
        ({"actor": {}}, "actor must be a name"),
        ({"parents": "x"}, "parents must be a list of event ids"),
        ({"event_id": ""}, "event_id must be a string"),
    ],
)
def test_a_row_that_is_no_event_is_refused_in_words(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match="1 validation error") as caught:
        StatusEvent.from_dict(row(**changes))
    assert reason in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_what_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="dictionary"):
        StatusEvent.from_dict(data)
