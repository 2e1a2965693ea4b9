"""The branch that work is based on: which it is, how far it is ahead, and merging it into the branch checked out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.errors import GitError, NotFoundError, UsageError
from kitty_status.git.log_paths import LOG_PATHSPECS, is_log_path
from kitty_status.git.run import git, run_git
from kitty_status.git.squashed import merge_in_memory

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository

_USUAL_NAMES = ("main", "master")
_AUTOSTASH_FAILED = b"autostash resulted in conflicts"


@dataclass(frozen=True, slots=True)
class Base:
    """A branch to merge: the name that git is given for it, and the commit that it stands at."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """How `git merge` ended: its code and words, and the paths that it left for a person."""

    code: int
    words: str
    unmerged: list[str]
    stash_conflict: bool


def find_base(repository: Repository, name: str | None) -> Base:
    """Return the branch that `name` means, by default the default branch of the remote, else `main` or `master`.

    Raises:
        UsageError: the name could be taken for an option, or nothing says which branch is meant.
        NotFoundError: there is no such branch or commit.
        GitError: git could not be asked.
    """
    if name is None:
        return _default_base(repository)
    if name.startswith("-"):
        raise UsageError(f"{name!a} is no name of a branch", hint="name the branch to merge, for example origin/main")
    commit = commit_of(repository, name)
    if commit is None:
        raise NotFoundError(f"there is no branch {name}", hint="`git branch --all` lists them; --fetch asks the remote")
    return Base(name, commit)


def _default_base(repository: Repository) -> Base:
    remote = remote_of(repository)
    names = []
    if remote:
        head = run_git(["symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD"], cwd=repository.worktree)
        names = [os.fsdecode(head.out).strip()] if head.code == 0 else []
        names += [f"{remote}/{name}" for name in _USUAL_NAMES]
    branch = current_branch(repository)
    names += [name for name in _USUAL_NAMES if name != branch]
    for name in names:
        commit = commit_of(repository, name)
        if commit is not None:
            return Base(name, commit)
    raise UsageError(
        "nothing says which branch this one is based on", hint="name it, for example: kitty-status sync-base develop"
    )


def remote_of(repository: Repository) -> str | None:
    """Return the remote of the branch that is checked out, else `origin`, else the only one there is."""
    branch = current_branch(repository)
    configured = run_git(["config", "--get", f"branch.{branch}.remote"], cwd=repository.worktree)
    remotes = os.fsdecode(git(["remote"], cwd=repository.worktree)).split()
    for name in (os.fsdecode(configured.out).strip(), "origin"):
        if name in remotes:
            return name
    return remotes[0] if len(remotes) == 1 else None


def fetch(repository: Repository, remote: str) -> None:
    """Ask a remote for what is new.

    Raises:
        GitError: git or the remote refused.
    """
    git(["fetch", "--quiet", "--", remote], cwd=repository.worktree, offline=False)


def current_branch(repository: Repository) -> str | None:
    """Return the branch that is checked out, None while HEAD is detached."""
    named = run_git(["symbolic-ref", "--quiet", "--short", "HEAD"], cwd=repository.worktree)
    return os.fsdecode(named.out).strip() if named.code == 0 else None


def commit_of(repository: Repository, name: str) -> str | None:
    """Return the commit that a name of a branch, tag or commit stands for, None where it stands for none."""
    args = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    found = run_git(args, cwd=repository.worktree)
    return found.out.decode("ascii").strip() if found.code == 0 else None


def is_ancestor(repository: Repository, one: str, other: str) -> bool:
    """Say whether the commit `one` is part of the history of `other`."""
    return run_git(["merge-base", "--is-ancestor", one, other], cwd=repository.worktree).code == 0


def logs_changed_by(repository: Repository, side: str, other: str) -> set[str]:
    """Return the logs that one side has changed since both had a common ancestor; all it has where they had none.

    Raises:
        GitError: git could not be asked.
    """
    common = run_git(["merge-base", side, other], cwd=repository.worktree)
    if common.code:
        return set(logs_in(repository, side))
    base = common.out.decode("ascii").strip()
    options = ["-r", "-z", "--name-only", "--no-renames"]
    return set(_names(["diff-tree", *options, base, side, "--", *LOG_PATHSPECS], repository))


def logs_in(repository: Repository, commit: str | None) -> dict[str, str]:
    """Return {path: blob id} of all logs of a commit, or of the index, but those that a merge left unmerged there.

    Raises:
        GitError: git could not be asked.
    """
    if commit is None:
        listed = _names(["ls-files", "--stage", "-z", "--", *LOG_PATHSPECS], repository)
        entries = [(meta.split(" "), path) for meta, _, path in (entry.partition("\t") for entry in listed)]
        return {path: meta[1] for meta, path in entries if meta[2] == "0"}
    listed = _names(["ls-tree", "-r", "-z", "--full-tree", commit], repository)
    entries = [(meta.split(" "), path) for meta, _, path in (entry.partition("\t") for entry in listed)]
    return {path: meta[2] for meta, path in entries if is_log_path(path)}


def uncommitted(repository: Repository) -> list[str]:
    """Return the tracked files that differ from HEAD, in the index or in the work tree.

    Raises:
        GitError: git could not be asked.
    """
    entries = _names(["status", "--porcelain", "-z", "--no-renames", "--untracked-files=no"], repository)
    return [entry[3:] for entry in entries]


def autostashes(repository: Repository) -> bool:
    """Say whether git sets uncommitted changes aside by itself when it merges."""
    value = run_git(["config", "--type=bool", "--get", "merge.autoStash"], cwd=repository.worktree)
    return value.out.strip() == b"true"


def merge(repository: Repository, base: Base) -> MergeOutcome:
    """Merge a branch into the one checked out, as `git merge` does it, hooks and all.

    Raises:
        GitError: git could not be started.
    """
    args = ["merge", "--no-edit", "--commit", "--no-squash", base.name]
    result = run_git(args, cwd=repository.worktree, offline=False)
    unmerged = _names(["diff", "--name-only", "-z", "--diff-filter=U"], repository)
    words = os.fsdecode(result.err + result.out).strip()
    return MergeOutcome(result.code, words, unmerged, _AUTOSTASH_FAILED in result.err + result.out)


def would_conflict(repository: Repository, base: Base, scratch: str) -> list[str] | None:
    """Return the paths that merging a branch would leave for a person; None where this git cannot say (before 2.38).

    What git has to write for that goes into the folder `scratch`.

    Raises:
        GitError: git could not be started.
    """
    merged = merge_in_memory(repository, "HEAD", base.commit, scratch)
    return None if merged is None else merged[1]


def merge_error(outcome: MergeOutcome, *, is_prepared: bool) -> GitError:
    """Return what is to be raised where git did not merge although nothing conflicts."""
    hint = "git says what is in the way; nothing was merged"
    if is_prepared:
        hint = (
            "the merge is prepared and not committed, a hook may have refused: mend that, then `git commit --no-edit`"
        )
    return GitError(f"git merge failed: {outcome.words}", hint=hint)


def _names(args: list[str], repository: Repository) -> list[str]:
    return [os.fsdecode(name) for name in git(args, cwd=repository.worktree).split(b"\0") if name]
