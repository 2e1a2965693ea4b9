"""Whether git, in each work tree of a clone, gets as far as our hooks: found where git looks, and fired.

A hook that stands in a folder proves little: a relative `core.hooksPath` leads elsewhere in each
work tree, a file may not be executable, the Python that it names may be gone.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.git.git_version import CONFIG_HOOKS, HOOK_RUN, git_version
from kitty_status.git.head import positions
from kitty_status.git.hook_entry import PROBE
from kitty_status.git.hook_ways import Way, way_to
from kitty_status.git.hooks import HOOKS, INSIDE, SWITCH
from kitty_status.git.run import git, run_git
from kitty_status.git.shell import run_shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.git.repository import Repository

REACHED = "reached"
SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far git gets towards one hook in one work tree.

    * `path` is where git looks for the hook there
    * `state`: `reached` (it answered), `missing`, `not-executable`, `foreign` (somebody else's, which does not
      call ours), `outdated` (ours, too old to be asked) or `silent` (ours, or a call of ours, and no answer came)
    * `words` is what came instead of an answer
    """

    worktree: str
    hook: str
    path: str
    state: str
    words: str = ""


def reach_of_hooks(repository: Repository) -> list[Reach]:
    """Fire every hook of ours in every work tree of the clone, so that it answers and does nothing else.

    A hook of somebody else is never fired, since what it does is not known: where it calls ours,
    that call alone is made.

    Raises:
        GitError: git could not be started, or did not answer.
        OSError: a hook cannot be read, or the temporary folder not be written to.
    """
    version = git_version(repository.worktree)
    with tempfile.TemporaryDirectory(prefix="kitty-status-", ignore_cleanup_errors=True) as folder:
        answer = Path(folder, "answer")
        return [
            _reach(worktree, name, hooks / name, configured, answer)
            for worktree, hooks in _hooks_folders(repository)
            for configured in [_configured_hooks(worktree, version)]
            for name in HOOKS
        ]


def _hooks_folders(repository: Repository) -> Iterator[tuple[str, Path]]:
    """Yield each work tree whose folder is there, with the folder in which git looks for its hooks.

    git opens no work tree whose HEAD cannot be read, so none of its hooks is ever fired.
    """
    for tree, position in positions(repository):
        if position is None:
            continue
        answer = git(["rev-parse", "--git-path", "hooks"], cwd=tree.worktree)
        yield tree.worktree, Path(tree.worktree, os.fsdecode(answer.removesuffix(b"\n")))


def _configured_hooks(worktree: str, version: tuple[int, ...]) -> dict[str, list[str]] | None:
    """Return {hook: commands} that git's configuration names; None where git is too old to fire hooks on request."""
    if version < HOOK_RUN:
        return None
    if version < CONFIG_HOOKS:
        return {}
    listed = run_git(["config", "--null", "--get-regexp", r"^hook\..*\.(event|command)$"], cwd=worktree)
    entries = [entry.partition("\n")[::2] for entry in os.fsdecode(listed.out).split("\0")[:-1]]
    commands = {key.removesuffix(".command"): value for key, value in entries if key.endswith(".command")}
    found: dict[str, list[str]] = {}
    for key, event in entries:
        command = commands.get(key.removesuffix(".event"))
        if key.endswith(".event") and command:
            found.setdefault(event, []).append(command)
    return found


def _reach(worktree: str, name: str, path: Path, configured: dict[str, list[str]] | None, answer: Path) -> Reach:
    way = way_to(worktree, name, path, (configured or {}).get(name, []))
    if way.obstacle:
        return Reach(worktree, name, str(path), way.obstacle)
    # `git hook run` would also run what other people have put into the configuration.
    words = _fire(worktree, name, way, answer, by_git=way.is_script and configured == {})
    return Reach(worktree, name, str(path), REACHED if words is None else SILENT, words or "")


def _fire(worktree: str, name: str, way: Way, answer: Path, *, by_git: bool) -> str | None:
    """Fire a hook; return None if it answered, else what was said instead."""
    answer.write_bytes(b"")
    environment = {PROBE: str(answer), SWITCH: "1", INSIDE: ""}
    if by_git:
        result = run_git(["hook", "run", name], cwd=worktree, environment=environment)
    else:
        result = run_shell(way.line, cwd=worktree, environment=environment)
    if answer.read_bytes() == f"{name}\n".encode():
        return None
    return os.fsdecode(result.err).strip() or f"it ended with code {result.code} and said nothing"
