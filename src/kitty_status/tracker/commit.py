"""Committing exactly a feature's log and snapshot, whatever else is staged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, GitError, OutsideRepositoryError
from kitty_status.git.run import git, run_git

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature, Project


_IN_PROGRESS = {"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert"}


def check_can_commit(project: Project) -> None:
    """Refuse where a commit of single files is known to fail, before anything is written.

    Raises:
        OutsideRepositoryError: there is no repository.
        GitError: git is in the middle of a merge, cherry-pick or revert, and then commits only the whole.
    """
    if project.repository is None:
        raise OutsideRepositoryError(f"{project.start} is in no git repository", hint="leave out --commit")
    for sign, operation in _IN_PROGRESS.items():
        if Path(project.repository.git_dir, sign).exists():
            raise GitError(
                f"git is in the middle of a {operation} and commits no single files meanwhile",
                hint=f"finish the {operation} first, or leave out --commit and `git add` the log with the rest",
            )


def commit_feature(feature: Feature, message: str) -> str:
    """Commit a feature's log and snapshot, those of them that git does not ignore, and return the commit's id.

    Other staged changes stay staged. The user's hooks run as at any commit. Where both files stand
    in the history as they are, nothing is done, so a repeated call is harmless.

    Raises:
        OutsideRepositoryError: the feature lies in no repository.
        BusyError: another git is at work in the repository.
        GitError: git or a hook refused; the log is as it was before the call.
    """
    if feature.repository is None:
        raise OutsideRepositoryError(f"{feature.folder} is in no git repository", hint="run `git init` first")
    cwd = feature.repository.worktree
    paths = [path for path in committed_paths(feature) if not _is_ignored(path, cwd)]
    if not paths:
        raise GitError(f"git ignores the log of {feature.slug}", hint="it is written; take it out of .gitignore")
    result = run_git(["add", "--", *paths], cwd=cwd)
    if not result.code:
        result = run_git(["commit", "--quiet", "-m", message, "--only", "--", *paths], cwd=cwd, offline=False)
    if not result.code:
        return git(["rev-parse", "HEAD"], cwd=cwd).decode("ascii").strip()
    if not git(["status", "--porcelain", "--", *paths], cwd=cwd):
        return git(["log", "-1", "--format=%H", "--", *paths], cwd=cwd).decode("ascii").strip()
    words = (result.err or result.out).decode(errors="replace").strip()
    hint = f"the event is recorded; commit it with `git commit -- {' '.join(paths)}`"
    if "index.lock" in words:
        raise BusyError(f"git is at work in {cwd}: {words}", hint=hint)
    raise GitError(f"git commit failed: {words}", hint=hint)


def committed_paths(feature: Feature) -> list[str]:
    """Return the paths, from the top of the work tree, that belong into a commit of the feature's status."""
    existing: list[Path] = [path for path in (feature.log, feature.snapshot) if path.exists()]
    return [feature.relative(path) for path in existing]


def _is_ignored(path: str, cwd: str) -> bool:
    return run_git(["check-ignore", "--quiet", "--", path], cwd=cwd).code == 0
