"""`lanes` as it is called and as it answers, and a repository that keeps its work by lanes of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in, kitty
from events import APPROVAL, instant, line, ulid
from kanban import KANBAN, LANES
from kitty_status.jsonl.codec import decode

if TYPE_CHECKING:
    from gitrepo import GitRepo

CONFIG = ".kittify/config.yaml"


@pytest.fixture
def own(repo: GitRepo) -> GitRepo:
    """A repository with a profile of its own, and a feature without events."""
    repo.write(CONFIG, KANBAN)
    feature_in(repo)
    repo.write(f"{FOLDER}/spec.md", "a feature\n")
    return repo


def test_the_table_is_what_is_printed_if_nothing_else_is_asked_for(repo: GitRepo) -> None:
    answer = ask(repo.path, "lanes")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "seven-lane (the default; a log may be kept by another one)"
    assert lines[2].split() == ["planned", "claimed", "claim"]
    assert ask(repo.path, "lanes", "--text").out == answer.out


def test_diagrams_are_printed_with_nothing_before_them(own: GitRepo) -> None:
    assert ask(own.path, "lanes", "--mermaid").out.startswith("stateDiagram-v2\n")
    assert ask(own.path, "lanes", "--dot").out.startswith('digraph "kanban" {\n')


def test_the_profile_of_a_log_is_detected(repo: GitRepo) -> None:
    feature_in(repo, line(event_id=ulid(1), at=instant(1), from_lane="genesis", to_lane="planned"))
    assert ask(repo.path, "lanes", SLUG).out.startswith(f"nine-lane (detected from the log of {SLUG})\n")
    repo.write(CONFIG, "status:\n  lanes: seven-lane\n")
    assert ask(repo.path, "lanes", SLUG).out.startswith("seven-lane (pinned by status.lanes)\n")
    data = ask(repo.path, "lanes", "--profile", "nine-lane", "--json").data
    assert (data["name"], data["chosen_by"], len(data["moves"])) == ("nine-lane", "named", 29)


def test_a_profile_that_is_not_there_is_not_found(own: GitRepo) -> None:
    answer = ask(own.path, "lanes", "--profile", "scrum", "--json")
    assert answer.code == 4
    assert answer.error["hint"] == "there are seven-lane, nine-lane, kanban"


def test_warnings_about_a_profile_are_said_where_it_is_shown(own: GitRepo) -> None:
    own.write(CONFIG, KANBAN.replace("[idea, backlog", "[lost, idea, backlog"))
    answer = ask(own.path, "lanes", "--json")
    assert [each.partition(f"{CONFIG}:")[2] for each in answer.envelope["warnings"]] == [
        "5: profile kanban: no move leads to lost: only force reaches it",
        "5: profile kanban: no move leaves lost, and it is not terminal",
    ]
    assert "warning: " in ask(own.path, "lanes").err


def test_a_mistake_in_a_profile_stops_every_command_with_its_line(own: GitRepo) -> None:
    own.write(CONFIG, KANBAN.replace("guard: claim", "guard: clam"))
    for command in (("lanes",), ("show",), ("validate", "--all"), ("emit", "WP01", "--to", "ready", "--actor", "a")):
        answer = ask(own.path, *command, "--json")
        assert answer.code == 2
        assert answer.error["code"] == "configuration"
        assert f"{CONFIG}:14: profile kanban: 'clam' is no guard" in answer.error["message"]


def test_a_profile_is_pinned_by_its_name_and_by_no_other(own: GitRepo) -> None:
    own.write(CONFIG, KANBAN.replace("lanes: kanban", "lanes: scrum"))
    answer = ask(own.path, "show", "--json")
    assert f"{CONFIG}:2: status.lanes is 'scrum'" in answer.error["message"]
    assert answer.error["hint"] == "it may be auto, seven-lane, nine-lane, kanban"


def test_work_goes_from_the_first_lane_to_the_last_by_a_profile_of_ones_own(own: GitRepo) -> None:
    """The story: every kind of move, each refusal, and the same answers from all who read the log."""
    emit(own.path, "WP01", "ready")
    emit(own.path, "WP01", "doing")
    held = emit(own.path, "WP01", "doing", "--json", actor="grace", code=5).error
    assert held["context"]["refusals"] == ["held-by-other"]
    assert held["context"]["legal_lanes"] == ["ready", "review", "dropped"]
    emit(own.path, "WP01", "ready", code=3)
    emit(own.path, "WP01", "review")
    emit(own.path, "WP01", "working", code=3)
    emit(own.path, "WP01", "working", "--review-ref", "PR 7")
    emit(own.path, "WP01", "review")
    assert emit(own.path, "WP01", "claimed", code=2).err.startswith("error: 'claimed' is no lane of kanban")
    emit(own.path, "WP01", "shipped", code=3)
    approval = own.write(".git/approval.json", json.dumps(APPROVAL))
    emit(own.path, "WP01", "shipped", "--evidence-json", str(approval))
    emit(own.path, "WP01", "ready", code=3)
    emit(own.path, "WP02", "dropped")

    shown = ask(own.path, "show", SLUG, "--json").data
    assert shown["profile"] == "kanban"
    assert shown["summary"] == dict.fromkeys(LANES[1:], 0) | {"shipped": 1, "dropped": 1}
    assert json.loads(own.read(SNAPSHOT))["summary"] == shown["summary"]
    assert ask(own.path, "materialize", SLUG, "--dry-run").code == 0
    assert ask(own.path, "validate", "--all").out == "1 feature, 7 events: 0 errors, 0 warnings\n"
    lanes = [decode(each)["to_lane"] for each in own.read(LOG).splitlines()]
    assert lanes == ["ready", "working", "review", "working", "review", "shipped", "dropped"]


def test_a_lane_that_no_profile_here_has_is_refused_as_ever(own: GitRepo) -> None:
    own.write(LOG, line(event_id=ulid(1), at=instant(1), from_lane="backlog", to_lane="testing"))
    assert ask(own.path, "show", SLUG).code == 7
    answer = ask(own.path, "validate", SLUG, "--json")
    assert [finding["code"] for finding in answer.data[0]["findings"]] == ["invalid-event"]


def test_a_lane_of_a_profile_that_is_not_in_force_can_be_read_and_is_found(own: GitRepo) -> None:
    own.write(CONFIG, KANBAN.replace("lanes: kanban", "lanes: seven-lane"))
    own.write(LOG, line(event_id=ulid(1), at=instant(1), from_lane="backlog", to_lane="ready"))
    assert ask(own.path, "show", SLUG).code == 0
    found = [finding["code"] for finding in ask(own.path, "validate", SLUG, "--json").data[0]["findings"]]
    assert found.count("unknown-lane") == 2


def test_branches_that_work_by_a_profile_of_their_own_merge_without_a_conflict(own: GitRepo) -> None:
    """In processes of their own: hooks and drivers run without the folders of installed packages."""
    assert kitty(own.path, "install").code == 0
    go(own, "WP01", "ready")
    own.git("add", "-A")
    own.git("commit", "-q", "-m", "begin")
    own.branch("theirs")
    go(own, "WP01", "doing")
    own.git("commit", "-qam", "theirs")
    own.switch("main")
    go(own, "WP02", "ready")
    own.git("commit", "-qam", "ours")

    assert own.merge("theirs") == 0

    assert own.git("status", "--porcelain") == ""
    shown = kitty(own.path, "show", SLUG, "--json").data
    assert {wp: state["lane"] for wp, state in shown["work_packages"].items()} == {"WP01": "working", "WP02": "ready"}
    assert json.loads(own.read(SNAPSHOT))["summary"]["working"] == 1
    assert kitty(own.path, "validate", "--all").code == 0


def test_the_commit_hook_knows_the_lanes_of_the_repository_and_stops_others(own: GitRepo) -> None:
    assert kitty(own.path, "install").code == 0
    go(own, "WP01", "ready")
    own.git("add", "-A")
    own.git("commit", "-q", "-m", "begin")
    own.append(LOG, line(event_id=ulid(1), at=instant(1), from_lane="backlog", to_lane="testing"))
    done = own.run("commit", "-qam", "a lane that is none")
    assert done.returncode == 1
    assert b"to_lane must be one of the lanes" in done.stderr
    assert b"working" in done.stderr


def go(repo: GitRepo, wp: str, lane: str) -> None:
    answer = kitty(repo.path, "emit", wp, "--to", lane, "--actor", "ada", "--feature", SLUG)
    assert answer.code == 0, answer


def test_where_the_configuration_is_broken_the_hook_says_so_and_stops_the_lanes_that_it_cannot_know(
    own: GitRepo,
) -> None:
    assert kitty(own.path, "install").code == 0
    go(own, "WP01", "ready")
    own.write(CONFIG, KANBAN + "  profiles: {\n")
    own.git("add", "-A")
    done = own.run("commit", "-qm", "begin")
    assert done.returncode == 1
    assert b"kitty-status: ./.kittify/config.yaml:21: it is no YAML" in done.stderr
