"""Who writes: the name of the file that a clone appends to on a branch, where each writer has a file of its own.

A name is minted for each branch of each clone, so that no two branches ever append to the same file. A branch
that was deleted and made again is another one: its first reflog entry tells them apart. A clone that was moved or
copied mints a new name; that costs a file and breaks nothing.
"""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

from kitty_status.git.head import birth_of_branch, position_of
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.layout import PER_WRITER, SHARD_SUFFIX, is_shard_name
from kitty_status.tracker.slugs import as_file_name

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.jsonl.append import Place
    from kitty_status.tracker.features import Feature

_FOLDER = "writers"
_DETACHED = "detached"
_LONGEST_BRANCH = 40


def place_to_write(feature: Feature, layout: str) -> Place:
    """Return where the next line of a feature's log goes; the caller holds the lock.

    `layout` counts for a log that is yet to be begun; any other keeps the one that it has.

    Raises:
        GitError: HEAD cannot be read.
        OSError: a writer's name could not be kept.
    """
    if (feature.log.layout or layout) != PER_WRITER:
        return feature.place
    return feature.place_of(feature.log.shards / f"{_writer(feature)}{SHARD_SUFFIX}")


def _writer(feature: Feature) -> str:
    repository = feature.repository
    folder = feature.state_folder / _FOLDER
    if repository is None:
        # Nothing is merged there.
        return _kept(folder / "local", "local", str(feature.folder), "")
    branch = position_of(repository).branch
    if branch is None:
        # Each work tree has a HEAD of its own.
        name = f"{_DETACHED} {os.path.basename(repository.git_dir)}"  # noqa: PTH119  a path as text
        return _kept(folder / as_file_name(name), _DETACHED, repository.git_dir, "")
    return _kept(folder / as_file_name(branch), branch, repository.common_dir, birth_of_branch(repository, branch))


def _kept(file: Path, branch: str, clone: str, birth: str) -> str:
    """Return the writer's name that is kept in a file, or a new one where it was minted for another branch or clone.

    Where git has forgotten when the branch began, it is taken for the one of before.
    """
    wanted = json.dumps({"clone": clone, "branch": branch})
    try:
        kept = json.loads(file.read_bytes())
        name, minted_for, begun = str(kept["writer"]), kept["for"], kept["begun"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        name = minted_for = begun = ""
    if is_shard_name(f"{name}{SHARD_SUFFIX}") and minted_for == wanted and birth in ("", begun):
        return name
    letters = "".join(char if char.isascii() and char.isalnum() else "-" for char in branch.lower())
    token = base64.b32encode(os.urandom(5)).decode("ascii").lower()
    name = f"{letters[:_LONGEST_BRANCH].strip('-') or 'branch'}-{token}"
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, json.dumps({"writer": name, "for": wanted, "begun": birth}).encode("ascii"))
    return name
