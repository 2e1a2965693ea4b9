"""Which files a feature's work packages have: `tasks/WP01-some-title.md` or `tasks/WP01.md`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kitty_status.errors import UnsafeLogError, WorkPackageFileError
from kitty_status.jsonl.disk import DISK, close_quietly, open_regular
from kitty_status.status.layout import TASKS_FOLDER
from kitty_status.status.view_paths import work_package_in
from kitty_status.status.view_text import block_span, lane_span
from kitty_status.tracker.work_packages.frontmatter import Frontmatter, check_size, parse
from kitty_status.tracker.work_packages.plain import keys_of_plain_block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kitty_status.tracker.features import Feature

# Larger than any text that a person reads; such a file is something else.
_MAX_BYTES = 4 * 1024 * 1024


class WorkPackageFile:
    """One work package's file: its id, from the file's name, where it is, and its bytes."""

    __slots__ = ("data", "path", "where", "wp_id")

    def __init__(self, wp_id: str, path: Path, where: str, data: bytes) -> None:
        self.wp_id = wp_id
        self.path = path
        self.where = where
        self.data = data

    def frontmatter(self) -> Frontmatter | None:
        """Return the file's YAML block, None where it has none.

        Raises:
            WorkPackageFileError: it cannot be read, or names another work package than the file's name does.
        """
        return self._parsed(self.data)

    def _parsed(self, data: bytes) -> Frontmatter | None:
        found = parse(data, self.where)
        named = found.values.get("work_package_id") if found else None
        if isinstance(named, str) and named != self.wp_id:
            raise WorkPackageFileError(
                f"{self.where}: the file's name says {self.wp_id} and its frontmatter {named}",
                hint="make them agree",
                file=self.where,
            )
        return found

    def with_lane_in(self, lane: str, data: bytes) -> bytes:
        """Return a version of the file with this lane in its frontmatter; one without frontmatter stays as it is.

        Raises:
            WorkPackageFileError: as `frontmatter`, or nothing but the lane could not be changed.
        """
        block = check_size(data, self.where)
        span = lane_span(data, block)
        if span is not None and block is not None:
            word = lane.encode("ascii")
            if data[slice(*span)] == word:
                return data
            keys = keys_of_plain_block(data[slice(*block)])
            # What the library would refuse, or would have something to say about, is left to it.
            if keys is not None and keys.get("work_package_id", self.wp_id) == self.wp_id and lane != "null":
                return data[: span[0]] + word + data[span[1] :]
        found = self._parsed(data)
        return data if found is None else found.with_lane(lane)

    def body(self) -> bytes:
        """Return the Markdown below the block."""
        span = block_span(self.data)
        return self.data if span is None or span[1] < 0 else self.data[span[1] :].partition(b"\n")[2]


def work_package_ids(feature: Feature) -> list[str]:
    """Return the ids of the work packages that have a file, sorted."""
    return list(_paths(feature))


def work_package_files(feature: Feature, unreadable: list[WorkPackageFileError] | None = None) -> list[WorkPackageFile]:
    """Return the files of a feature's work packages, by id.

    Given a list for those that are `unreadable`, what is wrong with them is put there, and the others are returned.

    Raises:
        WorkPackageFileError: two files stand for one work package, or one is no regular file, too large or not
            readable, or their folder is a symbolic link.
    """
    found = []
    problems = [] if unreadable is None else unreadable
    folder = feature.folder / TASKS_FOLDER
    with gathered(folder, feature, problems):
        if folder.is_symlink():
            where = feature.relative(folder)
            raise WorkPackageFileError(f"{where} is a symbolic link", hint="put a folder in its place", file=where)
        for wp_id, paths in _paths(feature).items():
            with gathered(paths[0], feature, problems):
                found.append(_only_file(feature, wp_id, paths))
    if problems and unreadable is None:
        raise problems[0]
    return found


@contextmanager
def gathered(path: Path, feature: Feature, problems: list[WorkPackageFileError]) -> Iterator[None]:
    """Put what is wrong with a file or folder, as reading it in the body shows, among the problems."""
    try:
        yield
    except WorkPackageFileError as error:
        problems.append(error)
    except OSError as error:
        where = feature.relative(path)
        message = f"{where}: {error.strerror or error}"
        problems.append(WorkPackageFileError(message, hint="see to it that it can be read", file=where))


def _only_file(feature: Feature, wp_id: str, paths: list[Path]) -> WorkPackageFile:
    where = feature.relative(paths[0])
    if len(paths) > 1:
        raise WorkPackageFileError(
            f"{where} and {feature.relative(paths[1])} are both files of {wp_id}",
            hint="leave one of them in the folder",
            file=where,
        )
    return WorkPackageFile(wp_id, paths[0], where, read_text_file(paths[0], where))


def read_text_file(path: Path, where: str) -> bytes:
    """Return the bytes of a file that a view is part of.

    Raises:
        WorkPackageFileError: it is a symbolic link or no regular file, or larger than any text.
        OSError: it cannot be read.
    """
    try:
        fd = open_regular(path, os.O_RDONLY, DISK)
    except UnsafeLogError as error:
        raise WorkPackageFileError(f"{where} is no regular file", hint="put a file in its place", file=where) from error
    try:
        size = os.fstat(fd).st_size
        if size > _MAX_BYTES:
            raise WorkPackageFileError(
                f"{where} has {size} bytes, which is no text of a work package", hint="look at it", file=where
            )
        data = os.read(fd, size + 1)
        # Most often that is all; a file object would take as long as everything else here.
        while more := os.read(fd, _MAX_BYTES):
            data += more
        return data
    finally:
        close_quietly(fd, DISK)


def _paths(feature: Feature) -> dict[str, list[Path]]:
    folder = feature.folder / TASKS_FOLDER
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  a path for each takes long
    except (FileNotFoundError, NotADirectoryError):
        return {}
    found: dict[str, list[Path]] = {}
    for name in names:
        wp_id = work_package_in(name)
        if wp_id is not None:
            found.setdefault(wp_id, []).append(folder / name)
    return dict(sorted(found.items()))
