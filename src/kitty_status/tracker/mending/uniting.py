"""Bringing two folders of one feature together: the union of both logs, and every file that the other lacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import StoreError
from kitty_status.git.folders import stage, tracked_files, unstage_removed
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.layout import SHARED_SHARD, SINGLE
from kitty_status.status.merging import merge_logs, split_lines

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature


@dataclass(frozen=True, slots=True)
class United:
    """What uniting two folders of one feature did.

    * `gained`: how many lines the target's log did not have
    * `conflicts`: ids of events that the two logs held with different content; both lines are kept
    * `left`: files that stay in the old folder, because the other one holds different files by their names
    """

    gained: int
    conflicts: list[str]
    left: list[str]


def unite(source: Feature, target: Feature, *, dry_run: bool = False) -> United:
    """Bring everything that `source` holds into `target`, and take its folder away if nothing stays in it.

    The caller holds the locks of both. The united log is on stable storage before the other is removed.

    Raises:
        StoreError: a log ends in the middle of a line. Nothing was changed.
        OSError: the operating system refused; no line of either log is lost.
        GitError, BusyError: the index could not be written; the files are united.
    """
    logs = source.log.files()
    ours = {path: _whole_lines(path) for path in target.log.files()}
    merged = dict(ours)
    conflicts: set[str] = set()
    for path in logs:
        to = _log_file_for(path, target)
        merged[to], merge = merge_logs(merged.get(to, b""), _whole_lines(path), decode)
        conflicts.update(first.event_id for first, _ in merge.conflicts)
    files = [path for path in _files(source.folder) if path not in (*logs, source.snapshot)]
    left = [path for path in files if _differs(path, _counterpart(path, source, target))]
    gained = set().union(*map(split_lines, merged.values())).difference(*map(split_lines, ours.values()))
    united = United(len(gained), sorted(conflicts), [source.relative(path) for path in left])
    if not dry_run:
        tracked = _tracked(source)
        written = [path for path, data in merged.items() if data != ours.get(path)]
        for path in written:
            path.parent.mkdir(exist_ok=True)
            replace_file(path, merged[path])
        moved = [path for path in files if path not in left]
        for path in moved:
            _bring(path, _counterpart(path, source, target))
        for path in (*logs, source.snapshot):
            path.unlink(missing_ok=True)
        _remove_empty_folders(source.folder)
        has_log_in_git = any(source.relative(path) in tracked for path in logs)
        new = written if has_log_in_git else []
        new += [_counterpart(path, source, target) for path in moved if source.relative(path) in tracked]
        _write_index(target, tracked, new)
    return united


def _log_file_for(path: Path, target: Feature) -> Path:
    """Return which log file of the target takes the lines of a log file, in the layout that the target has."""
    log = target.log
    if log.layout is None:
        return log.single if path.name == log.single.name else log.shards / path.name
    if log.layout == SINGLE:
        return log.single
    return log.shards / (SHARED_SHARD if path.name == log.single.name else path.name)


def _whole_lines(log: Path) -> bytes:
    """Return the bytes of a log file, its last line with an LF.

    Raises:
        StoreError: the last line is not whole.
    """
    data = log.read_bytes() if log.exists() else b""
    if data.endswith(b"\n") or not data:
        return data
    last = data[data.rfind(b"\n") + 1 :]
    try:
        decode(last)
    except LineDamagedError as error:
        raise StoreError(
            f"{log} ends in the middle of a line: {error}",
            hint=f"`kitty-status validate {log}` shows it; take the piece out of the file, then call again",
        ) from error
    return data + b"\n"


def _counterpart(path: Path, source: Feature, target: Feature) -> Path:
    return target.folder / path.relative_to(source.folder)


def _files(folder: Path) -> list[Path]:
    """Return everything below a folder that is no folder itself; links are not followed."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _differs(path: Path, other: Path) -> bool:
    """Say whether something else stands where a file is to go."""
    if not (other.exists() or other.is_symlink()):
        # A file where a folder is wanted would be in the way as well.
        return any(parent.exists() and not parent.is_dir() for parent in other.parents)
    is_plain = not (path.is_symlink() or other.is_symlink()) and path.is_file() and other.is_file()
    return not is_plain or path.read_bytes() != other.read_bytes()


def _bring(path: Path, other: Path) -> None:
    if other.exists():
        path.unlink()  # the same bytes stand there
    else:
        other.parent.mkdir(parents=True, exist_ok=True)
        path.rename(other)


def _remove_empty_folders(folder: Path) -> None:
    """Remove a folder and those in it that hold nothing any more."""
    below = [path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()]
    for path in [*sorted(below, reverse=True), folder]:
        if not any(path.iterdir()):
            path.rmdir()


def _tracked(feature: Feature) -> set[str]:
    if feature.repository is None:
        return set()
    return set(tracked_files(feature.repository, feature.relative(feature.folder)))


def _write_index(target: Feature, tracked: set[str], new: list[Path]) -> None:
    """Let the index follow: what git had in the old folder it has in the other one now, conflicts resolved."""
    if target.repository is None:
        return
    top = Path(target.repository.worktree)
    unstage_removed(target.repository, sorted(path for path in tracked if not (top / path).exists()))
    stage(target.repository, [target.relative(path) for path in new])
