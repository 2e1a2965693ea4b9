"""The features that a command's arguments name, by slug or by path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import NotFoundError, UsageError
from kitty_status.status.layout import EVENTS_FILENAME, SHARDS_FOLDER, SNAPSHOT_FILENAME, feature_folder_of
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.slugs import check_name

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature, Project

FILENAMES = (EVENTS_FILENAME, SHARDS_FOLDER, SNAPSHOT_FILENAME)


def features_of(project: Project, targets: list[str], *, every: bool, may_be_lost: bool = False) -> list[Feature]:
    """Return the features that `targets` mean; all with `every`, and without either the one around.

    With `may_be_lost` a path may also be one where a log has been.

    Raises:
        UsageError, NotFoundError: a target cannot be understood, or there is no such feature.
    """
    if every and targets:
        raise UsageError("--all and names exclude each other", hint="leave one of them out")
    if every:
        return project.features(unsafe_names=True, archived=True)
    if not targets:
        return [project.feature(None)]
    return [_feature(project, target, may_be_lost=may_be_lost) for target in targets]


def _feature(project: Project, target: str, *, may_be_lost: bool) -> Feature:
    is_path = os.sep in target or "/" in target or target in (".", *FILENAMES)
    if not is_path:
        return project.feature(target)
    path = Path(target)
    folder = Path(feature_folder_of(path.as_posix()) or ".") if _is_log(path) else path
    folder = folder.parent if folder.name in (SNAPSHOT_FILENAME, SHARDS_FOLDER) else folder
    is_there = any((folder / name).exists() or (folder / name).is_symlink() for name in FILENAMES)
    if not is_there and not may_be_lost:
        raise NotFoundError(
            f"there is no log and no snapshot at {path}", hint="name a feature's folder, log or snapshot"
        )
    feature = feature_at(folder)
    check_name(feature.slug, "a feature")
    return feature


def _is_log(path: Path) -> bool:
    return feature_folder_of(path.as_posix()) is not None
