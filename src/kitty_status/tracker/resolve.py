"""Mending a feature's log and snapshot from any wreck: what is to be done, and the doing of it.

The damaged original is on stable storage in the quarantine folder before the log is replaced, which
happens in one step, under the log's lock. What was decided is what is done: if the log changes in
between, nothing is.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, NotFoundError, StoreError
from kitty_status.git.head import operation_in_progress
from kitty_status.git.in_progress import squashed
from kitty_status.git.versions import places_to_look, read_versions
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.quarantine import keep_aside
from kitty_status.jsonl.reading import read_bytes
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.merging import split_lines
from kitty_status.status.snapshot import parse
from kitty_status.tracker.commit import stage_files
from kitty_status.tracker.materialize import events_counted_by, reduce_with_oid, write_snapshot
from kitty_status.tracker.mend import Mended, mend, rows_in
from kitty_status.tracker.sources import INDEX, sources_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.sources import Source


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A commit that holds lines which the log lacks, and how many of them."""

    revision: str
    commit: str
    lines: int


@dataclass(slots=True)
class Resolution:
    """What resolving a feature takes, and once it is applied, what was done.

    `unmerged` are the paths that git could not merge, `to_stage` those that have to be staged for the
    next commit to hold what is mended; `kept` are the copies in the quarantine folder. `original` is
    None where there is no log.
    """

    feature: Feature
    original: bytes | None
    mended: Mended
    unmerged: list[str] = field(default_factory=list)
    to_stage: list[str] = field(default_factory=list)
    is_snapshot_spoilt: bool = False
    elsewhere: list[Elsewhere] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)

    @property
    def changes_log(self) -> bool:
        """Whether the log does not stay as it is, byte for byte."""
        return self.mended.log != (self.original or b"")

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return self.changes_log or self.is_snapshot_spoilt or bool(self.to_stage)


def plan(feature: Feature, revisions: Sequence[str] = ()) -> Resolution:
    """Return what has to be done about a feature's log and snapshot. Nothing is written.

    Raises:
        NotFoundError: there is no log, neither here nor in git; or a revision is unknown.
        StoreError: the log is no regular file, or has no line left while its snapshot counts events.
        OutsideRepositoryError, UsageError, GitError: a revision cannot be looked up.
        OSError: the operating system refused.
    """
    original = read_bytes(feature.log.single)
    sources = sources_of(feature, original or b"", revisions)
    if original is None and not sources:
        raise NotFoundError(
            f"{feature.slug} has no log {feature.log}, and git knows of none",
            hint="`kitty-status emit` writes the first event; `--from REV` takes the log from a commit",
        )
    mended = mend(original or b"", sources)
    _refuse_to_lose_everything(feature, mended)
    resolution = Resolution(feature, original, mended, is_snapshot_spoilt=_is_spoilt(feature))
    if feature.repository is not None:
        resolution.unmerged = _unmerged(feature, feature.repository)
        is_in_work = resolution.changes_log or resolution.is_snapshot_spoilt
        if resolution.unmerged or (_is_under_way(feature.repository) and (is_in_work or _is_index_stale(sources))):
            resolution.to_stage = [feature.relative(path) for path in (feature.log.single, feature.snapshot)]
        resolution.elsewhere = _elsewhere(feature, feature.repository, mended.log)
    return resolution


def resolve(feature: Feature, config: Config, revisions: Sequence[str] = ()) -> Resolution:
    """Do what `plan` says, and return it with what was done.

    Nothing is staged while an event id has two contents: that is for a person to decide.

    Raises:
        ConfigurationError: this version must not write here.
        BusyError: another process held the log for too long, or changed it without its lock.
        OSError: the operating system refused; the log is as it was, or mended as a whole.
        GitError: git could not stage what is mended already.
        NotFoundError, StoreError, OutsideRepositoryError, UsageError: as `plan`.
    """
    config.check_may_write()
    with exclusive(feature.lock):
        resolution = plan(feature, revisions)
        if not resolution.is_needed:
            return resolution
        if resolution.changes_log:
            _replace_log(resolution)
        write_snapshot(feature, config, *reduce_with_oid(feature, config))
        if resolution.to_stage and not resolution.mended.conflicts:
            resolution.staged = stage_files(feature)
    return resolution


def _replace_log(resolution: Resolution) -> None:
    feature, original, mended = resolution.feature, resolution.original, resolution.mended
    folder = feature.quarantine
    if original is not None:
        resolution.kept.append(keep_aside(original, feature.log.single, folder, "original"))
    if mended.set_aside:
        resolution.kept.append(keep_aside(mended.set_aside, feature.log.single, folder, "lines"))
    if read_bytes(feature.log.single) != original:
        raise BusyError(
            f"{feature.log} changed while it was being mended: something writes to it without the lock",
            hint="make the same call again once the other program has finished",
        )
    feature.folder.mkdir(parents=True, exist_ok=True)
    replace_file(feature.log.single, mended.log)


def _refuse_to_lose_everything(feature: Feature, mended: Mended) -> None:
    """Keep a snapshot that may be the last thing to tell of events that no version of the log has any more."""
    counted = 0 if mended.log.strip() else events_counted_by(feature)
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


def _is_under_way(repository: Repository) -> bool:
    """Say whether the next commit finishes something that git has begun."""
    return bool(operation_in_progress(repository.git_dir) or squashed(repository.git_dir))


def _unmerged(feature: Feature, repository: Repository) -> list[str]:
    paths = [feature.relative(path) for path in (feature.log.single, feature.snapshot)]
    names = [f":{stage}:{path}" for path in paths for stage in (1, 2, 3)]
    found = read_versions(names, repository.worktree)
    return [path for at, path in enumerate(paths) if any(each is not None for each in found[3 * at : 3 * at + 3])]


def _is_index_stale(sources: Sequence[Source]) -> bool:
    """Say whether what is staged lacks lines that the next commit has to hold, as after `git add` of one side."""
    staged = next((source.data for source in sources if source.name == INDEX), None)
    return staged is not None and mend(staged, sources).log != staged


def _elsewhere(feature: Feature, repository: Repository, log: bytes) -> list[Elsewhere]:
    """Return commits that hold lines which the log lacks; each line counts for the first that has it."""
    path = feature.relative(feature.log.path)
    have = set(split_lines(log))
    found = []
    for place in places_to_look(path, repository.worktree):
        # One after the other: together the versions of a large log would fill the memory.
        names = [f"{commit}:{path}" for commit in (place.commit, place.base) if commit]
        theirs, *passed_on = read_versions(names, repository.worktree)
        if theirs is None or log.startswith(theirs):
            continue
        # Few places hold anything else than the log itself does; only that is looked into.
        lines = set(split_lines(theirs)) - have
        missing = (
            rows_in(b"".join(lines.difference(*(split_lines(data or b"") for data in passed_on)))) - have
            if lines
            else set()
        )
        if missing:
            found.append(Elsewhere(place.name, place.commit, len(missing)))
            have |= missing
    return found
