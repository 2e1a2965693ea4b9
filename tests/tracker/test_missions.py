"""Features that spec-kitty manages too: how their events name them, how a review's end is said, and their snapshot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in
from events import APPROVAL, instant, line_of, their_row, ulid
from kitty_status.errors import ConflictingEventError, MoveRefusedError, UsageError
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.missions import identity_of_events, is_spec_kitty_mission, profile_of_new_log
from kitty_status.tracker.moving.emit import emit as emit_event
from kitty_status.tracker.moving.request import EmitRequest
from kitty_status.tracker.views.materialize import materialize_feature

if TYPE_CHECKING:
    from gitrepo import GitRepo

META = {"mission_slug": SLUG, "mission_id": ulid(9), "mission_number": 1, "mission_type": "software-dev"}
REVIEW = APPROVAL["review"]
CHANGES = {"review": {**REVIEW, "verdict": "changes_requested"}}


def mission(repo: GitRepo, *rows: dict[str, Any], meta: object = META) -> GitRepo:
    feature_in(repo, b"".join(map(line_of, rows)))
    repo.write(f"{FOLDER}/meta.json", json.dumps(meta))
    return repo


def in_review(**changes: Any) -> dict[str, Any]:
    return their_row(event_id=ulid(1), at=instant(1), **{"from_lane": "for_review", "to_lane": "in_review", **changes})


def move(repo: GitRepo, to: str, **more: Any) -> dict[str, Any]:
    request = {"wp_id": "WP01", "to_lane": to, "actor": "ada", "feature": SLUG, **more}
    return emit_event(Project(repo.path), Config(), EmitRequest(**request)).event


def test_an_event_names_its_mission_as_spec_kitty_does(repo: GitRepo) -> None:
    event = move(mission(repo), "claimed")
    assert (event["mission_slug"], event["mission_id"], event["policy_metadata"]) == (SLUG, ulid(9), None)
    assert event.keys().isdisjoint({"feature_slug", "review_result"})
    assert ask(repo.path, "validate", SLUG).code == 0
    assert ask(repo.path, "show", SLUG, "--json").data["profile"] == "nine-lane"


@pytest.mark.parametrize("mission_id", [None, "", 7])
def test_a_mission_without_an_id_is_named_by_its_slug_alone(repo: GitRepo, mission_id: object) -> None:
    mission(repo, meta={**META, "mission_id": mission_id})
    assert identity_of_events(feature_at(repo.path / FOLDER)) == {"mission_slug": SLUG, "policy_metadata": None}


@pytest.mark.parametrize("meta", [{}, {"slug": SLUG}, [], "x", None])
def test_any_other_feature_is_none(repo: GitRepo, meta: object) -> None:
    feature = feature_at(mission(repo, meta=meta).path / FOLDER)
    assert not is_spec_kitty_mission(feature)
    assert profile_of_new_log(feature, b"") is None
    assert move(repo, "claimed")["feature_slug"] == SLUG


def test_an_empty_log_of_a_mission_has_nine_lanes(repo: GitRepo) -> None:
    event = move(mission(repo), "approved", force=True, reason="it was approved elsewhere")
    assert (event["from_lane"], event["to_lane"]) == ("planned", "approved")


def test_a_work_package_is_planned_out_of_nothing_once(repo: GitRepo) -> None:
    event = move(mission(repo), "planned")
    assert (event["from_lane"], event["to_lane"]) == ("genesis", "planned")
    assert move(repo, "claimed")["from_lane"] == "planned"
    with pytest.raises(MoveRefusedError, match="not a legal move"):
        move(repo, "planned")


def test_with_seven_lanes_nothing_comes_before_planned(repo: GitRepo) -> None:
    feature_in(repo, b"")
    with pytest.raises(MoveRefusedError, match="planned to planned is not a legal move"):
        move(repo, "planned")


@pytest.mark.parametrize("to", ["in_progress", "planned"])
def test_a_rollback_says_how_the_review_ended_and_where_it_can_be_read(repo: GitRepo, to: str) -> None:
    event = move(mission(repo, in_review()), to, evidence=CHANGES)
    assert event["review_result"] == CHANGES["review"]
    assert event["review_ref"] == REVIEW["reference"]
    package = json.loads(repo.read(SNAPSHOT))["work_packages"]["WP01"]
    assert package["review_result"] == CHANGES["review"]
    assert ask(repo.path, "validate", SLUG).code == 0


@pytest.mark.parametrize("to", ["approved", "done", "blocked", "canceled"])
def test_another_move_out_of_a_review_says_how_it_ended_and_sends_nothing_back(repo: GitRepo, to: str) -> None:
    event = move(mission(repo, in_review()), to, evidence=APPROVAL)
    assert (event["review_result"], event["review_ref"]) == (REVIEW, None)


def test_a_forced_move_out_of_a_review_may_say_nothing(repo: GitRepo) -> None:
    event = move(mission(repo, in_review()), "planned", force=True, reason="the reviewer left")
    assert "review_result" not in event
    assert json.loads(repo.read(SNAPSHOT))["work_packages"]["WP01"]["review_result"] is None


def test_a_move_that_leaves_no_review_has_no_outcome_of_one(repo: GitRepo) -> None:
    claimed = in_review(from_lane="claimed", to_lane="in_progress")
    assert "review_result" not in move(mission(repo, claimed), "approved", evidence=APPROVAL)


def test_two_places_for_one_review_are_refused(repo: GitRepo) -> None:
    mission(repo, in_review())
    with pytest.raises(UsageError, match="is said to be read at 'elsewhere' and at"):
        move(repo, "planned", evidence=CHANGES, review_ref="elsewhere")
    assert move(repo, "planned", evidence=CHANGES, review_ref=REVIEW["reference"])["to_lane"] == "planned"


def test_a_blank_place_of_a_review_is_no_other_place(repo: GitRepo) -> None:
    mission(repo, in_review())
    assert move(repo, "planned", evidence=CHANGES, review_ref=" ")["review_ref"] == REVIEW["reference"]


def test_leaving_a_review_without_its_outcome_is_refused_with_the_call_that_would_do(repo: GitRepo) -> None:
    mission(repo, in_review())
    answer = emit(repo.path, "WP01", "planned", "--review-ref", "PR 7", "--json", code=3)
    assert answer.error["context"]["refusals"] == ["missing-review-result"]
    (call,) = answer.error["context"]["commands"]
    assert "--reviewer NAME --verdict changes_requested --reference WHERE" in call
    said = ("--reviewer", "ben", "--verdict", "changes_requested", "--reference", "PR 7")
    assert emit(repo.path, "WP01", "planned", *said, "--json").data["event"]["review_ref"] == "PR 7"


def test_a_repeated_rollback_is_known_again(repo: GitRepo) -> None:
    mission(repo, in_review())
    first = move(repo, "planned", evidence=CHANGES, event_id=ulid(5))
    assert move(repo, "planned", evidence=CHANGES, event_id=ulid(5)) == first
    with pytest.raises(ConflictingEventError, match="with another review_ref"):
        move(repo, "planned", evidence=CHANGES, event_id=ulid(5), review_ref="another")
    assert repo.read(LOG).count(b"\n") == 2


def test_a_line_that_is_no_row_takes_nothing_from_the_snapshot_of_a_mission(repo: GitRepo) -> None:
    mission(repo, in_review())
    repo.append(LOG, b"\n  \n")
    feature = feature_at(repo.path / FOLDER)
    materialize_feature(feature, Config())
    written = json.loads(repo.read(SNAPSHOT))
    assert (written["event_count"], written["mission_number"], written["mission_type"]) == (1, "1", "software-dev")
    assert not materialize_feature(feature, Config()).written
