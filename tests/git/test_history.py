"""The walk through history: every commit against each of its parents, in whatever shape the clone is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features import LOG, event_line, log_of
from kitty_status.errors import GitError
from kitty_status.git.append_only import prove
from kitty_status.git.history import History
from kitty_status.git.log_paths import is_log_path

if TYPE_CHECKING:
    from gitrepo import GitRepo


def history_of(repo: GitRepo) -> History:
    return History(str(repo.path))


@pytest.mark.parametrize(
    ("path", "is_log"),
    [
        ("kitty-specs/001-x/status.events.jsonl", True),
        ("kitty-specs/archive/001-x/status.events.jsonl", True),
        ("a/b/kitty-specs/001-x/status.events.jsonl", True),
        ("kitty-specs/status.events.jsonl", True),
        ("my-kitty-specs/001-x/status.events.jsonl", False),
        ("kitty-specs/001-x/status.json", False),
        ("status.events.jsonl", False),
        ("kitty-specs/001-x/status.events.d/ada é-0a1b.jsonl", True),
        ("kitty-specs/archive/001-x/status.events.d/shared.jsonl", True),
        ("kitty-specs/001-x/status.events.d/notes.md", False),
        ("kitty-specs/001-x/status.events.d/.hidden.jsonl", False),
        ("kitty-specs/001-x/status.events.d/below/ada.jsonl", False),
        ("001-x/status.events.d/ada.jsonl", False),
    ],
)
def test_a_log_is_known_by_its_path(path: str, *, is_log: bool) -> None:
    assert is_log_path(path) is is_log


def test_commits_come_with_their_parents_in_the_order_that_is_asked_for(repo: GitRepo) -> None:
    ids = [repo.commit_empty(str(number)) for number in range(3)]

    newest_first = history_of(repo).commits(["HEAD"])
    oldest_first = history_of(repo).commits(["HEAD"], parents_first=True)

    assert list(newest_first.items()) == [(ids[2], [ids[1]]), (ids[1], [ids[0]]), (ids[0], [])]
    assert list(oldest_first) == ids
    assert list(history_of(repo).commits(["HEAD"], limit=1)) == [ids[2]]
    assert list(history_of(repo).commits(["HEAD", "--not", ids[0]])) == [ids[2], ids[1]]


def test_what_git_does_not_know_is_an_error_in_its_words(repo: GitRepo) -> None:
    with pytest.raises(GitError, match="rev-list failed"):
        history_of(repo).commits(["nowhere"])


def test_there_is_a_step_for_each_parent_whose_logs_differ(repo: GitRepo) -> None:
    repo.write(LOG, log_of(1))
    repo.commit()
    repo.branch("theirs")
    repo.write("kitty-specs/2/status.events.jsonl", log_of(2))
    repo.commit()
    repo.switch("main")
    repo.append(LOG, event_line(3))
    repo.commit()
    repo.merge("theirs")

    steps = history_of(repo).steps(history_of(repo).commits(["HEAD", "--not", "HEAD^1", "HEAD^2"]))

    assert [[change.path for change in step.changes] for step in steps] == [
        ["kitty-specs/2/status.events.jsonl"],
        [LOG],
    ]


def test_a_graft_does_not_hide_what_a_commit_did(repo: GitRepo) -> None:
    repo.write(LOG, log_of(1, 2))
    repo.commit()
    repo.write(LOG, log_of(1))
    tampered = repo.commit()
    repo.write(".git/info/grafts", f"{tampered}\n")
    assert repo.git("rev-list", "HEAD").split() == [tampered]

    history = history_of(repo)

    assert [loss.code for loss in prove(history, history.steps(history.commits(["HEAD"]))).losses] == ["line-removed"]


def test_a_tree_knows_its_logs_and_its_folders(repo: GitRepo) -> None:
    repo.write(LOG, log_of(1))
    repo.write("kitty-specs/2/spec.md", "x")
    (repo.path / "kitty-specs/2/status.events.jsonl").symlink_to("spec.md")
    repo.write("kitty-specs/readme.md", "x")
    repo.commit()

    tree = history_of(repo).tree("HEAD")

    assert list(tree.logs) == [LOG]
    assert tree.has_folder("kitty-specs/2")
    assert not tree.has_folder("kitty-specs/3")
    assert tree.folders_in("kitty-specs") == {LOG.split("/")[1], "2"}


def test_objects_that_are_not_here_are_told_from_those_that_are(repo: GitRepo) -> None:
    repo.write(LOG, log_of(1))
    commit = repo.commit()
    oid = repo.git("rev-parse", f"HEAD:{LOG}")

    assert history_of(repo).here([commit, "1" * 40]) == {commit}
    assert dict(history_of(repo).blobs([oid, "1" * 40])) == {oid: log_of(1), "1" * 40: None}
    assert list(history_of(repo).blobs([])) == []
