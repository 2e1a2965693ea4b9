"""What the merged log says about the generated parts of a view, as far as that is known while git merges.

git merges views before the log, as it does snapshots, and the log lies in other files. But which commits are merged is
known: `git merge` names them in the environment, and from 2.44 on git names the commit that it picks in the
labels. Each commit's snapshot names its log, and of these logs the snapshot driver makes the merged one.
"""

# ruff: noqa: PTH123  the process has no time for pathlib

from __future__ import annotations

import os

from kitty_status.errors import GitError
from kitty_status.git.run import read_blobs
from kitty_status.git.shard_merging import CannotMergeError
from kitty_status.git.snapshot_driver import merge_snapshots
from kitty_status.git.view_settings import views_are_written
from kitty_status.status.layout import SNAPSHOT_FILENAME
from kitty_status.status.snapshot import parse
from kitty_status.status.view_paths import view_at
from kitty_status.status.view_section import section_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kitty_status.status.snapshot import Snapshot

_GITHEAD = "GITHEAD_"
_PARENT = "parent of "
_HEX = frozenset("0123456789abcdef")
_SHORTEST_ID = 4
UNKNOWN = ("", "")


class Facts:
    """The section and the lane that a merged view is to have, empty where that is not known.

    `is_generated` says whether the lane is what a log says, and not what a person has written there.
    """

    __slots__ = ("is_generated", "lane", "section")

    def __init__(self, *, section: bytes = b"", lane: bytes = b"", is_generated: bool = True) -> None:
        self.section = section
        self.lane = lane
        self.is_generated = is_generated


def commits_merged(base_label: str, their_label: str) -> tuple[str, str]:
    """Return the names of the commits that are the base and theirs, empty where they are not known or not needed.

    The labels are git's for both, empty where it has told none.
    """
    heads = [name.removeprefix(_GITHEAD) for name in os.environ if name.startswith(_GITHEAD)]
    if heads:
        # The base of a merge of branches does not matter.
        return "", heads[0] if len(heads) == 1 else ""
    base, theirs = _commit_in(base_label), _commit_in(their_label)
    return (base, theirs) if base and theirs else UNKNOWN


def facts_about(path: str, commits: tuple[str, str]) -> Facts | None:
    """Return what is known about a file at a path from the top of the work tree; None if nothing in it is generated.

    The commits are the base and theirs, as `commits_merged` has found them; ours is HEAD.

    Raises:
        GitError: git failed.
    """
    view = view_at(path)
    if view is None or not views_are_written(view[0] or os.curdir):
        return None
    folder, wp_id = view
    snapshots = _snapshots_of(folder, commits)
    merged = _merged(snapshots)
    if merged is None:
        return Facts(is_generated=wp_id in _work_packages(snapshots[1] or _in_work_tree(folder)))
    if wp_id is None:
        return Facts(section="\n".join(section_lines(merged)).encode() if merged.work_packages else b"")
    state = merged.work_packages.get(wp_id)
    return Facts(lane=state["lane"].encode("ascii"), is_generated=True) if state else Facts(is_generated=False)


def _commit_in(label: str) -> str:
    """Return the commit that a label like `5ba4b7d (what was done)` or `parent of 5ba4b7d (…)` names."""
    oid, parenthesis, _ = label.removeprefix(_PARENT).partition(" (")
    if not parenthesis or len(oid) < _SHORTEST_ID or not _HEX.issuperset(oid):
        return ""
    return f"{oid}^" if label.startswith(_PARENT) else oid


def _snapshots_of(folder: str, commits: tuple[str, str]) -> tuple[bytes, bytes, bytes]:
    """Return the snapshots of a feature in the base, in ours and in theirs, empty where there is none."""
    path = f"{folder}/{SNAPSHOT_FILENAME}" if folder else SNAPSHOT_FILENAME
    base, theirs = commits
    wanted = [f"{commit}:{path}" for commit in (base, "HEAD", theirs) if commit]
    # Of a merge that is picked or reverted, nothing says against which of its parents.
    other_parent = f"{min(base, theirs, key=len)}^2:{path}" if base else ""
    wanted += [other_parent] if base else []
    try:
        found = dict(zip(wanted, read_blobs(wanted, cwd=os.curdir, inherit_repository=True), strict=True))
    except ValueError:
        # Its path has a line break.
        found = {}
    if found.get(other_parent):
        theirs = ""
    contents = [found.get(f"{commit}:{path}") for commit in (base, "HEAD", theirs)]
    data = [content[1] if content else b"" for content in contents]
    return data[0], data[1], data[2]


def _merged(snapshots: tuple[bytes, bytes, bytes]) -> Snapshot | None:
    base, ours, theirs = snapshots
    if not ours or not theirs:
        return None
    try:
        return merge_snapshots(base, ours, theirs)[0]
    except (CannotMergeError, GitError):
        return None


def _work_packages(snapshot: bytes) -> dict[str, Any]:
    try:
        found = parse(snapshot).get("work_packages")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _in_work_tree(folder: str) -> bytes:
    """Return the snapshot as it lies there: it may not be committed at all."""
    try:
        with open(f"{folder or os.curdir}/{SNAPSHOT_FILENAME}", "rb") as file:
            return file.read()
    except OSError:
        return b""
