"""Giving a feature's log the other layout: one file, or one file for each writer. Every line is kept, byte for byte.

The one file becomes the file of shared lines as it is, so that git sees a rename and a branch that still appends to
the one file is merged into it. The way back puts the shared lines first, as they stand, and the other writers'
behind them in the order in which the merge driver would put them.

Where git tracks the writers' files, their folder stays with a file that says why: git would take a folder that goes
for renamed, and put the files that another branch adds to it where no reader looks.

What is written is on stable storage before anything is removed. After a crash in between, both layouts hold the
lines; readers take each once. After one behind that the index lags. Either way the same call does the rest.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, GitError, KittyStatusError, NotFoundError
from kitty_status.git.folders import is_ignored, stage, tracked_files, unstage_removed
from kitty_status.git.head import operation_in_progress
from kitty_status.git.run import read_blobs
from kitty_status.jsonl.append import mend_tail
from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.disk import DISK
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.reading import read_bytes
from kitty_status.jsonl.replace import remove_leftovers, replace_file
from kitty_status.status.layout import PER_WRITER, SHARDS_PLACEHOLDER, SHARED_SHARD, SINGLE, feature_folder_of
from kitty_status.status.merging import merge_logs, merge_tails, split_lines
from kitty_status.tracker.journal.writing import journal_of
from kitty_status.tracker.log import reduce_log
from kitty_status.tracker.views.materialize import reduce_with_oid, write_snapshot

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.feature_log import FeatureLog
    from kitty_status.tracker.features import Feature

_PLACEHOLDER = b"""\
The log of this feature is in the file beside this folder. The folder stays, so that git does not take it for
renamed, and misplace what a branch adds to it that still has a file for each writer. Remove it once all such
branches are merged.
"""


@dataclass(slots=True)
class Conversion:
    """What giving a log another layout takes, and whether it was done.

    * `removed`: the log files that go, none where the log has the layout already; also those that a call which was
      cut short has removed from the work tree and not from the index
    * `written`: the file that takes their lines
    * `lines`: how many lines the log holds, each counted once
    """

    feature: Feature
    layout: str
    removed: list[Path]
    written: Path
    lines: int
    warnings: list[str] = field(default_factory=list)

    @property
    def is_needed(self) -> bool:
        """Whether the log has the other layout, or both."""
        return bool(self.removed)


def convert(feature: Feature, config: Config, layout: str, *, dry_run: bool = False) -> Conversion:
    """Give a feature's log a layout, `single` or `per-writer`, its snapshot with it, and stage what git tracks of it.

    Raises:
        ConfigurationError: this version must not write here.
        NotFoundError: there is no log.
        StoreError: the log is damaged (UnsafeLogError: a link is in its place). BusyError: somebody else is at work.
        GitError: git is in the middle of something, or tracks the log and ignores the file that it would lie in, or
            could not stage what is converted already.
        OSError: the operating system refused; no line is lost.
    """
    config.check_may_write()
    feature.log.check_is_safe()
    if not feature.log.exists():
        raise NotFoundError(f"{feature.slug} has no log yet", hint="`status.layout` says which layout a new one gets")
    if dry_run:
        tracked = _tracked(feature)
        conversion = _plan(feature, config, layout, tracked)
        _check_may_convert(conversion, tracked)
        return conversion
    for file in feature.log.files():
        mend_tail(feature.place_of(file))
    journal = journal_of(feature)
    with exclusive(feature.lock):
        if journal is not None:
            # A line that has vanished belongs into the log that is converted.
            journal.bring_back()
        tracked = _tracked(feature)
        conversion = _plan(feature, config, layout, tracked)
        _check_may_convert(conversion, tracked)
        if conversion.is_needed:
            if any(file.exists() for file in conversion.removed):
                _rewrite(conversion, keeps_folder=_is_any_tracked(conversion, tracked))
            _materialize(conversion, config)
            _write_index(conversion, tracked)
    if journal is not None and journal.restored:
        problem = journal.refresh_snapshots()
        conversion.warnings += [problem] if problem else []
    return conversion


def _plan(feature: Feature, config: Config, layout: str, tracked: set[str]) -> Conversion:
    log = feature.log
    reduce_log(log, config.profile, log.strictly())
    lines = len(set(split_lines(log.read() or b"")))
    goes_apart = layout == PER_WRITER
    written = log.shards / SHARED_SHARD if goes_apart else log.single
    removed = [file for file in log.files() if (file == log.single) == goes_apart]
    removed += [file for file in _only_in_index(feature, written, tracked) if (file == log.single) == goes_apart]
    return Conversion(feature, layout, removed, written, lines)


def _only_in_index(feature: Feature, written: Path, tracked: set[str]) -> list[Path]:
    """Return the log files that the index alone still has, while the file that takes their lines has them all."""
    repository = feature.repository
    if repository is None:
        return []
    folder = feature.relative(feature.folder)
    own = {path: Path(repository.worktree, path) for path in sorted(tracked) if feature_folder_of(path) == folder}
    gone = [path for path, file in own.items() if not os.path.lexists(file) and "\n" not in path]
    if not gone:
        return []
    lines = frozenset(split_lines(read_bytes(written) or b""))
    blobs = read_blobs([f":{path}" for path in gone], cwd=repository.worktree)
    return [
        own[path] for path, blob in zip(gone, blobs, strict=True) if blob and lines.issuperset(split_lines(blob[1]))
    ]


def _check_may_convert(conversion: Conversion, tracked: set[str]) -> None:
    """Refuse in the middle of something, and to take lines that git tracks to where it would not.

    The commit of that would remove them.
    """
    feature = conversion.feature
    if feature.repository is None or not conversion.is_needed:
        return
    operation = operation_in_progress(feature.repository.git_dir)
    if operation:
        raise GitError(f"git is in the middle of a {operation}", hint=f"finish the {operation} first, then call again")
    path = feature.relative(conversion.written)
    if _is_any_tracked(conversion, tracked) and path not in tracked and is_ignored(feature.repository, path):
        raise GitError(
            f"git tracks the log of {feature.slug}, and ignores {path}, where its lines would lie",
            hint=f"`git check-ignore -v {shlex.quote(path)}` names the pattern; take it out, then call again",
        )


def _rewrite(conversion: Conversion, *, keeps_folder: bool) -> None:
    log, written = conversion.feature.log, conversion.written
    contents = {file: read_bytes(file) or b"" for file in log.files()}
    torn = next((file for file, data in contents.items() if data and not data.endswith(b"\n")), None)
    if torn is not None:
        raise BusyError(f"something writes to {torn} without the lock", hint="call again once it has finished")
    merged = _divided(log, contents) if conversion.layout == PER_WRITER else _in_one(log, contents)
    DISK.makedirs(written.parent)
    # In the folder of a log that is committed, such a file would make another tree of it than the snapshot names.
    for file in (written, _placeholder(log)):
        if file.parent.is_dir():
            remove_leftovers(file)
    replace_file(written, merged)
    if any((read_bytes(file) or b"") != contents.get(file, b"") for file in conversion.removed):
        raise BusyError(
            f"{log} was written to meanwhile, without the lock",
            hint="nothing was removed; make the same call again once the other program has finished",
        )
    if keeps_folder and conversion.layout == SINGLE:
        replace_file(_placeholder(log), _PLACEHOLDER)
    if conversion.layout == PER_WRITER:
        _placeholder(log).unlink(missing_ok=True)
    for file in conversion.removed:
        # Some may be left in the index alone.
        file.unlink(missing_ok=True)
    if log.shards.exists() and not any(log.shards.iterdir()):
        log.shards.rmdir()


def _placeholder(log: FeatureLog) -> Path:
    return log.shards / SHARDS_PLACEHOLDER


def _divided(log: FeatureLog, contents: dict[Path, bytes]) -> bytes:
    """Return the shared lines as they are to be: those of the one file, and what stands there already."""
    single, shared = contents[log.single], contents.get(log.shards / SHARED_SHARD, b"")
    return merge_logs(shared, single, decode)[0] if shared else single


def _in_one(log: FeatureLog, contents: dict[Path, bytes]) -> bytes:
    beginning = contents.get(log.single, b"")
    shared = contents.get(log.shards / SHARED_SHARD, b"")
    beginning = merge_logs(beginning, shared, decode)[0] if beginning else shared
    known = set(split_lines(beginning))
    others = b"".join(contents.values())
    return beginning + merge_tails(b"", others, decode, base_lines=known).tail()


def _materialize(conversion: Conversion, config: Config) -> None:
    """Make the snapshot name the log as it lies now, where there is one."""
    feature = conversion.feature
    if not feature.snapshot.exists():
        return
    try:
        conversion.warnings += write_snapshot(feature, config, *reduce_with_oid(feature, config)).warnings(feature)
    except (OSError, KittyStatusError) as error:
        conversion.warnings.append(
            f"{feature.snapshot.name} was not written ({error}); run `kitty-status materialize {feature.slug}`"
        )


def _tracked(feature: Feature) -> set[str]:
    return set(tracked_files(feature.repository, feature.relative(feature.folder))) if feature.repository else set()


def _is_any_tracked(conversion: Conversion, tracked: set[str]) -> bool:
    return not tracked.isdisjoint(conversion.feature.relative(file) for file in conversion.removed)


def _write_index(conversion: Conversion, tracked: set[str]) -> None:
    """Let the index follow what git tracks, so that one commit takes the conversion whole."""
    feature = conversion.feature
    repository = feature.repository
    if repository is None or not _is_any_tracked(conversion, tracked):
        return
    placeholder = _placeholder(feature.log)
    gone = {feature.relative(file) for file in (*conversion.removed, placeholder) if not file.exists()}
    unstage_removed(repository, sorted(tracked & gone))
    written = [conversion.written, *([placeholder] if placeholder.exists() else [])]
    written += [feature.snapshot] if feature.relative(feature.snapshot) in tracked else []
    paths = [feature.relative(file) for file in written]
    stage(repository, [path for path in paths if not is_ignored(repository, path)])
