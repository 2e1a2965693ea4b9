"""Which paths of a repository are log files, snapshots and views of features: one place for every pattern.

Hooks and drivers use this: nothing that needs `re` or `pathlib` is loaded.
"""

from __future__ import annotations

from kitty_status.status.layout import (
    EVENTS_FILENAME,
    OVERVIEW_FILENAME,
    SHARD_SUFFIX,
    SHARDS_FOLDER,
    SHARED_SHARD,
    SNAPSHOT_FILENAME,
    TASKS_FOLDER,
    feature_folder_of,
    folder_of_view,
)

_FEATURES = "kitty-specs"

# Patterns as `.gitattributes` has them.
LOG_PATTERNS = (f"**/{_FEATURES}/**/{EVENTS_FILENAME}", f"**/{_FEATURES}/**/{SHARDS_FOLDER}/*{SHARD_SUFFIX}")
SNAPSHOT_PATTERN = f"**/{_FEATURES}/**/{SNAPSHOT_FILENAME}"
# The overview of a feature's work packages, and their files, however the letters of WP are written.
VIEW_PATTERNS = (
    f"**/{_FEATURES}/**/{OVERVIEW_FILENAME}",
    f"**/{_FEATURES}/**/{TASKS_FOLDER}/[Ww][Pp]*.md",
)

# The same for git's commands, from the top of the work tree.
LOG_PATHSPECS = tuple(f":(top,glob){pattern}" for pattern in LOG_PATTERNS)
SNAPSHOT_PATHSPEC = f":(top,glob){SNAPSHOT_PATTERN}"
STATUS_PATHSPECS = (*LOG_PATHSPECS, SNAPSHOT_PATHSPEC)
VIEW_PATHSPECS = tuple(f":(top,glob){pattern}" for pattern in VIEW_PATTERNS)
# The journal keeps the logs of library callers too, wherever their folders lie.
ANY_LOG_PATHSPECS = (f":(top,glob)**/{EVENTS_FILENAME}", f":(top,glob)**/{SHARDS_FOLDER}/*{SHARD_SUFFIX}")


def is_log_path(path: str) -> bool:
    """Say whether a path from the top of a repository is that of a log file of a feature."""
    return feature_folder_of(path) is not None and f"/{_FEATURES}/" in f"/{path}"


def feature_of(path: str) -> str:
    """Return the folder of the feature that a log file, a shards folder, a snapshot or a view is part of."""
    folder = feature_folder_of(path)
    if folder is None:
        folder = feature_folder_of(f"{path}/{SHARED_SHARD}")
    if folder is None:
        folder = folder_of_view(path)
    return path.rpartition("/")[0] if folder is None else folder


def log_pathspecs_in(folder: str) -> list[str]:
    """Return pathspecs for all log files of the feature in a folder, and for nothing of another feature."""
    above = f"{folder}/" if folder else ""
    return [f":(top,literal){above}{name}" for name in (EVENTS_FILENAME, SHARDS_FOLDER)]
