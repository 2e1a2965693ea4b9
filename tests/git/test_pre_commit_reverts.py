"""The commit hook and what wants lines out of a log: a revert may not, damage may; two contents of one id stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from events import line
from features import LOG, content_of, emit, event_line, feature_repo, log_of, numbers_in, passes, record, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

OTHER = line(**{**content_of(3), "actor": "somebody else"})


@pytest.fixture
def feature(tmp_path: Path) -> GitRepo:
    """A repository with the hook installed and a commit each for the events 1, 2 and 3."""
    repo = feature_repo(tmp_path / "repo")
    for number in (1, 2, 3):
        record(repo, number)
    return repo


@pytest.mark.parametrize("keeps_its_sign", [True, False])
def test_a_revert_that_is_not_committed_yet_is_stopped_and_told_what_to_do_instead(
    feature: GitRepo, keeps_its_sign: bool
) -> None:
    feature.git("revert", "--no-commit", "HEAD")
    assert numbers_in(feature.read(LOG)) == [1, 2]
    if not keeps_its_sign:
        (feature.path / ".git/REVERT_HEAD").unlink()
    said = stopped(feature)
    assert f"`kitty-status resolve {LOG}` brings back" in said
    assert "a move is undone by `kitty-status revert`" in said


def test_a_revert_that_is_continued_after_a_conflict_elsewhere_is_stopped(feature: GitRepo) -> None:
    feature.write("readme", "one\n")
    emit(feature, 4)
    feature.commit("both")
    feature.write("readme", "two\n")
    feature.git("commit", "-q", "-m", "the readme goes on", "--", "readme")
    assert feature.run("revert", "--no-edit", "HEAD~1").returncode
    feature.git("checkout", "--ours", "--", "readme")
    feature.git("add", "readme")
    assert numbers_in(feature.read(LOG)) == [1, 2, 3]
    done = feature.run("-c", "core.editor=true", "revert", "--continue")
    assert done.returncode
    assert b"1 lines of HEAD are changed or missing" in done.stderr


def test_a_revert_in_one_go_runs_no_hook_which_is_why_the_pages_say_so(feature: GitRepo) -> None:
    feature.git("revert", "--no-edit", "HEAD")
    assert numbers_in(feature.read(LOG)) == [1, 2]


@pytest.mark.parametrize("damage", [b"oops\n", b'{"event_id": "x"}\n', b"<<<<<<< HEAD\n"])
def test_damage_of_every_kind_may_leave_a_log(feature: GitRepo, damage: bytes) -> None:
    feature.append(LOG, damage)
    feature.git("commit", "-qam", "damaged", "--no-verify")
    feature.write(LOG, log_of(1, 2, 3))
    emit(feature)
    assert "1 damaged lines of HEAD are not there any more" in passes(feature)


def test_two_contents_of_one_id_pass_once_both_stand_in_commits_and_not_before(feature: GitRepo) -> None:
    feature.git("checkout", "-q", "-b", "theirs", "HEAD~1")
    feature.append(LOG, OTHER)
    emit(feature)
    feature.commit("the same id")
    feature.switch("main")
    assert feature.merge("theirs") == 1
    assert {OTHER, event_line(3)} <= set(feature.read(LOG).splitlines(keepends=True))
    emit(feature)
    assert "both stand in the history" in passes(feature)

    third = line(**{**content_of(3), "actor": "a third"})
    feature.append(LOG, third)
    emit(feature)
    assert "has other content than on line" in stopped(feature)
