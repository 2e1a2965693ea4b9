"""Where the lines of a log may stand beside its files: all that a log is mended from.

Each source is a function from a wreck to lines that its log must hold; `FINDERS` is the list of them. A line
belongs into the file in which it stood, unless the log has been given the other layout since.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from kitty_status.errors import OutsideRepositoryError
from kitty_status.git.head import position_of
from kitty_status.git.in_progress import incoming, squashed
from kitty_status.git.log_paths import feature_of
from kitty_status.git.versions import commit_named, files_in_commit, files_in_index, moved_from, read_files
from kitty_status.status.merging import split_lines
from kitty_status.tracker.journal.entries import read_book
from kitty_status.tracker.journal.settling import open_entries
from kitty_status.tracker.log_files import file_to_restore_to
from kitty_status.tracker.mending.mend import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.features import Feature

    Finder: TypeAlias = Callable[["Wreck"], list[Source]]
    # {path from the top of the work tree: content}
    Files: TypeAlias = Mapping[str, bytes]

INDEX = "the index"
_NOTHING: frozenset[bytes] = frozenset()


class Wreck:
    """A log to be mended: its feature, its files as they are, and the revisions that a person named.

    `lines` are those that stand in any of the files.
    """

    __slots__ = ("feature", "files", "lines", "repository", "revisions")

    def __init__(self, feature: Feature, repository: Repository, files: Files, revisions: Sequence[str]) -> None:
        self.feature = feature
        self.repository = repository
        self.files = files
        self.revisions = revisions
        self.lines = _lines_of(files)

    def sources(self, name: str, files: Files, excused: frozenset[bytes] = _NOTHING) -> list[Source]:
        """Return the versions of log files that were found under a name, those that hold anything."""
        return [Source(name, self.belongs_in(path), data, path, excused) for path, data in files.items() if data]

    def belongs_in(self, path: str) -> str:
        """Return the log file that the lines of another one, or of the same, are to be in."""
        return file_to_restore_to(self.repository.worktree, path)

    def files_at(self, revision: str) -> Files:
        """Return the log as a commit has it, wherever its folder lay there, under the paths that its files have here.

        Nothing where there is no such commit.
        """
        cwd, folder = self.repository.worktree, self.feature.path
        found = files_in_commit(revision, folder, cwd)
        if found:
            return read_files(found, cwd)
        own = list(self.files) or [self.feature.relative(self.feature.log.single)]
        moved = read_files(moved_from(revision, own, self.lines, cwd), cwd)
        here: dict[str, list[bytes]] = {}
        for path, data in moved.items():
            name = path.removeprefix(feature_of(path)).removeprefix("/")
            here.setdefault(f"{folder}/{name}" if folder else name, []).extend(split_lines(data))
        return {path: b"".join(lines) for path, lines in here.items()}


def sources_of(feature: Feature, files: Files, revisions: Sequence[str]) -> list[Source]:
    """Return every version of a feature's log files whose lines the log must hold.

    Raises:
        OutsideRepositoryError: revisions are named, and there is no repository.
        NotFoundError, UsageError: a revision is unknown, or may mean several commits.
        GitError: git could not be asked.
    """
    if feature.repository is None:
        if revisions:
            raise OutsideRepositoryError(f"{feature.folder} is in no git repository", hint="leave out --from")
        return []
    wreck = Wreck(feature, feature.repository, files, revisions)
    return [source for find in FINDERS for source in find(wreck)]


def _committed(wreck: Wreck) -> list[Source]:
    return wreck.sources("HEAD", wreck.files_at("HEAD"))


def _staged(wreck: Wreck) -> list[Source]:
    """Return what the index holds: one version of each file, or those that git could not merge."""
    cwd = wreck.repository.worktree
    staged, base, ours, theirs = (read_files(files, cwd) for files in files_in_index(wreck.feature.path, cwd))
    merges_branches = bool(incoming(wreck.repository.git_dir).branches)
    # Where one commit is picked, what it only stands on need not come along.
    excused = _NOTHING if merges_branches else _lines_of(base)
    return [
        *wreck.sources(INDEX, staged),
        *wreck.sources("the common ancestor (index stage 1)", base if merges_branches else {}),
        *wreck.sources("our side (index stage 2)", ours),
        *wreck.sources("their side (index stage 3)", theirs, excused),
    ]


def _brought(wreck: Wreck) -> list[Source]:
    """Return the commits that git is in the middle of bringing, whatever the index says by now."""
    brought = incoming(wreck.repository.git_dir)
    branches = [*brought.branches, *squashed(wreck.repository.git_dir)]
    found = [source for name in branches for source in wreck.sources(name, wreck.files_at(name))]
    for name in brought.commits:
        excused = _lines_of(wreck.files_at(f"{name}^"))
        found += wreck.sources(name, wreck.files_at(name), excused)
    return found


def _named(wreck: Wreck) -> list[Source]:
    commits = [(revision, commit_named(revision, wreck.repository.worktree)) for revision in wreck.revisions]
    return [source for revision, commit in commits for source in wreck.sources(revision, wreck.files_at(commit))]


def _journal(wreck: Wreck) -> list[Source]:
    """Return the acknowledged events of this log and branch that git does not keep yet."""
    repository = wreck.repository
    book = read_book(repository, wreck.feature.lock.stem)
    branch = position_of(repository).branch
    own = [entry for entry in book.entries if entry.folder == wreck.feature.path and entry.branch == branch]
    # What git keeps was settled, and may have been taken back on purpose since.
    own = open_entries(repository, own) if any(entry.line + b"\n" not in wreck.lines for entry in own) else []
    logs: dict[str, list[bytes]] = {}
    for entry in own:
        logs.setdefault(wreck.belongs_in(entry.log), []).append(entry.line + b"\n")
    return [Source("the journal", path, b"".join(lines)) for path, lines in logs.items()]


def _lines_of(files: Files) -> frozenset[bytes]:
    return frozenset(chain.from_iterable(map(split_lines, files.values())))


FINDERS: tuple[Finder, ...] = (_committed, _staged, _brought, _named, _journal)
