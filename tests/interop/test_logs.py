"""One log, two tools: what either emits, the other reads, validates and materializes to the same bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import LOG, SLUG, SNAPSHOT
from spec_kitty import needs_spec_kitty
from telling import CHANGES, WALKS, check_both_agree, findings, of_ours, ours, their_move, walk

if TYPE_CHECKING:
    from gitrepo import GitRepo
    from spec_kitty import Theirs


needs_spec_kitty()


@pytest.mark.parametrize("tools", ["t", "o", "to", "ot", "tto"])
@pytest.mark.parametrize("name", WALKS)
def test_a_walk_by_either_tool_or_both_in_turn_is_one_story_to_both(
    mission: GitRepo, theirs: Theirs, name: str, tools: str
) -> None:
    steps = WALKS[name]
    walk(mission, theirs, "WP01", steps, tools)
    check_both_agree(mission, theirs, {"WP01": steps[-1][0]})


def test_after_each_step_neither_calls_the_others_snapshot_drifted(mission: GitRepo, theirs: Theirs) -> None:
    before = "genesis"
    for number, step in enumerate(WALKS["to done, sent back once"]):
        if number % 2:
            ours(mission, "emit", "WP01", *of_ours(step))
            assert theirs.status(mission, "validate")["errors"] == []
        else:
            their_move(mission, theirs, "WP01", step, before)
            assert findings(mission) == []
        before = step[0]
        assert mission.read(SNAPSHOT) == theirs.snapshot(mission)


def test_the_verdict_of_a_review_stands_in_the_event_and_in_both_snapshots(mission: GitRepo, theirs: Theirs) -> None:
    walk(mission, theirs, "WP01", WALKS["to done, sent back once"][:6], "o")
    event = json.loads(mission.read(LOG).splitlines()[-1])
    assert (event["review_result"], event["review_ref"]) == (CHANGES, CHANGES["reference"])
    assert event["mission_slug"] == SLUG
    assert "feature_slug" not in event
    assert json.loads(mission.read(SNAPSHOT))["work_packages"]["WP01"]["review_result"] == CHANGES
    assert json.loads(theirs.snapshot(mission))["work_packages"]["WP01"]["review_result"] == CHANGES


@pytest.mark.parametrize("to", ["approved", "done", "in_progress", "planned", "blocked", "canceled"])
def test_neither_tool_leaves_a_review_without_saying_how_it_ended(mission: GitRepo, theirs: Theirs, to: str) -> None:
    walk(mission, theirs, "WP01", WALKS["to done, sent back once"][:5], "ot")
    before = mission.read(LOG)
    refused = ours(mission, "emit", "WP01", *of_ours((to, {"reason": "because"})), "--json", code=3)
    assert "--reviewer" in refused.error["hint"]
    theirs.emit(mission, "WP01", to, code=1)
    assert mission.read(LOG) == before


def test_a_log_that_only_we_wrote_with_nine_lanes_pinned_is_read_outside_a_mission_too(
    repo: GitRepo, theirs: Theirs
) -> None:
    repo.write(".kittify/config.yaml", "status:\n  lanes: nine-lane\n")
    repo.write(f"kitty-specs/{SLUG}/spec.md", "# A feature\n")
    walk(repo, theirs, "WP01", WALKS["to done, sent back once"], "o")
    mine = json.loads(repo.read(SNAPSHOT))
    their = json.loads(theirs.snapshot(repo))
    assert mine["work_packages"]["WP01"]["lane"] == their["work_packages"]["WP01"]["lane"] == "done"
    assert mine["event_count"] == their["event_count"]


def test_what_spec_kitty_notes_of_a_work_package_is_in_our_snapshot_too(mission: GitRepo, theirs: Theirs) -> None:
    walk(mission, theirs, "WP01", WALKS["to done, sent back once"][:3], "to")
    theirs.task(mission, "mark-status", "T001", "--status", "done")
    theirs.task(mission, "mark-status", "T001", "--status", "pending")
    ours(mission, "materialize", SLUG)
    assert mission.read(SNAPSHOT) == theirs.snapshot(mission)
    assert json.loads(mission.read(SNAPSHOT))["work_packages"]["WP01"]["subtasks"] == {"T001": "planned"}
    kinds = [json.loads(line).get("kind") for line in mission.read(LOG).splitlines()]
    assert kinds.count("annotation") == 2
    check_both_agree(mission, theirs, {"WP01": "in_progress"})


def test_a_work_package_moved_by_their_task_commands_keeps_its_agent_through_our_moves(
    mission: GitRepo, theirs: Theirs
) -> None:
    theirs.emit(mission, "WP01", "planned")
    theirs.task(mission, "move-task", "WP01", "--to", "claimed", "--agent", "claude", "--shell-pid", "4711")
    ours(mission, "emit", "WP01", *of_ours(("in_progress", {})))
    state = json.loads(mission.read(SNAPSHOT))["work_packages"]["WP01"]
    assert (state["agent"], state["shell_pid"]) == ("claude", 4711)
    check_both_agree(mission, theirs, {"WP01": "in_progress"})
