"""Merging the base branch in here, with the drivers, so that a host without them finds nothing left to merge."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import (
    ConfigurationError,
    GitError,
    KittyStatusError,
    OutsideRepositoryError,
    UsageError,
)
from kitty_status.git import base_branch, installation
from kitty_status.git.head import operation_in_progress
from kitty_status.git.run import read_blobs
from kitty_status.status.layout import feature_folder_of
from kitty_status.status.merging import split_lines
from kitty_status.tracker.config import SNAPSHOT_SPEC_KITTY
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.mending.same_feature import Namesakes, how_to_unite
from kitty_status.tracker.views.materialize import materialize_feature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.base_branch import Base
    from kitty_status.git.repository import Repository
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Project

UP_TO_DATE = "up-to-date"
WOULD_MERGE = "would-merge"
MERGED = "merged"
CONFLICTS = "conflicts"
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class MergedLog:
    """A log that received `gained` lines; under `dry_run`, one that both sides have changed."""

    path: str
    gained: int


@dataclass(slots=True)
class Synced:
    """What came of merging the base branch.

    * `logs`: the logs that are merged
    * `conflicts`: paths that git left for a person
    * `missing`: lines of either side that the merge has not, by path; there should never be any
    * `materialized`: snapshots and views that had to be made anew after the merge
    * `unite`: commands that end conflicts of a feature that git left in two folders, {folder: command}
    """

    base: Base
    result: str
    commit: str | None = None
    logs: list[MergedLog] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    materialized: list[str] = field(default_factory=list)
    unite: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def sync_base(
    project: Project, config: Config, name: str | None = None, *, fetch: bool = False, dry_run: bool = False
) -> Synced:
    """Merge a branch, by default the one that the remote's HEAD names, into the branch that is checked out.

    Nothing is fetched unless `fetch` says so. What git leaves for a person stays as git left it.

    Raises:
        OutsideRepositoryError: there is no repository.
        ConfigurationError: the merge drivers are not installed in this clone.
        UsageError, NotFoundError: there is no branch to merge, or none to merge it into.
        GitError: git is in the middle of something, has uncommitted changes, or refused; nothing was merged.
    """
    repository = _checked(project, config)
    if fetch:
        remote = base_branch.remote_of(repository)
        if dry_run or remote is None:
            why = "a dry run fetches nothing" if dry_run else "there is no remote to fetch from"
            raise UsageError(why, hint="leave out --fetch")
        base_branch.fetch(repository, remote)
    base = base_branch.find_base(repository, name)
    if base_branch.is_ancestor(repository, base.commit, "HEAD"):
        return Synced(base, UP_TO_DATE)
    if dry_run:
        return _foreseen(repository, base)
    synced = _merged(repository, config, base)
    if synced.conflicts:
        _find_split_features(project, synced)
    return synced


def _checked(project: Project, config: Config) -> Repository:
    """Return the repository, if everything is in place for a merge."""
    config.check_may_write()
    repository = project.repository
    if repository is None:
        raise OutsideRepositoryError(f"{project.start} is in no git repository", hint="run `git init` first")
    operation = operation_in_progress(repository.git_dir)
    if operation:
        raise GitError(f"git is in the middle of a {operation}", hint=f"finish the {operation} first, then call again")
    if base_branch.current_branch(repository) is None or base_branch.commit_of(repository, "HEAD") is None:
        raise UsageError(
            "no branch with a commit is checked out", hint="`git switch BRANCH` first: the base is merged into it"
        )
    _check_drivers(repository, config)
    changed = base_branch.uncommitted(repository)
    if changed and not base_branch.autostashes(repository):
        more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
        raise GitError(
            f"there are uncommitted changes: {', '.join(changed[:_MOST_NAMED])}{more}",
            hint="commit them first, or let git set them aside: `kitty-status install --autostash`",
        )
    return repository


def _check_drivers(repository: Repository, config: Config) -> None:
    """Refuse a merge without the drivers: it would leave what the host leaves."""
    status = installation.status(repository, snapshots=config.snapshot != SNAPSHOT_SPEC_KITTY)
    wanting = [
        item.what
        for item in status.items
        if item.state != "installed" and (item.what.startswith("merge.") or item.what.endswith("attributes"))
    ]
    if wanting:
        raise ConfigurationError(
            f"the merge drivers are not installed in this clone: {wanting[0]} is not in place",
            hint="`kitty-status install`, then call again",
        )


def _foreseen(repository: Repository, base: Base) -> Synced:
    ours = base_branch.logs_changed_by(repository, "HEAD", base.commit)
    theirs = base_branch.logs_changed_by(repository, base.commit, "HEAD")
    synced = Synced(base, WOULD_MERGE, logs=[MergedLog(path, 0) for path in sorted(ours & theirs)])
    with tempfile.TemporaryDirectory(prefix="kitty-status-") as scratch:
        conflicts = base_branch.would_conflict(repository, base, scratch)
    if conflicts is None:
        synced.warnings.append("this git cannot say beforehand what would conflict; git 2.38 and newer can")
    synced.conflicts = conflicts or []
    return synced


def _merged(repository: Repository, config: Config, base: Base) -> Synced:
    sides = [base_branch.logs_in(repository, side) for side in ("HEAD", base.commit)]
    outcome = base_branch.merge(repository, base)
    if outcome.code and not outcome.unmerged:
        is_prepared = operation_in_progress(repository.git_dir) is not None
        raise base_branch.merge_error(outcome, is_prepared=is_prepared)
    synced = Synced(base, CONFLICTS if outcome.code else MERGED, conflicts=outcome.unmerged)
    if not outcome.code:
        synced.commit = base_branch.commit_of(repository, "HEAD")
    merged = base_branch.logs_in(repository, None if outcome.code else "HEAD")
    _compare(repository, sides, merged, synced)
    if not outcome.code:
        changed = [path for path, oid in merged.items() if any(side.get(path) != oid for side in sides)]
        _materialize(repository, config, changed, synced)
    if outcome.stash_conflict:
        synced.warnings.append("what git had set aside could not be put back; it is kept: see `git stash list`")
    return synced


def _compare(repository: Repository, sides: list[dict[str, str]], merged: dict[str, str], synced: Synced) -> None:
    """Find what each merged log has gained, and hold the merge to its promise: every line of either side is there."""
    paths = sorted(path for path in set().union(*sides, merged) if any(_oids(path, sides) - {merged.get(path)}))
    oids = {*merged.values()} if any(path not in merged for path in paths) else set()
    oids |= {oid for path in paths for oid in {merged.get(path), *(side.get(path) for side in sides)} if oid}
    lines = _lines(repository, oids)
    everywhere = {line for oid in merged.values() for line in lines.get(oid, ())}
    for path in paths:
        if path in synced.conflicts:
            continue
        have = lines.get(merged.get(path, ""), everywhere)
        missing = {line for oid in _oids(path, sides) for line in lines[oid]} - have
        if missing and path not in merged and not all(path in side for side in sides):
            synced.warnings.append(f"{path} was deleted on one side, and {len(missing)} lines with it")
        elif missing:
            synced.missing[path] = len(missing)
        gained = have - lines.get(sides[0].get(path, ""), set()) if path in merged else set()
        if gained:
            synced.logs.append(MergedLog(path, len(gained)))


def _find_split_features(project: Project, synced: Synced) -> None:
    """Note the features of which git left one part in the old folder, since it did not see that they had moved."""
    namesakes = Namesakes(project)
    folders = {folder for path in synced.conflicts if (folder := feature_folder_of(path))}
    for feature in project.features(archived=True):
        folder = feature.relative(feature.folder)
        others = namesakes.others_of(feature) if folder in folders else []
        if others:
            synced.unite[folder] = how_to_unite(feature, others[0])


def _oids(path: str, sides: list[dict[str, str]]) -> set[str]:
    return {side[path] for side in sides if path in side}


def _lines(repository: Repository, oids: Iterable[str]) -> dict[str, set[bytes]]:
    names = sorted(oids)
    blobs = read_blobs(names, cwd=repository.worktree)
    return {name: set(split_lines(blob[1])) if blob else set() for name, blob in zip(names, blobs, strict=True)}


def _materialize(repository: Repository, config: Config, paths: Iterable[str], synced: Synced) -> None:
    """Make the snapshots and views anew that git took from one side without asking the driver."""
    for folder in sorted({feature_folder_of(path) or "" for path in paths}):
        feature = feature_at(Path(repository.worktree, folder))
        try:
            if not (feature.snapshot.exists() or config.commits_snapshots):
                continue
            made = materialize_feature(feature, config)
            synced.materialized += [feature.relative(feature.snapshot)] if made.written else []
            synced.materialized += [view.where for view in made.views if view.written]
            synced.warnings += made.warnings(feature)
        except (OSError, KittyStatusError) as error:
            synced.warnings.append(f"{feature.relative(feature.snapshot)} was not checked: {error}")
