"""Where the lines of a log may stand beside the file itself: all that a log is mended from.

Each source is a function from a feature to versions of its log; `FINDERS` is the list of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.errors import OutsideRepositoryError
from kitty_status.git.head import position_of
from kitty_status.git.in_progress import incoming, squashed
from kitty_status.git.versions import commit_named, moved_from, read_versions
from kitty_status.status.merging import split_lines
from kitty_status.tracker.journal.entries import read_book
from kitty_status.tracker.journal.settling import open_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.features import Feature

    Finder: TypeAlias = Callable[["Wreck"], list["Source"]]


INDEX = "the index"


@dataclass(frozen=True, slots=True)
class Source:
    """A version of a log whose lines must not be missing, but for those that `excused` holds, too."""

    name: str
    data: bytes
    excused: bytes = b""


@dataclass(frozen=True, slots=True)
class Wreck:
    """A log to be mended: its feature, the bytes of its file, and the revisions that a person named."""

    feature: Feature
    repository: Repository
    data: bytes
    revisions: Sequence[str] = ()

    @property
    def path(self) -> str:
        """The log, from the top of the work tree."""
        return self.feature.relative(self.feature.log.path)


def sources_of(feature: Feature, data: bytes, revisions: Sequence[str]) -> list[Source]:
    """Return every version of a feature's log that its file must hold the lines of.

    Raises:
        OutsideRepositoryError: revisions are named, and there is no repository.
        NotFoundError, UsageError: a revision is unknown, or may mean several commits.
        GitError: git could not be asked.
    """
    if feature.repository is None:
        if revisions:
            raise OutsideRepositoryError(f"{feature.folder} is in no git repository", hint="leave out --from")
        return []
    wreck = Wreck(feature, feature.repository, data, revisions)
    return [source for find in FINDERS for source in find(wreck) if source.data]


def _committed(wreck: Wreck) -> list[Source]:
    return _at("HEAD", wreck)


def _staged(wreck: Wreck) -> list[Source]:
    """Return what the index holds: one version, or those that git could not merge."""
    names = [f":{number}:{wreck.path}" for number in range(4)]
    staged, base, ours, theirs = read_versions(names, wreck.repository.worktree)
    merges_branches = bool(incoming(wreck.repository.git_dir).branches)
    # Where one commit is picked, what it only stands on need not come along.
    excused = b"" if merges_branches else base or b""
    return [
        Source(INDEX, staged or b""),
        Source("the common ancestor (index stage 1)", (base or b"") if merges_branches else b""),
        Source("our side (index stage 2)", ours or b""),
        Source("their side (index stage 3)", theirs or b"", excused),
    ]


def _brought(wreck: Wreck) -> list[Source]:
    """Return the commits that git is in the middle of bringing, whatever the index says by now."""
    brought = incoming(wreck.repository.git_dir)
    branches = [*brought.branches, *squashed(wreck.repository.git_dir)]
    found = [source for name in branches for source in _at(name, wreck)]
    for name in brought.commits:
        excused = b"".join(source.data for source in _at(f"{name}^", wreck))
        found += [Source(source.name, source.data, excused) for source in _at(name, wreck)]
    return found


def _named(wreck: Wreck) -> list[Source]:
    cwd = wreck.repository.worktree
    commits = [(revision, commit_named(revision, cwd)) for revision in wreck.revisions]
    return [Source(revision, source.data) for revision, commit in commits for source in _at(commit, wreck)]


def _at(revision: str, wreck: Wreck) -> list[Source]:
    """Return the log as a commit has it, wherever it lay there; nothing where there is no such commit."""
    cwd = wreck.repository.worktree
    data = read_versions([f"{revision}:{wreck.path}"], cwd)[0]
    if data is not None:
        return [Source(revision, data)]
    known = frozenset(line + b"\n" for line in wreck.data.split(b"\n") if line)
    paths = moved_from(revision, wreck.path, known, cwd)
    contents = read_versions([f"{revision}:{path}" for path in paths], cwd)
    return [Source(revision, content or b"") for content in contents]


def _journal(wreck: Wreck) -> list[Source]:
    """Return the acknowledged events of this log and branch that git does not keep yet."""
    repository = wreck.repository
    book = read_book(repository, wreck.feature.lock.stem)
    branch = position_of(repository).branch
    own = [entry for entry in book.entries if entry.log == wreck.path and entry.branch == branch]
    standing = frozenset(split_lines(wreck.data))
    # What git keeps was settled, and may have been taken back on purpose since.
    own = open_entries(repository, own) if any(entry.line + b"\n" not in standing for entry in own) else []
    return [Source("the journal", b"".join(entry.line + b"\n" for entry in own))]


FINDERS: tuple[Finder, ...] = (_committed, _staged, _brought, _named, _journal)
