"""What lies among the files of the writers that no snapshot can name: git's tree of the folder holds it, ours does not.

A snapshot names a divided log by the tree of its writers' files, as git holds it. With anything else in the folder git
holds another tree, and the merge of a snapshot finds none of the name: it then keeps one side.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from kitty_status.status import validation
from kitty_status.status.layout import SHARDS_FOLDER, is_shard_name
from kitty_status.status.validation import WARNING, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kitty_status.tracker.features import Feature

_UNFINISHED = ".tmp"


def foreign_files(feature: Feature) -> list[Finding]:
    """Return what in the folder of the writers' files is none of them, or is one that may be executed.

    Raises:
        OSError: the folder cannot be listed.
    """
    folder = feature.folder / SHARDS_FOLDER
    if feature.repository is None or folder.is_symlink() or not folder.is_dir():
        return []
    paths = sorted(folder.iterdir())
    if not any(is_shard_name(path.name) for path in paths):
        return []
    return [_finding(feature.relative(path), what, hint) for path in paths for what, hint in _oddities(path)]


def _oddities(path: Path) -> Iterator[tuple[str, str]]:
    if not is_shard_name(path.name):
        if not path.name.endswith(_UNFINISHED):
            yield "it is no writer's file", "move it out of the folder"
    elif path.is_file() and path.lstat().st_mode & stat.S_IXUSR:
        yield "a writer's file may be executed", "`chmod -x` takes that from it"


def _finding(path: str, what: str, hint: str) -> Finding:
    message = f"{what}, so git has no tree of the name that a snapshot gives this log"
    return Finding(validation.ODD_LOG_FOLDER, message, hint=hint, severity=WARNING, path=path)
