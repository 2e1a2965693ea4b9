"""A work tree whose HEAD cannot be read is passed over with a warning; nothing stops elsewhere, and nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commandline import LOG, SLUG, ask, emit, feature_in
from features import install
from gitrepo import GitRepo

HEAD = ".git/worktrees/linked/HEAD"


def without(head: Path) -> None:
    head.unlink()


def as_folder(head: Path) -> None:
    head.unlink()
    head.mkdir()


def empty(head: Path) -> None:
    head.write_bytes(b"")


def garbage(head: Path) -> None:
    head.write_bytes(b"\0garbage: of a disk\n" * 3)


WAYS = (without, as_folder, empty, garbage)


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository with a linked work tree on `side`, and an uncommitted event in each."""
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    install(repo)
    emit(repo.path, "WP01", "claimed")
    repo.commit("claimed")
    linked = repo.worktree(tmp_path / "linked", "side")
    emit(linked.path, "WP02", "claimed")
    emit(repo.path, "WP03", "claimed")
    return repo


@pytest.mark.parametrize("damage", WAYS)
def test_whoever_is_elsewhere_goes_on_and_hears_of_it(repo: GitRepo, damage: object) -> None:
    assert callable(damage)
    damage(repo.path / HEAD)
    linked = str(repo.path.parent / "linked")

    answer = ask(repo.path, "reconcile-journal", "--json")
    assert answer.code == 1
    assert answer.envelope["warnings"] == [f"the HEAD of {linked} cannot be read; it was passed over"]
    assert [each["event"]["wp_id"] for each in answer.data["standing"]] == ["WP02", "WP03"]
    answer = emit(repo.path, "WP04", "claimed")
    assert f"so nobody knows what is checked out in {linked}" in answer.err
    emit(repo.path, "WP04", "in_progress")
    for command in ("show", "validate", "log"):
        assert ask(repo.path, command, SLUG).code == 0
    for shown in (ask(repo.path, "show", SLUG, "--worktrees"), ask(repo.path, "worktrees")):
        assert (shown.code, "cannot read" in shown.err or "cannot be read" in shown.err) == (0, True)
    findings = {each["code"]: each["where"] for each in ask(repo.path, "doctor", "--json").data["findings"]}
    assert findings["head-unreadable"] == linked
    assert "check-failed" not in findings


def test_events_are_brought_back_and_settled_beside_it_and_those_of_its_branch_wait(repo: GitRepo) -> None:
    linked = repo.path.parent / "linked"
    before = (repo.path / HEAD).read_bytes()
    for each in (repo, GitRepo(linked)):
        each.git("checkout", "-q", "--", LOG, environment={"KITTY_STATUS": "0"})
    garbage(repo.path / HEAD)

    answer = ask(repo.path, "reconcile-journal", "--json")

    assert [each["event"]["wp_id"] for each in answer.data["restored"]] == ["WP03"]
    [waiting] = answer.data["waiting"]
    assert waiting["why"].startswith(f"branch side is checked out nowhere; what is in {linked} cannot be said")
    assert "cannot" not in repo.git("commit", "-q", "-a", "-m", "WP03")
    assert ask(repo.path, "reconcile-journal", "--json").data["settled"] == []
    (repo.path / HEAD).write_bytes(before)
    assert [each["event"]["wp_id"] for each in ask(repo.path, "reconcile-journal", "--json").data["restored"]] == [
        "WP02"
    ]
    assert b"WP02" in (linked / LOG).read_bytes()


def test_an_event_that_stands_in_it_can_be_discarded(repo: GitRepo) -> None:
    garbage(repo.path / HEAD)
    [entry] = [
        each["event"]["event_id"]
        for each in ask(repo.path, "reconcile-journal", "--json").data["standing"]
        if each["branch"] == "side"
    ]

    answer = ask(repo.path, "discard", entry, "--reason", "a slip")

    assert answer.code == 0, answer
    assert b"WP02" not in (repo.path.parent / "linked" / LOG).read_bytes()


def test_a_work_tree_whose_folder_was_deleted_stops_nothing(repo: GitRepo) -> None:
    shutil.rmtree(repo.path.parent / "linked")

    answer = ask(repo.path, "reconcile-journal", "--json")

    assert [each["why"] for each in answer.data["waiting"]] == ["branch side is checked out nowhere"]
    emit(repo.path, "WP04", "claimed")
    assert "is gone; `git worktree list` shows" in ask(repo.path, "worktrees").err


def test_ones_own_head_is_needed_for_a_write_and_the_error_says_what_to_do(repo: GitRepo) -> None:
    garbage(Path(repo.path, ".git/HEAD"))

    answer = emit(repo.path, "WP04", "claimed", "--json", code=1)

    assert answer.error["code"] == "git-failed"
    assert "write `ref: refs/heads/BRANCH` into it" in answer.error["hint"]
    assert b"WP04" not in repo.read(LOG)
