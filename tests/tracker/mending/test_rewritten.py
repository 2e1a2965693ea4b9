"""What a rebase or an amended commit leaves out is named, with the command that brings it back, and nothing fails."""

from __future__ import annotations

import io
import os
import shlex
from typing import TYPE_CHECKING

import pytest

from commandline import ask
from events import ulid
from features import FEATURE, LOG, emit, event_line, feature_repo, numbers_in, record
from kitty_status import EVENTS_FILENAME
from kitty_status.tracker import after_git
from kitty_status.tracker.mending import rewritten

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

LEFT_OUT = "left out what the logs of this branch held before"

pytestmark = pytest.mark.usefixtures("any_slug")
EDITOR = "sequence.editor=sed -i.before 1d"


def said_by(repo: GitRepo, *command: str) -> str:
    done = repo.run(*command)
    assert done.returncode == 0, done.stderr
    return done.stderr.decode()


def run_what_it_said(repo: GitRepo, said: str) -> None:
    """Run the commands that a hook has named, each from the folder that the hook was in."""
    commands = [line.strip() for line in said.splitlines() if line.strip().startswith("kitty-status resolve")]
    assert commands
    for command in commands:
        answer = ask(repo.path, *shlex.split(command)[1:])
        assert answer.code == 0, answer


def evil_merge(repo: GitRepo, number: int) -> str:
    """Merge main into the branch and record an event in the merge commit itself; let main go on. Return the merge."""
    repo.switch("main")
    repo.write("theirs", "theirs")
    repo.commit("theirs")
    repo.switch("side")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "main")
    merge = record(repo, number)
    assert repo.git("rev-parse", "-q", "--verify", "HEAD^2")
    repo.switch("main")
    repo.write("more", "more")
    repo.commit("more")
    repo.switch("side")
    return merge


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository with the tool installed, an event on `main`, and one more on `side`, which is checked out."""
    repo = feature_repo(tmp_path / "repo é", 1)
    repo.branch("side")
    record(repo, 2)
    return repo


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_an_event_of_a_merge_commit_that_a_rebase_drops_is_named_and_comes_back(repo: GitRepo, backend: str) -> None:
    merge = evil_merge(repo, 3)

    said = said_by(repo, "rebase", "-q", backend, "main")

    assert LEFT_OUT in said
    assert "the rebase" in said
    assert f"{ulid(3)} (WP03 to claimed) of {FEATURE}" in said
    assert said.count("(WP") == 1
    assert f"--from {merge[:12]}" in said
    assert sorted(numbers_in(repo.read(LOG))) == [1, 2]
    run_what_it_said(repo, said)
    assert sorted(numbers_in(repo.read(LOG))) == [1, 2, 3]


def test_a_rebase_that_loses_nothing_says_nothing(repo: GitRepo) -> None:
    evil_merge(repo, 3)
    record(repo, 4)

    assert "left out" not in said_by(repo, "rebase", "-q", "--rebase-merges", "main~2")
    repo.switch("main")
    record(repo, 5)
    repo.git("checkout", "-q", "-b", "other", "main~1")
    record(repo, 6)
    assert "left out" not in said_by(repo, "rebase", "-q", "main")
    assert sorted(numbers_in(repo.read(LOG))) == [1, 5, 6]


def test_a_commit_that_is_dropped_on_purpose_is_named_too_and_the_rebase_succeeds(repo: GitRepo) -> None:
    record(repo, 3)

    said = said_by(repo, "-c", EDITOR, "rebase", "-q", "-i", "main")

    assert (LEFT_OUT in said, "(WP02 to canceled)" in said, said.count("(WP")) == (True, True, 1)
    run_what_it_said(repo, said)
    assert sorted(numbers_in(repo.read(LOG))) == [1, 2, 3]


def test_an_amended_commit_that_takes_an_event_out_says_so(repo: GitRepo) -> None:
    before = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "HEAD~1", "--", "kitty-specs")

    said = said_by(repo, "commit", "-q", "--amend", "--no-verify", "--allow-empty", "-m", "without")

    assert (f"the amended commit {LEFT_OUT}" in said, f"--from {before[:12]}" in said) == (True, True)
    run_what_it_said(repo, said)
    assert sorted(numbers_in(repo.read(LOG))) == [1, 2]


def test_an_amended_commit_is_quiet_where_the_line_is_in_the_work_tree_still_or_another_is_added(repo: GitRepo) -> None:
    emit(repo, 3)
    assert said_by(repo, "commit", "-q", "-a", "--amend", "-m", "one more") == ""

    repo.git("reset", "-q", "HEAD~1", "--", "kitty-specs")
    said = said_by(repo, "commit", "-q", "--amend", "--no-verify", "--allow-empty", "-m", "without")
    assert "left out" not in said
    assert sorted(numbers_in(repo.read(LOG))) == [1, 2, 3]


def test_a_message_that_is_amended_says_nothing(repo: GitRepo) -> None:
    assert said_by(repo, "commit", "-q", "--amend", "-m", "another message") == ""


def test_lines_that_moved_to_another_path_are_not_left_out(repo: GitRepo) -> None:
    moved = "kitty-specs/035-moved"
    repo.git("mv", FEATURE, moved)
    repo.append(f"{moved}/{EVENTS_FILENAME}", event_line(3))
    assert "left out" not in said_by(repo, "commit", "-q", "-a", "--amend", "--no-verify", "-m", "moved")

    repo.git("checkout", "-q", "-b", "other", "main")
    repo.write("other", "other")
    repo.commit("other")
    assert "left out" not in said_by(repo, "rebase", "-q", "side")


def test_what_a_moved_log_lacks_comes_back_to_where_it_is_now(repo: GitRepo) -> None:
    record(repo, 3)
    moved = "kitty-specs/035-moved"
    repo.git("mv", FEATURE, moved)
    repo.write(f"{moved}/{EVENTS_FILENAME}", event_line(1) + event_line(2))

    said = said_by(repo, "commit", "-q", "-a", "--amend", "--no-verify", "-m", "moved")

    assert f"of {moved}\n" in said
    assert "kitty-status resolve 035-moved --from" in said
    run_what_it_said(repo, said)
    assert sorted(numbers_in(repo.read(f"{moved}/{EVENTS_FILENAME}"))) == [1, 2, 3]


def test_a_feature_that_is_gone_as_a_whole_comes_back_by_its_path(repo: GitRepo) -> None:
    other = "kitty-specs/002 other"
    record(repo, 7, 8, feature=other)
    repo.git("rm", "-q", "-r", other)

    said = said_by(repo, "commit", "-q", "--amend", "--no-verify", "--allow-empty", "-m", "gone")

    assert f"kitty-status resolve '{other}' --from" in said
    run_what_it_said(repo, said)
    assert sorted(numbers_in(repo.read(f"{other}/{EVENTS_FILENAME}"))) == [7, 8]


def test_lines_of_another_kind_and_many_events_are_told_shortly(repo: GitRepo) -> None:
    repo.append(LOG, b'{"kind": "annotation", "text": "x"}\n')
    repo.append(LOG, b"damaged\n")
    repo.append(LOG, b"".join(event_line(number) for number in range(10, 40)))
    repo.git("commit", "-q", "-a", "--no-verify", "--amend", "-m", "many")
    repo.git("checkout", "-q", "HEAD~1", "--", "kitty-specs")

    said = said_by(repo, "commit", "-q", "--amend", "--no-verify", "--allow-empty", "-m", "without")

    assert ("and 12 more" in said, "damaged" in said) == (True, False)


def test_an_event_that_is_edited_is_not_left_out(repo: GitRepo) -> None:
    repo.write(LOG, repo.read(LOG).replace(b"actor 2", b"actor 9"))

    assert "left out" not in said_by(repo, "commit", "-q", "-a", "--amend", "--no-verify", "-m", "edited")


def test_where_time_is_up_the_command_that_looks_is_named(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    merge = evil_merge(repo, 3)
    repo.git("config", "core.hooksPath", os.devnull)
    repo.write(".git/rebase-merge/orig-head", f"{merge}\n")
    repo.git("reset", "-q", "--hard", "main")
    monkeypatch.chdir(repo.path)

    def slow(*_: object) -> None:
        raise after_git.TimeIsUpError("not done")

    monkeypatch.setattr(rewritten, "left_out", slow)

    assert after_git.main(["post-rewrite", "rebase"]) == 0
    assert "resolve --all --dry-run" in capsys.readouterr().err


@pytest.mark.parametrize("told", [b"--output=taken HEAD\n", b"HEAD\n", b"\xff\xfe \xff\n", b"\n", b""])
def test_what_names_no_two_commits_is_passed_over(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], told: bytes
) -> None:
    monkeypatch.chdir(repo.path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(told), encoding="utf-8"))
    assert after_git.main(["post-rewrite", "amend"]) == 0
    assert LEFT_OUT not in capsys.readouterr().err
    assert repo.git("status", "--porcelain") == ""


def test_further_words_behind_the_two_commits_are_passed_over(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "HEAD^")
    repo.git("reset", "-q", "--hard", new)
    monkeypatch.chdir(repo.path)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{old} {new} and more\n"))
    assert after_git.main(["post-rewrite", "amend"]) == 0
    assert LEFT_OUT in capsys.readouterr().err


def test_a_revert_that_took_an_event_out_says_so_and_names_what_brings_it_back(repo: GitRepo) -> None:
    record(repo, 7)
    said = said_by(repo, "revert", "--no-edit", "HEAD")
    assert f"the revert {LEFT_OUT}" in said
    assert ulid(7) in said
    assert 7 not in numbers_in(repo.read(LOG))
    run_what_it_said(repo, said)
    assert 7 in numbers_in(repo.read(LOG))


def test_a_revert_of_anything_else_and_the_commits_after_one_say_nothing(repo: GitRepo) -> None:
    repo.write("readme", "one")
    repo.commit("readme")
    assert LEFT_OUT not in said_by(repo, "revert", "--no-edit", "HEAD")
    record(repo, 8)
    assert LEFT_OUT not in said_by(repo, "revert", "--no-commit", "HEAD~1")
    assert LEFT_OUT not in said_by(repo, "commit", "-q", "--allow-empty", "-m", "Revert, by hand")
