"""Where log, snapshot and views lie in a feature's folder; the log in one file, or in one file for each writer.

Both layouts hold the same lines and reduce to the same snapshot. One file for each writer never conflicts
where logs are merged without our driver, as hosts do it, because each branch appends to a file of its own.
Paths are strings with `/`, as git writes them.
"""

from __future__ import annotations

EVENTS_FILENAME = "status.events.jsonl"
SNAPSHOT_FILENAME = "status.json"
SHARDS_FOLDER = "status.events.d"
SHARD_SUFFIX = ".jsonl"
# What stood in the one file before the log was divided: its writers are not told apart any more.
SHARED_SHARD = f"shared{SHARD_SUFFIX}"
# Keeps the folder in git once its shards are in one file again; else git takes the folder for renamed, and puts
# the shards that another branch brings where nobody looks for them.
SHARDS_PLACEHOLDER = ".keep"

# Views: people's Markdown with generated parts, an overview and a file for each work package.
OVERVIEW_FILENAME = "tasks.md"
TASKS_FOLDER = "tasks"
WORK_PACKAGE_SUFFIX = ".md"

SINGLE = "single"
PER_WRITER = "per-writer"
LAYOUTS = (SINGLE, PER_WRITER)


def feature_folder_of(path: str) -> str | None:
    """Return the folder of the feature that a path is a log file of, "" for the top; None where it is no log file."""
    folder, _, name = path.rpartition("/")
    if name == EVENTS_FILENAME:
        return folder
    above, _, last = folder.rpartition("/")
    return above if last == SHARDS_FOLDER and is_shard_name(name) else None


def folder_of_view(path: str) -> str | None:
    """Return the folder of the feature that an overview, or a file among those of work packages, is part of."""
    folder, _, name = path.rpartition("/")
    if name == OVERVIEW_FILENAME:
        return folder
    above, _, last = folder.rpartition("/")
    return above if last == TASKS_FOLDER and name.endswith(WORK_PACKAGE_SUFFIX) else None


def is_shard_name(name: str) -> bool:
    """Say whether a file of this name in the shards folder holds lines; others there are left alone."""
    return name.endswith(SHARD_SUFFIX) and not name.startswith(".")
