"""Whether git, in each work tree of a clone, gets as far as our hooks: found where git looks, and fired.

A hook that stands in a folder proves little: a relative `core.hooksPath` leads elsewhere in each
work tree, a file may not be executable, the Python that it names may be gone.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.git.git_version import CONFIG_HOOKS, HOOK_RUN, git_version
from kitty_status.git.head import worktrees
from kitty_status.git.hook_stubs import HOOKS, call_in, is_stub
from kitty_status.git.probe import PROBE
from kitty_status.git.run import git, run_git
from kitty_status.git.shell import run_shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.git.repository import Repository
    from kitty_status.git.run import GitResult

REACHED = "reached"
MISSING = "missing"
NOT_EXECUTABLE = "not-executable"
FOREIGN = "foreign"
OUTDATED = "outdated"
SILENT = "silent"

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~")


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
        OSError: the temporary folder could not be written to.
    """
    version = git_version(repository.worktree)
    with tempfile.TemporaryDirectory(prefix="kitty-status-", ignore_cleanup_errors=True) as folder:
        return [
            _reach(worktree, name, hooks, _Question(worktree, folder, version))
            for worktree, hooks in _hooks_folders(repository)
            for name in HOOKS
        ]


def _hooks_folders(repository: Repository) -> Iterator[tuple[str, Path]]:
    """Yield each work tree whose folder is there, with the folder in which git looks for its hooks."""
    for tree in worktrees(repository):
        answer = git(["rev-parse", "--git-path", "hooks"], cwd=tree.worktree)
        yield tree.worktree, Path(tree.worktree, os.fsdecode(answer.removesuffix(b"\n")))


class _Question:
    """Fires hooks in one work tree and waits for their answer."""

    def __init__(self, worktree: str, folder: str, version: tuple[int, ...]) -> None:
        self._worktree = worktree
        self._answer = Path(folder, "answer")
        self._environment = {PROBE: str(self._answer), "KITTY_STATUS": "1", "KITTY_STATUS_INSIDE": ""}
        self._configured = _configured_hooks(worktree) if version >= CONFIG_HOOKS else {}
        # `git hook run` would also run what other people have put into the configuration.
        self._git_can_fire = version >= HOOK_RUN and not self._configured

    def configured_call(self, name: str) -> str | None:
        """Return the command by which git's configuration calls our hook."""
        calls = (call_in(os.fsencode(command), name) for command in self._configured.get(name, ()))
        return next((call for call in calls if call), None)

    def about_stub(self, name: str, path: Path) -> str | None:
        """Fire our own stub; return None if it answered, else what was said."""
        if self._git_can_fire:
            self._answer.write_bytes(b"")
            return self._judge(name, run_git(["hook", "run", name], cwd=self._worktree, environment=self._environment))
        return self.about_call(name, shlex.quote(str(path)))

    def about_call(self, name: str, line: str) -> str | None:
        """Run a line of shell that calls our hook; return as `about_stub`."""
        self._answer.write_bytes(b"")
        return self._judge(name, run_shell(line, cwd=self._worktree, environment=self._environment))

    def _judge(self, name: str, result: GitResult) -> str | None:
        if self._answer.read_bytes() == f"{name}\n".encode():
            return None
        return os.fsdecode(result.err).strip() or f"it ended with code {result.code} and said nothing"


def _configured_hooks(worktree: str) -> dict[str, list[str]]:
    """Return {event: commands} of the hooks that git's configuration names."""
    listed = run_git(["config", "--null", "--get-regexp", r"^hook\..*\.(event|command)$"], cwd=worktree)
    entries = [entry.partition("\n")[::2] for entry in os.fsdecode(listed.out).split("\0")[:-1]]
    commands = {key.removesuffix(".command"): value for key, value in entries if key.endswith(".command")}
    found: dict[str, list[str]] = {}
    for key, event in entries:
        command = commands.get(key.removesuffix(".event"))
        if key.endswith(".event") and command:
            found.setdefault(event, []).append(command)
    return found


def _reach(worktree: str, name: str, hooks: Path, question: _Question) -> Reach:
    path = hooks / name
    configured = question.configured_call(name)
    if configured:
        state, words = _answer_to(question.about_call(name, configured))
    elif not path.is_file():
        state, words = MISSING, ""
    elif not os.access(path, os.X_OK):
        state, words = NOT_EXECUTABLE, ""
    else:
        state, words = _state_of_file(path, name, question)
    return Reach(worktree, name, str(path), state, words)


def _state_of_file(path: Path, name: str, question: _Question) -> tuple[str, str]:
    content = path.read_bytes()
    if not is_stub(content):
        call = _call_in_hook(path, content, name)
        return _answer_to(question.about_call(name, call)) if call else (FOREIGN, "")
    # One that knows nothing of being asked would do its work.
    return _answer_to(question.about_stub(name, path)) if PROBE.encode() in content else (OUTDATED, "")


def _answer_to(words: str | None) -> tuple[str, str]:
    return (REACHED, "") if words is None else (SILENT, words)


def _call_in_hook(path: Path, content: bytes, name: str) -> str | None:
    """Return how somebody else's hook calls ours, itself or in the script that husky runs from one folder above."""
    call = call_in(content, name)
    beside = path.parent.parent / name
    if call is None and path.parent.name == "_" and beside.is_file():
        call = call_in(beside.read_bytes(), name)
    if call is None:
        return None
    return call if set(call.replace(" ", "")) <= _PLAIN else f"kitty-status hook {name}"
