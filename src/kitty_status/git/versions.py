"""The versions of one file that git knows: in the index, in commits, and where a lost one may still be.

Paths are given from the top of the work tree.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kitty_status.errors import NotFoundError, UsageError
from kitty_status.git.log_paths import ANY_LOG_PATHSPECS, STATUS_PATHSPECS, feature_of, log_pathspecs_in
from kitty_status.git.run import git, read_blobs, run_git
from kitty_status.status.layout import feature_folder_of

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

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


def read_versions(names: Sequence[str], cwd: str) -> list[bytes | None]:
    """Return the content that git has under each name (`REVISION:path`, `:path`, `:2:path`), None where it has none.

    Raises:
        UsageError: a folder's name holds a line break, so git cannot be asked.
        GitError: git could not be asked.
    """
    if not names:
        return []
    try:
        blobs = read_blobs(names, cwd=cwd)
    except ValueError as error:
        raise UsageError(str(error), hint="give the folder a name without line breaks") from error
    return [blob[1] if blob else None for blob in blobs]


def unmerged_paths(cwd: str) -> list[str]:
    """Return the logs and snapshots that git could not merge in the work tree at `cwd`.

    Raises:
        GitError: git could not be asked.
    """
    entries = _split(git(["ls-files", "--unmerged", "-z", "--full-name", "--", *STATUS_PATHSPECS], cwd=cwd))
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


def moved_from(commit: str, path: str, known: Container[bytes], cwd: str) -> list[str]:
    """Return where the log that lies at `path` now lay in a commit that has nothing there; often nowhere.

    A log that was moved is recognized by the path's own history, or by a line: `known` are lines that stand
    in it now, and no two logs hold the same.

    Raises:
        UsageError, GitError: git could not be asked.
    """
    # A path that is in the index still is another log's, unless git could not merge it.
    arguments = ["diff-index", "--cached", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=DU", commit, "--"]
    # A log may have been divided since, or put together.
    alike = ANY_LOG_PATHSPECS if feature_folder_of(path) is not None else (f":(top,glob)**/{path.rpartition('/')[2]}",)
    gone = _split(run_git([*arguments, *alike], cwd=cwd).out)
    if not gone:
        return []
    followed = ["log", "--follow", "-M", "--format=", "--name-only", "-z", "--", path]
    # It takes no magic in a path, but this variable.
    earlier = set(_split(run_git(followed, cwd=cwd, environment={"GIT_LITERAL_PATHSPECS": "1"}).out))
    contents = read_versions([f"{commit}:{each}" for each in gone], cwd)
    return [
        each
        for each, content in zip(gone, contents, strict=True)
        if each in earlier or any(line + b"\n" in known for line in (content or b"").split(b"\n"))
    ]


def places_to_look(path: str, cwd: str) -> list[Revision]:
    """Return commits that may hold what the file at `path` has lost, the likeliest first, each once.

    These are the parents of HEAD, where the branch stood before, what is stashed, and the parents of commits
    that took lines out of the file.

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
    found += [Revision(each[:12], each) for each in _before_lines_were_taken(path, cwd)]
    unique: dict[str, Revision] = {}
    for each in found:
        unique.setdefault(each.commit, each)
    return list(unique.values())


def _before_lines_were_taken(path: str, cwd: str) -> list[str]:
    """Return the parents of the newest commits that took lines out of a file, or out of any file of the same log."""
    pathspecs = [f":(top,literal){path}"]
    if feature_folder_of(path) is not None:
        pathspecs = log_pathspecs_in(feature_of(path))
    arguments = ["log", "-m", "--full-history", "--numstat", "--no-renames", "--format=commit %H %P"]
    commits: dict[str, None] = {}
    parents: list[str] = []
    for line in _lines([*arguments, "--", *pathspecs], cwd):
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


def _split(out: bytes) -> list[str]:
    return [os.fsdecode(name.lstrip(b"\n")) for name in out.split(b"\0") if name.strip(b"\n")]
