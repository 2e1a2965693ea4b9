"""GitPython, for what is cold and rich, behind the door of `run`.

GitPython starts git with the whole environment of its caller, lets it fetch, and reads a configuration
before git has said whether it may be trusted. Here every process that it wants is one of `run_git`:
without the variables of another repository, offline, without questions, and never one that goes on
running. Loading GitPython takes longer than most commands, so this module is loaded by name.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from git.exc import GitError as LibraryError

from git import Git, Repo
from kitty_status.errors import GitError
from kitty_status.git.repository import Repository, find_repository
from kitty_status.git.run import git as run
from kitty_status.git.run import run_git

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Door(Git):
    """GitPython's way to run git, which leads through our door. Answers come whole, as bytes."""

    def __init__(self, working_dir: str | os.PathLike[str] | None = None) -> None:
        super().__init__(working_dir)
        # GitPython's own has had variables put into it.
        self._place = os.fspath(working_dir or os.curdir)

    def execute(  # type: ignore[override]
        self, command: Sequence[str], istream: IO[bytes] | None = None, *, as_process: bool = False, **_options: Any
    ) -> bytes:
        """Run `git args…` for GitPython and return its standard output.

        Raises:
            GitError: git ended with another code than 0, or GitPython wanted a process that goes on running.
        """
        if as_process:
            raise GitError(f"git {command[1]} was not started: kitty-status leaves no process running")
        # Commands that read the index would run the program that a repository names there.
        args = ["-c", "core.fsmonitor=false", *command[1:]]
        result = run_git(args, cwd=self._place, stdin=istream.read() if istream else b"")
        if result.code:
            words = os.fsdecode(result.err).strip()
            raise GitError(f"git {command[1]} failed in {self._place}: {words}", exit_status=result.code)
        return result.out


class _Repo(Repo):
    GitCommandWrapperType = _Door


class LocalRepository:
    """A repository on this disk, bare or not, that only answers questions.

    `path` is the top of its work tree, of a bare repository the git folder; `place` is the same with the git
    folders behind it.
    """

    __slots__ = ("_repo", "path", "place")

    def __init__(self, path: str) -> None:
        # git decides first: whether this is a repository, and whether its owner is to be trusted.
        is_bare = run(["rev-parse", "--is-bare-repository"], cwd=path).strip() == b"true"
        place = None if is_bare else find_repository(path)
        if place is None:
            git_dir = os.fsdecode(run(["rev-parse", "--absolute-git-dir"], cwd=path).rstrip(b"\n"))
            place = Repository(git_dir, git_dir, git_dir)
        self.place = place
        self.path = place.worktree
        try:
            self._repo = _Repo(self.path, expand_vars=False)
        except (LibraryError, OSError, ValueError) as error:
            raise GitError(
                f"{self.path} could not be opened: {error}", hint="`git -C PATH status` says more"
            ) from error
        # Variables of another repository may have led it elsewhere.
        self._repo.git = _Door(self.path)

    @property
    def name(self) -> str:
        """What people call it: the name of its folder, of a linked work tree that of its main one."""
        folder = Path(self.place.common_dir)
        return folder.parent.name if folder.name == ".git" else folder.name.removesuffix(".git")

    def ask(self, verb: str, *args: str, stdin: IO[bytes] | None = None) -> bytes:
        """Return what a command of git prints.

        Raises:
            GitError: git ended with another code than 0; its words are the message.
        """
        answer: bytes = getattr(self._repo.git, verb)(*args, istream=stdin)
        return answer


def open_repository(path: str) -> LocalRepository:
    """Return the repository that `path` lies in, or is.

    Raises:
        GitError: there is none, or git does not trust it, or it cannot be read; git's words are the message.
    """
    return LocalRepository(path)
