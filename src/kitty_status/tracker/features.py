"""Features: which there are, where they lie, and which one is meant."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, MoveRefusedError, OutsideRepositoryError, UsageError
from kitty_status.git.bare import bare_repository
from kitty_status.git.repository import find_repository
from kitty_status.jsonl.append import Place
from kitty_status.status.layout import SNAPSHOT_FILENAME
from kitty_status.status.rows import is_safe_name
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.former import former_slugs
from kitty_status.tracker.slugs import as_file_name, check_name, mentions, pick_slug, some_of

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository

FEATURES_FOLDER = "kitty-specs"
ARCHIVE_FOLDER = ".archive"
STATE_OUTSIDE_GIT = ".kitty-status"


class Feature:
    """A feature folder, the log and the snapshot in it, and where this machine keeps what belongs to it.

    `found_by` is the former slug by which it was asked for, None where it was asked for by the one it has.
    """

    def __init__(self, folder: Path, repository: Repository | None, found_by: str | None = None) -> None:
        self.folder = folder
        self.found_by = found_by
        self.slug = folder.name
        self.repository = repository
        self.log = FeatureLog(folder)
        self.snapshot = folder / SNAPSHOT_FILENAME

    @cached_property
    def state_folder(self) -> Path:
        """Where this machine keeps what belongs to the feature: locks, journal, quarantine."""
        return Path(self.repository.state_dir) if self.repository else self.folder / STATE_OUTSIDE_GIT

    @cached_property
    def lock(self) -> Path:
        """The lock of the whole log. One per slug serves all work trees of a clone."""
        return self.state_folder / "locks" / f"{as_file_name(self.slug)}.lock"

    @cached_property
    def place(self) -> Place:
        """What an append to the one file of the log needs to know."""
        return self.place_of(self.log.single)

    def place_of(self, file: Path) -> Place:
        """Return what an append to one of the log's files needs to know."""
        return Place(file, self.lock, self.quarantine)

    @cached_property
    def quarantine(self) -> Path:
        """The folder for what leaves the log without being a line."""
        return self.state_folder / "quarantine"

    @property
    def root(self) -> Path:
        """The folder whose configuration counts for this feature."""
        above = self.folder.parents
        return Path(self.repository.worktree) if self.repository else above[2 if self.is_archived else 1]

    @property
    def path(self) -> str:
        """The folder from the top of the work tree, "" for the top itself; outside git its whole path."""
        path = self.relative(self.folder)
        return "" if path == "." else path

    @property
    def is_archived(self) -> bool:
        """Whether it was put aside: its folder lies in `kitty-specs/.archive`."""
        return self.folder.parent.name == ARCHIVE_FOLDER

    def holds_only_a_snapshot(self) -> bool:
        """Say whether nothing but `status.json` is in the folder: git took the rest away, and ignores that."""
        return not self.log.exists() and _names(self.folder) == [self.snapshot.name]

    def remarks(self) -> list[str]:
        """Return what a person should know who asked for this feature: another name, or that it was put aside."""
        renamed = [f"{self.found_by} was renamed: it is {self.slug} now"] if self.found_by else []
        return renamed + ([f"{self.slug} is archived"] if self.is_archived else [])

    def check_can_move(self) -> None:
        """Refuse to move a work package of a feature that is put aside, or that is not there any more.

        Raises:
            MoveRefusedError: it is archived.
            BusyError: its folder has been moved since it was looked up.
        """
        if self.is_archived:
            raise MoveRefusedError(
                f"{self.slug} is archived", hint=f"`kitty-status unarchive {self.slug}` takes it up again"
            )
        if not self.folder.is_dir():
            raise BusyError(f"{self.folder} is not there any more", hint="it was moved just now; call again")

    def relative(self, path: Path) -> str:
        """Return `path` as a person at the top of the work tree would write it."""
        if self.repository is None:
            return str(path)
        text, top = os.fspath(path), os.path.join(self.repository.worktree, "")  # noqa: PTH118  pathlib takes long
        if os.sep == "/" and text.startswith(top):
            return text[len(top) :]
        return path.relative_to(self.repository.worktree).as_posix()


class Project:
    """The folder that features lie in, found from where a command was called."""

    def __init__(self, start: Path) -> None:
        self.start = Path(os.path.realpath(start))
        self.repository = find_repository(str(self.start))
        self.root = Path(self.repository.worktree) if self.repository else _root_outside_git(self.start)
        self.features_folder = _features_folder(self.start, self.root)
        self.archive_folder = self.features_folder / ARCHIVE_FOLDER

    def features(self, *, unsafe_names: bool = False, archived: bool = False) -> list[Feature]:
        """Return every feature, by slug; with `unsafe_names` also folders with a log whose name is not safe.

        Those that were put aside come last, and only with `archived`.
        """
        found = self._features_in(self.features_folder, unsafe_names=unsafe_names)
        return found + self._features_in(self.archive_folder, unsafe_names=unsafe_names) if archived else found

    def _features_in(self, parent: Path, *, unsafe_names: bool) -> list[Feature]:
        names = [
            name
            for name in _names(parent)
            if is_safe_name(name) or (unsafe_names and FeatureLog(parent / name).exists())
        ]
        return [Feature(parent / name, self.repository) for name in sorted(names) if (parent / name).is_dir()]

    def feature(self, name: str | None) -> Feature:
        """Return the feature that `name` means, or that the current folder or branch says.

        A unique beginning of a slug is enough. An archived feature is found by its whole slug, and a
        renamed one by each slug that it ever had.

        Raises:
            InvalidNameError: `name` could not be a slug.
            NotFoundError: there is no such feature.
            UsageError: more than one feature may be meant, or nothing says which.
            OutsideRepositoryError: it is a bare repository, which has no files.
        """
        if name is None:
            return self._feature_around() or self._feature_of_branch() or self._undecided()
        check_name(name, "a feature")
        named = self._called(name)
        if named:
            return named[0]
        slugs = [feature.slug for feature in self.features()]
        begun = [slug for slug in slugs if slug.startswith(name)]
        former = [feature for feature in self.once_called(name) if feature.slug not in begun]
        if not former:
            self._refuse_bare(slugs)
            return Feature(self.features_folder / pick_slug(name, slugs, str(self.features_folder)), self.repository)
        if begun or len(former) > 1:
            meant = [*begun, *(feature.slug for feature in former)]
            raise UsageError(f"{name} may mean {some_of(meant)}", hint="write the whole slug")
        return former[0]

    def _called(self, slug: str) -> list[Feature]:
        """Return what has that very name. Where only a snapshot is left of it, whatever was called so comes first."""
        folders = [parent / slug for parent in (self.features_folder, self.archive_folder) if slug in _names(parent)]
        named = [Feature(folder, self.repository) for folder in folders if folder.is_dir()]
        whole = [feature for feature in named if not feature.holds_only_a_snapshot()]
        return whole or (self.once_called(slug) + named if named else [])

    def once_called(self, slug: str) -> list[Feature]:
        """Return the features, archived ones too, that were called `slug` before they were renamed."""
        return [
            Feature(feature.folder, self.repository, found_by=slug)
            for feature in self.features(archived=True)
            if slug in former_slugs(feature.log) and feature.slug != slug
        ]

    def _feature_around(self) -> Feature | None:
        if self.features_folder not in self.start.parents:
            return None
        parent = self.archive_folder if self.archive_folder in self.start.parents else self.features_folder
        slug = self.start.relative_to(parent).parts[0]
        if slug == ARCHIVE_FOLDER:
            return None
        check_name(slug, "a feature")
        return Feature(parent / slug, self.repository)

    def _feature_of_branch(self) -> Feature | None:
        branch = self.repository.branch() if self.repository else None
        if not branch:
            return None
        named = _longest([(feature.slug, feature) for feature in self.features() if mentions(branch, feature.slug)])
        if not named:
            # The branch may be older than the feature's name, or the feature finished.
            former = [
                (slug, Feature(feature.folder, self.repository, found_by=slug if slug != feature.slug else None))
                for feature in self.features(archived=True)
                for slug in (feature.slug, *former_slugs(feature.log))
                if mentions(branch, slug)
            ]
            named = _longest(former)
        return named[0] if len(named) == 1 else None

    def repository_needed(self, hint: str) -> Repository:
        """Return the repository that the features lie in.

        Raises:
            OutsideRepositoryError: there is none, of which `hint` says what follows, or a bare one, which has no files.
        """
        if self.repository is None:
            self._refuse_bare([])
            raise OutsideRepositoryError("there is no git repository here", hint=hint)
        return self.repository

    def _refuse_bare(self, slugs: list[str]) -> None:
        if self.repository is None and not slugs and bare_repository(str(self.start)):
            raise OutsideRepositoryError(
                f"{self.start} is a bare repository, and has no files",
                hint="`audit`, `show --at REV` and `diff REV..REV` work here, everything else in a work tree",
            )

    def _undecided(self) -> Feature:
        slugs = [feature.slug for feature in self.features()]
        self._refuse_bare(slugs)
        raise UsageError(
            "neither the folder nor the branch says which feature is meant",
            hint=f"name it: {some_of(slugs)}"
            if slugs
            else f"features are folders in {FEATURES_FOLDER}/; there is none",
        )


def _longest(named: list[tuple[str, Feature]]) -> list[Feature]:
    longest = max((len(slug) for slug, _ in named), default=0)
    return list({feature.folder: feature for slug, feature in named if len(slug) == longest}.values())


def feature_at(folder: Path) -> Feature:
    """Return the feature whose folder is `folder`, which need not exist yet.

    Which repository a folder lies in is remembered as long as that repository is there: finding out
    takes longer than everything else about an append but its fsync.
    """
    remembered = _remembered.get(folder)
    if remembered is not None and remembered.repository and os.path.exists(remembered.repository.git_dir):  # noqa: PTH110
        return remembered
    feature = _find_feature(folder)
    if feature.repository is not None and folder.is_absolute():
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[folder] = feature
    return feature


_MOST_REMEMBERED = 256
_remembered: dict[Path, Feature] = {}


def _find_feature(folder: Path) -> Feature:
    folder = Path(os.path.realpath(folder))
    existing = folder
    while not existing.exists() and existing.parent != existing:
        existing = existing.parent
    return Feature(folder, find_repository(str(existing)))


def _features_folder(start: Path, root: Path) -> Path:
    """Return the nearest `kitty-specs`, so that a repository may hold several projects."""
    for folder in (start, *start.parents):
        if folder.name == FEATURES_FOLDER:
            return folder
        if (folder / FEATURES_FOLDER).is_dir():
            return folder / FEATURES_FOLDER
        if folder == root:
            break
    return root / FEATURES_FOLDER


def _root_outside_git(start: Path) -> Path:
    for folder in (start, *start.parents):
        if folder.name == FEATURES_FOLDER:
            return folder.parent
        if (folder / FEATURES_FOLDER).is_dir():
            return folder
    return start


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  a write asks for names only, and a path for each takes long
    except (FileNotFoundError, NotADirectoryError):
        return []
