"""Giving a feature another folder: what `rename`, `archive` and `unarchive` do.

No event is changed. The folder moves in the work tree and in the index at once, so that git's rename
detection can follow; a new name is recorded by a further row. Where the other folder already holds a
part of the same feature's events, because a branch went on in the old place, the two logs are united.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.clock import event_ids, now
from kitty_status.errors import GitError, KittyStatusError, TargetExistsError, UsageError
from kitty_status.git.folders import is_ignored, move_folder, stage, tracked_files
from kitty_status.git.head import operation_in_progress
from kitty_status.jsonl.append import append_locked
from kitty_status.jsonl.codec import encode
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.features import Feature
from kitty_status.tracker.former import NAMED_BY, RENAMED, former_slugs
from kitty_status.tracker.log import reduce_log
from kitty_status.tracker.mending.same_feature import are_one_feature
from kitty_status.tracker.mending.uniting import unite
from kitty_status.tracker.slugs import check_name
from kitty_status.tracker.views.materialize import is_leftover, reduce_with_oid, write_snapshot
from kitty_status.tracker.writer import place_to_write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Project
    from kitty_status.tracker.mending.uniting import United


@dataclass(slots=True)
class Relocation:
    """A feature on its way from one folder to another; under `dry_run` it stays where it is.

    * `unites`: the other folder holds events of the same feature already; `united` says what came of it
    * `row`: what is added to the log to record the new name
    * `created`: the files that there was no other version of before
    * `replaces_leftover`: an ignored snapshot, left there by another branch, makes way
    """

    source: Feature
    target: Feature
    unites: bool = False
    united: United | None = None
    row: dict[str, Any] | None = None
    created: list[Path] = field(default_factory=list)
    replaces_leftover: bool = False
    warnings: list[str] = field(default_factory=list)


def rename(project: Project, config: Config, source: Feature, slug: str, *, dry_run: bool = False) -> Relocation:
    """Give a feature another slug; an archived one stays archived.

    Raises:
        InvalidNameError: `slug` could not be one.
        UsageError: it is called so already, or what is to be moved is no plain folder.
        TargetExistsError: there is another feature by that name.
        StoreError: a log is damaged. BusyError: somebody else is at work.
        GitError: git is in the middle of something, or refused. In each case nothing was moved.
        OSError: the operating system refused.
    """
    check_name(slug, "a feature")
    return _relocate(project, config, source, source.folder.with_name(slug), dry_run=dry_run)


def archive(project: Project, config: Config, source: Feature, *, dry_run: bool = False) -> Relocation:
    """Put a feature aside, into `kitty-specs/.archive`.

    Raises:
        as `rename`.
    """
    if source.is_archived:
        raise UsageError(f"{source.slug} is archived already", hint="`kitty-status archive --list` lists the archive")
    return _relocate(project, config, source, project.archive_folder / source.slug, dry_run=dry_run)


def unarchive(project: Project, config: Config, source: Feature, *, dry_run: bool = False) -> Relocation:
    """Take an archived feature up again.

    Raises:
        as `rename`.
    """
    if not source.is_archived:
        raise UsageError(f"{source.slug} is not archived", hint="`kitty-status archive --list` lists the archive")
    return _relocate(project, config, source, project.features_folder / source.slug, dry_run=dry_run)


def _relocate(project: Project, config: Config, source: Feature, folder: Path, *, dry_run: bool) -> Relocation:
    config.check_may_write()
    relocation = Relocation(source, Feature(folder, project.repository))
    if dry_run:
        _check(relocation, config)
        if relocation.unites:
            relocation.united = unite(source, relocation.target, dry_run=True)
        return relocation
    with _both_locks(relocation):
        _check(relocation, config)
        if relocation.unites:
            relocation.united = unite(source, relocation.target)
            _record_name(relocation, config)
        else:
            _move(relocation, config)
        _materialize(relocation, config)
        _stage(relocation)
    return relocation


@contextmanager
def _both_locks(relocation: Relocation) -> Iterator[None]:
    """Hold the locks of both names, always in the same order, so that two renames cannot wait for each other."""
    with ExitStack() as held:
        target = relocation.target
        # Outside git a lock lies in its feature's folder, which is not there yet.
        has_lock = target.repository is not None or target.folder.exists()
        features = (relocation.source, target) if has_lock else (relocation.source,)
        for lock in sorted({str(feature.lock) for feature in features}):
            held.enter_context(exclusive(lock))
        yield


def _check(relocation: Relocation, config: Config) -> None:
    source, target = relocation.source, relocation.target
    if source.folder.is_symlink() or not source.folder.is_dir():
        raise UsageError(f"{source.folder} is no folder of its own", hint="name a feature whose folder can be moved")
    if target.folder == source.folder:
        raise UsageError(f"{source.slug} is called so already", hint="give another name")
    relocation.replaces_leftover = target.folder.is_dir() and is_leftover(target, config)
    exists = not relocation.replaces_leftover and (target.folder.exists() or target.folder.is_symlink())
    # On a file system that ignores case, another spelling of the name is the same folder.
    relocation.unites = exists and not (target.folder.exists() and target.folder.samefile(source.folder))
    if relocation.unites and not _is_same_feature(source, target):
        raise TargetExistsError(
            f"there is another feature at {target.folder}", hint="give a name that is free, or rename the other first"
        )
    repository = source.repository
    operation = operation_in_progress(repository.git_dir) if repository else None
    # To unite two logs may be just what a merge in progress needs.
    if operation and not relocation.unites:
        raise GitError(f"git is in the middle of a {operation}", hint=f"finish the {operation} first, then call again")
    for feature in (source, target):
        reduce_log(feature.log, config.profile, feature.log.strictly())
    if source.slug != target.slug and not (relocation.unites and source.slug in former_slugs(target.log)):
        relocation.row = _renamed_row(source.slug, target.slug)
    if relocation.unites and source.snapshot.exists() and not target.snapshot.exists():
        relocation.created.append(target.snapshot)


def _renamed_row(former_slug: str, slug: str) -> dict[str, Any]:
    """Return the row that records that a feature is called `slug` from now on."""
    return {
        NAMED_BY: RENAMED,
        "event_id": event_ids.mint(),
        "at": now(),
        "former_slug": former_slug,
        "feature_slug": slug,
    }


def _is_same_feature(source: Feature, target: Feature) -> bool:
    return (
        source.slug in former_slugs(target.log)
        or (target.slug != source.slug and target.slug in former_slugs(source.log))
        or are_one_feature(source.log, target.log)
    )


def _move(relocation: Relocation, config: Config) -> None:
    source, target = relocation.source, relocation.target
    target.folder.parent.mkdir(exist_ok=True)
    if relocation.replaces_leftover:
        target.snapshot.unlink()
        target.folder.rmdir()
    _move_folder(source, target)
    try:
        _record_name(relocation, config)
    except BaseException:
        # A feature under a name that nothing connects to the old one would be lost to its branches.
        _move_folder(target, source)
        raise


def _record_name(relocation: Relocation, config: Config) -> None:
    if relocation.row is not None:
        place = place_to_write(relocation.target, config.layout)
        if not place.log.exists():
            relocation.created.append(place.log)
        append_locked(place, encode(relocation.row, json.dumps))


def _move_folder(source: Feature, target: Feature) -> None:
    if source.repository is None:
        source.folder.rename(target.folder)
    else:
        move_folder(source.repository, source.relative(source.folder), target.relative(target.folder))


def _materialize(relocation: Relocation, config: Config) -> None:
    target = relocation.target
    if relocation.row is None and not relocation.unites:
        return
    try:
        snapshot, oid = reduce_with_oid(target, config)
        if target.snapshot.exists() or target.snapshot in relocation.created:
            relocation.warnings += write_snapshot(target, config, snapshot, oid).warnings(target)
    except (OSError, KittyStatusError) as error:
        relocation.warnings.append(
            f"{target.snapshot.name} was not written ({error}); run `kitty-status materialize {target.slug}`"
        )


def _stage(relocation: Relocation) -> None:
    """Put what was written into the index where git has the folder, so that one commit takes the move whole."""
    target = relocation.target
    if target.repository is None:
        return
    tracked = tracked_files(target.repository, target.relative(target.folder))
    wanted = [target.relative(path) for path in (*target.log.files(), target.snapshot) if path.exists()]
    known = [path for path in wanted if path in tracked]
    if tracked:
        known += [target.relative(path) for path in relocation.created if path.exists()]
    stage(target.repository, [path for path in known if not is_ignored(target.repository, path)])
