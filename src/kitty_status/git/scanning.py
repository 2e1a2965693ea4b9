"""What the local branches of a repository hold: references, commits with their messages, and what is merged.

Nothing is fetched, written or checked out. Commits are read in one go, at most as many as the caller asks
for; ids are never taken apart, so that every object format and every kind of reference storage will do.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from kitty_status.errors import GitError
from kitty_status.git.head import position_of, worktrees
from kitty_status.git.references import LOCAL, REMOTE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.gitpython import LocalRepository
    from kitty_status.git.repository import Repository

DETACHED = "HEAD"
_USUAL = ("main", "master")
_FIELDS = 6
# The bytes of a message are what was committed, not what a configuration makes of them.
_FORMAT = "--format=%x00%H%x00%P%x00%ct%x00%ae%x00%B%x00"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: the time it was made at is the committer's, in seconds; `email` is the author's."""

    oid: str
    parents: tuple[str, ...]
    at: int
    email: str
    message: str


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch, or a work tree that stands on none, with its tip; `names` are what it may be recognised by."""

    name: str
    tip: str
    names: tuple[str, ...]


@dataclass
class Scan:
    """One repository as it was found.

    * `commits` are the newest ones, newest first, and none before its children
    * `base` is None where nothing says which branch work is merged into
    * `mains` are the tips of the base branch: here, and as the remote was last seen
    """

    repository: LocalRepository
    refs: list[Ref]
    base: str | None
    mains: list[str]
    commits: dict[str, Commit] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @cached_property
    def on_main(self) -> set[str]:
        """The commits that the base branch holds, among those that were read."""
        return self.reached(self.mains)

    @cached_property
    def line(self) -> list[str]:
        """The commits that the base branch itself was at, without what merges brought: newest first."""
        found: dict[str, None] = {}
        for tip in self.mains:
            found.update(dict.fromkeys(self.first_parents(tip)))
        return list(found)

    def first_parents(self, tip: str) -> list[str]:
        """Return a tip and its first parent, that one's first parent, and so on, as far as commits were read."""
        found = []
        commit = self.commits.get(tip)
        while commit is not None:
            found.append(commit.oid)
            commit = self.commits.get(commit.parents[0]) if commit.parents else None
        return found

    def beyond(self, tip: str, without: Iterable[str]) -> list[str]:
        """Return the commits, among those that were read, that `tip` has and none of `without` has, newest first.

        Commits stand in their order with children first, so that each is known to be wanted or not
        before its parents are looked at, and the walk ends where nothing wanted is left.
        """
        place = self._place
        unwanted = {place[oid] for oid in without if oid in place}
        waiting = sorted({place[oid] for oid in (tip,) if oid in place} | unwanted)
        wanted = set(waiting) - unwanted
        seen, found, order = set(waiting), [], self._order
        while wanted:
            at = heappop(waiting)
            is_wanted = at not in unwanted
            if is_wanted:
                wanted.discard(at)
                found.append(order[at])
            for parent in self.commits[order[at]].parents:
                number = place.get(parent)
                if number is None:
                    continue
                if number not in seen:
                    seen.add(number)
                    heappush(waiting, number)
                    if is_wanted:
                        wanted.add(number)
                if not is_wanted:
                    unwanted.add(number)
                    wanted.discard(number)
        return found

    def brought_by(self, tip: str) -> Commit | None:
        """Return the merge that brought `tip` to the base branch, None where the base branch itself was there."""
        merge = self._brought.get(tip, tip)
        return None if merge == tip else self.commits[merge]

    @cached_property
    def _order(self) -> list[str]:
        return list(self.commits)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {oid: number for number, oid in enumerate(self.commits)}

    @cached_property
    def _brought(self) -> dict[str, str]:
        """For each commit of the base branch the first one on its own line, itself or a merge, that has it."""
        found: dict[str, str] = {}
        for merge in sorted(self.line, key=self._place.__getitem__, reverse=True):
            waiting = [merge]
            while waiting:
                oid = waiting.pop()
                if oid in self.commits and oid not in found:
                    found[oid] = merge
                    waiting += self.commits[oid].parents
        return found

    def equivalent(self, tip: str) -> set[str]:
        """Return the commits, on the base branch and on `tip`, that the other side holds by the same change.

        A side whose content is not in this clone shows none.
        """
        found: set[str] = set()
        for main in self.mains:
            try:
                listed = self.repository.ask(
                    "rev_list", "--cherry-mark", "--left-right", "--no-merges", f"{main}...{tip}", "--"
                )
            except GitError:
                continue
            found.update(line[1:] for line in listed.decode("ascii").split() if line.startswith("="))
        return found

    def files(self, oids: Iterable[str]) -> dict[str, list[str]]:
        """Return the paths that each commit changed; none of merges, nor of where a shallow clone ends.

        Raises:
            GitError: git failed.
        """
        edge = self.shallow_edge
        wanted = [oid for oid in oids if oid not in edge and len(self.commits[oid].parents) <= 1]
        if not wanted:
            return {}
        stdin = io.BytesIO("".join(f"{oid}\n" for oid in wanted).encode("ascii"))
        options = ("--stdin", "--root", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff")
        found: dict[str, list[str]] = {}
        headers, current = set(wanted), None
        for token in self.repository.ask("diff_tree", *options, stdin=stdin).split(b"\0"):
            text = os.fsdecode(token)
            if text in headers:
                current = found.setdefault(text, [])
            elif text and current is not None:
                current.append(text)
        return found

    @cached_property
    def shallow_edge(self) -> set[str]:
        """The commits whose parents a shallow clone does not hold."""
        try:
            with open(os.path.join(self.repository.place.common_dir, "shallow"), encoding="ascii") as file:  # noqa: PTH118, PTH123
                return set(file.read().split())
        except OSError:
            return set()

    def reached(self, tips: Iterable[str]) -> set[str]:
        """Return the commits, among those that were read, that these tips hold."""
        found: set[str] = set()
        waiting = [tip for tip in tips if tip in self.commits]
        while waiting:
            oid = waiting.pop()
            if oid not in found:
                found.add(oid)
                waiting += [parent for parent in self.commits[oid].parents if parent in self.commits]
        return found


def scan(repository: LocalRepository, *, base: str | None, limit: int, since: str | None) -> Scan:
    """Return what the branches of a repository hold: its newest `limit` commits, none older than `since`.

    `base` names the branch that work is merged into; by default that of `origin/HEAD`, else `main`, else `master`.

    Raises:
        GitError: git failed, or the repository has no branch `base`.
    """
    refs = _refs(repository)
    name, mains = _mains(repository, {ref.name: ref.tip for ref in refs}, base)
    found = Scan(repository, [*refs, *_detached(repository)], name, mains)
    if not found.refs:
        found.remarks.append("no branch has a commit yet")
        return found
    _read_commits(found, limit, since)
    if name is None:
        found.remarks.append("nothing says which branch work is merged into: --base names it")
    if found.shallow_edge:
        found.remarks.append("the clone is shallow: what lies before its edge was not seen")
    return found


def _refs(repository: LocalRepository) -> list[Ref]:
    listed = repository.ask("for_each_ref", "--format=%(objectname)%00%(refname)%00%(symref)", LOCAL, REMOTE)
    entries = [line.split("\0") for line in os.fsdecode(listed).split("\n") if line]
    shorts = [(oid, name.removeprefix(LOCAL).removeprefix(REMOTE)) for oid, name, symbolic in entries if not symbolic]
    by_branch = {tree: name for name, tree in _trees(repository)}
    return [Ref(short, oid, (short, *by_branch.get(short, ()))) for oid, short in shorts]


def _trees(repository: LocalRepository) -> list[tuple[tuple[str, ...], str]]:
    """Return (names of its folder, branch) of each linked work tree on a branch; a folder says what it is for, too."""
    found: dict[str, list[str]] = {}
    for tree in worktrees(repository.place):
        branch = _branch_of(tree)
        if branch is not None and tree.git_dir != tree.common_dir:
            found.setdefault(branch, []).append(os.path.basename(tree.worktree))  # noqa: PTH119
    return [(tuple(names), branch) for branch, names in found.items()]


def _branch_of(tree: Repository) -> str | None:
    try:
        return position_of(tree).branch
    except GitError:
        return None


def _detached(repository: LocalRepository) -> list[Ref]:
    """Return the work trees that stand on a commit and on no branch."""
    found = []
    for tree in worktrees(repository.place):
        try:
            position = position_of(tree)
        except GitError:
            continue
        if position.branch is None and position.commit is not None:
            folder = os.path.basename(tree.worktree)  # noqa: PTH119
            is_linked = tree.git_dir != tree.common_dir
            found.append(Ref(folder if is_linked else DETACHED, position.commit, (folder,) if is_linked else ()))
    return found


def _mains(repository: LocalRepository, tips: dict[str, str], base: str | None) -> tuple[str | None, list[str]]:
    if base is not None:
        names = [base]
        if base not in tips and f"origin/{base}" not in tips:
            raise GitError(f"{repository.path} has no branch {base}", hint="--base names a branch that is there")
    else:
        listed = repository.ask("for_each_ref", "--format=%(symref)", f"{REMOTE}origin/HEAD")
        named = os.fsdecode(listed).strip().removeprefix(f"{REMOTE}origin/")
        names = [named, *_USUAL] if named else [*_USUAL]
    name = next((each for each in names if each in tips or f"origin/{each}" in tips), None)
    found = [tips[each] for each in (name, f"origin/{name}") if each in tips] if name is not None else []
    return name, list(dict.fromkeys(found))


def _read_commits(found: Scan, limit: int, since: str | None) -> None:
    options = ["--stdin", "--date-order", f"--max-count={limit + 1}", "--encoding=UTF-8", _FORMAT]
    options += [f"--since={since}"] if since else []
    tips = "".join(f"{tip}\n" for tip in dict.fromkeys(ref.tip for ref in found.refs))
    answer = found.repository.ask("rev_list", *options, stdin=io.BytesIO(tips.encode("ascii")))
    fields = answer.decode("utf-8", "replace").split("\0")
    for at in range(1, len(fields) - _FIELDS + 2, _FIELDS):
        oid, parents, when, email, message = fields[at : at + _FIELDS - 1]
        found.commits[oid] = Commit(oid, tuple(parents.split()), int(when), email, message)
    if len(found.commits) > limit:
        found.commits.popitem()
        found.remarks.append(f"only the newest {limit} commits were looked at; --limit looks at more")
