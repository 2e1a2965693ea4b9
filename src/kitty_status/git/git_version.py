"""Which git this is, for what only some versions can do."""

from __future__ import annotations

import os

from kitty_status.git.run import git

HOOK_RUN = (2, 36)
"""The first version with `git hook run`."""
CONFIG_HOOKS = (2, 54)
"""The first version that runs hooks named in its configuration."""


def git_version(cwd: str) -> tuple[int, ...]:
    """Return the numbers of git's version, such as (2, 39, 5); nothing where they cannot be told.

    Raises:
        GitError: git could not be started.
    """
    words = os.fsdecode(git(["version"], cwd=cwd)).split()
    numbers: list[int] = []
    for part in words[2].split(".") if len(words) > 2 else ():  # noqa: PLR2004  git version NUMBERS
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)
