"""Views in real merges: what is generated never conflicts, what people wrote conflicts as ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features import FEATURE, record, uninstall
from viewed import (
    MARKER,
    OVERVIEW,
    WORK_PACKAGES,
    assert_both_texts,
    assert_committed_current,
    assert_current,
    conflicted,
    diverge,
    edit,
    edit_line,
    file_of,
    text_of,
    viewed_repo,
    views_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo


@pytest.fixture
def parted(tmp_path: Path) -> GitRepo:
    repo = viewed_repo(tmp_path / "repo", 1, 2)
    diverge(repo)
    return repo


def test_a_merge_commit_holds_the_exact_views_and_the_text_of_both_sides(parted: GitRepo) -> None:
    parted.git("merge", "-q", "--no-edit", "theirs")

    assert_committed_current(parted)
    assert_both_texts(parted)


def test_a_squashed_merge_stages_the_exact_views(parted: GitRepo) -> None:
    parted.git("merge", "-q", "--squash", "theirs")

    assert parted.git("diff", "--name-only") == ""
    assert_current(parted)
    assert_both_texts(parted)


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_rebase_does_not_stop_and_the_views_are_current_at_its_end(parted: GitRepo, backend: str) -> None:
    parted.git("rebase", "-q", backend, "theirs")

    assert_current(parted)
    assert_both_texts(parted)


def test_a_range_is_picked_without_a_stop(parted: GitRepo) -> None:
    parted.git("cherry-pick", "ours..theirs")

    assert_both_texts(parted)
    assert parted.run("rev-parse", "-q", "--verify", "CHERRY_PICK_HEAD").returncode


def test_a_stash_comes_back_without_a_conflict(parted: GitRepo) -> None:
    edit_line(parted, OVERVIEW, 6, "stashed")
    parted.git("stash", "push", "-q")
    record(parted, 8)
    parted.git("stash", "pop", "-q")

    assert b"line 6 stashed" in parted.read(OVERVIEW)
    assert_current(parted)


def test_a_revert_of_people_s_text_keeps_the_views(parted: GitRepo) -> None:
    record(parted, 8)
    parted.git("revert", "--no-edit", "HEAD~1")

    assert b"line 11 ours" not in parted.read(OVERVIEW)
    assert_committed_current(parted)
