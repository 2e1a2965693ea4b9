"""Which files a feature's log consists of, as they lie in a work tree. Light: the hooks use this.

Lines are read from all of them, whatever the configuration says: a merge with an older branch may bring back the
one file beside those of the writers.
"""

# ruff: noqa: PTH114, PTH118, PTH208

from __future__ import annotations

import os

from kitty_status.git.repository import read_file
from kitty_status.status.layout import (
    EVENTS_FILENAME,
    SHARDS_FOLDER,
    SHARED_SHARD,
    feature_folder_of,
    is_shard_name,
)


def log_files_in(folder: str) -> list[str]:
    """Return the log files of the feature in `folder`: the one file if it is there, then the writers' by name."""
    single = os.path.join(folder, EVENTS_FILENAME)
    shards = os.path.join(folder, SHARDS_FOLDER)
    # In this order: whoever puts the writers' lines into the one file writes that before any of theirs goes.
    names = shards_in(shards)
    return ([single] if os.path.lexists(single) else []) + [os.path.join(shards, name) for name in names]


def shards_in(folder: str) -> list[str]:
    """Return the names of the writers' files in a folder of them, sorted; none where there is no such folder.

    What a symbolic link leads to may lie outside the repository, and git does not look there either.
    """
    if os.path.islink(folder):
        return []
    try:
        return sorted(filter(is_shard_name, os.listdir(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return []


def lines_in(worktree: str, folder: str) -> bytes:
    """Return the lines of all log files of a feature, whose folder is given from the top of a work tree.

    What cannot be read counts as absent.
    """
    parts = []
    for path in log_files_in(os.path.join(worktree, folder)):
        try:
            data = read_file(path)
        except OSError:
            continue
        parts.append(data if data.endswith(b"\n") or not data else data + b"\n")
    return b"".join(parts)


def file_to_restore_to(worktree: str, log: str) -> str:
    """Return the log file that a line which stood in `log` belongs into now; both are paths from the top.

    It is the same one, unless the log has been given the other layout since.
    """
    if os.path.lexists(os.path.join(worktree, log)):
        return log
    folder = feature_folder_of(log) or ""
    above = f"{folder}/" if folder else ""
    is_single = log == f"{above}{EVENTS_FILENAME}"
    has_shards = bool(shards_in(os.path.join(worktree, folder, SHARDS_FOLDER)))
    if is_single and has_shards:
        return f"{above}{SHARDS_FOLDER}/{SHARED_SHARD}"
    if not is_single and not has_shards and os.path.lexists(os.path.join(worktree, above + EVENTS_FILENAME)):
        return above + EVENTS_FILENAME
    return log
