"""Blame: the commit that brought each line, whatever way the line took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features import FEATURE, LOG, event_line, log_of, numbers_in
from kitty_status.git.blame import blame

if TYPE_CHECKING:
    from gitrepo import GitRepo

MOVED = "kitty-specs/archive/034-over/status.events.jsonl"


def commit(repo: GitRepo, message: str, *numbers: int, path: str = LOG) -> None:
    repo.write(path, log_of(*numbers))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", message)


def brought(repo: GitRepo, *numbers: int, path: str = LOG) -> dict[int, str]:
    """Return the subject of the commit that brought each event."""
    found = blame(path, [event_line(number) for number in numbers], cwd=str(repo.path))
    return {numbers_in(line)[0]: repo.git("log", "-1", "--format=%s", oid) for line, oid in found.items()}


def test_each_line_has_the_commit_that_added_it_and_an_uncommitted_one_has_none(repo: GitRepo) -> None:
    commit(repo, "a", 1, 2)
    commit(repo, "b", 1, 2, 3)
    commit(repo, "other", 4, path="kitty-specs/2/status.events.jsonl")

    assert brought(repo, 1, 2, 3, 4) == {1: "a", 2: "a", 3: "b"}


def test_without_commits_and_without_lines_there_is_nothing_to_tell(repo: GitRepo) -> None:
    assert brought(repo, 1) == {}
    commit(repo, "a", 1)
    assert brought(repo) == {}


def test_a_merge_brings_nothing_that_its_parents_have(repo: GitRepo) -> None:
    commit(repo, "a", 1)
    repo.branch("theirs")
    commit(repo, "theirs", 1, 2)
    repo.switch("main")
    commit(repo, "ours", 1, 3)
    repo.run("merge", "--no-commit", "theirs")
    commit(repo, "merge", 1, 2, 3, 4)

    assert brought(repo, 1, 2, 3, 4) == {1: "a", 2: "theirs", 3: "ours", 4: "merge"}


def test_a_line_that_was_edited_is_whose_the_edit_is(repo: GitRepo) -> None:
    commit(repo, "a", 1, 2)
    edited = event_line(2).replace(b"actor 2", b"mallory")
    repo.write(LOG, log_of(1) + edited)
    tampered = repo.commit("edit")

    assert blame(LOG, [edited], cwd=str(repo.path)) == {edited: tampered}


def test_a_log_that_moved_is_followed_to_where_it_was(repo: GitRepo) -> None:
    commit(repo, "a", 1)
    commit(repo, "b", 1, 2)
    repo.git("rm", "-rq", FEATURE)
    commit(repo, "move", 1, 2, 3, path=MOVED)

    assert brought(repo, 1, 2, 3, path=MOVED) == {1: "a", 2: "b", 3: "move"}


def test_lines_that_came_in_between_others_are_found(repo: GitRepo) -> None:
    commit(repo, "a", 1, 5)
    commit(repo, "b", 1, 3, 5)
    commit(repo, "c", 5, 1, 4, 3)

    assert brought(repo, 1, 3, 4, 5) == {1: "a", 3: "b", 4: "c", 5: "a"}
