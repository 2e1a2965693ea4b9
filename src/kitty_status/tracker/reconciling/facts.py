"""What the commits of a work package, from all repositories, say about it: the facts, and the evidence for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.status.catching_up import Facts
from kitty_status.status.transitions import APPROVED_VERDICT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.tracker.reconciling.linking import LinkedCommit

MOST_FILES = 100
"""How many paths an entry of evidence names at most: a line of a log is read by everybody."""
_SHORT = 12
_MOST_NAMES = 3


class Work:
    """The commits of one work package, newest first.

    Those from before `since` (seconds) are what a reviewer or the holder sent back, and count for nothing
    but for what is still to be merged. `approval` is a review that the log holds already.
    """

    def __init__(
        self, commits: Sequence[LinkedCommit], *, since: float | None = None, approval: dict[str, Any] | None = None
    ) -> None:
        self._every = commits
        self.commits = [commit for commit in commits if since is None or commit.at > since]
        self._approval = approval

    def facts(self) -> Facts:
        """Return what follows from the commits."""
        left = [commit for commit in self._every if not commit.is_merged]
        unreviewed = [] if self._approval else [commit for commit in self.commits if commit.review is None]
        return Facts(
            has_work=bool(self.commits),
            is_merged=bool(self.commits) and not left,
            is_reviewed=bool(self.commits) and not unreviewed,
            not_merged=_says_open(left),
            not_reviewed=f"no Reviewed-by trailer by another than the author covers {_named(unreviewed)}"
            if unreviewed
            else "",
        )

    def evidence(self, *, approves: bool) -> dict[str, Any]:
        """Return the evidence for a move; with `approves` the review is part of it."""
        found: dict[str, Any] = {"repos": self.repositories()}
        review = self._review() if approves else None
        return {"review": review, **found} if review else found

    def repositories(self) -> list[dict[str, Any]]:
        """Return for each repository and branch the newest commit, and the files that all of them changed."""
        entries: dict[tuple[str, str], list[LinkedCommit]] = {}
        for commit in self.commits:
            entries.setdefault((commit.repo, commit.branch), []).append(commit)
        return [
            {
                "repo": repo,
                "branch": branch,
                "commit": commits[0].oid,
                "files_touched": sorted({path for commit in commits for path in commit.files})[:MOST_FILES],
            }
            for (repo, branch), commits in sorted(entries.items())
        ]

    def reason(self) -> str:
        """Return in words what the moves are made for."""
        return f"git shows {_named(self.commits)}"

    def _review(self) -> dict[str, Any] | None:
        if self._approval:
            return self._approval
        newest = next((commit.review for commit in self.commits if commit.review), None)
        if newest is None:
            return None
        return {"reviewer": newest.reviewer, "verdict": APPROVED_VERDICT, "reference": newest.reference}


def _says_open(left: Sequence[LinkedCommit]) -> str:
    if not left:
        return ""
    if not left[0].base:
        return f"{left[0].repo} has no base branch that says whether {_named(left)} is merged"
    branches = ", ".join(dict.fromkeys(f"{commit.branch} of {commit.repo}" for commit in left))
    return f"{_named(left)} on {branches} is not in {left[0].base}"


def _named(commits: Sequence[LinkedCommit]) -> str:
    names = ", ".join(commit.oid[:_SHORT] for commit in commits[:_MOST_NAMES])
    more = len(commits) - _MOST_NAMES
    return f"{'commit' if len(commits) == 1 else 'commits'} {names}{f' and {more} more' if more > 0 else ''}"
