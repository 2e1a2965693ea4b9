"""Who writes: the name of the file that a clone appends to on a branch, where each writer has a file of its own.

A name is minted for each branch of each clone, so that each appends to a file of its own. A branch
that was deleted and made again is another one: its first reflog entry tells them apart. A detached HEAD is another
one after every checkout. A clone that was moved or copied mints a new name; that costs a file and breaks nothing.
"""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.git.head import birth_of_branch, last_checkout, position_of
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.layout import PER_WRITER, SHARD_SUFFIX
from kitty_status.status.rows import is_safe_name
from kitty_status.tracker.slugs import as_file_name

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.jsonl.append import Place
    from kitty_status.tracker.features import Feature

_FOLDER = "writers"
_DETACHED = "detached"
_LONGEST_BRANCH = 40
# A branch has no reflog before its first commit, and an entry of this kind afterwards.
_UNBORN = "before the first commit"
_FIRST_COMMIT = "\tcommit (initial)"


def place_to_write(feature: Feature, layout: str) -> Place:
    """Return where the next line of a feature's log goes.

    `layout` counts for a log that is yet to be begun; any other keeps the one that it has.

    Raises:
        UnsafeLogError: the folder of the writers' files is a symbolic link.
        GitError: HEAD cannot be read.
        BusyError: another process was giving itself a name for too long.
        OSError: a writer's name could not be kept.
    """
    if (feature.log.layout or layout) != PER_WRITER:
        return feature.place
    feature.log.check_is_safe()
    return feature.place_of(feature.log.shards / f"{_writer(feature)}{SHARD_SUFFIX}")


def _writer(feature: Feature) -> str:
    repository = feature.repository
    folder = feature.state_folder / _FOLDER
    if repository is None:
        # Nothing is merged there.
        return _kept(folder / "local", _Line("local", str(feature.folder), ""))
    position = position_of(repository)
    if position.branch is None:
        # Each work tree has a HEAD of its own.
        name = f"{_DETACHED} {os.path.basename(repository.git_dir)}"  # noqa: PTH119  a path as text
        return _kept(folder / as_file_name(name), _Line(_DETACHED, repository.git_dir, last_checkout(repository)))
    birth = birth_of_branch(repository, position.branch) if position.commit else _UNBORN
    return _kept(folder / as_file_name(position.branch), _Line(position.branch, repository.common_dir, birth))


class _Line(NamedTuple):
    """The line of commits that a name is minted for; `birth` is "" where git has forgotten how it began."""

    branch: str
    clone: str
    birth: str

    @property
    def key(self) -> str:
        """What stays the same as long as it is this branch of this clone."""
        return json.dumps({"clone": self.clone, "branch": self.branch})

    def continues(self, begun: str) -> bool:
        """Say whether the branch that was minted for when it had begun so is this one, and no other of its name.

        Where git has forgotten when the branch began, it is taken for the one of before.
        """
        return self.birth in ("", begun) or (begun == _UNBORN and _FIRST_COMMIT in self.birth)


def _kept(file: Path, line: _Line) -> str:
    """Return the writer's name that is kept in a file, or a new one where it was minted for another line."""
    name = _read(file, line)
    if name:
        return name
    # Writers of two features hold two locks.
    with exclusive(file.parent.parent / "locks" / ".writers.lock"):
        name = _read(file, line)
        if not name:
            name = _minted(line.branch)
            file.parent.mkdir(parents=True, exist_ok=True)
            kept = {"writer": name, "for": line.key, "begun": line.birth}
            replace_file(file, json.dumps(kept).encode("ascii"))
    return name


def _read(file: Path, line: _Line) -> str:
    """Return the name that was minted for a line, "" where there is none."""
    try:
        kept = json.loads(file.read_bytes())
        name, minted_for, begun = str(kept["writer"]), kept["for"], kept["begun"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""
    is_own = is_safe_name(name) and minted_for == line.key and line.continues(begun)
    return name if is_own else ""


def _minted(branch: str) -> str:
    letters = "".join(char if char.isascii() and char.isalnum() else "-" for char in branch.lower())
    token = base64.b32encode(os.urandom(5)).decode("ascii").lower()
    return f"{letters[:_LONGEST_BRANCH].strip('-') or 'branch'}-{token}"
