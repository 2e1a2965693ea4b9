"""Every move of both profiles through emit: what is legal and complete is written, all else leaves no byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from commandline import LOG, SLUG, feature_in
from events import APPROVAL, instant, line, their_row, ulid
from gitrepo import GitRepo
from kitty_status.checks.validate import validate
from kitty_status.errors import KittyStatusError
from kitty_status.status.lanes import NINE_LANE, PROFILES, SEVEN_LANE, LaneProfile
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest, Emitted

# Each word of a line is a move from the lane before the colon: `!` needs approval, `?` a reason, `<` a review
# reference, `=` how a review ended. Written down here a second time, so that a change of the tables is noticed.
SEVEN = """
planned: claimed blocked canceled
claimed: in_progress blocked canceled
in_progress: for_review planned? blocked canceled
for_review: done! in_progress< blocked canceled
blocked: in_progress canceled
"""
NINE = """
genesis: planned canceled
planned: claimed blocked canceled
claimed: in_progress blocked canceled
in_progress: for_review approved! planned? blocked canceled
for_review: in_review blocked canceled
in_review: approved! done! in_progress= planned= blocked= canceled=
approved: done! in_progress< planned< blocked canceled
blocked: in_progress canceled
"""
NEEDS: dict[str, dict[str, Any]] = {
    "!": {"evidence": APPROVAL},
    "?": {"reason": "because"},
    "<": {"review_ref": "PR 7"},
    "=": {"evidence": {"review": {**APPROVAL["review"], "verdict": "changes_requested"}}},
}


def table(text: str) -> dict[tuple[str, str], str]:
    moves = {}
    for row in text.strip().splitlines():
        source, _, targets = row.partition(":")
        for target in targets.split():
            moves[source, target.rstrip("!?<=")] = target[-1] if target[-1] in NEEDS else ""
    return moves


def cells(profile: LaneProfile, text: str) -> list[tuple[str, str, str, str | None]]:
    moves = table(text)
    return [(profile.name, one, other, moves.get((one, other))) for one in profile.lanes for other in profile.lanes]


def standing_in(repo: GitRepo, profile: LaneProfile, lane: str) -> Project:
    content: dict[str, Any] = {"from_lane": lane, "to_lane": lane, "at": instant(1), "event_id": ulid(1)}
    content |= {"actor": "ada", "force": True, "reason": "to begin with"}
    log = (
        line(**content) if profile is SEVEN_LANE else json.dumps(their_row(**content), sort_keys=True).encode() + b"\n"
    )
    feature_in(repo, log)
    return Project(repo.path)


def ask_for(project: Project, lane: str, **more: object) -> Emitted:
    request = {"wp_id": "WP01", "to_lane": lane, "actor": "ada", "feature": SLUG, **more}
    return emit(project, Config(), EmitRequest(**request))  # type: ignore[arg-type]


def refused(project: Project, lane: str, **more: object) -> KittyStatusError:
    """Expect a refusal that leaves every byte as it was, and no lock or snapshot of it beyond."""
    before = {path: path.read_bytes() for path in project.features_folder.rglob("*") if path.is_file()}
    with pytest.raises(KittyStatusError) as caught:
        ask_for(project, lane, **more)
    assert {path: path.read_bytes() for path in project.features_folder.rglob("*") if path.is_file()} == before
    return caught.value


@pytest.mark.parametrize(
    ("name", "source", "target", "needs"), [*cells(SEVEN_LANE, SEVEN), *cells(NINE_LANE, NINE)], ids=str
)
def test_a_move_is_written_exactly_if_the_table_has_it_and_what_it_needs_is_given(
    repo: GitRepo, name: str, source: str, target: str, needs: str | None
) -> None:
    profile = PROFILES[name]
    project = standing_in(repo, profile, source)
    everything = {"evidence": APPROVAL, "reason": "because", "review_ref": "PR 7"}
    if needs is None:
        error = refused(project, target, **everything)
        assert (error.exit_code, error.code) == (3, "move-refused")
        legal = [lane for one, lane in table(SEVEN if profile is SEVEN_LANE else NINE) if one == source]
        assert error.context["legal_lanes"] == [lane for lane in profile.lanes if lane in legal]
        hint = error.hint.partition("; for example `")[0]
        assert hint.startswith("it is there already; ") == (source == target) == (not error.context["commands"])
        assert hint.removeprefix("it is there already; ") == (
            f"from {source} it may go to {', '.join(lane for lane in profile.lanes if lane in legal)}"
            if legal
            else f"{source} is final; only --force with a --reason leaves it"
        )
        return
    if needs:
        assert refused(project, target).exit_code == 3
    emitted = ask_for(project, target, **NEEDS.get(needs, {}))
    stored = json.loads(repo.read(LOG).splitlines()[-1])
    assert stored == emitted.event
    assert (stored["from_lane"], stored["to_lane"], stored["parents"]) == (source, target, [ulid(1)])
    assert emitted.state["lane"] == target
    assert json.loads((project.features_folder / SLUG / "status.json").read_bytes())["work_packages"]["WP01"] == (
        emitted.state
    )
    assert [finding.to_dict() for finding in validate(emitted.feature, Config()).findings] == []


@pytest.mark.parametrize("source", SEVEN_LANE.lanes)
def test_force_passes_every_rule_with_an_actor_and_a_reason(repo: GitRepo, source: str) -> None:
    project = standing_in(repo, SEVEN_LANE, source)
    for missing in ({"reason": None}, {"reason": " "}, {"actor": ""}):
        error = refused(project, "done", force=True, **{"reason": "because", **missing})
        assert error.exit_code == 3
        assert "force needs" in error.message
    emitted = ask_for(project, "done", force=True, reason="because")
    assert (emitted.state["lane"], emitted.state["force_count"]) == ("done", 2)
    assert validate(emitted.feature, Config()).findings == []
    assert emitted.warnings == []


def test_doing_is_understood_and_never_stored(repo: GitRepo) -> None:
    project = standing_in(repo, SEVEN_LANE, "claimed")
    assert ask_for(project, " Doing ").event["to_lane"] == "in_progress"
    assert b"doing" not in repo.read(LOG)


@pytest.mark.parametrize("lane", ["approved", "nowhere", "", "done\n\x1b"])
def test_an_unknown_lane_is_answered_with_the_lanes(repo: GitRepo, lane: str) -> None:
    error = refused(standing_in(repo, SEVEN_LANE, "in_progress"), lane.replace("done", "donne"))
    assert error.exit_code == 2
    assert error.hint == "lanes: planned, claimed, in_progress, for_review, done, blocked, canceled"


def test_evidence_that_does_not_approve_is_not_enough(repo: GitRepo) -> None:
    project = standing_in(repo, SEVEN_LANE, "for_review")
    for wrong in ({"verdict": "changes_requested"}, {"reviewer": " "}, {"reference": ""}):
        error = refused(project, "done", evidence={"review": {**APPROVAL["review"], **wrong}})
        assert error.context["refusals"] == ["missing-evidence"]


def test_a_move_without_an_actor_is_refused_with_every_reason_at_once(repo: GitRepo) -> None:
    error = refused(standing_in(repo, SEVEN_LANE, "for_review"), "done", actor="")
    assert error.context["refusals"] == ["missing-actor", "missing-evidence"]
    assert "--actor" in error.hint
    assert "--evidence-json" in error.hint


@pytest.mark.parametrize("lane", ["claimed", "in_progress"])
def test_who_claims_what_somebody_else_holds_hears_who_it_is(repo: GitRepo, lane: str) -> None:
    error = refused(standing_in(repo, SEVEN_LANE, lane), "claimed", actor="grace")
    assert (error.exit_code, error.code) == (5, "held-by-other")
    assert error.context["holder"] == "ada"
    assert "ada holds it" in error.message


def test_the_pinned_profile_beats_what_the_log_looks_like(repo: GitRepo) -> None:
    project = standing_in(repo, SEVEN_LANE, "for_review")
    request = EmitRequest(wp_id="WP01", to_lane="in_review", actor="ada", feature=SLUG)
    assert emit(project, Config({"lanes": "nine-lane"}), request).state["lane"] == "in_review"


def test_going_to_review_says_that_there_were_no_subtasks_to_check(repo: GitRepo) -> None:
    emitted = ask_for(standing_in(repo, SEVEN_LANE, "in_progress"), "for_review")
    assert emitted.warnings == ["no subtasks of WP01 are written down, so none were checked"]
