"""What the journal promises, for a log with a file for each writer: acknowledged events outlive git's commands."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in
from features import install
from gitrepo import GitRepo
from kitty_status import read_events

if TYPE_CHECKING:
    from pathlib import Path

SHARDS = f"{FOLDER}/status.events.d"


@pytest.fixture(params=["hooks", "no hooks"])
def repo(tmp_path: Path, request: pytest.FixtureRequest) -> GitRepo:
    """A repository with one committed event in a divided log, with our hooks or without."""
    repo = GitRepo.init(tmp_path / "repo")
    repo.write(".kittify/config.yaml", "status:\n  layout: per-writer\n")
    repo.write("notes", "first\n")
    feature_in(repo)
    repo.commit()
    if request.param == "hooks":
        install(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    repo.branch("side")
    emit(repo.path, "WP02", "claimed", "--commit")
    repo.switch("main")
    return repo


def held(repo: GitRepo) -> list[str]:
    """Return what the log holds once the journal was asked, with an exact snapshot beside it."""
    answer = ask(repo.path, "reconcile-journal", "--json")
    assert answer.code == 0, answer
    assert ask(repo.path, "materialize", SLUG, "--check").code == 0
    return sorted(event.wp_id for event in read_events(repo.path / FOLDER))


def vanish(repo: GitRepo) -> None:
    """Remove the folder with every file of the log."""
    shutil.rmtree(repo.path / SHARDS)


@pytest.mark.parametrize(
    "commands",
    [
        ["reset --hard"],
        ["stash push", "stash drop"],
        ["stash push -u", "stash drop"],
        ["checkout -- ."],
        ["checkout -f side", "checkout -f main"],
        ["clean -fdx"],
        ["reset --hard", "clean -fdx"],
        ["add -A", "reset --hard"],
        ["stash push", "checkout side", "checkout main", "stash drop"],
    ],
    ids=" ; ".join,
)
@pytest.mark.parametrize("branch", ["main", "new"])
def test_an_uncommitted_event_survives(repo: GitRepo, commands: list[str], branch: str) -> None:
    if branch == "new":
        # Its file is untracked: nobody has written on this branch yet.
        repo.branch("new")
    emit(repo.path, "WP09", "claimed")
    for command in commands:
        repo.git(*command.replace("main", branch).split())
    assert held(repo) == ["WP01", "WP09"]


def test_a_folder_of_shards_that_vanished_is_not_begun_anew_while_git_has_it(repo: GitRepo) -> None:
    repo.branch("new")
    emit(repo.path, "WP09", "claimed")
    vanish(repo)
    fates = ask(repo.path, "reconcile-journal", "--json").data
    assert (fates["restored"], len(fates["waiting"])) == ([], 1)
    assert "git restore -- " in fates["waiting"][0]["why"]
    assert not (repo.path / SHARDS).exists()
    emit(repo.path, "WP10", "claimed", code=7)
    repo.git("restore", "--", FOLDER)
    assert held(repo) == ["WP01", "WP09"]


def test_a_log_that_git_has_never_seen_comes_back_with_its_folder(repo: GitRepo) -> None:
    other = repo.path / "kitty-specs/002-other"
    other.mkdir()
    args = ("emit", "WP01", "--to", "claimed", "--actor", "ada", "--feature", "002-other")
    assert ask(repo.path, *args).code == 0
    shutil.rmtree(other / "status.events.d")
    (other / "status.json").unlink()
    assert len(ask(repo.path, "reconcile-journal", "--json").data["restored"]) == 1
    assert [event.wp_id for event in read_events(other)] == ["WP01"]


def test_the_next_emit_brings_back_what_git_took_from_this_branch(repo: GitRepo) -> None:
    emit(repo.path, "WP09", "claimed")
    repo.git("reset", "-q", "--hard")
    emit(repo.path, "WP10", "claimed")
    assert held(repo) == ["WP01", "WP09", "WP10"]


@pytest.mark.parametrize("layout", ["single", "per-writer"])
def test_a_line_comes_back_into_the_layout_that_the_log_has_by_now(repo: GitRepo, layout: str) -> None:
    if layout == "per-writer":
        assert ask(repo.path, "convert", SLUG, "--to", "single", "--commit").code == 0
    emit(repo.path, "WP09", "claimed")
    repo.git("stash", "push", "-q")
    if (repo.path / ".git/hooks/post-checkout").exists():
        # What the hooks have brought back by then is converted with the rest.
        repo.git("checkout", "-q", "--", ".")
    assert ask(repo.path, "convert", SLUG, "--to", layout, "--commit").code == 0
    repo.git("stash", "drop", "-q")
    assert held(repo) == ["WP01", "WP09"]
    names = {path.name for path in (repo.path / FOLDER).rglob("*.jsonl")}
    assert names == ({"status.events.jsonl"} if layout == "single" else {"shared.jsonl"})


def test_what_was_brought_back_is_named_by_the_file_that_holds_it_now(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo)
    repo.commit_empty()
    emit(repo.path, "WP01", "claimed", "--commit")
    emit(repo.path, "WP09", "claimed")
    repo.git("checkout", "-q", "-f", "-b", "other")
    assert ask(repo.path, "convert", SLUG, "--to", "per-writer", "--commit").code == 0
    repo.git("checkout", "-q", "-B", "main")
    answer = ask(repo.path, "reconcile-journal")
    assert f"in {SHARDS}/shared.jsonl\n" in answer.out
    assert held(repo) == ["WP01", "WP09"]
    assert not (repo.path / LOG).exists()


def test_a_linked_folder_takes_no_line_back(repo: GitRepo, tmp_path: Path) -> None:
    emit(repo.path, "WP09", "claimed")
    vanish(repo)
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.path / SHARDS).symlink_to(outside)
    fates = ask(repo.path, "reconcile-journal", "--json").data
    assert "symbolic link" in fates["waiting"][0]["why"]
    assert list(outside.iterdir()) == []


def test_an_event_of_another_branch_waits_and_comes_back_to_its_own_file(repo: GitRepo) -> None:
    repo.branch("new")
    emit(repo.path, "WP09", "claimed")
    (own,) = [path.name for path in (repo.path / SHARDS).iterdir() if path.name.startswith("new-")]
    repo.git("clean", "-q", "-f", "-d")
    repo.git("checkout", "-q", "-f", "main")
    assert ask(repo.path, "reconcile-journal").code == 1
    assert "branch new is checked out nowhere" in ask(repo.path, "reconcile-journal").out
    repo.git("checkout", "-q", "-f", "new")
    assert held(repo) == ["WP01", "WP09"]
    assert b"WP09" in repo.read(f"{SHARDS}/{own}")


def test_settled_events_leave_the_journal_wherever_a_conversion_has_put_them(repo: GitRepo) -> None:
    emit(repo.path, "WP09", "claimed")
    assert ask(repo.path, "convert", SLUG, "--to", "single", "--commit").code == 0
    ask(repo.path, "reconcile-journal")
    assert ask(repo.path, "reconcile-journal").out == "the journal is empty\n"
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert held(repo) == ["WP01"]
    assert repo.git("status", "--porcelain", "--", SNAPSHOT) == ""
