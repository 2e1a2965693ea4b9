"""Features as they stood in a commit: read from git's objects, never from the work tree."""

from __future__ import annotations

import io
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from kitty_status.errors import NotFoundError, OutsideRepositoryError, StoreError, UsageError
from kitty_status.git.bare import bare_repository
from kitty_status.git.blame import blame
from kitty_status.git.history import History
from kitty_status.git.revisions import describe, find_revision, newest_until, shallow_edge
from kitty_status.jsonl.codec import describe_damage
from kitty_status.status.instants import parse_instant
from kitty_status.status.layout import EVENTS_FILENAME, SHARDS_FOLDER, feature_folder_of
from kitty_status.status.merging import split_lines
from kitty_status.tracker.features import ARCHIVE_FOLDER
from kitty_status.tracker.log import reduce_lines
from kitty_status.tracker.slugs import pick_slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kitty_status.git.revisions import Commit
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent, OnDamage
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.features import Feature, Project

_DATE = "YYYY-MM-DD"


class PastFeature:
    """A feature in a commit: its slug, its folder, and {path: blob} of its log files in the order they are read."""

    __slots__ = ("files", "folder", "slug")

    def __init__(self, slug: str, folder: str, files: dict[str, str]) -> None:
        self.slug = slug
        self.folder = folder
        self.files = files

    @property
    def path(self) -> str:
        """The file or the folder that a person knows the log by."""
        is_divided = any(path != f"{self.folder}/{EVENTS_FILENAME}" for path in self.files)
        return f"{self.folder}/{SHARDS_FOLDER if is_divided else EVENTS_FILENAME}"


class Past:
    """The features of a project as one commit holds them."""

    def __init__(self, project: Project, commit: Commit) -> None:
        self.commit = commit
        self._worktree = worktree_of(project)
        self._folder = project.features_folder.relative_to(project.root).as_posix()

    def features(self, *, archived: bool = False) -> list[PastFeature]:
        """Return every feature, by slug; those that were archived only where asked for.

        Raises:
            GitError: git failed.
        """
        tree = History(self._worktree).tree(self.commit.oid)
        # Where a slug is in both places, the one that is not archived is meant.
        folders = [f"{self._folder}/{ARCHIVE_FOLDER}"] if archived else []
        found: dict[str, str] = {}
        for folder in (*folders, self._folder):
            slugs = tree.folders_in(folder) - {ARCHIVE_FOLDER}
            found.update((slug, f"{folder}/{slug}") for slug in slugs)
        files: dict[str, dict[str, str]] = {}
        # As they are read in a work tree: the one file comes before the folder of the writers' files.
        for path, oid in sorted(tree.logs.items(), key=lambda item: (_is_of_a_writer(item[0]), item[0])):
            files.setdefault(feature_folder_of(path) or "", {})[path] = oid
        return [PastFeature(slug, folder, files.get(folder, {})) for slug, folder in sorted(found.items())]

    def feature(self, name: str) -> PastFeature:
        """Return the feature that `name`, or a unique beginning, means in that commit; an archived one by its slug.

        Raises:
            InvalidNameError: `name` could not be a slug.
            NotFoundError: there is no such feature.
            UsageError: more than one feature may be meant.
        """
        features = {feature.slug: feature for feature in self.features()}
        archived = {feature.slug: feature for feature in self.features(archived=True)}
        if name in archived:
            return archived[name]
        return features[pick_slug(name, list(features), f"{self._folder} of {self.commit.short}")]

    def contents(self, features: Iterable[PastFeature]) -> Iterator[tuple[PastFeature, bytes]]:
        """Yield each of these features with the bytes of its log, empty where it has none, in no certain order.

        Raises:
            NotFoundError: a log is not in this clone, since it is a partial one.
            GitError: git failed.
        """
        history = History(self._worktree)
        by_oid: dict[str, list[PastFeature]] = {}
        for feature in features:
            if len(feature.files) == 1:
                by_oid.setdefault(next(iter(feature.files.values())), []).append(feature)
            else:
                yield feature, b"".join(split_lines(b"".join(self._parts(feature, history).values())))
        for oid, data in history.blobs(by_oid):
            for feature in by_oid[oid]:
                yield feature, self._present(data, *feature.files)

    def _parts(self, feature: PastFeature, history: History) -> dict[str, bytes]:
        """Return {path: lines} of a log that is divided."""
        blobs = dict(history.blobs(feature.files.values()))
        return {path: b"".join(split_lines(self._present(blobs[oid], path))) for path, oid in feature.files.items()}

    def _present(self, data: bytes | None, path: str) -> bytes:
        if data is None:
            raise NotFoundError(
                f"{self.commit.short}:{path} is not in this clone",
                hint="`git show` of it fetches it in a partial clone",
            )
        return data

    def _locate(self, feature: PastFeature, number: int) -> tuple[str, int]:
        if len(feature.files) == 1:
            return next(iter(feature.files)), number
        for path, data in self._parts(feature, History(self._worktree)).items():
            lines = data.count(b"\n")
            if number <= lines:
                return path, number
            number -= lines
        return feature.path, number

    def strictly(self, feature: PastFeature) -> OnDamage:
        """Return the policy that raises a StoreError at the first damaged line of a feature's log in this commit."""

        def refuse(number: int, line: bytes, why: str, is_json: bool) -> None:
            if line.endswith(b"\n"):
                path, number_there = self._locate(feature, number)
                raise StoreError(
                    f"Line {number_there}: {describe_damage(line, why, is_json=is_json)}",
                    hint=f"`git show {self.commit.short}:{path}` has the log as it was then",
                    path=f"{self.commit.short}:{path}",
                    line=number_there,
                    reason=why,
                )

        return refuse

    def reduce(self, feature: PastFeature, data: bytes, profile: LaneProfile | None) -> Snapshot:
        """Return where the work packages of a feature stood, given the bytes of its log.

        Raises:
            StoreError: the log was damaged.
        """
        return reduce_lines(io.BytesIO(data), len(data), profile, self.strictly(feature))


def past_at(project: Project, when: str) -> Past:
    """Return the project as it was at a revision or a date.

    What git knows as a revision is one. Anything else is a date: `YYYY-MM-DD`, which means the end of
    that day in UTC, or an ISO 8601 instant with a zone. It stands for the newest commit that HEAD's own
    line (first parents) had by then, after the committers' clocks.

    Raises:
        OutsideRepositoryError: there is no repository.
        NotFoundError: there is no such commit.
        UsageError: `when` is neither a revision nor a date.
    """
    worktree = worktree_of(project)
    oid = find_revision(when, cwd=worktree)
    if oid is None:
        moment = _moment(when)
        is_born = find_revision("HEAD", cwd=worktree) is not None
        oid = newest_until(int(moment.timestamp()), cwd=worktree) if is_born else None
    if oid is None:
        raise NotFoundError(
            f"no commit of this branch is as old as {when}", hint="`git log --first-parent` lists its commits"
        )
    return Past(project, describe([oid], cwd=worktree)[oid])


def worktree_of(project: Project) -> str:
    """Return where to ask git about the past: in the work tree, or in a bare repository that has none.

    Raises:
        OutsideRepositoryError: there is no repository.
    """
    repository = project.repository or bare_repository(str(project.start))
    if repository is None:
        raise OutsideRepositoryError(
            "there is no git repository here, so there is no history",
            hint="call it in a clone, or `git init` makes one",
        )
    return repository.worktree


class Brought:
    """The commits that brought events; `warnings` say what cannot be known in this clone."""

    def __init__(self, commits: dict[bytes, Commit], warnings: list[str]) -> None:
        self._commits = commits
        self.warnings = warnings

    def commit_of(self, event: LaneEvent) -> Commit | None:
        """Return the commit that brought an event, None where it has not been committed."""
        return self._commits.get(_with_line_end(event.line))


def brought_by(project: Project, feature: Feature, events: Iterable[LaneEvent]) -> Brought:
    """Return the commits that brought these events of a feature into the history of HEAD.

    Raises:
        OutsideRepositoryError: there is no repository.
        GitError: git failed.
    """
    worktree = worktree_of(project)
    lines = [_with_line_end(event.line) for event in events]
    oids = blame(feature.relative(feature.log.path), lines, cwd=worktree)
    commits = describe(oids.values(), cwd=worktree)
    cut = shallow_edge(project.repository.common_dir) if project.repository else set()
    reached = cut.intersection(oids.values())
    warnings = [
        f"this clone is shallow: {commits[oid].short} is its edge, and what it seems to have brought may be older"
        for oid in sorted(reached)
    ]
    return Brought({line: commits[oid] for line, oid in oids.items()}, warnings)


def _is_of_a_writer(path: str) -> bool:
    return not path.endswith(f"/{EVENTS_FILENAME}")


def _with_line_end(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n"


def _moment(when: str) -> datetime:
    try:
        if len(when) == len(_DATE):
            return datetime.combine(datetime.strptime(when, "%Y-%m-%d").replace(tzinfo=UTC).date(), time.max, UTC)
        return parse_instant(when)
    except (ValueError, IndexError):
        raise UsageError(
            f"{when} is no revision that git knows, and no date",
            hint="name a commit, a branch or a tag, a day as 2026-01-31, or an instant as 2026-01-31T12:00:00Z",
        ) from None
