"""Committing exactly a feature's log and snapshot, whatever else is staged."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, GitError, OutsideRepositoryError
from kitty_status.git.head import operation_in_progress
from kitty_status.git.run import git, run_git
from kitty_status.jsonl.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.git.run import GitResult
    from kitty_status.tracker.features import Feature, Project

_COMMITS_ONLY_THE_WHOLE = ("merge", "cherry-pick", "revert")
_PATIENCE = 5.0
_PAUSE = 0.05


def check_can_commit(project: Project) -> None:
    """Refuse where a commit of single files is known to fail, before anything is written.

    Raises:
        OutsideRepositoryError: there is no repository.
        GitError: git is in the middle of a merge, cherry-pick or revert, and then commits only the whole.
    """
    if project.repository is None:
        raise OutsideRepositoryError(f"{project.start} is in no git repository", hint="leave out --commit")
    operation = operation_in_progress(project.repository.git_dir)
    if operation in _COMMITS_ONLY_THE_WHOLE:
        raise GitError(
            f"git is in the middle of a {operation} and commits no single files meanwhile",
            hint=f"finish the {operation} first, or leave out --commit and `git add` the log with the rest",
        )


def commit_feature(feature: Feature, message: str, event_id: str) -> str:
    """Commit a feature's log and snapshot, those of them that git does not ignore, and return the commit's id.

    Other staged changes stay staged. The user's hooks run as at any commit. Where both files stand
    in the history as they are, nothing is done, so a repeated call is harmless. Commits of one clone
    wait for each other, and the log's lock is held, so that log and snapshot are of one moment.

    Raises:
        OutsideRepositoryError: the feature lies in no repository.
        BusyError: another git is at work in the repository.
        GitError: git or a hook refused; the event `event_id` stands in the log.
    """
    if feature.repository is None:
        raise OutsideRepositoryError(f"{feature.folder} is in no git repository", hint="run `git init` first")
    cwd = feature.repository.worktree
    commits = Path(feature.repository.state_dir) / "locks" / ".commit.lock"
    with exclusive(commits, timeout=60.0), exclusive(feature.place.lock):
        paths = [path for path in committed_paths(feature) if not _is_ignored(path, cwd)]
        if not paths:
            raise GitError(
                f"git ignores the log of {feature.slug}",
                hint="it is written; take it out of .gitignore",
                event_id=event_id,
            )
        result = _patiently(["add", "--", *paths], cwd)
        if not result.code:
            result = _patiently(["commit", "--quiet", "-m", message, "--only", "--", *paths], cwd)
        if not result.code:
            return git(["rev-parse", "HEAD"], cwd=cwd).decode("ascii").strip()
        if not git(["status", "--porcelain", "--", *paths], cwd=cwd):
            return git(["log", "-1", "--format=%H", "--", *paths], cwd=cwd).decode("ascii").strip()
    hint = f"event {event_id} is recorded; commit it with: {how_to_commit(feature, message)[-1]}"
    if _is_busy(result):
        raise BusyError(f"another git is at work in {cwd}", hint=hint, event_id=event_id)
    words = (result.err or result.out).decode(errors="replace").strip() or "it said nothing; a hook may have refused"
    raise GitError(f"git commit failed: {words}", hint=hint, event_id=event_id)


def stage_files(feature: Feature) -> list[str]:
    """Stage exactly a feature's log and snapshot, which also tells git that they are merged; return their paths.

    Raises:
        BusyError: another git is at work in the repository.
        GitError: git refused.
    """
    paths = committed_paths(feature)
    cwd = feature.repository.worktree if feature.repository else str(feature.folder)
    result = _patiently(["add", "--", *(f":(top,literal){path}" for path in paths)], cwd)
    hint = f"the files are written; stage them with: {how_to_stage(feature)}"
    if _is_busy(result):
        raise BusyError(f"another git is at work in {cwd}", hint=hint)
    if result.code:
        raise GitError(f"git add failed: {result.err.decode(errors='replace').strip()}", hint=hint)
    return paths


def is_committed(feature: Feature) -> bool:
    """Say whether HEAD has a feature's log and snapshot as they are.

    Raises:
        GitError: git could not be asked.
    """
    paths = [f":(top,literal){path}" for path in committed_paths(feature)]
    cwd = feature.repository.worktree if feature.repository else str(feature.folder)
    return not git(["status", "--porcelain", "--", *paths], cwd=cwd)


def how_to_stage(feature: Feature) -> str:
    """Return the command, for any folder of the work tree, that stages what `stage_files` would."""
    return f"git add -- {_named(committed_paths(feature))}"


def how_to_commit(feature: Feature, message: str) -> list[str]:
    """Return the commands, for any folder of the work tree, that commit what `commit_feature` would."""
    return commands_to_commit(committed_paths(feature), message)


def commands_to_commit(paths: Sequence[str], message: str) -> list[str]:
    """Return the commands, for any folder of the work tree, that commit these paths from its top and nothing else."""
    named = _named(paths)
    return [f"git add -- {named}", f"git commit -m {shlex.quote(message)} -- {named}"] if named else []


def _named(paths: Sequence[str]) -> str:
    # `:/` means the top of the work tree, wherever the command is called.
    return " ".join(shlex.quote(f":/{path}") for path in paths)


def committed_paths(feature: Feature) -> list[str]:
    """Return the paths, from the top of the work tree, that belong into a commit of the feature's status."""
    existing: list[Path] = [path for path in (feature.log, feature.snapshot) if path.exists()]
    return [feature.relative(path) for path in existing]


def _patiently(arguments: list[str], cwd: str) -> GitResult:
    """Run git, and again for some seconds while another git holds the index."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        result = run_git(arguments, cwd=cwd, offline=False)
        if not _is_busy(result) or time.monotonic() > deadline:
            return result
        time.sleep(_PAUSE)


def _is_busy(result: GitResult) -> bool:
    return bool(result.code) and b"index.lock" in result.err


def _is_ignored(path: str, cwd: str) -> bool:
    return run_git(["check-ignore", "--quiet", "--", path], cwd=cwd).code == 0
