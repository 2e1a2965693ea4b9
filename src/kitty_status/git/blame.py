"""Which commit brought each line of a log: one walk through history for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.git.history import History
from kitty_status.git.revisions import find_revision
from kitty_status.status.merging import common_part, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.git.history import Step


def blame(path: str, lines: Iterable[bytes], *, cwd: str) -> dict[bytes, str]:
    """Return the commit that brought each of these lines (LF included) into the history of HEAD.

    * that is the commit in which the line stands while none of its ancestors has it; where several
      branches brought the same line, as after a cherry-pick, it is one of theirs
    * the log is followed to where it was before it moved to `path`
    * a line that is not in the result has not been committed

    Raises:
        GitError: git failed.
    """
    wanted = set(lines)
    brought: dict[bytes, str] = {}
    if not wanted or find_revision("HEAD", cwd=cwd) is None:
        return brought
    history = History(cwd)
    steps = history.steps(history.commits(["HEAD"], parents_first=True))
    paths = _followed(path, steps)
    first: dict[str, str] = {}
    for step in steps:
        for change in step.changes:
            if change.path in paths and not change.is_deleted:
                first.setdefault(change.new, step.commit)
    before = b""
    for oid, data in history.blobs(first):
        if data is None:
            continue
        # What a version has in common with the one before it has been looked at.
        known = common_part(before, data)
        before = data
        found = wanted.intersection(split_lines(data[known:]))
        wanted -= found
        brought.update(dict.fromkeys(found, first[oid]))
        if not wanted:
            break
    return brought


def _followed(path: str, steps: Sequence[Step]) -> set[str]:
    """Return the path and those from which a log may have come to it; the steps are the oldest first."""
    paths = {path}
    for step in reversed(steps):
        if any(change.path in paths and change.is_added for change in step.changes):
            paths.update(change.path for change in step.changes if change.is_deleted)
    return paths
