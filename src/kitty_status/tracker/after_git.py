"""What is done when git is done: the hooks post-commit, post-merge, post-checkout and post-rewrite.

Snapshots and views that git has left beside a log they were not made from are found and, where that
disturbs nothing, written anew. git cannot be stopped any more, so nothing here ever fails it: whatever goes
wrong is a warning. Where git has more to do (an autostash to bring back, the next commit of a rebase)
the work tree is left as it is.

git waits for this process after every commit. It compares only the two commits that git went between, and
loads nothing more unless a status file differs.
"""

# ruff: noqa: PTH110, PTH112, PTH118, PTH121, PTH123, T201  no time for pathlib, and printing is how a hook speaks

from __future__ import annotations

import os
import sys
from importlib import import_module

from kitty_status.errors import BusyError, GitError, KittyStatusError
from kitty_status.git.hooks import INSIDE, is_switched_off
from kitty_status.git.repository import find_repository
from kitty_status.git.staged import features_between, git_dir_of
from kitty_status.status.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from kitty_status.git.repository import Repository

SECONDS = 5.0
"""How long git waits for this at most."""

# Who writes to a log settles it as well, so a hook need not wait for long.
_PATIENCE = 1.0
# No entry of a reflog is longer than this many bytes but for its message, and that comes last.
_END_OF_REFLOG = 4096
_REBASES = ("rebase-merge", "rebase-apply")
_BISECTION = "BISECT_START"
_SQUASHED = ["post-merge", "1"]
_REBASED = ["post-rewrite", "rebase"]
_AMENDED = ["post-rewrite", "amend"]
_COMMITTED = ["post-commit"]
# How the newest entry of HEAD's reflog begins after `git revert`, for which git runs no hook that could stop it.
_REVERTED = b"\trevert"
_WHAT = {tuple(_REBASED): "the rebase", tuple(_AMENDED): "the amended commit", tuple(_COMMITTED): "the revert"}
_TO_A_BRANCH = "1"
_AGAIN = "`kitty-status materialize --all` does the same at any time"
_LOOK = "`kitty-status resolve --all --dry-run` says which commits hold events that a log lacks"


class TimeIsUpError(BusyError):
    """The work would have kept git waiting for too long."""


def main(argv: list[str]) -> int:
    """Do what is to be done after the hook `argv[0]`, with git's arguments behind it; return 0 whatever happens."""
    if not argv or os.environ.get(INSIDE) or is_switched_off(os.environ):
        return 0
    try:
        with _Deadline(SECONDS):
            _work(argv[0], argv[1:])
    except KittyStatusError as error:
        _warn(argv[0], error.message, error.hint)
    except (OSError, ImportError, UnicodeDecodeError) as error:
        _warn(argv[0], str(error), _AGAIN)
    return 0


def _warn(hook: str, message: str, hint: str) -> None:
    print(f"warning: kitty-status {hook}: {visible(message)}", file=sys.stderr)
    if hint:
        print(f"  hint: {visible(hint)}", file=sys.stderr)


class _Deadline:
    """Ends its body with an error when the time is up. Where there is no alarm (Windows), it does nothing."""

    def __init__(self, seconds: float) -> None:
        # The module behind `signal`, which would load `enum` as well.
        self._signal: Any = import_module("_signal")
        self._seconds = seconds
        self._before: Any = None

    def __enter__(self) -> None:
        if hasattr(self._signal, "setitimer"):
            self._before = self._signal.signal(self._signal.SIGALRM, self._stop)
            self._signal.setitimer(self._signal.ITIMER_REAL, self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if hasattr(self._signal, "setitimer"):
            self._signal.setitimer(self._signal.ITIMER_REAL, 0)
            self._signal.signal(self._signal.SIGALRM, self._before)

    def _stop(self, _number: int, _frame: object) -> None:
        raise TimeIsUpError(f"not done within {self._seconds:g} seconds, so git goes on without", hint=_AGAIN)


def _work(hook: str, told: list[str]) -> None:
    git_dir = git_dir_of(os.curdir)
    rebase = next((name for name in _REBASES if os.path.exists(os.path.join(git_dir, name))), "")
    if rebase and [hook, *told] != _REBASED:
        return
    repository = find_repository(os.curdir)
    if repository is None or not os.path.samefile(repository.git_dir, git_dir):
        # A work tree that GIT_DIR alone connects with its repository: to every command, its features lie outside git.
        return
    _reconcile(repository)
    changed, may_be_written = _changed_features(hook, told, git_dir, rebase)
    if changed:
        refresh: Any = import_module("kitty_status.tracker.refresh")
        follows = [hook, *told] == _SQUASHED
        refresh.refresh(hook, repository, changed, may_be_written, commit_follows=follows)
    _tell_what_is_left_out([hook, *told], git_dir, rebase)


def _tell_what_is_left_out(call: list[str], git_dir: str, rebase: str) -> None:
    """Say which events a rebase, an amended commit or `git revert` has left out, be it on purpose."""
    if call == _REBASED and rebase:
        old, new = _tip_before(git_dir, rebase), "HEAD"
    elif call == _AMENDED:
        # git says both commits on stdin; a person who calls the hook says nothing there.
        is_told = sys.stdin is not None and not sys.stdin.isatty()
        commits = (sys.stdin.readline() if is_told else "").split()[:2]
        if len(commits) < 2 or not all(map(str.isalnum, commits)):  # noqa: PLR2004  the old one and the new one
            return
        old, new = commits
    elif call == _COMMITTED and _has_just_reverted(git_dir):
        old, new = "HEAD^", "HEAD"
    else:
        return
    if not (old and new and _folders(["diff-tree", old, new])):
        return
    try:
        rewritten: Any = import_module("kitty_status.tracker.mending.rewritten")
        lines = rewritten.left_out(old, new, os.curdir)
    except TimeIsUpError as error:
        raise TimeIsUpError(error.message, hint=_LOOK) from None
    if lines:
        rewritten.tell(_WHAT[tuple(call)], old, lines)


def _reconcile(repository: Repository) -> None:
    """Settle what git keeps by now, and bring back what git took away; nothing is loaded where the journal is empty."""
    journal = os.path.join(repository.state_dir, "journal")
    if not os.path.isdir(journal) or not any(entry.stat().st_size for entry in os.scandir(journal)):
        return
    module: Any = import_module("kitty_status.tracker.journal.reconcile")
    for fate in module.reconcile(repository, timeout=_PATIENCE).restored:
        event = fate.entry.event
        told = f"{event['event_id']} ({event['wp_id']} to {event['to_lane']}) is back in {fate.log}"
        print(f"kitty-status: git took an event away that was not committed: {visible(told)}", file=sys.stderr)


def _changed_features(hook: str, told: list[str], git_dir: str, rebase: str) -> tuple[list[str], list[str]]:
    """Return the feature folders that git has just changed, and those of them in which a file may be written."""
    if hook == "post-merge":
        between = (
            ["diff-index", "--cached", "HEAD"] if [hook, *told] == _SQUASHED else ["diff-tree", "ORIG_HEAD", "HEAD"]
        )
        folders = _folders(between, views=True)
        return folders, _unless_there(os.path.join(git_dir, "MERGE_AUTOSTASH"), folders)
    if hook == "post-rewrite" and rebase:
        folders = _folders(["diff-tree", _tip_before(git_dir, rebase), "HEAD"], views=True)
        return folders, _unless_there(os.path.join(git_dir, rebase, "autostash"), folders)
    if hook == "post-checkout" and told[2:] == [_TO_A_BRANCH] and _is_on_a_branch(git_dir):
        # A file that is as committed stays so: changed, it would stop the next checkout.
        before, after, _ = told
        return _folders(["diff-tree", before, after], views=True), _folders(["diff-index", "HEAD"])
    return [], []


def _unless_there(autostash: str, folders: list[str]) -> list[str]:
    """Return none where git is about to apply an autostash: to files that we have changed it could not."""
    return [] if os.path.exists(autostash) else folders


def _folders(between: list[str], *, views: bool = False) -> list[str]:
    """Return the feature folders that differ between two states; none where git does not know them both."""
    try:
        return features_between(between, os.curdir, views=views)
    except GitError:
        # Nothing was there before: the first commit, a new work tree.
        return []


def _has_just_reverted(git_dir: str) -> bool:
    """Say whether the commit that was just made is one of `git revert`, as HEAD's reflog has it."""
    try:
        with open(os.path.join(git_dir, "logs", "HEAD"), "rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _END_OF_REFLOG, 0))
            newest = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    except FileNotFoundError:
        return False
    return _REVERTED in newest


def _tip_before(git_dir: str, rebase: str) -> str:
    try:
        with open(os.path.join(git_dir, rebase, "orig-head"), encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return "ORIG_HEAD"


def _is_on_a_branch(git_dir: str) -> bool:
    """Whether HEAD is a branch, and neither a rebase nor a bisection is passing by."""
    with open(os.path.join(git_dir, "HEAD"), "rb") as file:
        return file.read(5) == b"ref: " and not os.path.exists(os.path.join(git_dir, _BISECTION))
