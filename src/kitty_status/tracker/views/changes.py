"""Which views differ from what HEAD has of their files: by what was generated alone, or by what a person wrote, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import KittyStatusError
from kitty_status.git.folders import changed_files
from kitty_status.git.run import read_blobs
from kitty_status.status.layout import OVERVIEW_FILENAME, TASKS_FOLDER
from kitty_status.tracker.views.materialize import reduce_with_oid
from kitty_status.tracker.views.views import look_at_views

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.views.views import View


class ChangedViews(NamedTuple):
    """Paths from the top of the work tree: of files that differ in their views alone, and of those that do not."""

    generated: list[str]
    edited: list[str]


def changed_views(feature: Feature, config: Config) -> ChangedViews:
    """Return which views have uncommitted changes. A new file is a person's, and a view that has drifted as well.

    Raises:
        GitError: git could not be asked.
    """
    found = ChangedViews([], [])
    if feature.repository is None:
        return found
    try:
        views, _ = look_at_views(feature, config, reduce_with_oid(feature, config)[0])
    except (KittyStatusError, OSError):
        # What the log says is not known, so neither is which views are as they should be.
        return found
    folder = feature.relative(feature.folder)
    places = [f"{folder}/{TASKS_FOLDER}", f"{folder}/{OVERVIEW_FILENAME}"]
    changed = changed_files(feature.repository, *places, untracked=True) if views else []
    views = [view for view in views if view.where in changed]
    blobs = read_blobs([f"HEAD:{view.where}" for view in views], cwd=feature.repository.worktree) if views else []
    for view, blob in zip(views, blobs, strict=True):
        is_generated = blob is not None and not view.drifted and differs_in_views_alone(view, blob[1])
        (found.generated if is_generated else found.edited).append(view.where)
    return found


def made_since_head(feature: Feature, views: Iterable[View]) -> list[str]:
    """Return which of the views that say what the log says differ from HEAD in nothing else, as `--commit` takes them.

    Cheaper than `changed_views`: the log is not read again, and no other file is looked at.

    Raises:
        GitError: git could not be asked.
    """
    current = [view for view in views if view.written or not view.drifted]
    if feature.repository is None or not current:
        return []
    blobs = read_blobs([f"HEAD:{view.where}" for view in current], cwd=feature.repository.worktree)
    return [
        view.where
        for view, blob in zip(current, blobs, strict=True)
        if blob is not None and blob[1] != view.wanted and differs_in_views_alone(view, blob[1])
    ]


def differs_in_views_alone(view: View, committed: bytes) -> bool:
    """Say whether a version of the file that git keeps differs from the view's file in nothing but its views."""
    # git may have been told to check files out with other line ends than it keeps.
    versions = [committed, committed.replace(b"\n", b"\r\n")] if b"\r\n" in view.existing else [committed]
    return any(view.is_this_but_for_views(version) for version in versions)
