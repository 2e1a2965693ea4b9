"""Bare repositories: they have history and no files, as on a host."""

from __future__ import annotations

import os

from kitty_status.git.repository import Repository
from kitty_status.git.run import run_git


def bare_repository(start: str) -> Repository | None:
    """Return the bare repository that the folder `start` lies in, or None. Its linked work trees share what it has.

    Raises:
        GitError: git could not be started.
    """
    answer = run_git(["rev-parse", "--is-bare-repository", "--absolute-git-dir"], cwd=start)
    is_bare, _, git_dir = os.fsdecode(answer.out).removesuffix("\n").partition("\n")
    return Repository(git_dir, git_dir, git_dir) if is_bare == "true" else None


def is_receiving(cwd: str) -> bool:
    """Say whether this process runs in the hook `pre-receive` or `update` of the repository whose git folder is `cwd`.

    What is being pushed then lies in a quarantine, where only the variables lead that git has set for the hook.
    """
    named = os.environ.get("GIT_DIR")
    if "GIT_QUARANTINE_PATH" not in os.environ or not named:
        return False
    return os.path.realpath(os.path.join(cwd, named)) == os.path.realpath(cwd)  # noqa: PTH118
