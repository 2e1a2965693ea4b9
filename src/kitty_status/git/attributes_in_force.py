"""Which attributes git goes by: the block of ours may stand above a line that overrides it, or in no file at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.git.run import git

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.git.repository import Repository

ATTRIBUTES_FILE = ".gitattributes"
_ATTRIBUTES = ("merge", "text")


def attributes_of(cwd: str, paths: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return {path: {"merge": …, "text": …}} as git sees it in the work tree at `cwd`; paths are from its top.

    Raises:
        GitError: git failed.
    """
    asked = "".join(f"{path}\0" for path in paths)
    out = git(["check-attr", "--stdin", "-z", *_ATTRIBUTES], cwd=cwd, stdin=os.fsencode(asked))
    fields = os.fsdecode(out).split("\0")[:-1]
    found: dict[str, dict[str, str]] = {path: {} for path in paths}
    for path, attribute, value in zip(fields[0::3], fields[1::3], fields[2::3], strict=True):
        found[path][attribute] = value
    return found


def travelling_attributes_of(repository: Repository, paths: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what `attributes_of` would in a clone without anything of its own: by the `.gitattributes` files alone.

    Raises:
        GitError: git failed.
        OSError: a file could not be read, or the temporary folder not be written to.
    """
    with tempfile.TemporaryDirectory(prefix="kitty-status-", ignore_cleanup_errors=True) as folder:
        git(["init", "--quiet", "--template=", folder], cwd=repository.worktree)
        git(["config", "core.attributesFile", os.devnull], cwd=folder)
        copy_attributes(repository, folder, folders=_folders_above(paths), local=False)
        return attributes_of(folder, paths)


def copy_attributes(repository: Repository, target: str, *, folders: Iterable[str], local: bool) -> None:
    """Copy the `.gitattributes` of these folders, and with `local` those of the clone, into another repository.

    Raises:
        OSError: a file could not be read or written.
    """
    for folder in folders:
        _copy(Path(repository.worktree, folder, ATTRIBUTES_FILE), Path(target, folder, ATTRIBUTES_FILE))
    if local:
        _copy(Path(repository.common_dir, "info", "attributes"), Path(target, ".git", "info", "attributes"))


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())


def _folders_above(paths: Iterable[str]) -> list[str]:
    folders = {"": None}
    for path in paths:
        parts = path.split("/")[:-1]
        folders |= dict.fromkeys("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return list(folders)
