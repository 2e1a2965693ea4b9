"""Views that git has left behind their log: written anew where that disturbs nothing, and said otherwise."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from features import FEATURE, LOG, emit, event_line, record, uninstall
from kitty_status import materialize
from viewed import (
    MARKER,
    OVERVIEW,
    assert_current,
    diverge,
    edit_line,
    file_of,
    viewed_repo,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

MADE = "Make the snapshots and views from their logs"


def said_by(repo: GitRepo, *command: str) -> str:
    done = repo.run(*command)
    said = done.stderr.decode()
    assert done.returncode == 0, said
    return said


def commit_without_views(repo: GitRepo, number: int) -> None:
    """Commit an event and its snapshot, and leave the views as they were, as who does not look at them may."""
    emit(repo, number)
    repo.git("add", "--", LOG, f"{FEATURE}/status.json")
    repo.git("commit", "-q", "-m", f"event {number} without views")
    repo.git("checkout", "-q", "--", ".")


@pytest.fixture
def stale(tmp_path: Path) -> GitRepo:
    """A repository on `main`; on `stale`, the log and the snapshot have an event that the views do not show."""
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    repo.branch("stale")
    commit_without_views(repo, 3)
    repo.switch("main")
    return repo


def test_after_a_fast_forward_views_are_written_and_the_commands_commit_them(stale: GitRepo) -> None:
    said = said_by(stale, "merge", "-q", "stale")

    assert_current(stale)
    lines = [line.strip() for line in said.splitlines()]
    assert {OVERVIEW, file_of("WP03")} <= set(lines)
    commands = [line for line in lines if line.startswith("git ")]
    assert MADE in commands[1]
    for command in commands:
        subprocess.run(shlex.split(command), cwd=stale.path, check=True, capture_output=True)
    assert stale.git("status", "--porcelain") == ""


def test_after_a_squash_the_views_go_into_the_commit_that_follows(stale: GitRepo) -> None:
    said = said_by(stale, "merge", "-q", "--squash", "stale")

    [command] = [line.strip() for line in said.splitlines() if line.strip().startswith("git ")]
    subprocess.run(shlex.split(command), cwd=stale.path, check=True, capture_output=True)
    assert stale.git("diff", "--name-only") == ""
    assert_current(stale)


def test_a_merge_that_changes_an_overview_alone_has_its_section_looked_at(stale: GitRepo) -> None:
    stale.switch("stale")
    stale.git("checkout", "-q", "-b", "prose", "main")
    edit_line(stale, OVERVIEW, 2, "prose")
    stale.commit("prose alone")
    stale.switch("stale")

    said_by(stale, "merge", "-q", "--no-edit", "prose")

    assert_current(stale)


def test_a_person_s_own_changes_are_not_put_into_the_commands(stale: GitRepo) -> None:
    edit_line(stale, OVERVIEW, 2, "being written")

    said = said_by(stale, "merge", "-q", "stale")

    assert_current(stale)
    assert "these have other changes as well" in said
    assert all(OVERVIEW not in line for line in said.splitlines() if line.strip().startswith("git "))
    assert b"line 2 being written" in stale.read(OVERVIEW)


def test_a_checkout_writes_nothing_to_a_clean_work_tree_and_says_what_is_stale(stale: GitRepo) -> None:
    said = said_by(stale, "checkout", "-q", "stale")

    assert "not every snapshot and view is made from the log beside it" in said
    assert "kitty-status materialize" in said
    assert stale.git("status", "--porcelain") == ""


def test_nothing_is_written_where_an_autostash_is_to_come_back(stale: GitRepo) -> None:
    edit_line(stale, OVERVIEW, 2, "being written")

    said = said_by(stale, "merge", "-q", "--no-edit", "--no-ff", "--autostash", "stale")

    assert "Applied autostash" in said
    assert b"line 2 being written" in stale.read(OVERVIEW)
    assert stale.git("diff", "--name-only").splitlines() == [stale.git("ls-files", OVERVIEW)]


def test_a_rebase_in_progress_is_not_disturbed_and_the_views_are_written_at_its_end(stale: GitRepo) -> None:
    edit_line(stale, OVERVIEW, 2, "main")
    stale.commit("prose")
    record(stale, 4)
    record(stale, 6)

    said = said_by(stale, "rebase", "-q", "stale")

    assert MADE in said
    assert_current(stale)
    assert b"line 2 main" in stale.read(OVERVIEW)


def test_a_view_that_cannot_be_made_is_said_and_keeps_nothing_else_from_being_written(stale: GitRepo) -> None:
    stale.write(file_of("WP03"), "---\na: &a b\nlane: planned\n---\n")
    stale.commit("an anchor")

    said = said_by(stale, "merge", "-q", "--no-edit", "stale")

    assert "a view was not written" in said
    assert "anchor" in said
    assert b"| WP03 | claimed |" in stale.read(OVERVIEW)


def test_where_views_are_off_nothing_is_written_nor_said(stale: GitRepo) -> None:
    stale.write(".kittify/config.yaml", "status:\n  views: off\n")
    stale.commit("off")

    assert said_by(stale, "merge", "-q", "--no-edit", "stale") == ""
    assert b"WP03" not in stale.read(OVERVIEW)


def test_conflicts_of_a_clone_without_the_tool_are_mended_by_materialize(tmp_path: Path) -> None:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    diverge(repo)
    uninstall(repo)
    assert repo.merge("theirs") == 1
    assert MARKER in repo.read(OVERVIEW)

    materialize(repo.path / FEATURE)

    assert MARKER not in repo.read(OVERVIEW)
    assert b"| WP03 | claimed | actor 3 |" in repo.read(OVERVIEW)
    assert_current(repo)


def test_a_log_that_grew_alone_has_its_views_written_after_the_merge(stale: GitRepo) -> None:
    stale.switch("stale")
    stale.append(LOG, event_line(5))
    stale.git("commit", "-q", "--no-verify", "-m", "the log alone", "--", LOG)
    stale.switch("main")

    said_by(stale, "merge", "-q", "stale")

    assert b"actor 5" in stale.read(OVERVIEW)
    assert_current(stale)
