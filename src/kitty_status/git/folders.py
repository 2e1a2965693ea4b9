"""Moving a folder of the work tree together with what the index holds of it.

All paths are relative to the top of the work tree and are taken literally.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, GitError
from kitty_status.git.run import git, run_git

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.git.repository import Repository


def tracked_files(repository: Repository, folder: str) -> list[str]:
    """Return the files below a folder that the index holds, also those that a merge has left unmerged.

    Raises:
        GitError: git could not be asked.
    """
    return list(dict.fromkeys(_names(["ls-files", "-z", "--", _literal(folder)], repository)))


def committed_files(repository: Repository, folder: str, revision: str = "HEAD") -> list[str]:
    """Return the files below a folder that a commit holds, by default HEAD; none where there is no such commit.

    Raises:
        GitError: git could not be asked.
    """
    if run_git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], cwd=repository.worktree).code:
        return []
    return _names(["ls-tree", "-r", "-z", "--name-only", "--full-tree", revision, "--", folder], repository)


def changed_files(repository: Repository, *places: str, untracked: bool = False) -> list[str]:
    """Return the tracked files below folders that differ from HEAD, in the index or in the work tree.

    With `untracked`, also those that git has never heard of, unless it ignores them.

    Raises:
        GitError: git could not be asked.
    """
    which = "--untracked-files=all" if untracked else "--untracked-files=no"
    args = ["status", "--porcelain", "-z", "--no-renames", which, "--", *map(_literal, places)]
    return [entry[3:] for entry in _names(args, repository)]


def is_ignored(repository: Repository, path: str) -> bool:
    """Say whether git ignores a file; one that it tracks is not ignored.

    Raises:
        GitError: git could not be started.
    """
    return run_git(["check-ignore", "--quiet", "--", path], cwd=repository.worktree).code == 0


def move_folder(repository: Repository, old: str, new: str) -> None:
    """Move a folder with everything in it, untracked and ignored files too; what is tracked is moved in the index.

    Raises:
        BusyError: another git holds the index. Nothing was moved.
        GitError: git refused. Nothing was moved.
        OSError: the operating system refused. Nothing was moved.
    """
    if tracked_files(repository, old):
        _write(["mv", "--", old, new], repository)
    else:
        os.rename(os.path.join(repository.worktree, old), os.path.join(repository.worktree, new))  # noqa: PTH104, PTH118


def stage(repository: Repository, paths: Sequence[str]) -> None:
    """Put files of the work tree into the index as they are.

    Raises:
        BusyError: another git holds the index.
        GitError: git refused.
    """
    if paths:
        _write(["add", "--", *map(_literal, paths)], repository)


def unstage_removed(repository: Repository, paths: Sequence[str]) -> None:
    """Take files out of the index that are no longer where it says, unmerged ones too. No file is touched.

    Raises:
        BusyError: another git holds the index.
        GitError: git refused.
    """
    if paths:
        _write(["rm", "--cached", "--quiet", "--ignore-unmatch", "--", *map(_literal, paths)], repository)


def _write(args: list[str], repository: Repository) -> None:
    result = run_git(args, cwd=repository.worktree)
    if not result.code:
        return
    if b"index.lock" in result.err:
        raise BusyError(f"another git is at work in {repository.worktree}", hint="call again when it is done")
    raise GitError(
        f"git {args[0]} failed: {os.fsdecode(result.err).strip()}", hint="nothing was moved; `git status` says more"
    )


def _names(args: list[str], repository: Repository) -> list[str]:
    return [os.fsdecode(name) for name in git(args, cwd=repository.worktree).split(b"\0") if name]


def _literal(path: str) -> str:
    return f":(top,literal){path}"


def literal_paths(paths: Iterable[str]) -> bytes:
    """Return paths as git reads them from a `--pathspec-from-file` whose lines end in NUL."""
    return b"".join(os.fsencode(_literal(path)) + b"\0" for path in paths)
