"""What would be lost with a linked work tree, and removing one of which nothing would be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import GitError
from kitty_status.git.head import commit_of, reflog_commits
from kitty_status.git.log_paths import ANY_LOG_PATHSPECS
from kitty_status.git.run import git, run_git

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository

_NOT_WATCHED = "S"


def is_linked(tree: Repository) -> bool:
    """Say whether a work tree is not the main one of its clone."""
    return tree.git_dir != tree.common_dir


def why_locked(tree: Repository) -> str | None:
    """Return the reason that a person locked a work tree with, "" for none, None where it is not locked."""
    try:
        return Path(tree.git_dir, "locked").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def uncommitted_files(tree: Repository) -> list[str]:
    """Return the files that differ from HEAD or that git neither tracks nor ignores.

    Raises:
        GitError: git could not be asked.
    """
    args = ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=none"]
    return [entry[3:] for entry in _names(args, tree)]


def files_not_watched(tree: Repository) -> list[str]:
    """Return the files that are there and that git was told not to look at, so that it sees no change in them.

    Raises:
        GitError: git could not be asked.
    """
    listed = [(entry[:1], entry[2:]) for entry in _names(["ls-files", "-v", "-z"], tree)]
    told = [path for tag, path in listed if tag.islower() or tag == _NOT_WATCHED]
    return [path for path in told if os.path.lexists(os.path.join(tree.worktree, path))]  # noqa: PTH118


def ignored_logs(tree: Repository) -> list[str]:
    """Return the logs that git ignores, so that no commit holds them.

    Raises:
        GitError: git could not be asked.
    """
    options = ["--others", "--ignored", "--exclude-standard", "-z"]
    return _names(["ls-files", *options, "--", *ANY_LOG_PATHSPECS], tree)


def own_references(tree: Repository) -> list[str]:
    """Return the references that belong to the work tree alone: those in refs/worktree, and those of a bisection.

    Raises:
        GitError: git could not be asked.
    """
    asked = git(["for-each-ref", "--format=%(refname)", "refs/worktree", "refs/bisect"], cwd=tree.worktree)
    names = os.fsdecode(asked).split()
    return [*names, "BISECT_LOG"] if Path(tree.git_dir, "BISECT_LOG").exists() else names


def repository_inside(tree: Repository) -> str | None:
    """Return a folder below a work tree that is a repository or a work tree of its own, None where there is none."""
    for folder, names, files in os.walk(tree.worktree):
        if ".git" in (*names, *files) and folder != tree.worktree:
            return folder
    return None


def upstream_of(tree: Repository, branch: str) -> str | None:
    """Return the commit at which this clone last saw the branch that `branch` is pushed to, None where there is none.

    Raises:
        GitError: git could not be asked.
    """
    asked = git(["for-each-ref", "--format=%(upstream)", f"refs/heads/{branch}"], cwd=tree.worktree)
    name = os.fsdecode(asked).strip()
    # A branch may be set to be merged from another one of this clone, which is no copy that is kept elsewhere.
    return commit_of(tree, name) if name.startswith("refs/remotes/") else None


def commits_only_here(tree: Repository, branch: str | None) -> list[str]:
    """Return commits that the work tree has stood at and that would be in no branch, tag or reflog without it.

    Raises:
        GitError: git could not be asked.
    """
    kept = set(reflog_commits(tree, branch)) if branch else set()
    stood_at = [commit for commit in dict.fromkeys(reflog_commits(tree)) if commit not in kept]
    if not stood_at:
        return []
    # What the branch's own reflog lists stays there: the branch is not deleted.
    asked = "".join([*(f"{commit}\n" for commit in stood_at), *(f"^{commit}\n" for commit in sorted(kept))])
    args = ["rev-list", "--ignore-missing", "--stdin", "--not", "--branches", "--remotes", "--tags"]
    return git(args, cwd=tree.worktree, stdin=asked.encode()).decode("ascii").split()


def remove_worktree(tree: Repository, *, cwd: str) -> None:
    """Have git remove a linked work tree. git looks once more whether anything in it is not committed.

    Raises:
        GitError: git refused. Nothing was removed, unless its words say otherwise.
    """
    result = run_git(["worktree", "remove", "--", tree.worktree], cwd=cwd)
    if result.code:
        raise GitError(f"git worktree remove failed: {os.fsdecode(result.err).strip()}", hint="git says what is there")


def _names(args: list[str], tree: Repository) -> list[str]:
    return [os.fsdecode(name) for name in git(args, cwd=tree.worktree).split(b"\0") if name]
