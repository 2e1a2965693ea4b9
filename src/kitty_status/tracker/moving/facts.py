"""The facts that guards ask for, looked up where they can be seen: subtasks in the files, workspaces in git.

Nothing is written, and only what the guard of one move asks for is looked up.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kitty_status.errors import GitError
from kitty_status.git.head import position_of, worktrees
from kitty_status.status.layout import OVERVIEW_FILENAME
from kitty_status.tracker.slugs import mentions
from kitty_status.tracker.work_packages.files import read_text_file, work_package_files
from kitty_status.tracker.work_packages.subtasks import subtasks_in_file, subtasks_in_overview

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.work_packages.subtasks import Subtask

WORKTREE = "worktree"
DIRECT = "direct_repo"
MIGRATION = "migration"
"""The actor of events that were made from a file: nobody who could go on, or give a claim back."""


class Subtasks:
    """The subtasks of a work package: how many are written down, and (`path:line`, text) of those not ticked."""

    __slots__ = ("count", "open")

    def __init__(self) -> None:
        self.count = 0
        self.open: list[tuple[str, str]] = []


def subtasks_of(feature: Feature, wp_id: str) -> Subtasks:
    """Return the subtasks of a work package, from its own file and from `tasks.md`.

    Raises:
        WorkPackageFileError: a file cannot be understood. OSError: one cannot be read.
    """
    found = Subtasks()
    listed: list[str] = []
    own = next((file for file in work_package_files(feature) if file.wp_id == wp_id), None)
    if own is not None:
        block = own.frontmatter()
        values = block.values.get("subtasks") if block else None
        listed = [each for each in values if isinstance(each, str)] if isinstance(values, list) else []
        above = own.data[: len(own.data) - len(own.body())].count(b"\n")
        _add(found, own.where, above, subtasks_in_file(own.body().decode("utf-8", "replace")))
    overview = feature.folder / OVERVIEW_FILENAME
    if overview.exists() or overview.is_symlink():
        where = feature.relative(overview)
        text = read_text_file(overview, where).decode("utf-8", "replace")
        _add(found, where, 0, subtasks_in_overview(text, wp_id, listed))
    return found


def _add(found: Subtasks, where: str, lines_above: int, subtasks: list[Subtask]) -> None:
    found.count += len(subtasks)
    found.open += [(f"{where}:{lines_above + each.line}", each.text) for each in subtasks if not each.is_done]


def execution_mode(feature: Feature) -> str:
    """Return where work goes on, as far as the folder shows: in a linked work tree or in the clone itself."""
    repository = feature.repository
    is_linked = repository is not None and repository.git_dir != repository.common_dir
    return WORKTREE if is_linked else DIRECT


def workspace_of(feature: Feature, wp_id: str, asked: str | None) -> str | None:
    """Return where the work on a work package is to be done; None where a work tree is asked for and there is none.

    A linked work tree is one for the work package if the caller is in it, or if its folder or its branch names the
    work package and the feature.

    Raises:
        GitError: git's list of work trees cannot be read.
    """
    here = execution_mode(feature)
    if asked == DIRECT or feature.repository is None or here == WORKTREE:
        return asked or here
    if _has_worktree(feature.repository, feature.slug, wp_id):
        return WORKTREE
    return None if asked == WORKTREE else DIRECT


def _has_worktree(repository: Repository, slug: str, wp_id: str) -> bool:
    for tree in worktrees(repository):
        if tree.git_dir == tree.common_dir:
            continue
        try:
            branch = position_of(tree).branch or ""
        except GitError:
            branch = ""
        names = (os.path.basename(tree.worktree), branch)  # noqa: PTH119  a path as text
        if any(mentions(name, wp_id) and mentions(name, slug) for name in names):
            return True
    return False
