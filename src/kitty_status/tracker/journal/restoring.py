"""Bringing lines back into the logs they have vanished from, and saying of each other entry why it waits."""

# ruff: noqa: PTH112, PTH114, PTH118, PTH120, PTH208

from __future__ import annotations

import os

from kitty_status.errors import KittyStatusError
from kitty_status.git.head import (
    commit_of,
    names_of_branch,
    operation_in_progress,
    position_of,
    positions,
    reflog_commits,
)
from kitty_status.git.run import run_git
from kitty_status.jsonl.append import append_locked
from kitty_status.status.layout import EVENTS_FILENAME, SHARDS_FOLDER
from kitty_status.status.merging import split_lines
from kitty_status.tracker.journal.entries import log_place
from kitty_status.tracker.log_files import file_to_restore_to, lines_in, log_files_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.journal.entries import Entry

_ARCHIVE = ".archive"


class Fate:
    """What becomes of an entry that is not settled: it stands in a log, was restored to its own, or waits.

    `tree` is the work tree of that log, and None where the entry's branch is checked out nowhere. `log` is the file
    in it that a line was restored to, another than the entry's where the log has got the other layout since.
    `moved_to` is the folder that holds the line there, where the feature's own folder has been moved without `rename`.
    """

    __slots__ = ("entry", "log", "moved_to", "restored", "tree", "why")

    def __init__(
        self, entry: Entry, tree: Repository | None, *, restored: bool = False, why: str | None = None
    ) -> None:
        self.entry = entry
        self.tree = tree
        self.log = file_to_restore_to(tree.worktree, entry.log) if tree and restored else entry.log
        self.moved_to: str | None = None
        self.restored = restored
        self.why = why


def restore(repository: Repository, entries: Sequence[Entry], name: str, *, dry_run: bool = False) -> list[Fate]:
    """Append the lines of unsettled entries that are not in their logs; the caller holds the lock of the feature.

    A line comes back only where its branch is checked out and still holds the commit it was written
    on, in a log whose folder is there, while git is in the middle of nothing.

    Raises:
        GitError: git could not be asked.
        StoreError, OSError: the log of the caller's own work tree cannot be written; the entries stay.
    """
    if not entries:
        return []
    trees = _Trees(repository)
    fates = []
    for entry in entries:
        own = trees.on_branch(entry.branch)
        # git takes an uncommitted line along to another branch; only where none has it is it missing.
        tree = next((one for one in own or trees.all if entry.line + b"\n" in trees.lines(one, entry.folder)), None)
        if tree is not None or not own:
            fates.append(Fate(entry, tree, why=None if tree else _why_nowhere(entry, trees.unreadable)))
            continue
        tree = own[0]
        why = _why_not_here(tree, entry)
        if why is None and not dry_run:
            why = _append(tree, entry, name, may_fail=tree.git_dir != repository.git_dir)
        if why is None:
            trees.lines(tree, entry.folder).add(entry.line + b"\n")
        fates.append(Fate(entry, tree, restored=why is None, why=why))
        if why is not None and not os.path.isdir(os.path.join(tree.worktree, entry.folder)):
            _look_where_it_is(fates[-1], tree, trees)
    return fates


def _look_where_it_is(fate: Fate, tree: Repository, trees: _Trees) -> None:
    """Find the folder that a feature has moved to: its lines tell it. Moved by our commands, it has its line there."""
    above, _, slug = fate.entry.folder.rpartition("/")
    for folder in _folders_in(tree.worktree, above):
        lines = trees.lines(tree, folder)
        if fate.entry.line + b"\n" not in lines:
            continue
        new = folder.rpartition("/")[2]
        if new == slug or any(b'"renamed"' in line and f'"{slug}"'.encode() in line for line in lines):
            fate.why = None
            return
        fate.moved_to = folder
        fate.why = (
            f"its folder was moved by hand from {fate.entry.folder} to {folder}, where its line stands: commit that, "
            f"or move it back and use `kitty-status rename {slug} {new}`, which every reader can follow"
        )
        return


def _folders_in(worktree: str, above: str) -> list[str]:
    """Return the folders beside a feature's, those of archived features too."""
    found = []
    for folder in (above, f"{above}/{_ARCHIVE}"):
        path = os.path.join(worktree, folder)
        names = sorted(os.listdir(path)) if os.path.isdir(path) else []
        found += [f"{folder}/{name}" for name in names if name != _ARCHIVE]
    return found


def _append(tree: Repository, entry: Entry, name: str, *, may_fail: bool) -> str | None:
    """Append an entry's line to its log; what another work tree refuses is returned, and stops nobody here."""
    try:
        append_locked(log_place(tree, file_to_restore_to(tree.worktree, entry.log), name), entry.line + b"\n")
    except (OSError, KittyStatusError) as error:
        if not may_fail:
            raise
        return f"{entry.log} in {tree.worktree} cannot be written: {error}"
    return None


class _Trees:
    """The work trees of a clone, that of the caller first, and what stands in their logs."""

    def __init__(self, repository: Repository) -> None:
        standing = sorted(positions(repository), key=lambda each: each[0].git_dir != repository.git_dir)
        self.all = [tree for tree, _ in standing]
        self.unreadable = [tree for tree, position in standing if position is None]
        self._branches = [position.branch if position else None for _, position in standing]
        self._lines: dict[tuple[str, str], set[bytes]] = {}

    def on_branch(self, branch: str | None) -> list[Repository]:
        """Return those in which a branch is checked out, by this name or by the one that it has got since."""
        if branch is None:
            return []
        named = [tree for tree, here in zip(self.all, self._branches, strict=True) if here == branch]
        return named or [
            tree
            for tree, here in zip(self.all, self._branches, strict=True)
            if here is not None and branch in names_of_branch(tree, here)
        ]

    def lines(self, tree: Repository, folder: str) -> set[bytes]:
        """Return the lines of a feature's log."""
        key = (tree.worktree, folder)
        if key not in self._lines:
            self._lines[key] = set(split_lines(lines_in(tree.worktree, folder)))
        return self._lines[key]


def all_stand(tree: Repository, folder: str, entries: Sequence[Entry]) -> bool:
    """Say whether the lines of all these entries are in the log of this feature of a work tree."""
    data = lines_in(tree.worktree, folder) if entries else b""
    return all(_is_line_of(data, entry.line + b"\n") for entry in entries)


def _is_line_of(data: bytes, line: bytes) -> bool:
    # What was written last is looked for first.
    at = data.rfind(line)
    while at > 0 and data[at - 1 : at] != b"\n":
        at = data.rfind(line, 0, at)
    return at >= 0


def _why_nowhere(entry: Entry, unreadable: Sequence[Repository]) -> str:
    if entry.branch is None:
        return "it was written on no branch"
    unknown = "".join(f"; what is in {tree.worktree} cannot be said: its HEAD is unreadable" for tree in unreadable)
    return f"branch {entry.branch} is checked out nowhere{unknown}"


def _why_not_here(tree: Repository, entry: Entry) -> str | None:
    operation = operation_in_progress(tree.git_dir)
    if operation is not None:
        return f"git is in the middle of a {operation} in {tree.worktree}"
    if not os.path.isdir(os.path.join(tree.worktree, entry.folder)):
        return f"the folder of {entry.log} is not there"
    file = file_to_restore_to(tree.worktree, entry.log)
    if os.path.islink(os.path.join(tree.worktree, os.path.dirname(file))):
        return f"the folder of {file} is a symbolic link, and what it points to may lie outside the repository"
    missing = _missing(tree, entry, file)
    if missing is not None:
        # A new log with this one line would hide that the others are gone.
        return f"{missing} is missing from the work tree; `git restore -- {missing}` brings back what HEAD has"
    branch = position_of(tree).branch or entry.branch
    if branch is not None and not _held(tree, branch, entry.head):
        return f"branch {branch} does not hold commit {entry.head}, on which it was written"
    return None


def _missing(tree: Repository, entry: Entry, file: str) -> str | None:
    """Return what HEAD has and the work tree lacks: an entry's log file, or one of a log that is gone as a whole."""
    if os.path.lexists(os.path.join(tree.worktree, file)):
        return None
    names = [entry.log]
    if not log_files_in(os.path.join(tree.worktree, entry.folder)):
        above = f"{entry.folder}/" if entry.folder else ""
        names += [above + EVENTS_FILENAME, above + SHARDS_FOLDER]
    args = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD", "--", *names]
    return os.fsdecode(run_git(args, cwd=tree.worktree).out.partition(b"\0")[0]) or None


def _held(tree: Repository, branch: str, commit: str | None) -> bool:
    """Say whether a branch, or its reflog, holds a commit."""
    tip = commit_of(tree, f"refs/heads/{branch}")
    if commit is None or commit == tip or commit in reflog_commits(tree, branch):
        return True
    args = ["merge-base", "--is-ancestor", commit, f"refs/heads/{branch}"]
    return tip is not None and run_git(args, cwd=tree.worktree).code == 0
