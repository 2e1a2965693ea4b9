"""The history of the logs: which commits changed which logs, against each of their parents.

The walk looks at every commit of a range, merges included, and leaves out none for looking like one of
its parents: git's own simplification would pass over the merge that dropped one side. Objects that
somebody has replaced or grafted in this clone are taken as they were pushed.

The push hook uses this, and git waits for it: nothing heavy is loaded, and blobs are read in
portions, never all of them at once.
"""

from __future__ import annotations

import os

from kitty_status.errors import GitError
from kitty_status.git.log_paths import is_log_path
from kitty_status.git.run import git, read_blobs
from kitty_status.git.staged import Change
from kitty_status.status.layout import SHARD_SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias, TypeVar

    Pair: TypeAlias = tuple[str, str]
    Group = TypeVar("Group", bound=tuple[str, ...])

# How many bytes of blobs are held at once, if no single pair is larger.
_PORTION = 1 << 24
_AS_IT_WAS_PUSHED = {"GIT_GRAFT_FILE": os.devnull}
# The cheapest pathspec for the purpose: a single star before a fixed ending, the one that the log files of both
# layouts share. What it finds besides is left out.
_PATHSPEC = f":(top)*{SHARD_SUFFIX}"
_NOTHING = "0" * 40
_SIZES = ("cat-file", "--batch-check=%(objectname) %(objectsize)")


class Step:
    """The logs that differ between a commit and one of its parents; of a first commit, all of its logs."""

    __slots__ = ("changes", "commit")

    def __init__(self, commit: str, changes: list[Change]) -> None:
        self.commit = commit
        self.changes = changes


class Tree:
    """The paths of one commit: its logs with their blobs, and the folders that it has."""

    __slots__ = ("_paths", "logs")

    def __init__(self, entries: dict[str, tuple[str, str]]) -> None:
        self._paths = entries.keys()
        files = ((path, _file(mode, oid)) for path, (mode, oid) in entries.items() if is_log_path(path))
        self.logs = {path: oid for path, oid in files if oid != _NOTHING}

    def has_folder(self, folder: str) -> bool:
        """Whether anything lies in that folder."""
        return any(path.startswith(f"{folder}/") for path in self._paths)

    def folders_in(self, folder: str) -> set[str]:
        """Return the names of the folders that lie right in a folder."""
        inside = (path[len(folder) + 1 :].split("/", 1) for path in self._paths if path.startswith(f"{folder}/"))
        return {parts[0] for parts in inside if len(parts) > 1}


class History:
    """Answers questions about the commits of the repository that `cwd` lies in.

    * nothing is ever fetched: a blob that is not in this clone counts as absent
    * with `inherit_repository` the variables of a surrounding hook say which repository it is
    """

    def __init__(self, cwd: str, *, inherit_repository: bool = False) -> None:
        self._cwd = cwd
        self._inherit = inherit_repository

    def commits(self, revisions: Sequence[str], *, parents_first: bool = False, limit: int = 0) -> dict[str, list[str]]:
        """Return the commits of a range with their parents, no commit behind one of its parents.

        Args:
            revisions: what `git rev-list` is asked for, for instance `["HEAD", "--not", "main"]`.
            parents_first: the other way round.
            limit: at most so many, 0 for all.

        Raises:
            GitError: git does not know a revision.
        """
        options = ["--topo-order", *(["--reverse"] if parents_first else [])]
        options += [f"--max-count={limit}"] if limit else []
        lines = self._ask(["rev-list", "--parents", *options, *revisions, "--"]).decode("ascii").split("\n")
        return {commit: parents for commit, *parents in (line.split(" ") for line in lines if line)}

    def steps(self, commits: dict[str, list[str]]) -> list[Step]:
        """Return what each of these commits did to the logs, one step for each parent whose logs differ.

        Raises:
            GitError: git failed, for instance because this clone lacks a tree.
        """
        if not commits:
            return []
        lines = "".join(f"{' '.join([commit, *parents])}\n" for commit, parents in commits.items())
        return _parse_steps(self._diff_trees(["-m", "--root", "--stdin"], lines.encode("ascii")))

    def between(self, old: str, new: str) -> Step:
        """Return the logs that differ between two commits, of which the second is the step's commit.

        Raises:
            GitError: git does not know one of them.
        """
        out = self._diff_trees([old, new], b"")
        return Step(new, [change for step in _parse_steps(b"\0" + out) for change in step.changes])

    def here(self, oids: Iterable[str]) -> set[str]:
        """Return which of these objects this clone has.

        Raises:
            GitError: git failed.
        """
        return set(self._sizes(list(oids)))

    def tree(self, commit: str) -> Tree:
        """Return what a commit holds.

        Raises:
            GitError: git does not know the commit.
        """
        entries = {}
        for entry in self._ask(["ls-tree", "-r", "-z", "--full-tree", commit]).split(b"\0"):
            meta, tab, path = entry.partition(b"\t")
            if tab:
                mode, _, oid = meta.decode("ascii").split(" ")
                entries[os.fsdecode(path)] = mode, oid
        return Tree(entries)

    def blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield each of these blobs with its content, a portion at a time; None where it is not in this clone.

        Raises:
            GitError: git failed.
        """
        wanted = list(dict.fromkeys(oids))
        sizes = self._sizes(wanted)
        for portion in _portions(((oid,) for oid in wanted), sizes):
            yield from self._read((oid for (oid,) in portion), sizes).items()

    def pairs(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, bytes | None, bytes | None]]:
        """Yield each of these pairs of blobs with both contents; pairs that share a blob had best come together.

        Raises:
            GitError: git failed.
        """
        sizes = self._sizes(list({oid for pair in pairs for oid in pair}))
        for portion in _portions(pairs, sizes):
            contents = self._read((oid for pair in portion for oid in pair), sizes)
            for pair in portion:
                yield pair, contents[pair[0]], contents[pair[1]]

    def parent_with(self, parents: Sequence[str], change: Change) -> str | None:
        """Return which of these commits has the blob that the change starts from at its path."""
        for parent in parents[1:]:
            names = [f"{parent}:{change.path}"]
            if "\n" not in change.path and [blob and blob[0] for blob in self._blobs(names)] == [change.old]:
                return parent
        return parents[0] if parents else None

    def _read(self, oids: Iterable[str], sizes: dict[str, int]) -> dict[str, bytes | None]:
        contents: dict[str, bytes | None] = dict.fromkeys(oids)
        here = [oid for oid in contents if oid in sizes]
        contents.update((oid, blob and blob[1]) for oid, blob in zip(here, self._blobs(here), strict=True))
        return contents

    def _blobs(self, names: Sequence[str]) -> list[tuple[str, bytes] | None]:
        return read_blobs(names, cwd=self._cwd, inherit_repository=self._inherit)

    def _sizes(self, oids: Sequence[str]) -> dict[str, int]:
        """Return how large each blob is; what is not here is left out."""
        if not oids:
            return {}
        asked = "".join(f"{oid}\n" for oid in oids).encode("ascii")
        try:
            out = self._ask([*_SIZES, "--buffer"], asked)
        except GitError:
            # In a partial clone git gives up at what it may not fetch; the list of all that is here asks for nothing.
            out = self._ask([*_SIZES, "--batch-all-objects", "--unordered"])
        fields = (line.split(" ") for line in out.decode("ascii").split("\n") if line)
        sizes = {oid: int(size) for oid, size in fields if size.isdigit()}
        return {oid: sizes[oid] for oid in oids if oid in sizes}

    def _diff_trees(self, arguments: Sequence[str], stdin: bytes) -> bytes:
        options = ["-r", "--raw", "-z", "--no-abbrev", "--no-renames"]
        return self._ask(["diff-tree", *options, *arguments, "--", _PATHSPEC], stdin)

    def _ask(self, arguments: Sequence[str], stdin: bytes = b"") -> bytes:
        inherit = self._inherit
        return git(arguments, cwd=self._cwd, stdin=stdin, environment=_AS_IT_WAS_PUSHED, inherit_repository=inherit)


def _parse_steps(out: bytes) -> list[Step]:
    """Return the steps that `git diff-tree --raw -z` printed, each behind the name of its commit."""
    steps: list[Step] = []
    fields = iter(out.split(b"\0"))
    for field in fields:
        if not field.startswith(b":"):
            steps.append(Step(field.decode("ascii"), []))
            continue
        path = os.fsdecode(next(fields))
        if is_log_path(path):
            old_mode, new_mode, old, new, _ = field[1:].decode("ascii").split(" ")
            steps[-1].changes.append(Change(path, _file(old_mode, old), _file(new_mode, new)))
    return [step for step in steps if step.changes]


def _file(mode: str, oid: str) -> str:
    """Return the blob of a regular file; a link or another repository in a log's place holds no lines."""
    return oid if mode.startswith("100") else _NOTHING


def _portions(groups: Iterable[Group], sizes: dict[str, int]) -> Iterator[list[Group]]:
    """Cut a sequence of groups of blobs into portions whose blobs are not too large together."""
    portion: list[Group] = []
    held: set[str] = set()
    total = 0
    for group in groups:
        fresh = {oid for oid in group if oid not in held}
        size = sum(sizes.get(oid, 0) for oid in fresh)
        if portion and total + size > _PORTION:
            yield portion
            portion, held, total = [], set(), 0
            fresh = set(group)
            size = sum(sizes.get(oid, 0) for oid in fresh)
        portion.append(group)
        held |= fresh
        total += size
    if portion:
        yield portion
