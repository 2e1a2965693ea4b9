"""Which commit brought each line of a log: one walk through history for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.git.history import History
from kitty_status.git.log_paths import feature_of
from kitty_status.git.revisions import find_revision
from kitty_status.status.merging import common_part, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.git.history import Step


def blame(path: str, lines: Iterable[bytes], *, cwd: str) -> dict[bytes, str]:
    """Return the commit that brought each of these lines (LF included) of a log into the history of HEAD.

    `path` is a log file, or the folder of shards; all log files of its feature are looked at.

    * that is the commit in which the line stands while none of its ancestors has it; where several
      branches brought the same line, as after a cherry-pick, it is one of theirs
    * the log is followed to where it was before it moved there
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
    features = _followed(feature_of(path), steps)
    first: dict[str, tuple[str, str]] = {}
    for step in steps:
        for change in step.changes:
            if feature_of(change.path) in features and not change.is_deleted:
                first.setdefault(change.new, (step.commit, change.path))
    before: dict[str, bytes] = {}
    for oid, data in history.blobs(first):
        if data is None:
            continue
        commit, at = first[oid]
        # What a version has in common with the one before it has been looked at.
        known = common_part(before.get(at, b""), data)
        before[at] = data
        found = wanted.intersection(split_lines(data[known:]))
        wanted -= found
        brought.update(dict.fromkeys(found, commit))
        if not wanted:
            break
    return brought


def _followed(feature: str, steps: Sequence[Step]) -> set[str]:
    """Return the folder and those from which its log may have come there; the steps are the oldest first."""
    features = {feature}
    for step in reversed(steps):
        if any(change.is_added and feature_of(change.path) in features for change in step.changes):
            features.update(feature_of(change.path) for change in step.changes if change.is_deleted)
    return features
