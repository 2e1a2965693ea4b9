"""Moves are taken back by further events: which, where to, and when that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in, tree
from events import instant, line, ulid
from kitty_status.errors import MovedOnError
from kitty_status.tracker import revert as module
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving.emit import emit as emit_event
from kitty_status.tracker.revert import RevertRequest

if TYPE_CHECKING:
    from pathlib import Path

    from commandline import Answer
    from gitrepo import GitRepo
    from kitty_status.tracker.moving.request import EmitRequest, Emitted


def ready(repo: GitRepo) -> GitRepo:
    """Record WP01 and WP02 claimed, then one commit that moves both on, WP01 twice."""
    feature_in(repo)
    for wp in ("WP01", "WP02"):
        emit(repo.path, wp, "claimed")
    repo.commit("claims")
    emit(repo.path, "WP01", "in_progress")
    emit(repo.path, "WP01", "for_review")
    emit(repo.path, "WP02", "blocked")
    repo.commit("Go on")
    return repo


def revert(repo: GitRepo, what: str, *args: str, code: int = 0) -> Answer:
    answer = ask(repo.path, "revert", what, "--actor", "grace", *args, "--json")
    assert answer.code == code, answer
    return answer


def lanes(repo: GitRepo) -> dict[str, str]:
    work_packages = ask(repo.path, "show", SLUG, "--json").data["work_packages"]
    return {wp: state["lane"] for wp, state in work_packages.items()}


def events(repo: GitRepo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(repo.path, "log", SLUG, "--json").data["events"]
    return found


def newest_of(repo: GitRepo, wp: str) -> str:
    return str([event["event_id"] for event in events(repo) if event["wp_id"] == wp][-1])


def outcomes(answer: Answer) -> list[tuple[str, str, str]]:
    return [(move["wp_id"], move["to_lane"], move["outcome"]) for move in answer.data["moves"]]


def test_a_commit_is_taken_back_for_every_work_package_it_moved_in_one_event_each(repo: GitRepo) -> None:
    ready(repo)
    before = repo.read(LOG)
    commit = repo.git("rev-parse", "HEAD")

    answer = revert(repo, "HEAD")

    assert outcomes(answer) == [("WP01", "claimed", "moved"), ("WP02", "claimed", "moved")]
    assert lanes(repo) == {"WP01": "claimed", "WP02": "claimed"}
    assert repo.read(LOG).startswith(before)
    own = events(repo)[-2:]
    assert [(event["from_lane"], event["to_lane"]) for event in own] == [
        ("for_review", "claimed"),
        ("blocked", "claimed"),
    ]
    for event, move in zip(own, answer.data["moves"], strict=True):
        assert (event["force"], event["actor"]) == (True, "grace")
        assert event["reason"] == f"revert of {commit[:12]}: Go on"
        assert event["parents"] == move["undoes"][-1:]
    assert answer.data["reverted"] == commit
    assert ask(repo.path, "validate", SLUG).code == 0


def test_a_second_revert_finds_everything_where_it_belongs_and_writes_nothing(repo: GitRepo) -> None:
    ready(repo)
    revert(repo, "HEAD")
    before = tree(repo.path / FOLDER)
    again = revert(repo, "HEAD")
    assert outcomes(again) == [("WP01", "claimed", "already"), ("WP02", "claimed", "already")]
    assert again.envelope["next"] == []
    assert tree(repo.path / FOLDER) == before
    plain = ask(repo.path, "revert", "HEAD", "--actor", "grace")
    assert plain.out.splitlines()[0] == f"WP01 in {SLUG} is in claimed already; nothing to do"


@pytest.mark.parametrize("name", ["HEAD", "main", "{commit}", "{short}", "HEAD@{{0}}", "a-tag"])
def test_a_commit_may_be_named_in_every_way_git_knows(repo: GitRepo, name: str) -> None:
    ready(repo)
    repo.git("tag", "a-tag")
    commit = repo.git("rev-parse", "HEAD")
    assert revert(repo, name.format(commit=commit, short=commit[:8]), "--dry-run").data["reverted"] == commit


def test_one_event_is_taken_back(repo: GitRepo) -> None:
    ready(repo)
    blocked = newest_of(repo, "WP02")
    answer = revert(repo, blocked)
    assert outcomes(answer) == [("WP02", "claimed", "moved")]
    assert lanes(repo) == {"WP01": "for_review", "WP02": "claimed"}
    assert events(repo)[-1]["reason"] == f"revert of {blocked}: claimed to blocked by ada"
    assert outcomes(revert(repo, blocked)) == [("WP02", "claimed", "already")]


def test_taking_back_what_took_back_moves_forward_again(repo: GitRepo) -> None:
    ready(repo)
    revert(repo, newest_of(repo, "WP02"))
    revert(repo, newest_of(repo, "WP02"))
    assert lanes(repo)["WP02"] == "blocked"


def test_the_reason_may_be_given(repo: GitRepo) -> None:
    ready(repo)
    blocked = newest_of(repo, "WP02")
    revert(repo, blocked, "--reason", "it was the other one")
    assert events(repo)[-1]["reason"] == f"revert of {blocked}: it was the other one"


def test_a_first_event_is_taken_back_to_the_first_lane(repo: GitRepo) -> None:
    feature_in(repo)
    emit(repo.path, "WP01", "claimed")
    commit = repo.commit("the first of all commits")
    assert outcomes(revert(repo, commit)) == [("WP01", "planned", "moved")]


def test_a_work_package_that_has_moved_on_stops_all_of_them_and_the_move_is_named(repo: GitRepo) -> None:
    ready(repo)
    emit(repo.path, "WP02", "in_progress")
    later = newest_of(repo, "WP02")
    before = tree(repo.path / FOLDER)
    answer = revert(repo, "HEAD", code=5)
    assert answer.error["code"] == "moved-on"
    assert answer.error["message"] == f"WP02 was moved on: blocked to in_progress by ada ({later})"
    assert answer.error["context"]["events"] == [later]
    assert tree(repo.path / FOLDER) == before
    assert revert(repo, "HEAD", "--dry-run", code=5).error["code"] == "moved-on"

    assert outcomes(revert(repo, "HEAD", "--force")) == [("WP01", "claimed", "moved"), ("WP02", "claimed", "moved")]
    assert lanes(repo) == {"WP01": "claimed", "WP02": "claimed"}


def test_a_move_that_competes_counts_as_having_moved_on(repo: GitRepo) -> None:
    first = line(event_id=ulid(1), at=instant(1), parents=[])
    ours = line(event_id=ulid(2), at=instant(3), from_lane="claimed", to_lane="blocked", parents=[ulid(1)])
    theirs = line(event_id=ulid(3), at=instant(2), from_lane="claimed", to_lane="canceled", parents=[ulid(1)])
    feature_in(repo, first + ours + theirs)
    answer = revert(repo, ulid(2), code=5)
    assert ulid(3) in answer.error["message"]
    revert(repo, ulid(2), "--force")
    assert events(repo)[-1]["parents"] == [ulid(2), ulid(3)]


def test_what_left_a_work_package_in_its_lane_has_nothing_to_take_back(repo: GitRepo) -> None:
    feature_in(repo, line(event_id=ulid(1), at=instant(1)))
    repo.commit("claimed")
    repo.append(LOG, line(event_id=ulid(2), at=instant(2), from_lane="claimed", to_lane="claimed"))
    repo.commit("claimed again")
    assert outcomes(revert(repo, "HEAD")) == [("WP01", "claimed", "unmoved")]
    plain = ask(repo.path, "revert", "HEAD", "--actor", "grace")
    assert plain.out == f"WP01 in {SLUG} was not moved to another lane; nothing to do\n"


def test_a_dry_run_says_the_events_and_writes_nothing(repo: GitRepo) -> None:
    ready(repo)
    before = tree(repo.path / FOLDER)
    answer = revert(repo, "HEAD", "--dry-run")
    assert [move["dry_run"] for move in answer.data["moves"]] == [True, True]
    said = ask(repo.path, "revert", "HEAD", "--actor", "grace", "-n").out
    assert said.startswith(f"would move WP01 in {SLUG} back: for_review to claimed (")
    assert tree(repo.path / FOLDER) == before


def test_what_was_taken_back_can_be_committed_in_the_same_call_or_as_it_says(repo: GitRepo) -> None:
    ready(repo)
    answer = revert(repo, "HEAD", "--commit")
    assert answer.data["commits"] == [repo.git("rev-parse", "HEAD")]
    assert repo.git("log", "-1", "--format=%s").endswith(": Go on")
    assert repo.git("show", "--format=", "--name-only").splitlines() == [LOG, SNAPSHOT]
    plain = ask(repo.path, "revert", "HEAD~2", "--actor", "grace", "--commit")
    assert plain.code == 5
    one = ask(repo.path, "revert", newest_of(repo, "WP01"), "--actor", "grace")
    steps = [each.removeprefix("next: ") for each in one.err.splitlines() if each.startswith("next: ")]
    assert len(steps) == 2
    assert f":/{LOG}" in steps[0]
    both = ask(repo.path, "revert", newest_of(repo, "WP02"), "--actor", "grace", "--commit")
    assert both.out.splitlines()[-1] == f"committed as {repo.git('rev-parse', 'HEAD')[:12]}"


def test_a_commit_over_several_features_is_taken_back_in_each(repo: GitRepo) -> None:
    for name in ("001-a", "002-b"):
        (repo.path / "kitty-specs" / name).mkdir(parents=True)
        args = ("emit", "WP01", "--to", "claimed", "--actor", "ada", "-f", name)
        assert ask(repo.path, *args).code == 0
    repo.commit("both")
    answer = revert(repo, "HEAD", "--commit")
    assert [(move["feature"], move["outcome"]) for move in answer.data["moves"]] == [
        ("001-a", "moved"),
        ("002-b", "moved"),
    ]
    assert len(answer.data["commits"]) == 2
    assert repo.git("status", "--porcelain") == ""


def test_events_are_found_where_their_feature_lies_now(repo: GitRepo) -> None:
    ready(repo)
    repo.git("mv", FOLDER, "kitty-specs/009-renamed")
    repo.commit("renamed")
    answer = revert(repo, "HEAD^")
    assert {move["feature"] for move in answer.data["moves"]} == {"009-renamed"}


def test_a_commit_that_only_moved_or_mended_lines_has_added_none(repo: GitRepo) -> None:
    ready(repo)
    repo.git("mv", FOLDER, "kitty-specs/009-renamed")
    repo.commit("renamed")
    assert revert(repo, "HEAD", code=4).error["code"] == "not-found"
    log = "kitty-specs/009-renamed/status.events.jsonl"
    repo.write(log, repo.read(log).replace(b", ", b","))
    repo.commit("other spelling")
    assert revert(repo, "HEAD", code=4).error["code"] == "not-found"


def test_in_a_linked_work_tree_its_own_log_counts(repo: GitRepo, tmp_path: Path) -> None:
    ready(repo)
    linked = repo.worktree(tmp_path / "linked", "other")
    revert(linked, "HEAD")
    assert lanes(linked) == {"WP01": "claimed", "WP02": "claimed"}
    assert lanes(repo) == {"WP01": "for_review", "WP02": "blocked"}
    assert linked.read(LOG).splitlines()[-1].count(b'"execution_mode": "worktree"') == 1


def test_a_merge_is_refused_with_the_commits_it_brought(repo: GitRepo) -> None:
    ready(repo)
    repo.branch("other")
    emit(repo.path, "WP03", "claimed")
    repo.commit("theirs")
    repo.switch("main")
    repo.git("merge", "-q", "--no-ff", "--no-edit", "other")
    answer = revert(repo, "HEAD", code=2)
    assert answer.error["message"].endswith("is a merge of 2 branches")
    assert "^1.." in answer.error["hint"]


def test_a_commit_whose_lines_were_lost_since_is_refused_with_the_way_to_get_them_back(repo: GitRepo) -> None:
    ready(repo)
    commit = repo.git("rev-parse", "HEAD")
    repo.git("revert", "--no-edit", "HEAD")
    lost = revert(repo, commit, code=4)
    assert "stand in no log here" in lost.error["message"]
    taken = revert(repo, "HEAD", code=4)
    assert "kitty-status resolve --from" in taken.error["hint"]


def test_the_first_commit_of_a_shallow_clone_is_not_taken_for_the_first_of_all(repo: GitRepo, tmp_path: Path) -> None:
    ready(repo)
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    answer = ask(tmp_path / "shallow", "revert", "HEAD", "--actor", "grace", "--json")
    assert (answer.code, answer.error["code"]) == (1, "git-failed")


@pytest.mark.parametrize("what", ["nowhere", ulid(77), "-x", "--", "", "HEAD:file", "é\n", "\x1b[31m"])
def test_what_is_neither_commit_nor_event_is_refused_in_words(repo: GitRepo, what: str) -> None:
    ready(repo)
    before = tree(repo.path / FOLDER)
    answer = ask(repo.path, "revert", "--actor", "grace", "--json", "--", what)
    assert (answer.code, answer.error["code"]) == (4, "not-found")
    assert tree(repo.path / FOLDER) == before


def test_without_an_actor_and_in_no_feature_it_is_refused(repo: GitRepo) -> None:
    ready(repo)
    assert ask(repo.path, "revert", "HEAD", "--json").error["code"] == "move-refused"
    assert revert(repo, "HEAD", "--feature", "nowhere", code=4).error["code"] == "not-found"


def test_an_event_that_stands_in_two_features_needs_its_feature(repo: GitRepo) -> None:
    first = feature_in(repo, line(event_id="an-id-of-mine", at=instant(1)))
    repo.write("kitty-specs/002-copy/status.events.jsonl", (first / "status.events.jsonl").read_bytes())
    assert revert(repo, "an-id-of-mine", code=2).error["code"] == "usage"
    answer = revert(repo, "an-id-of-mine", "--feature", "002")
    assert [move["feature"] for move in answer.data["moves"]] == ["002-copy"]


def test_a_damaged_log_is_refused(repo: GitRepo) -> None:
    ready(repo)
    repo.append(LOG, b"oops\n")
    assert revert(repo, "HEAD", code=7).error["code"] == "damaged"


def test_outside_git_one_event_can_be_taken_back_and_a_commit_is_not_found(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / LOG).write_bytes(line(event_id=ulid(1), at=instant(1)))
    assert ask(tmp_path, "revert", "HEAD", "--actor", "grace", "--json").error["code"] == "not-found"
    answer = ask(tmp_path, "revert", ulid(1), "--actor", "grace", "--json")
    assert (answer.code, answer.envelope["next"]) == (0, [])
    assert ask(tmp_path, "revert", ulid(1), "--actor", "grace", "--commit", "--json").code == 2


def test_somebody_who_moves_a_work_package_in_between_is_not_overruled_and_a_repeated_call_does_the_rest(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(repo)
    really = emit_event
    project = Project(repo.path)
    config = load_config(project.root)

    def interfering(project: Project, config: Any, request: EmitRequest) -> Emitted:
        if not request.dry_run and request.wp_id == "WP02":
            emit(repo.path, "WP02", "in_progress")
        return really(project, config, request)

    monkeypatch.setattr(module, "emit", interfering)
    request = RevertRequest(what="HEAD", actor="grace")
    with pytest.raises(MovedOnError) as caught:
        module.revert(project, config, request)
    assert caught.value.hint == "1 of 2 work packages are back; make the same call again for the others"
    assert lanes(repo) == {"WP01": "claimed", "WP02": "in_progress"}
    monkeypatch.setattr(module, "emit", really)
    again = revert(repo, "HEAD", "--force")
    assert outcomes(again) == [("WP01", "claimed", "already"), ("WP02", "claimed", "moved")]
