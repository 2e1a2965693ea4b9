"""Running a line of shell as git runs its merge drivers and hooks: in git's own shell.

On Windows that shell is not on PATH, and git brings it along; so git is asked to run the line, as an alias.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kitty_status.git.run import GitResult, run_git

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALIAS = "kitty-status-shell"


def run_shell(line: str, *, cwd: str, environment: Mapping[str, str] | None = None) -> GitResult:
    """Run a line of shell and return how it ended: 126 and 127 are the shell's own, for what cannot be run.

    In a repository the line runs at the top of the work tree that `cwd` lies in.

    Raises:
        GitError: git could not be started.
    """
    # A shell of its own: git's begins what it complains about with the whole line.
    alias = f"alias.{_ALIAS}=!exec sh -c {shlex.quote(line)}"
    return run_git(["-c", alias, _ALIAS], cwd=cwd, environment=environment)
