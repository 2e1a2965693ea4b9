"""Hooks that stand in git's configuration, `hook.NAME.event` and `hook.NAME.command`, known to git from 2.54 on.

git runs them beside the script in the hooks folder, whoever owns that. So they serve where `core.hooksPath` or
another tool owns the script, and an older git passes over them in silence: there, a person must add a line.
"""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.git.changes import Change, Step
from kitty_status.git.files import replace_linked_file
from kitty_status.git.git_version import CONFIG_HOOKS, git_version
from kitty_status.git.hook_stubs import EXECUTABLE, stub
from kitty_status.git.install_config import section_removals, section_steps

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository

_FOLDER = "hooks"


def are_known_to_git(repository: Repository) -> bool:
    """Whether the git that PATH names runs hooks from its configuration."""
    return git_version(repository.worktree) >= CONFIG_HOOKS


def _section(repository: Repository, name: str) -> dict[str, dict[str, str]]:
    """Return the section that gives git our hook `name`, as {section: {key: value}}.

    The command is nothing where the script is gone: git would stop at a command that is not there.
    """
    script = shlex.quote(_script(repository, name).as_posix())
    return {f"hook.kitty-status-{name}": {"command": f"test ! -x {script} || {script}", "event": name}}


def install_steps(repository: Repository, local: dict[str, list[str]], name: str) -> list[Step]:
    """Return the steps that give git our hook `name` by its configuration, whose values are `local`.

    Raises:
        ConfigurationError: the running interpreter does not know its own path.
    """
    path = _script(repository, name)
    wanted = stub(name)
    write = partial(replace_linked_file, path, wanted, mode=EXECUTABLE)
    if not path.exists():
        step = Step(Change(str(path), "create"), write)
    elif path.read_bytes() != wanted or not os.access(path, os.X_OK):
        step = Step(Change(str(path), "update"), write)
    else:
        step = Step(Change(str(path), "keep"))
    return [step, *section_steps(repository, local, _section(repository, name))]


def removal_steps(repository: Repository, local: dict[str, list[str]], name: str) -> list[Step]:
    """Return the steps that take away what `install_steps` has put there: the configuration first."""
    steps = section_removals(repository, local, _section(repository, name))
    path = _script(repository, name)
    if path.exists():
        steps.append(Step(Change(str(path), "remove"), path.unlink))
    return steps


def _script(repository: Repository, name: str) -> Path:
    return Path(repository.state_dir, _FOLDER, name)
