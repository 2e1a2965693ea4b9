"""A person in a hurry, who stages what git left, and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from features import lines_of_commit
from kitty_status import EVENTS_FILENAME

if TYPE_CHECKING:
    from gitrepo import GitRepo


def go_on_in_a_hurry(repo: GitRepo, *, verify: bool) -> None:
    """Stage what stands there and go on, until git has nothing more to do. No line may be missing on the way."""
    for _ in range(9):
        assert _lines_in_play(repo) <= lines_in_work_tree(repo)
        repo.git("add", "-A")
        if _is_there(repo, "rebase-apply/applying"):
            repo.run("am", "--continue")
        elif _is_there(repo, "rebase-merge") or _is_there(repo, "rebase-apply"):
            repo.run("rebase", "--continue", environment={"GIT_EDITOR": "true"})
        elif repo.git("status", "--porcelain"):
            repo.git("commit", "-q", "-m", "resolved", *([] if verify else ["--no-verify"]))
        elif _is_there(repo, "CHERRY_PICK_HEAD") or _is_there(repo, "REVERT_HEAD"):
            repo.run("cherry-pick" if _is_there(repo, "CHERRY_PICK_HEAD") else "revert", "--skip")
        elif _is_there(repo, "sequencer"):
            repo.run("cherry-pick", "--continue", environment={"GIT_EDITOR": "true"})
        else:
            return
    raise AssertionError("git does not come to an end")


def lines_in_work_tree(repo: GitRepo) -> set[bytes]:
    """Return the lines of all logs that stand in a work tree."""
    logs = (repo.path / "kitty-specs").rglob(EVENTS_FILENAME)
    return {line for log in logs for line in log.read_bytes().splitlines(keepends=True)}


def _lines_in_play(repo: GitRepo) -> set[bytes]:
    """Return the lines of HEAD and of what git is in the middle of bringing to it."""
    lines = lines_of_commit(repo, "HEAD")
    if _is_there(repo, "MERGE_HEAD"):
        lines |= lines_of_commit(repo, "MERGE_HEAD")
    for name in ("CHERRY_PICK_HEAD", "REBASE_HEAD"):
        if _is_there(repo, name):
            lines |= lines_of_commit(repo, name) - lines_of_commit(repo, f"{name}^")
    return lines


def _is_there(repo: GitRepo, name: str) -> bool:
    return Path(repo.path, repo.git("rev-parse", "--git-path", name)).exists()


def is_unfinished(repo: GitRepo) -> bool:
    """Say whether git has stopped in the middle of something, or left a conflict."""
    if not repo.path.exists():
        return False
    return bool(repo.git("ls-files", "-u")) or any(
        _is_there(repo, name) for name in ("rebase-merge", "rebase-apply", "sequencer", "CHERRY_PICK_HEAD")
    )
