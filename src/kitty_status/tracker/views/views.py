"""Views: the lane in each work package's file, and the status section of `tasks.md`, made from the snapshot.

A view is a pure function of the file and the snapshot: whatever is not generated stays as a person wrote it. The files
are read before anything is written, the new contents are put beside them, and renaming is all that is left to do.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Self

from kitty_status.errors import KittyStatusError, WorkPackageFileError
from kitty_status.jsonl.codec import CONFLICT_MARKERS
from kitty_status.jsonl.replace import remove_leftovers, replace_file, stage_file
from kitty_status.status.layout import OVERVIEW_FILENAME, TASKS_FOLDER
from kitty_status.status.view_section import with_section
from kitty_status.status.view_text import SECTION_BEGIN, SECTION_END
from kitty_status.tracker.config import DETECTED, VIEWS_ON
from kitty_status.tracker.missions import is_spec_kitty_mission
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.work_packages.files import gathered, read_text_file, work_package_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from kitty_status.jsonl.replace import Staged
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature

    Rendering = Callable[[bytes], bytes]

_AFTER_A_MERGE = "; where git left a conflict, `kitty-status resolve` settles it if only the section conflicts"


class View:
    """A file that a view is part of: where it is, what it holds, and what it should hold; `written` if it was made to.

    `where` is its path as a person at the top of the work tree would write it.
    """

    __slots__ = ("existing", "path", "render", "wanted", "where", "written")

    def __init__(self, path: Path, where: str, existing: bytes, render: Rendering) -> None:
        self.path = path
        self.where = where
        self.existing = existing
        self.render = render
        self.wanted = render(existing)
        self.written = False

    @property
    def drifted(self) -> bool:
        """Whether the file says something else than the snapshot."""
        return self.wanted != self.existing

    def is_as_it_was_read(self) -> bool:
        """Read the file again and say whether it is the same; if not, the view is made of what it holds now.

        Raises:
            WorkPackageFileError, OSError: it cannot be read or understood any more.
        """
        data = read_text_file(self.path, self.where)
        if data == self.existing:
            return True
        self.existing, self.wanted = data, self.render(data)
        return False

    def is_this_but_for_views(self, other: bytes) -> bool:
        """Say whether another version of the file differs from what this one should be in nothing but its views."""
        try:
            return self.render(other) == self.wanted
        except WorkPackageFileError:
            return False


def views_of(feature: Feature, config: Config, snapshot: Snapshot) -> list[View]:
    """Return the views of a feature beside what they should say, and write nothing; none where views are off.

    Raises:
        WorkPackageFileError: a file cannot be read or understood; it names the place and what to do.
    """
    views, problems = look_at_views(feature, config, snapshot)
    if problems:
        raise problems[0]
    return views


def look_at_views(
    feature: Feature, config: Config, snapshot: Snapshot
) -> tuple[list[View], list[WorkPackageFileError]]:
    """Return the views that can be made, and what is wrong with each file of the others."""
    problems: list[WorkPackageFileError] = []
    views: list[View] = []
    # Most features that somebody tries the tool on have no such files: nothing else is asked then.
    if not (_is_there(feature, TASKS_FOLDER) or _is_there(feature, OVERVIEW_FILENAME)) or not are_written(
        feature, config
    ):
        return views, problems
    for path, where, data, render in _sources(feature, snapshot, problems):
        try:
            views.append(View(path, where, data, render))
        except WorkPackageFileError as error:
            problems.append(error)
    return views, problems


def _is_there(feature: Feature, name: str) -> bool:
    return os.path.lexists(feature.folder / name)


def are_written(feature: Feature, config: Config) -> bool:
    """Say whether a feature has views: whether its lanes and its section are made from a log."""
    is_on = config.views == VIEWS_ON or (config.views == DETECTED and not is_spec_kitty_mission(feature))
    # Without a log the frontmatter is no view: it is what counts.
    return is_on and phase_of(feature, config).keeps_log


def _sources(
    feature: Feature, snapshot: Snapshot, problems: list[WorkPackageFileError]
) -> list[tuple[Path, str, bytes, Rendering]]:
    found: list[tuple[Path, str, bytes, Rendering]] = []
    for file in work_package_files(feature, problems):
        state = snapshot.work_packages.get(file.wp_id)
        if state is not None:
            found.append((file.path, file.where, file.data, partial(file.with_lane_in, state["lane"])))
    path = feature.folder / OVERVIEW_FILENAME
    where = feature.relative(path)
    with gathered(path, feature, problems), suppress(FileNotFoundError):
        found.append((path, where, read_text_file(path, where), partial(_overview, where, snapshot)))
    return found


def _overview(where: str, snapshot: Snapshot, data: bytes) -> bytes:
    try:
        return with_section(data, snapshot)
    except ValueError as error:
        first = min(at for marker in (SECTION_BEGIN, SECTION_END) if (at := data.find(marker)) >= 0)
        line = data.count(b"\n", 0, first) + 1
        is_unmerged = any(line.startswith(CONFLICT_MARKERS) for line in data.splitlines())
        hint = f"leave one of each there, or neither{_AFTER_A_MERGE if is_unmerged else ''}"
        raise WorkPackageFileError(f"{where}:{line}: {error}", hint=hint, file=where, line=line) from error


def write_views(
    feature: Feature, config: Config, snapshot: Snapshot
) -> tuple[list[View], list[KittyStatusError | OSError]]:
    """Write each view of a snapshot that has drifted, and return all of them, with what kept others from being made.

    The caller holds the log's lock.
    """
    views, unreadable = look_at_views(feature, config, snapshot)
    problems: list[KittyStatusError | OSError] = [*unreadable]
    for view in views:
        if view.drifted:
            try:
                with stage([view], snapshot) as staged:
                    problems += staged.commit()
            except (KittyStatusError, OSError) as error:
                problems.append(error)
    return views, problems


def stage(views: list[View], snapshot: Snapshot) -> StagedViews:
    """Write what views should say to files beside them; those that say it already are left alone.

    The caller holds the log's lock, and renames or discards what it gets.

    Raises:
        UnsafeLogError, OSError: one could not be written; nothing was left behind.
    """
    staged = StagedViews(snapshot, views)
    try:
        for view in views:
            if view.drifted:
                staged.add(view)
    except BaseException:
        staged.discard()
        raise
    return staged


class StagedViews:
    """Views of one snapshot, complete in files beside their targets.

    Where the context that it stands for is left, what was not put in place is gone.
    """

    def __init__(self, snapshot: Snapshot, views: list[View]) -> None:
        self.snapshot = snapshot
        self.views = views
        self._waiting: list[tuple[View, Staged]] = []

    def add(self, view: View) -> None:
        """Write what a view should say to a file beside it.

        Raises:
            UnsafeLogError, OSError: as `jsonl.replace.stage_file`; the error names the view.
        """
        try:
            remove_leftovers(view.path)
            staged = stage_file(view.path, view.wanted)
        except OSError as error:
            words = f"a new version could not be written beside it: {error.strerror}"
            raise OSError(error.errno, words, view.where) from error
        if staged is not None:
            self._waiting.append((view, staged))

    def commit(self) -> list[KittyStatusError | OSError]:
        """Put all of them in place, and return why that failed for some.

        A file that somebody has changed since it was read gets its view anew, so that the change is not lost.
        """
        problems: list[KittyStatusError | OSError] = []
        while self._waiting:
            view, staged = self._waiting.pop(0)
            try:
                if view.is_as_it_was_read():
                    staged.rename(lasting=False)
                else:
                    staged.discard()
                    replace_file(view.path, view.wanted, lasting=False)
                view.written = True
            except (KittyStatusError, OSError) as error:
                staged.discard()
                problems.append(error)
        return problems

    def discard(self) -> None:
        """Remove those that are not in place; the files are as they were."""
        while self._waiting:
            self._waiting.pop()[1].discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.discard()
