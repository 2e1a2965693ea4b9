"""Which paths of a repository are log files and snapshots of features: one place for every pattern.

Hooks and drivers use this: nothing that needs `re` or `pathlib` is loaded.
"""

from __future__ import annotations

from kitty_status.status.layout import (
    EVENTS_FILENAME,
    SHARD_SUFFIX,
    SHARDS_FOLDER,
    SNAPSHOT_FILENAME,
    feature_folder_of,
)

_FEATURES = "kitty-specs"

# Patterns as `.gitattributes` has them.
LOG_PATTERNS = (f"**/{_FEATURES}/**/{EVENTS_FILENAME}", f"**/{_FEATURES}/**/{SHARDS_FOLDER}/*{SHARD_SUFFIX}")
SNAPSHOT_PATTERN = f"**/{_FEATURES}/**/{SNAPSHOT_FILENAME}"

# The same for git's commands, from the top of the work tree.
LOG_PATHSPECS = tuple(f":(top,glob){pattern}" for pattern in LOG_PATTERNS)
SNAPSHOT_PATHSPEC = f":(top,glob){SNAPSHOT_PATTERN}"
# The journal keeps the logs of library callers too, wherever their folders lie.
ANY_LOG_PATHSPECS = (f":(top,glob)**/{EVENTS_FILENAME}", f":(top,glob)**/{SHARDS_FOLDER}/*{SHARD_SUFFIX}")


def is_log_path(path: str) -> bool:
    """Say whether a path from the top of a repository is that of a log file of a feature."""
    return feature_folder_of(path) is not None and f"/{_FEATURES}/" in f"/{path}"
