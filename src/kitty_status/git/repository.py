"""Where a repository is, learnt from the disk without starting git.

The hook and driver processes use this, so it loads nothing beyond `os`: pathlib alone would cost
more than their interpreter's start.
"""

# ruff: noqa: PTH110, PTH112, PTH113, PTH118, PTH120

from __future__ import annotations

import os

from kitty_status.errors import GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    StrPath: TypeAlias = str | os.PathLike[str]

_BRANCH = b"ref: refs/heads/"
# What HEAD says where references are kept in another format than files.
_NO_BRANCH = b".invalid"
STATE_FOLDER = "kitty-status"
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_PIECE = 1 << 16


class Repository:
    """A work tree and the git folders behind it. All paths are absolute and free of symbolic links.

    `git_dir` belongs to this work tree alone (HEAD, the index); `common_dir` is what all linked work
    trees share (objects, configuration). In an ordinary clone they are the same folder.
    """

    __slots__ = ("common_dir", "git_dir", "worktree")

    def __init__(self, worktree: str, git_dir: str, common_dir: str) -> None:
        self.worktree = worktree
        self.git_dir = git_dir
        self.common_dir = common_dir

    def __repr__(self) -> str:
        return f"Repository({self.worktree!r}, {self.git_dir!r}, {self.common_dir!r})"

    @property
    def state_dir(self) -> str:
        """Where kitty-status keeps what belongs to this machine only. It need not exist yet."""
        return os.path.join(self.common_dir, STATE_FOLDER)

    @property
    def object_format(self) -> str:
        """`sha1` or `sha256`: how the repository names its objects.

        Raises:
            GitError: the repository's configuration cannot be read.
        """
        return config_value(os.path.join(self.common_dir, "config"), "extensions", "objectformat") or "sha1"

    def branch(self) -> str | None:
        """Return the short name of the branch that is checked out, born or not.

        None while HEAD is detached (also during a rebase), and in a repository with reference tables,
        where only git knows.

        Raises:
            GitError: HEAD cannot be read.
        """
        head = _read(os.path.join(self.git_dir, "HEAD")).rstrip()
        if not head.startswith(_BRANCH) or head == _BRANCH + _NO_BRANCH:
            return None
        return os.fsdecode(head[len(_BRANCH) :])


def find_repository(start: str) -> Repository | None:
    """Return the repository whose work tree holds the folder `start`, or None.

    A folder inside a bare repository has no work tree around it: the answer is None, too. Linked work
    trees of a bare repository are found. `core.worktree` and the variables `GIT_DIR` and
    `GIT_WORK_TREE` are not followed: a feature belongs to the repository that it lies in.

    Raises:
        GitError: a `.git` file leads nowhere, as it does after a work tree or its repository was moved.
    """
    folder = os.path.realpath(start)
    while True:
        git_dir = _git_dir(folder)
        if git_dir is not None:
            common_dir = _common_dir(git_dir)
            bare = git_dir == common_dir and is_bare(git_dir)
            return None if bare else Repository(folder, git_dir, common_dir)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def config_value(path: str, section: str, key: str) -> str | None:
    """Return the last value of `section.key` in the configuration file `path` itself, or None.

    This understands what git needs before it can read its configuration (plain sections, one line to a
    value) and follows no include. Section and key are given in lower case.

    Raises:
        GitError: the file is there but cannot be read.
    """
    try:
        data = read_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    if key.encode() not in data.lower():
        # Nearly always so, and a write asks several times.
        return None
    found = None
    inside = False
    for raw in os.fsdecode(data).split("\n"):
        line = raw.strip()
        if line.startswith("["):
            header, _, line = line[1:].partition("]")
            inside = header.strip().lower() == section
            line = line.strip()
        name, equals, value = line.partition("=")
        if inside and name.strip().lower() == key:
            # A key that stands alone means true.
            found = value.split("#")[0].split(";")[0].strip().strip('"') if equals else "true"
    return found


def main_config_value(common_dir: str, section: str, key: str) -> str | None:
    """Return what the configuration of a clone's main work tree says, or None; otherwise as `config_value`.

    Where work trees have configuration of their own, git moves core.bare and core.worktree there.
    """
    found = (config_value(os.path.join(common_dir, name), section, key) for name in ("config.worktree", "config"))
    return next((value for value in found if value is not None), None)


def is_bare(common_dir: str) -> bool:
    """Say whether a clone has no main work tree.

    Raises:
        GitError: the repository's configuration cannot be read.
    """
    return (main_config_value(common_dir, "core", "bare") or "").lower() in ("true", "yes", "on", "1")


def _git_dir(folder: str) -> str | None:
    """Return the git folder that `folder/.git` is or names, or None where there is none."""
    candidate = os.path.join(folder, ".git")
    if os.path.isdir(candidate):
        # git passes over a `.git` that is no repository, too.
        return os.path.realpath(candidate) if os.path.lexists(os.path.join(candidate, "HEAD")) else None
    if not os.path.isfile(candidate):
        return None
    content = _read(candidate)
    target = os.path.realpath(os.path.join(folder, os.fsdecode(content.removeprefix(b"gitdir:").strip())))
    if not content.startswith(b"gitdir:") or not os.path.lexists(os.path.join(target, "HEAD")):
        raise GitError(
            f"{candidate} does not lead to a repository",
            hint="if a work tree or its repository was moved, run `git worktree repair` in the repository",
        )
    return target


def _common_dir(git_dir: str) -> str:
    pointer = os.path.join(git_dir, "commondir")
    if not os.path.exists(pointer):
        return git_dir
    return os.path.realpath(os.path.join(git_dir, os.fsdecode(_read(pointer).strip())))


def read_file(path: StrPath) -> bytes:
    """Return the contents of a file. `open` costs three times as much, and a write reads a dozen of them.

    Raises:
        OSError: the operating system refused; it names the file.
    """
    fd = os.open(path, _READ)
    try:
        pieces = []
        while piece := os.read(fd, _PIECE):
            pieces.append(piece)
    except OSError as error:
        # Of a folder, opening succeeds and only this fails, without a name.
        error.filename = os.fspath(path)
        raise
    finally:
        os.close(fd)
    return b"".join(pieces)


def _read(path: str) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> GitError:
    return GitError(f"cannot read {path}: {error.strerror}", hint="check the permissions of the file")
