"""Mending a feature's log, snapshot and views from any wreck: what is to be done, and the doing of it.

Every damaged original is on stable storage in the quarantine folder before the first file of the log is
replaced, each in one step, under the log's lock. What was decided is what is done: if a file changes in
between, nothing is.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, NotFoundError, StoreError
from kitty_status.git.folders import is_ignored
from kitty_status.git.head import operation_in_progress
from kitty_status.git.in_progress import squashed
from kitty_status.git.log_paths import log_pathspecs_in
from kitty_status.git.versions import files_in_index, unmerged_paths
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.quarantine import keep_aside
from kitty_status.jsonl.reading import read_bytes
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.layout import SHARD_SUFFIX
from kitty_status.status.snapshot import parse
from kitty_status.tracker.commit import stage_files
from kitty_status.tracker.mending.lost_lines import places_of_lost_lines
from kitty_status.tracker.mending.mend import mend
from kitty_status.tracker.mending.misplaced import misplaced_files
from kitty_status.tracker.mending.sources import INDEX, sources_of
from kitty_status.tracker.views.conflicted import conflicted_views, written_beside
from kitty_status.tracker.views.materialize import events_counted_by, reduce_with_oid, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.mending.lost_lines import Elsewhere
    from kitty_status.tracker.mending.mend import Mended, MendedFile, Source
    from kitty_status.tracker.mending.misplaced import Misplaced
    from kitty_status.tracker.views.conflicted import ConflictedView


@dataclass(slots=True)
class Resolution:
    """What resolving a feature takes, and once it is applied, what was done.

    `unmerged` are the paths that git could not merge, `to_stage` those that have to be staged for the
    next commit to hold what is mended; `misplaced` are files beside the log that go, since their lines
    stand in it; `views` are Markdown files that git could not merge; `kept` are the copies in the quarantine folder.
    """

    feature: Feature
    mended: Mended
    misplaced: list[Misplaced] = field(default_factory=list)
    unmerged: list[str] = field(default_factory=list)
    to_stage: list[str] = field(default_factory=list)
    is_snapshot_spoilt: bool = False
    elsewhere: list[Elsewhere] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    views: list[ConflictedView] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The file or the folder that a person knows the mended log by, from the top of the work tree."""
        log = self.feature.log
        single = self.feature.relative(log.single)
        is_divided = any(path != single for path in self.log_paths)
        return self.feature.relative(log.shards) if is_divided else single

    @property
    def log_paths(self) -> list[str]:
        """The log files that are there once this is applied."""
        return [file.path for file in self.mended.files if file.is_changed or file.original is not None]

    @property
    def changes_log(self) -> bool:
        """Whether any file of the log does not stay as it is, byte for byte."""
        return bool(self.mended.changed)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        # What is misplaced is among the paths to stage.
        return self.changes_log or self.is_snapshot_spoilt or bool(self.to_stage)


def plan(feature: Feature, revisions: Sequence[str] = ()) -> Resolution:
    """Return what has to be done about a feature's log and snapshot. Nothing is written.

    Raises:
        NotFoundError: there is no log, neither here nor in git; or a revision is unknown.
        StoreError: a log file is no regular file, or no line is left while the snapshot counts events.
        OutsideRepositoryError, UsageError, GitError: a revision cannot be looked up.
        OSError: the operating system refused.
    """
    contents = {feature.relative(file): read_bytes(file) for file in feature.log.files()}
    files = {path: data for path, data in contents.items() if data is not None}
    sources = sources_of(feature, files, revisions)
    if not files and not sources:
        raise NotFoundError(
            f"{feature.slug} has no log {feature.log}, and git knows of none",
            hint="`kitty-status emit` writes the first event; `--from REV` takes the log from a commit",
        )
    misplaced = misplaced_files(feature, feature.repository, sources) if feature.repository else []
    sources += [each.source() for each in misplaced]
    resolution = Resolution(feature, mend(files, sources), misplaced, is_snapshot_spoilt=_is_spoilt(feature))
    _refuse_to_lose_everything(feature, resolution.mended)
    if feature.repository is not None:
        _plan_staging(resolution, feature.repository, sources)
        _plan_views(resolution, feature.repository)
        resolution.elsewhere = places_of_lost_lines(feature, feature.repository, resolution.mended)
    return resolution


def resolve(feature: Feature, config: Config, revisions: Sequence[str] = ()) -> Resolution:
    """Do what `plan` says, and return it with what was done.

    Nothing is staged while an event id has two contents: that is for a person to decide.

    Raises:
        ConfigurationError: this version must not write here.
        BusyError: another process held the log for too long, or changed it without its lock.
        OSError: the operating system refused; each file of the log is as it was, or mended as a whole.
        GitError: git could not stage what is mended already.
        NotFoundError, StoreError, OutsideRepositoryError, UsageError: as `plan`.
    """
    config.check_may_write()
    with exclusive(feature.lock):
        resolution = plan(feature, revisions)
        if not resolution.is_needed:
            return resolution
        _replace_log(resolution)
        made = write_snapshot(feature, config, *reduce_with_oid(feature, config))
        resolution.warnings += made.warnings(feature)
        if resolution.to_stage:
            resolution.to_stage += written_beside(feature, made.views, resolution.unmerged)
        if resolution.to_stage and not resolution.mended.conflicts:
            resolution.staged = stage_files(feature, resolution.to_stage)
    return resolution


def _replace_log(resolution: Resolution) -> None:
    feature, changed = resolution.feature, resolution.mended.changed
    for file in resolution.mended.files if changed else ():
        _keep_aside(resolution, file)
    for astray in resolution.misplaced:
        if astray.data is not None:
            name = f"{feature.slug}-{Path(astray.path).stem}"
            resolution.kept.append(keep_aside(astray.data, name, feature.quarantine, "original"))
    views = [view for view in resolution.views if view.merged not in (None, view.original)]
    for view in views:
        resolution.kept.append(
            keep_aside(view.original or b"", f"{feature.slug}-{Path(view.path).stem}", feature.quarantine, "original")
        )
    expected = {file.path: file.original for file in changed} | {each.path: each.data for each in resolution.misplaced}
    expected |= {view.path: view.original for view in views}
    for path, data in expected.items():
        if read_bytes(feature.root / path) != data:
            raise BusyError(
                f"{path} changed while it was being mended: something writes to it without the lock",
                hint="make the same call again once the other program has finished",
            )
    for file in changed:
        place = feature.root / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, file.data)
    for view in views:
        replace_file(feature.root / view.path, view.merged or b"")
    for astray in resolution.misplaced:
        (feature.root / astray.path).unlink(missing_ok=True)


def _keep_aside(resolution: Resolution, file: MendedFile) -> None:
    """Keep what leaves a file, under a name that says which feature, and which writer, it is from."""
    feature = resolution.feature
    place = feature.root / file.path
    name = feature.slug if place == feature.log.single else f"{feature.slug}-{place.name.removesuffix(SHARD_SUFFIX)}"
    if file.is_changed and file.original is not None:
        resolution.kept.append(keep_aside(file.original, name, feature.quarantine, "original"))
    if file.set_aside:
        resolution.kept.append(keep_aside(file.set_aside, name, feature.quarantine, "lines"))


def _refuse_to_lose_everything(feature: Feature, mended: Mended) -> None:
    """Keep a snapshot that may be the last thing to tell of events that no version of the log has any more."""
    counted = 0 if mended.has_lines else events_counted_by(feature)
    if counted:
        raise StoreError(
            f"{feature.snapshot} counts {counted} events, and neither the log nor git's index and HEAD have any",
            hint=f"`git log --all --diff-filter=AM -- {shlex.quote(feature.relative(feature.log.path))}` lists the "
            "commits that have it; name one: --from",
        )


def _is_spoilt(feature: Feature) -> bool:
    """Say whether there is a snapshot that cannot be read, such as one with conflict markers in it."""
    try:
        parse(feature.snapshot.read_bytes())
    except ValueError:
        return True
    except OSError:
        return False
    return False


def _plan_staging(resolution: Resolution, repository: Repository, sources: Sequence[Source]) -> None:
    """Have staged what git waits for: the log files as they will be, those that it is to forget, and the snapshot."""
    feature = resolution.feature
    snapshot = feature.relative(feature.snapshot)
    indexed = {path for files in files_in_index(feature.path, repository.worktree) for path in files}
    own = [*log_pathspecs_in(feature.path), f":(top,literal){snapshot}"]
    resolution.unmerged = unmerged_paths(repository.worktree, own)
    astray = [each.path for each in resolution.misplaced]
    is_in_work = resolution.changes_log or resolution.is_snapshot_spoilt
    if astray or resolution.unmerged or (_is_under_way(repository) and (is_in_work or _is_index_stale(sources))):
        present = [*resolution.log_paths, snapshot]
        wanted = [path for path in present if path in indexed or not is_ignored(repository, path)]
        resolution.to_stage = [*sorted(indexed.difference(present)), *astray, *wanted]


def _plan_views(resolution: Resolution, repository: Repository) -> None:
    """Have staged what conflicts in its generated parts alone, and say what is left to people."""
    feature = resolution.feature
    resolution.views = conflicted_views(feature, repository, [file.data for file in resolution.mended.files])
    for view in resolution.views:
        resolution.unmerged.append(view.path)
        if view.merged is None:
            resolution.warnings.append(f"{view.path} is not merged: {view.why}")
        else:
            resolution.to_stage.append(view.path)


def _is_under_way(repository: Repository) -> bool:
    """Say whether the next commit finishes something that git has begun."""
    return bool(operation_in_progress(repository.git_dir) or squashed(repository.git_dir))


def _is_index_stale(sources: Sequence[Source]) -> bool:
    """Say whether what is staged lacks lines that the next commit has to hold, as after `git add` of one side."""
    staged = {source.version_of: source.data for source in sources if source.name == INDEX and source.version_of}
    return bool(staged and mend(staged, sources).changed)
