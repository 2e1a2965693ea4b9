"""Views that git could not merge, as in a clone without the tool: which of them conflict in generated parts alone.

Those need no person. git merges their text once the generated parts are the same on both sides; which they then have to
be, the log says, so they are written like any other view.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import ConfigurationError
from kitty_status.git.run import git, read_blobs, run_git
from kitty_status.jsonl.codec import CONFLICT_MARKERS, decode
from kitty_status.jsonl.reading import read_bytes
from kitty_status.status.layout import OVERVIEW_FILENAME, TASKS_FOLDER
from kitty_status.status.record import events_of
from kitty_status.status.view_merging import alike
from kitty_status.status.view_paths import view_at
from kitty_status.status.view_text import with_generated_parts_of
from kitty_status.tracker.config import load_config
from kitty_status.tracker.views.changes import differs_in_views_alone
from kitty_status.tracker.views.views import are_written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kitty_status.git.repository import Repository
    from kitty_status.status.view_merging import Versions
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.views.views import View

_BASE, _OURS, _THEIRS = 1, 2, 3


class ConflictedView(NamedTuple):
    """A view that git could not merge: what the file holds, and what it is to hold before its generated parts are made.

    `merged` is None where a person has to decide, and `why` says what.
    """

    path: str
    original: bytes | None
    merged: bytes | None
    why: str = ""


def conflicted_views(feature: Feature, repository: Repository, logs: Iterable[bytes]) -> list[ConflictedView]:
    """Return the views of a feature that git could not merge; `logs` are its log files as they will be.

    Raises:
        GitError: git could not be asked. OSError, UnsafeLogError: a file could not be read.
    """
    stages = _unmerged(feature, repository)
    try:
        if not stages or not are_written(feature, load_config(feature.root)):
            return []
    except ConfigurationError:
        return []
    known = {event.wp_id for log in logs for event in events_of(log.split(b"\n"), decode, _pass_over)}
    return [_looked_at(feature, repository, path, oids, known) for path, oids in stages.items()]


def written_beside(feature: Feature, views: Iterable[View], unmerged: Collection[str]) -> list[str]:
    """Return which other views were written anew, and differ in nothing else from what is staged of them.

    Raises:
        GitError: git could not be asked.
    """
    if feature.repository is None:
        return []
    written = [view for view in views if view.written and view.where not in unmerged]
    staged = read_blobs([f":{view.where}" for view in written], cwd=feature.repository.worktree) if written else []
    return [
        view.where
        for view, blob in zip(written, staged, strict=True)
        if blob is not None and differs_in_views_alone(view, blob[1])
    ]


def _pass_over(_number: int, _line: bytes, _why: str, _is_json: bool) -> None:
    """Two contents of one id are left in a log, and nothing worse."""


def _unmerged(feature: Feature, repository: Repository) -> dict[str, dict[int, str]]:
    """Return {path: {stage: blob id}} of the views that git could not merge."""
    folder = feature.relative(feature.folder)
    own = [f":(top,literal){folder}/{name}" for name in (OVERVIEW_FILENAME, TASKS_FOLDER)]
    listed = git(["ls-files", "--unmerged", "-z", "--full-name", "--", *own], cwd=repository.worktree)
    found: dict[str, dict[int, str]] = {}
    for entry in os.fsdecode(listed).split("\0")[:-1]:
        meta, _, path = entry.partition("\t")
        _, oid, stage = meta.split(" ")
        view = view_at(path)
        if view is not None and view[0] == folder:
            found.setdefault(path, {})[int(stage)] = oid
    return found


def _looked_at(
    feature: Feature, repository: Repository, path: str, oids: dict[int, str], known: set[str]
) -> ConflictedView:
    original = read_bytes(feature.root / path)
    if original is None or _OURS not in oids or _THEIRS not in oids:
        return ConflictedView(path, original, None, "one side has taken the file away: `git add` or `git rm` decides")
    blobs = read_blobs([oids[stage] for stage in sorted(oids)], cwd=repository.worktree)
    contents = {stage: blob[1] for stage, blob in zip(sorted(oids), blobs, strict=True) if blob}
    versions = (contents.get(_BASE, b""), contents.get(_OURS, b""), contents.get(_THEIRS, b""))
    wp_id = (view_at(path) or ("", None))[1]
    merged = _merged(alike(versions, is_generated=wp_id is None or wp_id in known))
    if merged is None:
        return ConflictedView(path, original, None, "people's text conflicts: edit it, then `git add` the file")
    if not any(line.startswith(CONFLICT_MARKERS) for line in original.splitlines()):
        return _settled(path, original, merged)
    lines = {line for version in versions for line in version.splitlines()}
    if any(line not in lines and not line.startswith(CONFLICT_MARKERS) for line in original.splitlines()):
        return ConflictedView(path, original, None, "it has been edited: take the markers out, then `git add` the file")
    return ConflictedView(path, original, merged)


def _settled(path: str, original: bytes, merged: bytes) -> ConflictedView:
    """Return a view whose markers are gone already, as `materialize` or a person has taken them out."""
    try:
        is_settled = with_generated_parts_of(original, merged) == merged
    except ValueError:
        is_settled = False
    if is_settled:
        return ConflictedView(path, original, original)
    return ConflictedView(path, original, None, "its markers are gone: look at it, then `git add` the file")


def _merged(versions: Versions) -> bytes | None:
    """Return what git makes of three versions, None where they conflict."""
    with tempfile.TemporaryDirectory(prefix="kitty-status-", ignore_cleanup_errors=True) as folder:
        for name, version in zip(("base", "ours", "theirs"), versions, strict=True):
            Path(folder, name).write_bytes(version)
        done = run_git(["merge-file", "-p", "-q", "ours", "base", "theirs"], cwd=folder)
    return None if done.code else done.out
