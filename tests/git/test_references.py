"""Branches read from git's own files, and the files in which commits differ, held against what git says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitrepo import GitRepo
from kitty_status.errors import GitError
from kitty_status.git.differences import changed_in_work_tree, differences
from kitty_status.git.references import REMOTE, branches
from kitty_status.git.repository import Repository, find_repository


def at(repo: GitRepo) -> Repository:
    found = find_repository(str(repo.path))
    assert found
    return found


def as_git_says(repo: GitRepo, kind: str = "refs/heads/") -> dict[str, str]:
    listed = repo.git("for-each-ref", "--format=%(refname) %(objectname)", kind).split("\n")
    return {name.removeprefix(kind): oid for name, _, oid in (each.partition(" ") for each in listed)}


def test_branches_are_found_loose_packed_and_in_both_ways_and_in_folders(repo: GitRepo) -> None:
    repo.commit_empty()
    for name in ("old", "a/b", "a/c", "é"):
        repo.git("branch", name)
    repo.git("pack-refs", "--all")
    repo.git("branch", "-q", "-D", "a/b")
    repo.commit_empty()
    repo.git("branch", "a/new")
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/old")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repo.write(".git/refs/heads/main.lock", "a writer is here\n")
    repo.write(".git/refs/heads/broken", "oops\n")
    (repo.path / ".git/refs/heads/empty").touch()
    assert branches(at(repo)) == {
        **{name: repo.git("rev-parse", f"refs/heads/{name}") for name in ("a/c", "a/new", "alias", "main", "old", "é")}
    }
    assert branches(at(repo), REMOTE) == as_git_says(repo, "refs/remotes/")


def test_a_repository_without_a_commit_has_no_branches(repo: GitRepo) -> None:
    assert branches(at(repo)) == {}


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_commits_are_compared_with_a_base_or_with_nothing(tmp_path: Path, object_format: str) -> None:
    repo = GitRepo.init(tmp_path / "repo", object_format=object_format)
    repo.write("a é/log", "1\n")
    repo.write("text", "1\n")
    base = repo.commit()
    first = repo.git("rev-parse", f"{base}:a é/log")
    repo.write("a é/log", "2\n")
    repo.write("a\nb/log", "3\n")
    (repo.path / "link").mkdir()
    (repo.path / "link/log").symlink_to("../text")
    tip = repo.commit()
    second, third = (repo.git("rev-parse", f"{tip}:{path}") for path in ("a é/log", "a\nb/log"))
    missing = "1" * len(base)

    def compared(start: str | None, *commits: str) -> dict[str, list[tuple[str, str | None, str | None]]]:
        return differences(start, commits, [":(top,glob)**/log"], cwd=str(repo.path), object_format=object_format)

    assert compared(base, tip, base, missing) == {
        tip: [("a\nb/log", None, third), ("a é/log", first, second), ("link/log", None, None)],
        base: [],
    }
    assert compared(None, base, missing) == {base: [("a é/log", None, first)]}
    assert compared(base) == {}
    with pytest.raises(GitError):
        compared(missing, tip)


def test_what_a_work_tree_has_changed_is_found_new_files_included(repo: GitRepo) -> None:
    for name in ("a é", "b", "c"):
        repo.write(f"{name}/log", "1\n")
    repo.commit()
    repo.write("a é/log", "2\n")
    repo.write("new\n/log", "2\n")
    repo.write("new/text", "2\n")
    (repo.path / "c/log").unlink()
    repo.write(".gitignore", "ignored\n")
    repo.write("ignored/log", "2\n")
    assert sorted(changed_in_work_tree([":(top,glob)**/log"], cwd=str(repo.path))) == ["a é/log", "c/log", "new\n/log"]
