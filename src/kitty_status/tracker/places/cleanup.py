"""Tidying up: linked work trees whose feature is finished, what keeps each of the others, and their removal.

A work tree is removed only if nothing is lost with it but files that git ignores.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, GitError, OutsideRepositoryError, UsageError
from kitty_status.git import removal
from kitty_status.git.base_branch import is_ancestor
from kitty_status.git.head import names_of_branch, operation_in_progress, positions, reflog_commits, vanished_worktrees
from kitty_status.git.references import branches, main_branch
from kitty_status.git.squashed import has_all_of
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.features import Feature
from kitty_status.tracker.journal.entries import books, read_book
from kitty_status.tracker.journal.settling import open_entries
from kitty_status.tracker.places.finished import Finished
from kitty_status.tracker.places.workspaces import tidy, workspaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.git.head import Position
    from kitty_status.git.repository import Repository
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Project
    from kitty_status.tracker.places.workspaces import Workspace

_MOST_NAMES = 3
MERGED = "merged"
PUSHED = "pushed"
CONTENT = "content"


@dataclass(slots=True)
class Tree:
    """A work tree of the clone: what it is for, why it stays, and whether it was removed.

    `is_finished` says that its feature is; then `whys` are what is in the way of removing it, and `kept_by` says where
    its commits are all the same: `merged`, `pushed`, or `content`, their changes alone. `is_branch_gone`
    says that it stood at a commit once, and its branch at none now: the branch was deleted, or another one begun.
    """

    repository: Repository
    branch: str | None
    commit: str | None
    feature: str | None = None
    is_finished: bool = False
    is_branch_gone: bool = False
    kept_by: str | None = None
    whys: list[str] = field(default_factory=list)
    removed: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return what JSON answers give."""
        return {
            "worktree": self.repository.worktree,
            "branch": self.branch,
            "head": self.commit,
            "feature": self.feature,
            "finished": self.is_finished,
            "removed": self.removed,
            "kept_by": self.kept_by,
            "why": self.whys,
        }


@dataclass(slots=True)
class Cleanup:
    """The branch that everything was compared with, each work tree, and what a person should know besides.

    `workspaces` are what spec-kitty has left of its own.
    """

    base: str
    trees: list[Tree]
    warnings: list[str]
    workspaces: list[Workspace] = field(default_factory=list)


def cleanup(project: Project, config: Config, *, dry_run: bool = False) -> Cleanup:
    """Remove the linked work trees whose feature is finished and with which nothing is lost; no branch is deleted.

    With them go the files of spec-kitty that name them, and those whose work trees are gone already.

    Raises:
        OutsideRepositoryError: there is no repository.
        UsageError: nothing says which branch is the main one.
        ConfigurationError: a newer version of kitty-status is asked for.
        GitError, OSError: git or the journal could not be asked.
    """
    found = survey(project, config)
    repository = _repository(project)
    if not dry_run:
        config.check_may_write()
    gone = [tree.worktree for tree in vanished_worktrees(repository)]
    found.warnings += [f"the work tree {path} is gone; `git worktree prune` has git forget it" for path in gone]
    commit = branches(repository)[found.base]
    for tree in found.trees:
        if not tree.is_finished:
            continue
        lock = Feature(project.features_folder / str(tree.feature), repository).lock
        try:
            # Whoever appends to the feature's log, in whichever work tree, waits meanwhile.
            with nullcontext() if dry_run else exclusive(lock):
                tree.whys += _obstacles(tree, project.start, commit)
                if not tree.whys and not dry_run:
                    removal.remove_worktree(tree.repository, cwd=repository.worktree)
                    tree.removed = True
        except (GitError, BusyError) as error:
            tree.whys.append(error.message)
    gone = [tree.repository.worktree for tree in found.trees if tree.is_finished and not tree.whys]
    tidy(found.workspaces, {str(Path(path).resolve()) for path in gone}, project.root, dry_run=dry_run)
    return found


def survey(project: Project, config: Config) -> Cleanup:
    """Return all work trees of the clone, with what each is for, and why it stays if its feature is not finished.

    Nothing is written.

    Raises:
        OutsideRepositoryError, UsageError, GitError, OSError: as `cleanup`.
    """
    repository = _repository(project)
    standing = positions(repository)
    tips = branches(repository)
    base = _base(repository, tips, standing)
    finished = Finished(project, repository, config, base, tips[base])
    trees = [_judged(tree, position, finished, base) for tree, position in standing]
    return Cleanup(base, trees, [], workspaces(project, repository, finished))


def _repository(project: Project) -> Repository:
    if project.repository is None:
        raise OutsideRepositoryError("there is no git repository here", hint="outside git there are no work trees")
    return project.repository


def _base(repository: Repository, tips: dict[str, str], standing: list[tuple[Repository, Position | None]]) -> str:
    name = main_branch(repository, tips)
    if name is None:
        own = (position.branch for tree, position in standing if position and not removal.is_linked(tree))
        name = next((branch for branch in own if branch in tips), None)
    if name is None:
        raise UsageError(
            "nothing says which branch is the main one",
            hint="it is the one that origin/HEAD names, else main, else master, once it has a commit",
        )
    return name


def _judged(repository: Repository, position: Position | None, finished: Finished, base: str) -> Tree:
    if position is None:
        return Tree(repository, None, None, whys=["its HEAD cannot be read"])
    tree = Tree(repository, position.branch, position.commit)
    if not removal.is_linked(repository):
        tree.whys.append("it is the main work tree")
        return tree
    if position.branch == base:
        tree.whys.append(f"it stands on {base}, the main branch")
        return tree
    if position.commit is None:
        tree.is_branch_gone = bool(reflog_commits(repository))
        tree.whys.append(f"its branch {position.branch} is gone, or has no commit yet")
    tree.feature = finished.feature_named([position.branch or "", Path(repository.worktree).name])
    if tree.feature is None:
        tree.whys.append("neither its branch nor its folder names one feature")
        return tree
    why_not = finished.why_not(tree.feature, repository)
    tree.is_finished = why_not is None
    tree.whys += [why_not] if why_not else []
    return tree


def _obstacles(tree: Tree, start: Path, base: str) -> Iterator[str]:
    """Yield what would be lost with a work tree, and what else keeps it."""
    repository = tree.repository
    if start == Path(repository.worktree) or Path(repository.worktree) in start.parents:
        yield "you stand in it"
    locked = removal.why_locked(repository)
    if locked is not None:
        yield f"it is locked{': ' if locked else ''}{locked}"
    operation = operation_in_progress(repository.git_dir)
    if operation:
        yield f"a {operation} is not finished in it"
    inside = removal.repository_inside(repository)
    if inside:
        yield f"{inside}, a repository or work tree of its own, lies in it"
    if tree.commit is None:
        return
    yield from _named("not committed", removal.uncommitted_files(repository))
    yield from _named("changes that git was told not to see are possible in", removal.files_not_watched(repository))
    yield from _named("git ignores a log", removal.ignored_logs(repository))
    yield from _named("git keeps for it alone", removal.own_references(repository))
    tree.kept_by = _kept_by(repository, tree.branch, tree.commit, base)
    if tree.kept_by is None:
        yield "it has commits that are neither merged nor pushed"
    elif commits := removal.commits_only_here(repository, tree.branch):
        yield f"only its reflog has commit {commits[0]}"
    waiting = _waiting(repository, tree.branch)
    if waiting:
        yield f"{waiting} acknowledged {'event waits' if waiting == 1 else 'events wait'} in the journal for it"


def _kept_by(repository: Repository, branch: str | None, commit: str, base: str) -> str | None:
    """Return where the commits of a work tree are without it, None where they are nowhere else."""
    if is_ancestor(repository, commit, base):
        return MERGED
    upstream = removal.upstream_of(repository, branch) if branch else None
    if upstream is not None and is_ancestor(repository, commit, upstream):
        return PUSHED
    return CONTENT if branch and has_all_of(repository, base, commit) else None


def _named(what: str, paths: list[str]) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - _MOST_NAMES} more" if len(paths) > _MOST_NAMES else ""
        yield f"{what}: {', '.join(paths[:_MOST_NAMES])}{more}"


def _waiting(repository: Repository, branch: str | None) -> int:
    """Return how many entries of a branch, or of no branch, git does not keep yet."""
    names = names_of_branch(repository, branch) if branch else {None}
    read = (read_book(repository, name) for name in books(repository))
    entries = [entry for book in read for entry in book.entries if entry.branch in names]
    return len(open_entries(repository, entries)) if entries else 0
