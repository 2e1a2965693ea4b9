"""Committing exactly a feature's log, snapshot and views, whatever else is staged."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import BusyError, GitError, OutsideRepositoryError, UsageError
from kitty_status.git.folders import changed_files, committed_files, is_ignored, literal_paths, tracked_files
from kitty_status.git.head import operation_in_progress
from kitty_status.git.run import git, run_git
from kitty_status.jsonl.lock import exclusive
from kitty_status.status.layout import SHARDS_PLACEHOLDER, feature_folder_of
from kitty_status.tracker.config import load_config
from kitty_status.tracker.journal.writing import journal_of
from kitty_status.tracker.views.changes import changed_views

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.git.repository import Repository
    from kitty_status.git.run import GitResult
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature, Project
    from kitty_status.tracker.views.views import View

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


class Commit(NamedTuple):
    """A commit's id, and the views that were left out of it since a person has changed more in their files."""

    id: str
    left_out: list[str]

    def warnings(self, written: Iterable[View]) -> list[str]:
        """Return what to say of the views that were just written and are not in the commit."""
        return [
            f"{view.where} was left out of the commit: more than its status differs from HEAD, or it is new"
            for view in written
            if view.written and view.where in self.left_out
        ]


def commit_feature(feature: Feature, message: str, event_id: str, config: Config) -> Commit:
    """Commit a feature's log, snapshot and views, those of them that git does not ignore.

    Other staged changes stay staged. The user's hooks run as at any commit. Where all files stand
    in the history as they are, nothing is done, so a repeated call is harmless. Commits of one clone
    wait for each other, and the log's lock is held, so that all files are of one moment. A view is left out
    where a person has changed more in its file.

    Raises:
        OutsideRepositoryError: the feature lies in no repository.
        BusyError: another git is at work in the repository.
        GitError: git or a hook refused; the event `event_id` stands in the log.
    """
    repository = repository_of(feature)
    cwd = repository.worktree
    commits = Path(repository.state_dir) / "locks" / ".commit.lock"
    journal = journal_of(feature)
    commit = None
    with exclusive(commits, timeout=60.0), exclusive(feature.lock):
        status = committed_paths(feature, snapshot=config.commits_snapshots)
        paths = [path for path in status if not is_ignored(repository, path)]
        if not paths:
            raise GitError(
                f"git ignores the log of {feature.slug}",
                hint="it is written; take it out of .gitignore",
                event_id=event_id,
            )
        views = changed_views(feature, config)
        paths += views.generated
        result = _patiently(["add", "--", *paths], cwd)
        if not result.code:
            result = _patiently(["commit", "--quiet", "-m", message, "--only", "--", *paths], cwd)
        if not result.code:
            # The hook that settles holds still inside a git of ours.
            if journal is not None:
                journal.settle()
            commit = git(["rev-parse", "HEAD"], cwd=cwd).decode("ascii").strip()
        elif not git(["status", "--porcelain", "--", *paths], cwd=cwd):
            commit = git(["log", "-1", "--format=%H", "--", *paths], cwd=cwd).decode("ascii").strip()
    if journal is not None and journal.restored:
        # Where that fails, `validate` says so: the commit is made.
        journal.refresh_snapshots()
    if commit is not None:
        return Commit(commit, views.edited)
    hint = f"event {event_id} is recorded; commit it with: {commands_to_commit(paths, message)[-1]}"
    if _is_busy(result):
        raise BusyError(f"another git is at work in {cwd}", hint=hint, event_id=event_id)
    raise GitError(f"git commit failed: {_words(result)}", hint=hint, event_id=event_id)


def stage_files(feature: Feature, paths: Sequence[str]) -> list[str]:
    """Stage exactly these paths of a feature, which also tells git that they are merged; return them.

    A path that is in the index and no longer there is taken out of the index.

    Raises:
        BusyError: another git is at work in the repository.
        GitError: git refused.
    """
    cwd = feature.repository.worktree if feature.repository else str(feature.folder)
    result = _patiently(["add", "--", *(f":(top,literal){path}" for path in paths)], cwd)
    hint = f"the files are written; stage them with: {how_to_stage(paths)}"
    if _is_busy(result):
        raise BusyError(f"another git is at work in {cwd}", hint=hint)
    if result.code:
        raise GitError(f"git add failed: {result.err.decode(errors='replace').strip()}", hint=hint)
    return list(paths)


def is_committed(feature: Feature) -> bool:
    """Say whether HEAD has a feature's log and snapshot as they are.

    Raises:
        GitError: git could not be asked.
    """
    paths = [f":(top,literal){path}" for path in committed_paths(feature)]
    cwd = feature.repository.worktree if feature.repository else str(feature.folder)
    return not git(["status", "--porcelain", "--", *paths], cwd=cwd)


def how_to_stage(paths: Sequence[str]) -> str:
    """Return the command, for any folder of the work tree, that stages what `stage_files` would."""
    return f"git add -- {_named(paths)}"


def how_to_commit(feature: Feature, message: str, *, snapshot: bool = True, views: Sequence[str] = ()) -> list[str]:
    """Return the commands, for any folder of the work tree, that commit a feature's log and snapshot, and these views.

    In the middle of a merge, cherry-pick or revert git commits no single files: what is staged goes with the rest.
    """
    commands = commands_to_commit([*committed_paths(feature, snapshot=snapshot), *views], message)
    operation = None if feature.repository is None else operation_in_progress(feature.repository.git_dir)
    return commands[:1] if operation in _COMMITS_ONLY_THE_WHOLE else commands


def commands_to_commit(paths: Sequence[str], message: str) -> list[str]:
    """Return the commands, for any folder of the work tree, that commit these paths from its top and nothing else."""
    named = _named(paths)
    return [f"git add -- {named}", f"git commit -m {shlex.quote(message)} -- {named}"] if named else []


def _named(paths: Sequence[str]) -> str:
    # `:/` means the top of the work tree, wherever the command is called.
    return " ".join(shlex.quote(f":/{path}") for path in paths)


def check_unchanged(feature: Feature, path: Path) -> None:
    """Refuse to commit a file of a feature that HEAD does not have as it is.

    Raises:
        OutsideRepositoryError: there is no repository.
        UsageError: a commit of the file would take other changes along.
        GitError: git could not be asked.
    """
    repository = repository_of(feature)
    name = feature.relative(path)
    if changed_files(repository, name) or not committed_files(repository, name):
        raise UsageError(f"{name} has uncommitted changes of its own", hint="commit them first, or leave out --commit")


def commit_file(feature: Feature, path: Path, message: str) -> str:
    """Commit one file of a feature, whatever else is staged, and return the commit's id.

    Raises:
        OutsideRepositoryError: there is no repository.
        BusyError: another git is at work in the repository. GitError: git or a hook refused. The file stays as it is.
    """
    repository = repository_of(feature)
    name = feature.relative(path)
    with exclusive(Path(repository.state_dir) / "locks" / ".commit.lock", timeout=60.0):
        result = _patiently(
            ["commit", "--quiet", "-m", message, "--only", "--", f":(top,literal){name}"], repository.worktree
        )
    if not result.code:
        return git(["rev-parse", "HEAD"], cwd=repository.worktree).decode("ascii").strip()
    hint = f"the lane is written; commit it with: {commands_to_commit([name], message)[-1]}"
    if _is_busy(result):
        raise BusyError(f"another git is at work in {repository.worktree}", hint=hint)
    raise GitError(f"git commit failed: {_words(result)}", hint=hint)


def repository_of(feature: Feature) -> Repository:
    """Return the repository that a feature lies in.

    Raises:
        OutsideRepositoryError: there is none.
    """
    if feature.repository is None:
        raise OutsideRepositoryError(f"{feature.folder} is in no git repository", hint="run `git init` first")
    return feature.repository


def check_nothing_else_changed(feature: Feature) -> None:
    """Refuse to commit a move of a folder in which more than log, snapshot and views has uncommitted changes.

    Raises:
        UsageError: so it is; a commit of the move would take them along.
    """
    if feature.repository is None:
        return
    folder = feature.relative(feature.folder)
    # Also a log file that is gone: a conversion that was cut short has left it in HEAD alone.
    own = {feature.relative(path) for path in (feature.snapshot, feature.log.shards / SHARDS_PLACEHOLDER)}
    changed = changed_files(feature.repository, folder)
    others = [path for path in changed if path not in own and feature_folder_of(path) != folder]
    if others:
        generated = changed_views(feature, load_config(feature.root)).generated
        others = [path for path in others if path not in generated]
    if others:
        raise UsageError(
            f"{feature.relative(feature.folder)} has other uncommitted changes, such as {others[0]}",
            hint="commit them first, or leave out --commit",
        )


def commit_move(source: Feature, target: Feature, message: str) -> str:
    """Commit that a feature's folder has moved, whatever else is staged, and return the commit's id.

    Raises:
        OutsideRepositoryError: the feature lies in no repository.
        BusyError: another git is at work in the repository.
        GitError: git or a hook refused; the folder has moved.
    """
    repository = repository_of(target)
    old, new = source.relative(source.folder), target.relative(target.folder)
    paths = committed_files(repository, old) + tracked_files(repository, new)
    hint = f"it has moved; go on with: {how_to_commit_move(source, target, message)[-1]}"
    if not paths:
        raise GitError(f"git tracks nothing in {new}", hint=hint)
    args = ["commit", "--quiet", "-m", message, "--only", "--pathspec-from-file=-", "--pathspec-file-nul"]
    with exclusive(Path(repository.state_dir) / "locks" / ".commit.lock", timeout=60.0):
        result = _patiently(args, repository.worktree, literal_paths(dict.fromkeys(paths)))
    if not result.code:
        return git(["rev-parse", "HEAD"], cwd=repository.worktree).decode("ascii").strip()
    if _is_busy(result):
        raise BusyError(f"another git is at work in {repository.worktree}", hint=hint)
    raise GitError(f"git commit failed: {_words(result)}", hint=hint)


def how_to_commit_move(source: Feature, target: Feature, message: str) -> list[str]:
    """Return the command, for any folder of the work tree, that commits what git tracks of a moved folder."""
    repository = target.repository
    if repository is None:
        return []
    old, new = source.relative(source.folder), target.relative(target.folder)
    known = [new] if tracked_files(repository, new) else []
    known += [old] if committed_files(repository, old) else []
    paths = " ".join(shlex.quote(f":/{path}") for path in dict.fromkeys(known))
    return [f"git commit -m {shlex.quote(message)} -- {paths}"] if paths else [f"git add -- {shlex.quote(f':/{new}')}"]


def committed_paths(feature: Feature, *, snapshot: bool = True) -> list[str]:
    """Return the paths, from the top of the work tree, that belong into a commit of the feature's status."""
    files = [*feature.log.files(), *([feature.snapshot] if snapshot else [])]
    return [feature.relative(path) for path in files if path.exists()]


def _words(result: GitResult) -> str:
    return (result.err or result.out).decode(errors="replace").strip() or "it said nothing; a hook may have refused"


def _patiently(arguments: list[str], cwd: str, stdin: bytes = b"") -> GitResult:
    """Run git, and again for some seconds while another git holds the index."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        result = run_git(arguments, cwd=cwd, stdin=stdin, offline=False)
        if not _is_busy(result) or time.monotonic() > deadline:
            return result
        time.sleep(_PAUSE)


def _is_busy(result: GitResult) -> bool:
    return bool(result.code) and b"index.lock" in result.err
