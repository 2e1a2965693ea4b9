"""What each work tree and branch of a clone holds that the main branch lacks, over all features.

git compares the trees first, and only logs that differ are read, each content once. Events are told
apart by their ids, so one that stands at another path in the main branch, because its feature was
renamed, is not counted.
"""

from __future__ import annotations

from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import GitError, KittyStatusError, NotFoundError
from kitty_status.git.differences import changed_in_work_tree, differences
from kitty_status.git.head import operation_in_progress, positions, vanished_worktrees
from kitty_status.git.log_paths import ANY_LOG_PATHSPECS
from kitty_status.git.objects import blob_ids
from kitty_status.git.references import REMOTE, branches, main_branch
from kitty_status.git.run import read_blobs
from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.damage import is_in_flight
from kitty_status.jsonl.reading import read_bytes
from kitty_status.status.record import event_in
from kitty_status.tracker.journal.entries import books, read_book
from kitty_status.tracker.journal.restoring import restore
from kitty_status.tracker.journal.settling import open_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.differences import Difference
    from kitty_status.git.head import Position
    from kitty_status.git.repository import Repository

_PAIRS_AT_ONCE = 64


class Holding:
    """A work tree, or a branch that is checked out in none, and what it holds beyond the main branch.

    * `unmerged` counts events, `uncommitted` those of them that HEAD does not have either
    * `waiting` counts acknowledged events of the branch that stand neither in a commit nor in a log
    * `operation` is what git is in the middle of there, None where it is at rest
    """

    __slots__ = ("branch", "commit", "operation", "uncommitted", "unmerged", "waiting", "worktree")

    def __init__(self, worktree: str | None, branch: str | None, commit: str | None) -> None:
        self.worktree = worktree
        self.branch = branch
        self.commit = commit
        self.unmerged = 0
        self.uncommitted = 0
        self.waiting = 0
        self.operation: str | None = None

    def to_dict(self) -> dict[str, str | int | None]:
        """Return what JSON answers give."""
        return {
            "worktree": self.worktree,
            "branch": self.branch,
            "head": self.commit,
            "unmerged_events": self.unmerged,
            "uncommitted_events": self.uncommitted,
            "waiting_events": self.waiting,
            "operation": self.operation,
        }


class Survey:
    """The branch that everything was compared with, what each place holds, and what could not be read."""

    __slots__ = ("base", "base_commit", "holdings", "warnings")

    def __init__(self, base: str | None, base_commit: str | None) -> None:
        self.base = base
        self.base_commit = base_commit
        self.holdings: list[Holding] = []
        self.warnings: list[str] = []


def survey(repository: Repository, base: str | None = None) -> Survey:
    """Return what every work tree and every other local branch holds that `base`, or the main branch, lacks.

    Raises:
        NotFoundError: there is no branch `base`.
        GitError, OSError: git or the journal could not be asked.
    """
    tips = branches(repository)
    standing = positions(repository)
    name, commit = _base(repository, base, tips, standing)
    found = Survey(name, commit)
    for tree, position in standing:
        if position is None:
            found.warnings.append(f"the HEAD of {tree.worktree} cannot be read")
            found.holdings.append(Holding(tree.worktree, None, None))
        else:
            found.holdings.append(Holding(tree.worktree, position.branch, position.commit))
            found.holdings[-1].operation = operation_in_progress(tree.git_dir)
    shown = {(holding.branch, holding.commit) for holding in found.holdings}
    found.holdings += [Holding(None, each, tip) for each, tip in tips.items() if (each, tip) not in shown]
    for tree in vanished_worktrees(repository):
        found.warnings.append(f"the work tree {tree.worktree} is gone; `git worktree list` shows what git knows of it")
    _count(repository, found)
    _count_waiting(repository, found)
    return found


def _base(
    repository: Repository,
    wanted: str | None,
    tips: dict[str, str],
    standing: list[tuple[Repository, Position | None]],
) -> tuple[str | None, str | None]:
    if wanted is not None:
        known = {**branches(repository, REMOTE), **tips}
        if wanted not in known:
            raise NotFoundError(
                f"there is no branch {wanted}", hint=f"local branches: {', '.join(list(tips)[:10]) or 'none'}"
            )
        return wanted, known[wanted]
    name = main_branch(repository, tips)
    if name is None:
        name = next((position.branch for _, position in standing if position and position.branch), None)
    return name, tips.get(name) if name else None


class _Added:
    """Lines that some contents have and others lack; what was merely moved between paths is in both sets."""

    def __init__(self) -> None:
        self.more: set[bytes] = set()
        self.less: set[bytes] = set()

    def compare(self, new: Iterable[bytes], old: Iterable[bytes]) -> None:
        ours, theirs = set(new), set(old)
        self.more |= ours - theirs
        self.less |= theirs - ours


def _count(repository: Repository, found: Survey) -> None:
    commits = dict.fromkeys(holding.commit for holding in found.holdings if holding.commit)
    changed = differences(
        found.base_commit,
        commits,
        ANY_LOG_PATHSPECS,
        cwd=repository.worktree,
        object_format=repository.object_format,
    )
    for commit in commits:
        if commit not in changed:
            found.warnings.append(f"commit {commit}, which a branch stands at, is not in this clone")
    added = _added(repository, changed)
    counter = _Counter(found.warnings)
    for holding in found.holdings:
        committed = counter.events(added.get(holding.commit or "", _Added()), holding)
        uncommitted: set[str] = set()
        if holding.worktree is not None:
            try:
                fresh = _uncommitted(holding, found.base_commit, found.warnings)
            except GitError as error:
                found.warnings.append(
                    f"what is not committed in {holding.worktree} could not be asked: {error.message}"
                )
            else:
                uncommitted = counter.events(fresh, holding) - committed
        holding.uncommitted = len(uncommitted)
        holding.unmerged = len(committed) + len(uncommitted)


def _added(repository: Repository, changed: dict[str, list[Difference]]) -> dict[str, _Added]:
    """Return for each commit the lines that it has more and less than the base, reading each content once or twice."""
    users: dict[tuple[str | None, str | None], list[str]] = {}
    for commit, changes in changed.items():
        for _, old, new in changes:
            users.setdefault((old, new), []).append(commit)
    added = {commit: _Added() for commit in changed}
    # Pairs with the same old content come together, and share it.
    pairs = sorted(users, key=lambda pair: pair[0] or "")
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        part = pairs[start : start + _PAIRS_AT_ONCE]
        oids = list(dict.fromkeys(oid for pair in part for oid in pair if oid))
        blobs = read_blobs(oids, cwd=repository.worktree)
        lines = {oid: _lines(blob[1]) if blob else [] for oid, blob in zip(oids, blobs, strict=True)}
        for old, new in part:
            one = _Added()
            one.compare(lines.get(new or "", []), lines.get(old or "", []))
            for commit in users[old, new]:
                added[commit].more |= one.more
                added[commit].less |= one.less
    return added


def _uncommitted(holding: Holding, base: str | None, warnings: list[str]) -> _Added:
    """Return the lines of a work tree's logs that neither its HEAD nor the base has at the same paths."""
    added = _Added()
    worktree = str(holding.worktree)
    changed = changed_in_work_tree(ANY_LOG_PATHSPECS, cwd=worktree)
    # git is asked line by line; no feature's name holds a line break, but a folder above it may.
    names = {log: [f"{one}:{log}" for one in (holding.commit, base) if one and "\n" not in log] for log in changed}
    oids = iter(blob_ids([name for own in names.values() for name in own], cwd=worktree))
    oids_of = {log: [oid for oid in [next(oids) for _ in own] if oid] for log, own in names.items()}
    wanted = list(dict.fromkeys(oid for own in oids_of.values() for oid in own))
    contents = dict(zip(wanted, read_blobs(wanted, cwd=worktree), strict=True))
    for log, own in oids_of.items():
        try:
            data = read_bytes(Path(worktree, log))
        except (OSError, KittyStatusError) as error:
            warnings.append(f"{log} in {worktree} cannot be read: {error}")
            continue
        known = [blob[1] for blob in (contents[oid] for oid in own) if blob]
        added.compare(_lines(data or b""), chain.from_iterable(map(_lines, known)))
    return added


def _lines(data: bytes) -> list[bytes]:
    """Return the lines of a log, each with the LF that ends it, a last one without LF as it is."""
    return BytesIO(data).readlines()


class _Counter:
    """Tells events by their lines, and understands each distinct line once."""

    def __init__(self, warnings: list[str]) -> None:
        self._warnings = warnings
        self._ids: dict[bytes, str | None] = {}
        self._damaged: set[bytes] = set()

    def events(self, added: _Added, holding: Holding) -> set[str]:
        """Return the ids of the events that are there more, and nowhere less; damage there is said."""
        more = {self._id(line) for line in added.more}
        less = {self._id(line) for line in added.less} if more else set()
        damaged = len(self._damaged & added.more)
        if damaged:
            where = holding.worktree or f"branch {holding.branch}"
            self._warnings.append(f"{damaged} lines of logs in {where} are damaged; they were passed over")
        return {event_id for event_id in more - less if event_id is not None}

    def _id(self, line: bytes) -> str | None:
        if line not in self._ids:
            event = event_in(line, 0, decode, self._note)
            self._ids[line] = None if event is None else event.event_id
        return self._ids[line]

    def _note(self, _number: int, line: bytes, _why: str, _is_json: bool) -> None:
        if not is_in_flight(line):
            self._damaged.add(line)


def _count_waiting(repository: Repository, found: Survey) -> None:
    """Count the journal's entries that stand neither in a commit nor in a log of a work tree."""
    by_branch: dict[str | None, int] = {}
    for name in books(repository):
        book = read_book(repository, name)
        if book.unreadable:
            found.warnings.append(f"{book.path} holds lines that are no entries; they were passed over")
        fates = restore(repository, book.entries, name, dry_run=True) if book.entries else []
        missing = [fate.entry for fate in fates if fate.restored or fate.why is not None]
        for entry in open_entries(repository, missing) if missing else ():
            by_branch[entry.branch] = by_branch.get(entry.branch, 0) + 1
    for holding in found.holdings:
        holding.waiting = by_branch.pop(holding.branch, 0) if holding.branch else 0
    for branch, count in by_branch.items():
        where = f"branch {branch}, which is gone" if branch else "no branch"
        found.warnings.append(
            f"{count} acknowledged events wait for {where}; `kitty-status reconcile-journal` lists them"
        )
