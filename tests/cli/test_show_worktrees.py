"""`show --worktrees`: where work packages stand here, and what others have recorded that is not merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from commandline import FOLDER, LOG, SLUG, ask, emit, feature_in, tree
from events import instant, line, ulid
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.init(tmp_path / "the é repo")
    feature_in(repo)
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    emit(repo.path, "WP01", "claimed", "--commit")
    return repo


def packages(folder: Path, *args: str) -> Any:
    answer = ask(folder, "show", SLUG, "--worktrees", "--json", *args)
    assert (answer.code, answer.envelope["warnings"]) == (0, [])
    assert answer.envelope["kind"] == "show-worktrees"
    return answer.data["work_packages"]


def test_each_work_package_shows_its_state_here_and_elsewhere_and_once_merged(repo: GitRepo, tmp_path: Path) -> None:
    one = repo.worktree(tmp_path / "work tree é", "one")
    emit(one.path, "WP01", "in_progress")
    emit(one.path, "WP02", "claimed", actor="ben")
    before = tree(tmp_path)
    answer = ask(repo.path, "show", SLUG, "--worktrees")
    assert tree(tmp_path) == before
    place = f"the work tree {one.path} (branch one)"
    assert answer.out.splitlines() == [
        f"{SLUG}: 2 events elsewhere that are not here",
        "  WP01  claimed  ada",
        f"          in_progress  ada: {place} (1 not here)",
        "          once all is merged: in_progress",
        "  WP02  -  no event here",
        f"          claimed  ben: {place} (1 not here)",
        "          once all is merged: claimed",
    ]
    found = packages(repo.path)
    assert found["WP01"]["here"]["lane"] == "claimed"
    assert found["WP01"]["together"]["lane"] == "in_progress"
    assert found["WP02"]["here"] is None
    elsewhere = found["WP01"]["elsewhere"][0]
    assert (elsewhere["lane"], elsewhere["actor"], elsewhere["unmerged_events"]) == ("in_progress", "ada", 1)
    assert elsewhere["places"] == [{"found_in": "worktree", "worktree": str(one.path), "branch": "one"}]


def test_places_that_agree_are_named_together_and_many_are_counted(repo: GitRepo) -> None:
    repo.branch("b0")
    emit(repo.path, "WP01", "in_progress", "--commit")
    for number in range(1, 5):
        repo.git("branch", f"b{number}")
    repo.switch("main")
    assert "in_progress  ada: branch b0; branch b1; branch b2 and 2 more places (1 not here)" in (
        ask(repo.path, "show", SLUG, "--worktrees").out
    )
    assert len(packages(repo.path)["WP01"]["elsewhere"][0]["places"]) == 5


def test_moves_that_would_compete_are_foretold(repo: GitRepo, tmp_path: Path) -> None:
    one = repo.worktree(tmp_path / "one", "one")
    emit(one.path, "WP01", "blocked")
    emit(repo.path, "WP01", "in_progress")
    assert ", with moves that compete" in ask(repo.path, "show", SLUG, "--worktrees").out


def test_a_tip_says_only_what_its_work_tree_does_not_say(repo: GitRepo, tmp_path: Path) -> None:
    one = repo.worktree(tmp_path / "one", "one")
    emit(one.path, "WP01", "in_progress", "--commit")
    assert [place["found_in"] for place in packages(repo.path)["WP01"]["elsewhere"][0]["places"]] == ["worktree"]
    (one.path / LOG).unlink()
    assert [place["found_in"] for place in packages(repo.path)["WP01"]["elsewhere"][0]["places"]] == ["branch"]


def test_events_that_wait_in_the_journal_continue_what_their_branch_has(repo: GitRepo, tmp_path: Path) -> None:
    one = repo.worktree(tmp_path / "one", "one")
    emit(one.path, "WP01", "in_progress", "--commit")
    emit(one.path, "WP01", "for_review")
    one.git("stash", "push", "-q")
    elsewhere = packages(repo.path)["WP01"]["elsewhere"]
    assert [(each["lane"], each["places"][0]["found_in"]) for each in elsewhere] == [
        ("in_progress", "worktree"),
        ("for_review", "journal"),
    ]


def test_the_overview_has_a_line_for_every_feature_also_for_those_that_are_not_here(
    repo: GitRepo, tmp_path: Path
) -> None:
    feature = "kitty-specs/002-same/status.events.jsonl"
    repo.write(feature, line(event_id=ulid(1), at=instant(1)))
    repo.commit()
    one = repo.worktree(tmp_path / "one", "one")
    emit(one.path, "WP01", "in_progress", "--commit")
    one.write("kitty-specs/003-uncommitted/status.events.jsonl", line(event_id=ulid(2), at=instant(2)))
    repo.branch("two")
    repo.write("kitty-specs/004-on-a-branch/status.events.jsonl", line(event_id=ulid(3), at=instant(3)))
    repo.write("kitty-specs/not safe/status.events.jsonl", line(event_id=ulid(4), at=instant(3)))
    repo.commit()
    repo.switch("main")
    assert ask(repo.path, "show", "--worktrees").out.splitlines() == [
        f"{SLUG:<15}  1 event elsewhere that is not here (WP01)",
        "002-same         nothing elsewhere that is not here",
        "003-uncommitted  1 event elsewhere that is not here (WP01)",
        "004-on-a-branch  1 event elsewhere that is not here (WP01)",
    ]
    rows = ask(repo.path, "show", "--worktrees", "--json").data
    assert [row["unmerged_events"] for row in rows] == [1, 0, 1, 1]
    for name in ("004", "004-on-a-branch"):
        assert "claimed  ada: branch two" in ask(repo.path, "show", name, "--worktrees").out
    assert ask(repo.path, "show", "005", "--worktrees").code == 4


def test_inside_a_feature_only_that_feature_is_shown(repo: GitRepo) -> None:
    assert ask(repo.path / FOLDER, "show", "--worktrees").out.splitlines() == [
        f"{SLUG}: nothing elsewhere that is not here",
        "  WP01  claimed  ada",
    ]


def test_damage_here_is_an_error_and_damage_elsewhere_a_warning(repo: GitRepo, tmp_path: Path) -> None:
    one = repo.worktree(tmp_path / "one", "one")
    one.append(LOG, b"oops\n")
    answer = ask(repo.path, "show", SLUG, "--worktrees")
    assert answer.code == 0
    assert answer.err.startswith(f"warning: line 2 of {LOG} in the work tree {one.path} (branch one) is damaged")
    assert ask(one.path, "show", SLUG, "--worktrees").code == 7
    overview = ask(one.path, "show", "--worktrees")
    assert (overview.code, overview.out) == (7, f"{SLUG}  damaged\n")


def test_before_the_first_commit_branches_are_seen(repo: GitRepo) -> None:
    repo.git("checkout", "-q", "--orphan", "new")
    repo.git("rm", "-rfq", ".")
    answer = ask(repo.path, "show", SLUG, "--worktrees")
    assert "claimed  ada: branch main (1 not here)" in answer.out


def test_outside_git_and_without_features_there_is_nothing_to_show(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    answer = ask(tmp_path, "show", SLUG, "--worktrees", "--json")
    assert (answer.code, answer.error["code"]) == (2, "outside-repository")
    empty = GitRepo.init(tmp_path / "empty")
    assert ask(empty.path, "show", "--worktrees").code == 4
