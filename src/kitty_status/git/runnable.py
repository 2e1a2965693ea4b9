"""Whether the merge drivers that a clone's configuration names can be run, and what they say if not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.git.drivers import LOG, SNAPSHOT, VIEW, first_way
from kitty_status.git.log_driver import EXIT_FAILED, USAGE
from kitty_status.git.run import run_git
from kitty_status.git.shell import run_shell

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository

SECTIONS = {LOG: "merge.kitty-status-log", SNAPSHOT: "merge.kitty-status-snapshot", VIEW: "merge.kitty-status-view"}
# What it says of its arguments has changed from version to version.
_USAGE = USAGE.partition(" log|")[0]
_LONGEST_WORDS = 400
_LONGEST_COMMAND = 80


@dataclass(frozen=True, slots=True)
class Broken:
    """A driver that does not run: its command as a shell reads it, the exit code, and what was said."""

    command: str
    code: int
    words: str

    def __str__(self) -> str:
        shown = self.command if len(self.command) <= _LONGEST_COMMAND else f"{self.command[:_LONGEST_COMMAND]}…"
        return f"`{shown}` ended with {self.code} and said: {self.words or 'nothing'}"


def broken_driver(repository: Repository, kind: str) -> Broken | None:
    """Return what is wrong with the command of a driver of ours, None where it runs or is not set.

    It is called without the files to merge: a driver of ours then says how it wants to be called, and does nothing.

    Raises:
        GitError: git could not be started.
    """
    command = configured_driver(repository, kind)
    if not command:
        return None
    first = first_way(command)
    result = run_shell(first, cwd=repository.worktree)
    words = os.fsdecode(result.err).strip()
    if result.code == EXIT_FAILED and _USAGE in words:
        return None
    return Broken(first, result.code, words[-_LONGEST_WORDS:])


def configured_driver(repository: Repository, kind: str) -> str | None:
    """Return the command that git would run for a driver of ours, None where none is set.

    Raises:
        GitError: git could not be started.
    """
    result = run_git(["config", "--null", "--get", f"{SECTIONS[kind]}.driver"], cwd=repository.worktree)
    return os.fsdecode(result.out.removesuffix(b"\0")) if result.code == 0 else None
