"""Which branches a clone has and where they stand, read from git's own files so that a claim need not start git."""

# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os

from kitty_status.git.head import commit_of, uses_tables
from kitty_status.git.run import git, run_git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kitty_status.git.repository import Repository

LOCAL = "refs/heads/"
REMOTE = "refs/remotes/"
_MAIN = ("main", "master")
_OID = frozenset("0123456789abcdef")


def branches(repository: Repository, kind: str = LOCAL) -> dict[str, str]:
    """Return each branch by its short name, with the commit that it stands at.

    One without a commit, or whose file is broken, is left out.

    Raises:
        GitError: references are kept in tables, and git could not be asked.
    """
    if uses_tables(repository):
        listed = git(["for-each-ref", "--format=%(objectname) %(refname)", kind], cwd=repository.worktree)
        pairs = [line.partition(" ") for line in os.fsdecode(listed).split("\n") if line]
        return {name.removeprefix(kind): oid for oid, _, name in pairs}
    # Loose ones first: git packs a reference before it removes the file, so none is missed in between.
    loose = _loose(repository, kind)
    found = {**_packed(repository, kind), **{name: commit_of(repository, kind + name) for name in loose}}
    return {name: commit for name, commit in sorted(found.items()) if commit and _OID.issuperset(commit)}


def main_branch(repository: Repository, known: dict[str, str]) -> str | None:
    """Return the local branch that others are merged into, as far as the clone shows; None where nothing says so.

    That is the one that `origin/HEAD` names, else `main`, else `master`, among the `known` branches.

    Raises:
        GitError: git could not be started.
    """
    asked = run_git(["symbolic-ref", "--quiet", f"{REMOTE}origin/HEAD"], cwd=repository.worktree)
    named = os.fsdecode(asked.out).strip().removeprefix(f"{REMOTE}origin/")
    return next((name for name in (named, *_MAIN) if name in known), None)


def _loose(repository: Repository, kind: str) -> list[str]:
    top = os.path.join(repository.common_dir, *kind.rstrip("/").split("/"))
    found = []
    for folder, _, names in os.walk(top):
        below = os.path.relpath(folder, top).replace(os.sep, "/")
        prefix = "" if below == "." else f"{below}/"
        found += [prefix + name for name in names if not name.endswith(".lock")]
    return found


def _packed(repository: Repository, kind: str) -> dict[str, str | None]:
    try:
        with open(os.path.join(repository.common_dir, "packed-refs"), "rb") as file:
            lines = os.fsdecode(file.read()).split("\n")
    except FileNotFoundError:
        return {}
    pairs = [line.partition(" ") for line in lines if not line.startswith(("#", "^"))]
    return {name.removeprefix(kind): oid for oid, _, name in pairs if name.startswith(kind)}
