"""Workspaces as spec-kitty keeps them, and what is left of those that nobody needs any more.

There is a file in `.kittify/workspaces` for each, which says in which folder below `.worktrees` somebody works for
which work package. Such a file may outlive its folder, and a folder its work tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.git.head import worktrees
from kitty_status.git.run import git
from kitty_status.status.snapshot import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.features import Project
    from kitty_status.tracker.places.finished import Finished

CONTEXTS_FOLDER = ".kittify/workspaces"
TREES_FOLDER = ".worktrees"
_MOST_BYTES = 64 * 1024


@dataclass(slots=True)
class Workspace:
    """A file that names a folder, or such a folder alone (`is_file` is then false).

    `is_gone` says that git knows no work tree in the folder, `is_finished` that the feature is; `whys` are what
    keeps it.
    """

    path: str
    folder: str
    is_file: bool
    feature: str | None = None
    is_gone: bool = False
    is_finished: bool = False
    whys: list[str] = field(default_factory=list)
    removed: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return what JSON answers give."""
        return {
            "path": self.path,
            "folder": self.folder,
            "feature": self.feature,
            "gone": self.is_gone,
            "finished": self.is_finished,
            "removed": self.removed,
            "why": self.whys,
        }


def workspaces(project: Project, repository: Repository, finished: Finished) -> list[Workspace]:
    """Return what spec-kitty has left of workspaces in a project, by path.

    Raises:
        GitError: git could not be asked.
    """
    known = {str(Path(tree.worktree).resolve()) for tree in worktrees(repository)}
    contexts = list(_contexts(project))
    named = known | {str(Path(each.folder).resolve()) for each in contexts}
    found = [*contexts, *_folders_alone(project, named)]
    for each in found:
        if each.whys:
            continue
        each.is_gone = str(Path(each.folder).resolve()) not in known
        each.feature = each.feature or finished.feature_named([Path(each.folder).name])
        why_not = finished.why_not(each.feature, repository) if each.feature else "it names no feature of this project"
        each.is_finished = why_not is None
        each.whys += [why_not] if why_not else []
        if each.is_gone and Path(each.folder).exists():
            each.whys.append(f"git knows no work tree in {each.folder}, and nobody knows what in it is kept elsewhere")
    return sorted(found, key=lambda each: each.path)


def tidy(found: Collection[Workspace], removed: Collection[str], root: Path, *, dry_run: bool) -> None:
    """Remove the files of finished features whose folders are gone, or among the work trees `removed`; no folder.

    Raises:
        GitError: git could not be asked. OSError: the operating system refused.
    """
    for each in found:
        if each.whys:
            continue
        if not each.is_gone and str(Path(each.folder).resolve()) not in removed:
            each.whys.append("its work tree stays")
        elif git(["ls-files", "-z", "--", f":(literal){CONTEXTS_FOLDER}/{Path(each.path).name}"], cwd=str(root)):
            each.whys.append("git tracks it")
        if each.is_file and not each.whys and not dry_run:
            Path(each.path).unlink(missing_ok=True)
            each.removed = True


def _contexts(project: Project) -> Iterator[Workspace]:
    paths = sorted(project.root.joinpath(CONTEXTS_FOLDER).glob("*.json"))
    known = {feature.slug for feature in project.features(archived=True)} if paths else set()
    for path in paths:
        row = _read(path)
        folder = row.get("worktree_path") if row else None
        if row is None or not isinstance(folder, str) or "\0" in folder:
            yield Workspace(str(path), str(path), is_file=True, whys=["it cannot be read as a workspace of spec-kitty"])
            continue
        slug = row.get("mission_slug") or row.get("feature_slug")
        feature = slug if isinstance(slug, str) and slug in known else None
        yield Workspace(str(path), str(project.root / folder), is_file=True, feature=feature)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if path.is_symlink() or path.stat().st_size > _MOST_BYTES:
            return None
        return parse(path.read_bytes())
    except (OSError, ValueError):
        return None


def _folders_alone(project: Project, known: Collection[str]) -> Iterator[Workspace]:
    """Yield the folders that git knows no work tree in."""
    above = project.root / TREES_FOLDER
    for path in sorted(above.iterdir()) if above.is_dir() else []:
        if path.is_dir() and not path.is_symlink() and str(path.resolve()) not in known:
            yield Workspace(str(path), str(path), is_file=False)
