"""Where a work tree stands: branch, commit, what git is in the middle of, and where its references have been.

Everything is read from git's own files, so that a write starts no git. Where references are kept in
tables instead of files, git is asked.
"""

# ruff: noqa: PTH110, PTH112, PTH118, PTH119, PTH120, PTH208

from __future__ import annotations

import os

from kitty_status.errors import GitError
from kitty_status.git.repository import Repository, config_value, is_bare, main_config_value, read_file
from kitty_status.git.run import run_git

_HEADS = "refs/heads/"
_SYMBOLIC = b"ref: "
# What git notes when a branch is given another name.
_RENAMED = f"Branch: renamed {_HEADS}"
_ID_LENGTHS = (40, 64)
_TABLES = b"ref: refs/heads/.invalid"
# What git leaves in a work tree's git folder while it is in the middle of something.
_SIGNS = {
    "MERGE_HEAD": "merge",
    "MERGE_AUTOSTASH": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    # A rebase that died while it set up leaves its folder without a branch to go back to: nothing is in progress.
    "rebase-merge/head-name": "rebase",
    "rebase-apply/head-name": "rebase",
    "rebase-apply/applying": "series of patches",
    "sequencer": "series of picks",
}
_REBASES = ("rebase-merge/head-name", "rebase-apply/head-name")


class Position:
    """The branch that what is written now belongs to, and the commit it is written on.

    `branch` is the short name, in a rebase that of the branch being rebased, and None on any other
    detached HEAD. `commit` is None before the first commit; in a rebase it is where the branch still
    stands, which is in its reflog however the rebase ends.
    """

    __slots__ = ("branch", "commit")

    def __init__(self, branch: str | None, commit: str | None) -> None:
        self.branch = branch
        self.commit = commit


def position_of(repository: Repository) -> Position:
    """Return where a work tree stands.

    Raises:
        GitError: HEAD cannot be read, or holds neither a branch nor a commit.
    """
    head = _contents(os.path.join(repository.git_dir, "HEAD"))
    if head is None or not (head.startswith(_SYMBOLIC) or _is_object_id(head.strip())):
        raise GitError(
            f"cannot read {repository.git_dir}/HEAD, so nobody knows what is checked out in {repository.worktree}",
            hint="check its permissions; where it is damaged, write `ref: refs/heads/BRANCH` into it, with that branch",
        )
    if head.startswith(_TABLES):
        return _asked(repository)
    if head.startswith(_SYMBOLIC):
        name = os.fsdecode(head[len(_SYMBOLIC) :].strip())
        return Position(_short(name), commit_of(repository, name))
    branch = _rebased_branch(repository)
    commit = commit_of(repository, f"{_HEADS}{branch}") if branch else None
    return Position(branch, commit or head.strip().decode("ascii", "replace"))


def positions(repository: Repository) -> list[tuple[Repository, Position | None]]:
    """Return all work trees of the clone, as `worktrees` does, with where each stands; None where HEAD is unreadable.

    What is wrong in one work tree must stop nobody in another.
    """
    return [(tree, _position_if_readable(tree)) for tree in worktrees(repository)]


def commit_of(repository: Repository, name: str) -> str | None:
    """Return the commit that a full reference name (`refs/heads/main`) stands for, None where it does not exist."""
    if uses_tables(repository):
        return _answer(repository, ["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"])
    for _ in range(5):  # symbolic references are followed as far as git follows them
        found = _contents(os.path.join(repository.common_dir, name))
        if found is None:
            return _packed(repository, name)
        if not found.startswith(_SYMBOLIC):
            return found.strip().decode("ascii", "replace") or None
        name = os.fsdecode(found[len(_SYMBOLIC) :].strip())
    return None


def uses_tables(repository: Repository) -> bool:
    """Say whether references are kept in tables, which only git can read."""
    return config_value(os.path.join(repository.common_dir, "config"), "extensions", "refstorage") == "reftable"


def operation_in_progress(git_dir: str) -> str | None:
    """Return what git is in the middle of (`merge`, `rebase`, …), None where it is at rest."""
    for sign, operation in _SIGNS.items():
        if os.path.exists(os.path.join(git_dir, sign)):
            return operation
    return None


def reflog_commits(repository: Repository, branch: str | None = None) -> list[str]:
    """Return the commits that the work tree's HEAD, or a branch, has stood at, as its reflog knows, oldest first."""
    if uses_tables(repository):
        name = f"{_HEADS}{branch}" if branch else "HEAD"
        listed = _answer(repository, ["log", "--walk-reflogs", "--format=%H", name, "--"])
        return listed.split("\n")[::-1] if listed else []
    path = reflog_path(repository) if branch is None else os.path.join(repository.common_dir, "logs", _HEADS, branch)
    commits: list[str] = []
    for line in (_contents(path) or b"").split(b"\n"):
        old, _, rest = line.partition(b" ")
        new = rest.partition(b" ")[0]
        for oid in (old, new):
            text = oid.decode("ascii", "replace")
            if text.strip("0") and (not commits or commits[-1] != text):
                commits.append(text)
    return commits


def birth_of_branch(repository: Repository, branch: str) -> str:
    """Return the reflog entry that a branch began with, "" where git keeps none or has forgotten it."""
    if uses_tables(repository):
        return ""
    reflog = _contents(os.path.join(repository.common_dir, "logs", _HEADS, branch)) or b""
    first = reflog.partition(b"\n")[0]
    return "" if first.partition(b" ")[0].strip(b"0") else first.decode("utf-8", "replace")


def last_checkout(repository: Repository) -> str:
    """Return the reflog entry of the checkout that brought HEAD where it is, "" where git keeps none or forgot it."""
    if uses_tables(repository):
        return ""
    entries = (_contents(reflog_path(repository)) or b"").split(b"\n")
    last = next((entry for entry in reversed(entries) if b"\tcheckout: moving from " in entry), b"")
    return last.decode("utf-8", "replace")


def names_of_branch(repository: Repository, branch: str) -> set[str]:
    """Return a branch's short name, and those that it had before and that no branch has taken since."""
    if uses_tables(repository):
        messages = (_answer(repository, ["log", "--walk-reflogs", "--format=%gs", _HEADS + branch, "--"]) or "").split(
            "\n"
        )
    else:
        reflog = _contents(os.path.join(repository.common_dir, "logs", _HEADS, branch)) or b""
        messages = [os.fsdecode(line.rpartition(b"\t")[2]) for line in reflog.split(b"\n")]
    former = {
        message.removeprefix(_RENAMED).partition(f" to {_HEADS}")[0]
        for message in messages
        if message.startswith(_RENAMED)
    }
    return {branch, *(name for name in former if commit_of(repository, _HEADS + name) is None)}


def reflog_path(repository: Repository) -> str:
    """Return the file in which git notes every movement of the work tree's HEAD."""
    return os.path.join(repository.git_dir, "logs", "HEAD")


def worktrees(repository: Repository) -> list[Repository]:
    """Return all work trees of the clone whose folders are there: the main one first, unless it is bare."""
    main = _main_worktree(repository)
    there = [tree for tree in _linked_worktrees(repository) if _is_there(tree)]
    return there if main is None else [main, *there]


def vanished_worktrees(repository: Repository) -> list[Repository]:
    """Return the linked work trees that git remembers and whose folders are gone, or are another clone's by now."""
    return [tree for tree in _linked_worktrees(repository) if not _is_there(tree)]


def _linked_worktrees(repository: Repository) -> list[Repository]:
    found = []
    linked = os.path.join(repository.common_dir, "worktrees")
    for name in sorted(os.listdir(linked)) if os.path.isdir(linked) else ():
        git_dir = os.path.join(linked, name)
        pointer = _contents(os.path.join(git_dir, "gitdir"))
        if pointer is not None:
            # Where extensions.relativeWorktrees is set, the path begins at the git folder.
            folder = os.path.dirname(os.path.join(git_dir, os.fsdecode(pointer.strip())))
            found.append(Repository(os.path.realpath(folder), git_dir, repository.common_dir))
    return found


def _is_there(tree: Repository) -> bool:
    """Say whether a linked work tree's folder leads back to it; another clone may lie where it was."""
    back = _contents(os.path.join(tree.worktree, ".git")) or b""
    target = os.fsdecode(back.removeprefix(b"gitdir:").strip())
    return back.startswith(b"gitdir:") and os.path.realpath(os.path.join(tree.worktree, target)) == tree.git_dir


def _position_if_readable(tree: Repository) -> Position | None:
    try:
        return position_of(tree)
    except GitError:
        return None


def _is_object_id(text: bytes) -> bool:
    return len(text) in _ID_LENGTHS and not text.strip(b"0123456789abcdef")


def _main_worktree(repository: Repository) -> Repository | None:
    common = repository.common_dir
    if repository.git_dir == common:
        return repository
    if is_bare(common):
        return None
    named = main_config_value(common, "core", "worktree")
    folder = os.path.realpath(os.path.join(common, named)) if named else os.path.dirname(common)
    is_there = os.path.isdir(folder) and (named is not None or os.path.basename(common) == ".git")
    return Repository(folder, common, common) if is_there else None


def _rebased_branch(repository: Repository) -> str | None:
    for name in _REBASES:
        head = _contents(os.path.join(repository.git_dir, name))
        if head is not None:
            return _short(os.fsdecode(head.strip()))
    return None


def _short(name: str) -> str | None:
    return name[len(_HEADS) :] if name.startswith(_HEADS) else None


def _packed(repository: Repository, name: str) -> str | None:
    wanted = b" " + os.fsencode(name)
    for line in (_contents(os.path.join(repository.common_dir, "packed-refs")) or b"").split(b"\n"):
        if line.endswith(wanted) and len(line.split(b" ", 1)[0]) + len(wanted) == len(line):
            return line.split(b" ", 1)[0].decode("ascii", "replace")
    return None


def _asked(repository: Repository) -> Position:
    name = _answer(repository, ["symbolic-ref", "--quiet", "HEAD"])
    commit = _answer(repository, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
    return Position(_short(name) if name else _rebased_branch(repository), commit)


def _answer(repository: Repository, args: list[str]) -> str | None:
    result = run_git(args, cwd=repository.worktree)
    return os.fsdecode(result.out).strip() or None if result.code == 0 else None


def _contents(path: str) -> bytes | None:
    try:
        return read_file(path)
    except OSError:
        return None
