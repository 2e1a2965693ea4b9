"""The versions of one log that git knows: in the index, in commits, and where a lost one may still be.

Paths are given from the top of the work tree. A log may lie in several files, so versions are asked for by the
feature's folder.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kitty_status.errors import NotFoundError, UsageError
from kitty_status.git.log_paths import ANY_LOG_PATHSPECS, STATUS_PATHSPECS, log_pathspecs_in
from kitty_status.git.run import git, read_blobs, run_git
from kitty_status.status.layout import feature_folder_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

_STAGES = 4
_FILES = ("100644", "100755")
_LITERALLY = {"GIT_LITERAL_PATHSPECS": "1"}
_MOST_REFLOG_ENTRIES = 50
_MOST_COMMITS = 50


class Revision:
    """A commit under the name that leads to it, for a person to give to git.

    `base`, where there is one, is a commit whose lines it only passes on.
    """

    __slots__ = ("base", "commit", "name")

    def __init__(self, name: str, commit: str, base: str = "") -> None:
        self.name = name
        self.commit = commit
        self.base = base


def files_in_commit(revision: str, folder: str, cwd: str) -> dict[str, str]:
    """Return {path: blob id} of a feature's log files in a commit; nothing where there is no such commit.

    Raises:
        GitError: git could not be started.
    """
    paths = [pathspec.partition(")")[2] for pathspec in log_pathspecs_in(folder)]
    arguments = ["ls-tree", "-r", "-z", "--full-tree", f"{revision}^{{tree}}", "--", *paths]
    found = {}
    for entry in _fields(run_git(arguments, cwd=cwd, environment=_LITERALLY).out):
        meta, _, path = entry.partition("\t")
        mode, _, oid = meta.split(" ")
        if mode in _FILES and feature_folder_of(path) == folder:
            found[path] = oid
    return found


def files_in_index(folder: str, cwd: str) -> list[dict[str, str]]:
    """Return {path: blob id} of a feature's log files for each stage of the index: merged, base, ours, theirs.

    Raises:
        GitError: git could not be asked.
    """
    stages: list[dict[str, str]] = [{} for _ in range(_STAGES)]
    for entry in _fields(git(["ls-files", "--stage", "-z", "--full-name", "--", *log_pathspecs_in(folder)], cwd=cwd)):
        meta, _, path = entry.partition("\t")
        mode, oid, stage = meta.split(" ")
        if mode in _FILES and feature_folder_of(path) == folder:
            stages[int(stage)][path] = oid
    return stages


def read_files(files: Mapping[str, str], cwd: str) -> dict[str, bytes]:
    """Return {path: content} of {path: blob id}; what a partial clone has not fetched is left out.

    Raises:
        GitError: git could not be asked.
    """
    blobs = read_blobs(list(files.values()), cwd=cwd) if files else []
    return {path: blob[1] for path, blob in zip(files, blobs, strict=True) if blob}


def unmerged_paths(cwd: str, pathspecs: Sequence[str] = STATUS_PATHSPECS) -> list[str]:
    """Return the log files and snapshots that git could not merge in the work tree at `cwd`, or those named.

    Raises:
        GitError: git could not be asked.
    """
    entries = _split(git(["ls-files", "--unmerged", "-z", "--full-name", "--", *pathspecs], cwd=cwd))
    return list(dict.fromkeys(entry.partition("\t")[2] for entry in entries))


def commit_named(revision: str, cwd: str) -> str:
    """Return the id of the commit that a person means by `revision`.

    Raises:
        UsageError: it may mean more than one.
        NotFoundError: there is no such commit here.
        GitError: git could not be asked.
    """
    if not revision or revision.startswith("-"):
        raise NotFoundError(f"{revision!a} is no revision", hint="name a commit, branch, tag or reflog entry")
    result = run_git(["rev-parse", "--verify", f"{revision}^{{commit}}"], cwd=cwd)
    if not result.code:
        return result.out.decode("ascii").strip()
    if b"is ambiguous" in result.err:
        raise UsageError(f"{revision} may mean more than one object", hint="write more of the commit's id")
    raise NotFoundError(
        f"there is no commit {revision} in this clone", hint="`git log --all --oneline` lists those there are"
    )


def files_of_commit(commit: str, cwd: str) -> list[str]:
    """Return the files that a commit has otherwise than its first parent, from the top of the repository.

    Raises:
        GitError: git could not be asked.
    """
    options = ["-r", "-z", "--name-only", "--no-commit-id", "--root", "--no-renames", "-m", "--first-parent"]
    return _split(git(["diff-tree", *options, commit], cwd=cwd))


def moved_from(commit: str, paths: Iterable[str], known: Container[bytes], cwd: str) -> dict[str, str]:
    """Return {path: blob id} of a log in a commit that has it in another folder than `paths` now; often nothing.

    A log that was moved is recognized by a line, or by the history of its files: `known` are lines that stand in
    it now, and no two logs hold the same.

    Raises:
        GitError: git could not be asked.
    """
    # A path that is in the index still is another log's, unless git could not merge it.
    arguments = ["diff-index", "--cached", "-r", "-z", "--no-abbrev", "--no-renames", "--diff-filter=DU", commit, "--"]
    parts = _fields(run_git([*arguments, *ANY_LOG_PATHSPECS], cwd=cwd).out)
    gone = {path: meta.split(" ")[2] for meta, path in zip(parts[::2], parts[1::2], strict=True)}
    contents = read_files({path: oid for path, oid in gone.items() if oid.strip("0")}, cwd)
    folders = {
        feature_folder_of(path)
        for path, content in contents.items()
        if any(line + b"\n" in known for line in content.split(b"\n"))
    }
    for path in () if folders or not gone else paths:
        followed = ["log", "--follow", "-M", "--format=", "--name-only", "-z", "--", path]
        # It takes no magic in a path, but this variable.
        earlier = _split(run_git(followed, cwd=cwd, environment=_LITERALLY).out)
        folders |= {feature_folder_of(each) for each in earlier if each in gone}
    return {path: oid for path, oid in gone.items() if path in contents and feature_folder_of(path) in folders}


def places_to_look(folder: str, cwd: str) -> list[Revision]:
    """Return commits that may hold what the log of the feature in `folder` has lost, the likeliest first, each once.

    These are the parents of HEAD, where the branch stood before, what is stashed, and the parents of commits
    that took lines out of any of the log's files.

    Raises:
        GitError: git could not be started.
    """
    branch = run_git(["symbolic-ref", "--quiet", "--short", "HEAD"], cwd=cwd).out.decode("utf-8", "replace").strip()
    named = _lines(["rev-parse", "HEAD^@"], cwd)
    found = [Revision(f"HEAD^{number}", commit) for number, commit in enumerate(named, start=1)]
    reflog = ["reflog", "show", f"-n{_MOST_REFLOG_ENTRIES}", "--format=%gd %H"]
    earlier = [Revision(*each.rsplit(" ", 1)) for each in _lines([*reflog, branch or "HEAD", "--"], cwd)[1:]]
    before = _lines(["rev-parse", "--verify", "--quiet", "ORIG_HEAD"], cwd)
    # It may have been left by work on another branch, whose lines nobody misses here.
    found += [Revision("ORIG_HEAD", commit) for commit in before if commit in {each.commit for each in earlier}]
    found += earlier
    # A stash may be of another branch: only what was not committed yet can be missed.
    found += [Revision(*each.split(" ")[:3]) for each in _lines(["stash", "list", "--format=%gd %H %P"], cwd)]
    found += [Revision(each[:12], each) for each in _before_lines_were_taken(folder, cwd)]
    unique: dict[str, Revision] = {}
    for each in found:
        unique.setdefault(each.commit, each)
    return list(unique.values())


def _before_lines_were_taken(folder: str, cwd: str) -> list[str]:
    """Return the parents of the newest commits that took lines out of a log file."""
    arguments = ["log", "-m", "--full-history", "--numstat", "--no-renames", "--format=commit %H %P"]
    commits: dict[str, None] = {}
    parents: list[str] = []
    for line in _lines([*arguments, "--", *log_pathspecs_in(folder)], cwd):
        if line.startswith("commit "):
            parents = line.split(" ")[2:]
        elif line.split("\t")[1] != "0":
            commits.update(dict.fromkeys(parents))
        if len(commits) >= _MOST_COMMITS:
            break
    return list(commits)


def _lines(arguments: list[str], cwd: str) -> list[str]:
    """Return the lines that git prints; none where it knows of nothing, as before the first commit."""
    out = run_git(arguments, cwd=cwd).out
    return [line for line in os.fsdecode(out).split("\n") if line]


def _fields(out: bytes) -> list[str]:
    return [os.fsdecode(field) for field in out.split(b"\0")[:-1]]


def _split(out: bytes) -> list[str]:
    # `git log` puts line breaks around the names.
    return [os.fsdecode(name.lstrip(b"\n")) for name in out.split(b"\0") if name.strip(b"\n")]
