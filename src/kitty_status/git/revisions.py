"""Commits by the names that people give them: a revision, a date, an abbreviation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import NotFoundError
from kitty_status.git.bare import is_receiving
from kitty_status.git.run import git, run_git

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIELDS = "%H%x00%h%x00%an%x00%ae%x00%aI%x00%cI"


class Commit(NamedTuple):
    """Who made a commit and when; the dates are ISO 8601 instants."""

    oid: str
    short: str
    author: str
    email: str
    authored_at: str
    committed_at: str

    def to_dict(self) -> dict[str, str]:
        """Return the commit in plain JSON types."""
        return {
            "commit": self.oid,
            "author": self.author,
            "email": self.email,
            "date": self.authored_at,
        }


def resolve(revision: str, *, cwd: str) -> str:
    """Return the id of the commit that a revision means, a tag's target among them.

    Raises:
        NotFoundError: git knows no such commit here.
    """
    found = find_revision(revision, cwd=cwd)
    if found is None:
        raise NotFoundError(
            f"there is no commit {revision} in this clone",
            hint="name a commit, a branch or a tag; `git fetch` brings what a remote has",
        )
    return found


def find_revision(revision: str, *, cwd: str) -> str | None:
    """Return the id of the commit that a revision means, None where git knows none."""
    if not revision or revision.startswith("-"):
        return None
    args = ["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    result = run_git(args, cwd=cwd, inherit_repository=is_receiving(cwd))
    return None if result.code else result.out.decode("ascii").strip()


def newest_until(epoch: int, *, cwd: str) -> str | None:
    """Return the newest commit of HEAD's own line (first parents) that was committed by that second, or None."""
    if epoch < 0:
        return None  # git's commits have no such dates, and it would not understand the number
    out = git(["rev-list", "--first-parent", f"--min-age={epoch}", "--max-count=1", "HEAD", "--"], cwd=cwd)
    return out.decode("ascii").strip() or None


def merge_base(one: str, other: str, *, cwd: str) -> str:
    """Return a newest common ancestor of two commits.

    Raises:
        NotFoundError: they have none.
    """
    result = run_git(["merge-base", one, other], cwd=cwd)
    if result.code:
        raise NotFoundError(f"{one} and {other} have no common history", hint="name the two with `..` between them")
    return result.out.decode("ascii").strip()


def shallow_edge(common_dir: str) -> set[str]:
    """Return the commits behind which a shallow clone has no history; none in a whole one."""
    try:
        return set(Path(common_dir, "shallow").read_text(encoding="ascii").split())
    except FileNotFoundError:
        return set()


def describe(oids: Iterable[str], *, cwd: str) -> dict[str, Commit]:
    """Return who made each of these commits and when.

    Raises:
        GitError: git does not know one of them.
    """
    wanted = "".join(f"{oid}\n" for oid in dict.fromkeys(oids))
    if not wanted:
        return {}
    options = ["--no-walk=unsorted", "--no-show-signature", "--no-color", "--encoding=UTF-8", "--stdin"]
    args = ["log", *options, f"--format=tformat:{_FIELDS}"]
    out = git(args, cwd=cwd, stdin=wanted.encode("ascii"), inherit_repository=is_receiving(cwd))
    lines = out.decode("utf-8", "replace").split("\n")
    commits = (Commit(*line.split("\0")) for line in lines if line)
    return {commit.oid: commit for commit in commits}
