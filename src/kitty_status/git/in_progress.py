"""What git is in the middle of bringing into a work tree: a merge, a cherry-pick, a rebase.

The commit hook uses this, and git waits for it: nothing beyond `os` is loaded.
"""

# ruff: noqa: PTH110, PTH118, PTH123

from __future__ import annotations

import os


class Incoming:
    """The commits that the next commit has to hold the lines of.

    Of those in `branches` all lines, of those in `commits` only what each adds to its parent: picking a
    commit does not bring along those before it.
    """

    __slots__ = ("branches", "commits")

    def __init__(self, branches: list[str], commits: list[str]) -> None:
        self.branches = branches
        self.commits = commits


def squashed(git_dir: str) -> list[str]:
    """Return the commit whose branch `git merge --squash` has brought without noting it as a merge, if it has."""
    try:
        with open(os.path.join(git_dir, "SQUASH_MSG"), encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        return []
    # git lists what it brought, the newest first.
    return [line.removeprefix("commit ").strip() for line in lines if line.startswith("commit ")][:1]


def incoming(git_dir: str) -> Incoming:
    """Return what is being merged and picked in the work tree whose git folder this is.

    Raises:
        OSError: git's note of what is being merged cannot be read.
    """

    def is_there(name: str) -> bool:
        return os.path.exists(os.path.join(git_dir, name))

    branches = []
    if is_there("MERGE_HEAD"):
        with open(os.path.join(git_dir, "MERGE_HEAD"), encoding="ascii") as file:
            # An octopus merge names several; git calls the first one MERGE_HEAD.
            branches = ["MERGE_HEAD", *file.read().split()[1:]]
    commits = ["CHERRY_PICK_HEAD"] if is_there("CHERRY_PICK_HEAD") else []
    if is_there("REBASE_HEAD") and (is_there("rebase-merge") or is_there("rebase-apply")):
        commits.append("REBASE_HEAD")
    return Incoming(branches, commits)
