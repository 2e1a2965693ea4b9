"""The merge driver for snapshots: `merge-driver snapshot %O %A %B %P`.

git calls it before it merges the log, without saying what the merged log will be. But each side's
snapshot names its log by git blob id, so this driver reads both sides' logs from the object store,
merges them as the log driver will, reduces, and writes the snapshot of the merged log. Of a log that
is divided by writer the snapshot names the tree of its files, and each of them is merged by itself.

Exit 0: `%A` is the exact snapshot. Exit 1: ours stays as it is, and `materialize` is named.
"""

# ruff: noqa: PTH123, T201  the process has no time for pathlib, and printing is how a driver speaks

from __future__ import annotations

import gc
import sys

from kitty_status.errors import GitError
from kitty_status.git.blobs import blob_oid
from kitty_status.git.log_driver import EXIT_FAILED, EXIT_LOOK, EXIT_MERGED, USAGE, takes_whole_branches
from kitty_status.git.own_lanes import pinned_profile
from kitty_status.git.shard_merging import (
    CannotMergeError,
    merge_shards,
    object_format_of,
    read_contents,
    read_shards,
)
from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.merging import common_part, merge_logs
from kitty_status.status.record import event_in, events_of
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.snapshot import parse, to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kitty_status.git.shard_merging import Shards
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent
    from kitty_status.status.snapshot import Snapshot

BASE, OURS, THEIRS = "the base", "ours", "theirs"

# What is held until the process ends is never taken apart, which takes long where there are thousands of events.
_kept_to_the_end: list[object] = []


def main(argv: list[str]) -> int:
    """Merge the snapshots `argv` names (base, ours, theirs, path in the repository) into ours; return the exit code."""
    if len(argv) != 4:  # noqa: PLR2004  %O %A %B %P
        print(USAGE, file=sys.stderr)
        return EXIT_FAILED
    base, ours, theirs, path = argv
    # The process ends before a collection could pay for itself, and no row is circular.
    gc.disable()
    try:
        replace_file(ours, to_bytes(*merge_snapshots(_read(base), _read(ours), _read(theirs))))
    except (CannotMergeError, GitError, OSError) as error:
        feature = path.rpartition("/")[0].rpartition("/")[2]
        print(
            f"kitty-status: {path}: {error}; ours stays. When the log is merged, run "
            f"`kitty-status materialize {feature}` and `git add {path}`",
            file=sys.stderr,
        )
        return EXIT_LOOK
    return EXIT_MERGED


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _said_by(data: bytes, side: str) -> dict[str, Any]:
    """Return what a snapshot says, with `log_oid` None where it does not say it; nothing where there is no base."""
    if not data and side == BASE:
        return {}
    try:
        return {"log_oid": None, **parse(data)}
    except ValueError as error:
        if side == BASE:
            # In a criss-cross merge the base is itself a merge that nobody has looked at.
            return {"log_oid": None}
        raise CannotMergeError(f"{side} is no snapshot ({error})") from None


def merge_snapshots(base: bytes, ours: bytes, theirs: bytes) -> tuple[Snapshot, str]:
    """Return the snapshot of the log that git will merge, and the id of that log, from those of its sides.

    The base is only looked at, and may be empty where there was none, where one commit's change is merged.

    Raises:
        CannotMergeError: that log is not certain.
        GitError: git failed.
    """
    return _merged(_said_by(base, BASE), _said_by(ours, OURS), _said_by(theirs, THEIRS))


def _merged(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[Snapshot, str]:
    base_oid, our_oid, their_oid = _log_oid(base, None), _log_oid(ours, OURS), _log_oid(theirs, THEIRS)
    sides = [(OURS, our_oid, ours), (THEIRS, their_oid, theirs)]
    if base and not takes_whole_branches():
        # What one commit adds is known only beside what was there before it.
        sides.append((BASE, base_oid, base))
    logs = read_contents([oid for _, oid, _ in sides if oid])
    shards: dict[str, Shards] = {}
    if our_oid not in logs or their_oid not in logs:
        shards = read_shards([oid for oid in (base_oid, our_oid, their_oid) if oid and oid not in logs])
    for side, oid, _ in sides:
        if oid not in logs and oid not in shards:
            raise CannotMergeError(
                f"the log that {side} was made from ({oid or 'not named'}) is not in this repository"
            )
    profile = _profile(ours, theirs)
    reader = _ShardReader(logs, shards) if shards else _Reader(logs, our_oid, their_oid)
    _kept_to_the_end.append((logs, reader))
    for side, oid, snapshot in sides:
        held = len({event.event_id for event in reader.events(oid)})
        if held != snapshot.get("event_count"):
            raise CannotMergeError(f"{side} counts {snapshot.get('event_count')!a} events and its log holds {held}")
    if shards:
        log_oid = _merged_shards(base_oid if base else None, our_oid, their_oid, logs, shards)
    else:
        log_oid = _merged_log(base_oid, our_oid, their_oid, logs)
    return reduce_events(unique_events(reader.events(log_oid)), profile), log_oid


class _Reader:
    """Reads logs that begin alike, parsing what they have in common and each further line once."""

    def __init__(self, logs: dict[str, bytes], our_oid: str, their_oid: str) -> None:
        ours = logs[our_oid]
        self._logs = logs
        self._further: dict[bytes, LaneEvent | None] = {}
        self._size_in_common = common_part(ours, logs[their_oid])
        # A view, for logs are large and whatever is copied has to be paid for page by page.
        self._common = memoryview(ours)[: self._size_in_common]
        self._lines_in_common = ours.count(b"\n", 0, self._size_in_common)
        self._common_events = list(events_of(ours.split(b"\n")[: self._lines_in_common], decode, _refuse))

    def events(self, oid: str) -> Sequence[LaneEvent]:
        log = self._logs[oid]
        if not log.startswith(self._common):
            return list(events_of(log.split(b"\n"), decode, _refuse))
        found: list[LaneEvent] = list(self._common_events)
        for number, line in enumerate(log[self._size_in_common :].split(b"\n"), start=self._lines_in_common + 1):
            if line not in self._further:
                self._further[line] = event_in(line, number, decode, _refuse)
            event = self._further[line]
            if event is not None:
                found.append(event)
        return found


class _ShardReader:
    """Reads logs of which some are divided by writer: `shards` by their trees; each line is parsed once."""

    def __init__(self, logs: dict[str, bytes], shards: dict[str, Shards]) -> None:
        self._shards = shards
        self._logs = logs
        unknown = {oid for files in shards.values() for oid in files.values()} - logs.keys()
        logs.update(read_contents(unknown))
        if not unknown <= logs.keys():
            raise CannotMergeError("not every file of the logs is in this repository")
        self._events: dict[bytes, LaneEvent | None] = {}

    def events(self, oid: str) -> Sequence[LaneEvent]:
        found: list[LaneEvent] = []
        for blob in self._shards[oid].values() if oid in self._shards else [oid]:
            for number, line in enumerate(self._logs[blob].split(b"\n"), start=1):
                if line not in self._events:
                    self._events[line] = event_in(line, number, decode, _refuse)
                event = self._events[line]
                if event is not None:
                    found.append(event)
        return found


def _merged_log(base_oid: str, our_oid: str, their_oid: str, logs: dict[str, bytes]) -> str:
    unchanged = _taken_whole(base_oid, our_oid, their_oid)
    if unchanged:
        return unchanged
    base = None if takes_whole_branches() else logs.get(base_oid, b"")
    merged, merge = merge_logs(logs[our_oid], logs[their_oid], decode, base=base)
    if not merge.is_clean:
        raise CannotMergeError("the logs do not merge cleanly")
    oid = blob_oid(merged, object_format_of(our_oid))
    logs[oid] = merged
    return oid


def _merged_shards(
    base_oid: str | None, our_oid: str, their_oid: str, logs: dict[str, bytes], shards: dict[str, Shards]
) -> str:
    """Merge logs of which one at least is divided by writer; a base of None has no snapshot, and so no log."""
    unchanged = _taken_whole(base_oid, our_oid, their_oid)
    if unchanged:
        return unchanged
    base, ours, theirs = [{} if oid is None else shards.get(oid) for oid in (base_oid, our_oid, their_oid)]
    if base is None or ours is None or theirs is None:
        # Whether git follows the log from the one file to a writer's depends on how alike it finds them.
        raise CannotMergeError("the log is not divided by writer on both sides and in their base")
    merged, oid = merge_shards(base, ours, theirs, logs, whole_branches=takes_whole_branches())
    shards[oid] = merged
    return oid


def _taken_whole(base_oid: str | None, our_oid: str, their_oid: str) -> str | None:
    """Return the side that git takes by itself where the other one did not change, without asking a driver."""
    if our_oid in (their_oid, base_oid):
        return their_oid
    return our_oid if their_oid == base_oid else None


def _log_oid(snapshot: dict[str, Any], side: str | None) -> str:
    oid = snapshot.get("log_oid")
    if isinstance(oid, str) and oid.isalnum():
        return oid
    if side is None:
        return ""
    raise CannotMergeError(f"{side} does not name the log that it was made from")


def _profile(ours: dict[str, Any], theirs: dict[str, Any]) -> LaneProfile:
    """Return the profile that both sides were made by: the repository's own that is pinned, or one that ships."""
    # git calls its drivers at the top of the work tree.
    own = pinned_profile(".")
    lanes = [frozenset(side.get("summary") or ()) for side in (ours, theirs)]
    if own is not None and lanes == [frozenset(own.counted)] * 2:
        return own
    if lanes[0] | lanes[1] <= frozenset(SEVEN_LANE.counted):
        return SEVEN_LANE
    if lanes[0] | lanes[1] <= frozenset(NINE_LANE.counted):
        return NINE_LANE
    raise CannotMergeError("the lanes of its sides are not those of the profile that the configuration here pins")


def _refuse(number: int, _line: bytes, why: str, _is_json: bool) -> None:
    raise CannotMergeError(f"line {number} of a log is damaged: {why}")
