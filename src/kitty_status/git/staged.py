"""What is staged, and what has to be: the index beside HEAD and beside all that is being merged or picked.

The commit hook uses this, and git waits for it: nothing that needs `re` or `pathlib` is loaded.
"""

# ruff: noqa: PTH118

from __future__ import annotations

import os

from kitty_status.errors import GitError
from kitty_status.git.in_progress import incoming
from kitty_status.git.log_paths import STATUS_PATHSPECS, VIEW_PATHSPECS, feature_of, is_log_path
from kitty_status.git.repository import find_repository
from kitty_status.git.run import git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_REGULAR = "100"


class Change:
    """One path between two states: the blob before and the one after, all zeros where there is none.

    `mode` is what git holds it to be afterwards.
    """

    __slots__ = ("mode", "new", "old", "path")

    def __init__(self, path: str, old: str, new: str, mode: str = f"{_REGULAR}644") -> None:
        self.path = path
        self.old = old
        self.new = new
        self.mode = mode

    @property
    def is_added(self) -> bool:
        """Whether the path was not there before."""
        return not self.old.strip("0")

    @property
    def is_deleted(self) -> bool:
        """Whether the path is no longer there."""
        return not self.new.strip("0")

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file afterwards: no symbolic link, and no commit of another repository."""
        return self.mode.startswith(_REGULAR)

    @property
    def is_log(self) -> bool:
        """Whether it is a log file, and no snapshot."""
        return is_log_path(self.path)


class Source:
    """A commit whose lines must be staged.

    `needs` are (path, blob that holds the lines, blob whose lines need not be there, or nothing);
    `elsewhere` are staged logs to which the lines may have moved.
    """

    __slots__ = ("elsewhere", "name", "needs")

    def __init__(self, name: str, needs: list[tuple[str, str, str]], elsewhere: list[str]) -> None:
        self.name = name
        self.needs = needs
        self.elsewhere = elsewhere

    def blobs(self) -> list[str]:
        """Return the names of all blobs that checking this takes."""
        return [name for path, *held in self.needs for name in (f":{path}", *held) if name] + self.elsewhere


def staged_changes(cwd: str) -> list[Change]:
    """Return the staged logs and snapshots that differ from HEAD, or from nothing before the first commit."""
    try:
        return _changes(["diff-index", "--cached", "HEAD"], cwd)
    except GitError:
        empty_tree = git(["hash-object", "-t", "tree", "--stdin"], cwd=cwd, inherit_repository=True)
        return _changes(["diff-index", "--cached", empty_tree.decode("ascii").strip()], cwd)


def _changes(
    arguments: list[str], cwd: str, *, inherit_repository: bool = True, pathspecs: Sequence[str] = STATUS_PATHSPECS
) -> list[Change]:
    """Return the logs and snapshots, or what else these pathspecs name, that differ between the two states of a diff.

    Raises:
        GitError: git does not know them both.
    """
    options = ["-r", "--raw", "-z", "--no-abbrev", "--no-renames"]
    command = [arguments[0], *options, *arguments[1:], "--", *pathspecs]
    out = git(command, cwd=cwd, inherit_repository=inherit_repository)
    fields = out.split(b"\0")
    changes = []
    for meta, path in zip(fields[0::2], fields[1::2], strict=False):
        _, mode, old, new, _ = meta.decode("ascii").split(" ")
        changes.append(Change(os.fsdecode(path), old, new, mode))
    return changes


def features_between(arguments: list[str], cwd: str, *, views: bool = False) -> list[str]:
    """Return the feature folders, from the top of the work tree, in which a log or a snapshot differs.

    With `views`, also those in which a Markdown file differs that a view is part of.

    `arguments` name the two states: a git command for plumbing diffs, and its revisions.

    Raises:
        GitError: git does not know them both.
    """
    pathspecs = (*STATUS_PATHSPECS, *VIEW_PATHSPECS) if views else STATUS_PATHSPECS
    return list(dict.fromkeys(feature_of(change.path) for change in _changes(arguments, cwd, pathspecs=pathspecs)))


def whole_branch(name: str, changes: list[Change]) -> Source:
    """Return that all lines of a commit must be there, given what differs between it and the index."""
    logs = [change for change in changes if change.is_log]
    needs = [(change.path, change.old, "") for change in logs if not change.is_added]
    return Source(name, needs, _remaining(logs) if any(change.is_deleted for change in logs) else [])


def _remaining(changes: list[Change]) -> list[str]:
    """Return the names of the staged logs among `changes`."""
    return [f":{change.path}" for change in changes if change.is_log and not change.is_deleted]


def merged_branches(staged_in: str, environment: Mapping[str, str]) -> list[Source]:
    """Return what a merge without conflicts must hold lines of, before MERGE_HEAD is there to say it.

    `git merge` names what it merges in its environment, as `GITHEAD_<object id>`.
    """
    heads = [name.removeprefix("GITHEAD_") for name in environment if name.startswith("GITHEAD_")]
    return [whole_branch(head, _changes(["diff-index", "--cached", head], staged_in)) for head in heads]


def commit_changes(name: str, cwd: str, *, inherit_repository: bool = False) -> list[Change]:
    """Return the logs and snapshots that a commit has otherwise than its first parent, or than nothing.

    Raises:
        GitError: there is no such commit.
    """
    try:
        return _changes(["diff-tree", f"{name}^", name], cwd, inherit_repository=inherit_repository)
    except GitError:
        arguments = ["diff-tree", "--root", "--no-commit-id", name]
        return _changes(arguments, cwd, inherit_repository=inherit_repository)


def _one_commit(name: str, staged: list[Change], cwd: str) -> Source:
    """Return that a commit's own lines must be there: picking it does not bring along those before it."""
    changes = commit_changes(name, cwd, inherit_repository=True)
    needs = [
        (change.path, change.new, "" if change.is_added else change.old)
        for change in changes
        if change.is_log and not change.is_deleted
    ]
    return Source(name, needs, _remaining(staged))


def other_sources(cwd: str, staged: list[Change]) -> list[Source]:
    """Return what else this commit must hold lines of, because git is in the middle of bringing them."""
    brought = incoming(git_dir_of(cwd))
    sources = [whole_branch(head, _changes(["diff-index", "--cached", head], cwd)) for head in brought.branches]
    sources += [_one_commit(name, staged, cwd) for name in brought.commits]
    return sources


def git_dir_of(cwd: str) -> str:
    """Return the git folder of the work tree that git has started this process for, in its folder `cwd`.

    Raises:
        GitError: there is none, or it cannot be read.
    """
    inherited = os.environ.get("GIT_DIR")
    if inherited:
        return os.path.join(cwd, inherited)
    repository = find_repository(cwd)
    if repository is not None:
        return repository.git_dir
    return os.fsdecode(git(["rev-parse", "--absolute-git-dir"], cwd=cwd)).rstrip("\n")
