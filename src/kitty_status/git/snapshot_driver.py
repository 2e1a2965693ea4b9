"""The merge driver for snapshots: `merge-driver snapshot %O %A %B %P`.

git calls it before it merges the log, without saying what the merged log will be. But each side's
snapshot names its log by git blob id, so this driver reads both sides' logs from the object store,
merges them as the log driver will, reduces, and writes the snapshot of the merged log.

Exit 0: `%A` is the exact snapshot. Exit 1: ours stays as it is, and `materialize` is named.
"""

# ruff: noqa: PTH123, T201  the process has no time for pathlib, and printing is how a driver speaks

from __future__ import annotations

import gc
import sys

from kitty_status.errors import GitError
from kitty_status.git.blobs import blob_oid
from kitty_status.git.log_driver import EXIT_FAILED, EXIT_LOOK, EXIT_MERGED, USAGE, takes_whole_branches
from kitty_status.git.run import read_blobs
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

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent

_SHA1_DIGITS = 40
# What is held until the process ends is never taken apart, which takes long where there are thousands of events.
_kept_to_the_end: list[object] = []


class CannotMergeError(Exception):
    """Why the merged snapshot cannot be known here."""


def main(argv: list[str]) -> int:
    """Merge the snapshots `argv` names (base, ours, theirs, path in the repository) into ours; return the exit code."""
    if len(argv) != 4:  # noqa: PLR2004  %O %A %B %P
        print(USAGE, file=sys.stderr)
        return EXIT_FAILED
    base, ours, theirs, path = argv
    # The process ends before a collection could pay for itself, and no row is circular.
    gc.disable()
    try:
        merged = _merged(_snapshot(base, "the base"), _snapshot(ours, "ours"), _snapshot(theirs, "theirs"))
        replace_file(ours, merged)
    except (CannotMergeError, GitError, OSError) as error:
        feature = path.rpartition("/")[0].rpartition("/")[2]
        print(
            f"kitty-status: {path}: {error}; ours stays. When the log is merged, run "
            f"`kitty-status materialize {feature}` and `git add {path}`",
            file=sys.stderr,
        )
        return EXIT_LOOK
    return EXIT_MERGED


def _snapshot(path: str, side: str) -> dict[str, Any]:
    """Return what a snapshot says, with `log_oid` None where it does not say it; nothing where there is no base."""
    with open(path, "rb") as file:
        data = file.read()
    if not data and side == "the base":
        return {}
    try:
        return {"log_oid": None, **parse(data)}
    except ValueError as error:
        if side == "the base":
            # In a criss-cross merge the base is itself a merge that nobody has looked at.
            return {"log_oid": None}
        raise CannotMergeError(f"{side} is no snapshot ({error})") from None


def _merged(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> bytes:
    base_oid, our_oid, their_oid = _log_oid(base, None), _log_oid(ours, "ours"), _log_oid(theirs, "theirs")
    sides = [("ours", our_oid, ours), ("theirs", their_oid, theirs)]
    if base and not takes_whole_branches():
        # What one commit adds is known only beside what was there before it.
        sides.append(("the base", base_oid, base))
    logs = _logs([oid for _, oid, _ in sides if oid])
    for side, oid, _ in sides:
        if oid not in logs:
            raise CannotMergeError(
                f"the log that {side} was made from ({oid or 'not named'}) is not in this repository"
            )
    reader = _Reader(logs[our_oid], logs[their_oid])
    _kept_to_the_end.append((logs, reader))
    for side, oid, snapshot in sides:
        held = len({event.event_id for event in reader.events(logs[oid])})
        if held != snapshot.get("event_count"):
            raise CannotMergeError(f"{side} counts {snapshot.get('event_count')!a} events and its log holds {held}")
    log = _merged_log(base_oid, our_oid, their_oid, logs)
    reduced = reduce_events(unique_events(reader.events(log)), _profile(ours, theirs))
    return to_bytes(reduced, blob_oid(log, "sha1" if len(our_oid) == _SHA1_DIGITS else "sha256"))


def _logs(oids: list[str]) -> dict[str, bytes]:
    blobs = read_blobs(oids, cwd=".", inherit_repository=True)
    return {oid: blob[1] for oid, blob in zip(oids, blobs, strict=True) if blob}


class _Reader:
    """Reads logs that begin alike, parsing what they have in common and each further line once."""

    def __init__(self, ours: bytes, theirs: bytes) -> None:
        self._further: dict[bytes, LaneEvent | None] = {}
        self._size_in_common = common_part(ours, theirs)
        # A view, for logs are large and whatever is copied has to be paid for page by page.
        self._common = memoryview(ours)[: self._size_in_common]
        self._lines_in_common = ours.count(b"\n", 0, self._size_in_common)
        self._common_events = list(events_of(ours.split(b"\n")[: self._lines_in_common], decode, _refuse))

    def events(self, log: bytes) -> Sequence[LaneEvent]:
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


def _merged_log(base_oid: str, our_oid: str, their_oid: str, logs: dict[str, bytes]) -> bytes:
    # git itself takes the changed side where the other one did not change, without asking a driver.
    if our_oid in (their_oid, base_oid):
        return logs[their_oid]
    if their_oid == base_oid:
        return logs[our_oid]
    base = None if takes_whole_branches() else logs.get(base_oid, b"")
    merged, merge = merge_logs(logs[our_oid], logs[their_oid], decode, base=base)
    if not merge.is_clean:
        raise CannotMergeError("the logs do not merge cleanly")
    return merged


def _log_oid(snapshot: dict[str, Any], side: str | None) -> str:
    oid = snapshot.get("log_oid")
    if isinstance(oid, str) and oid.isalnum():
        return oid
    if side is None:
        return ""
    raise CannotMergeError(f"{side} does not name the log that it was made from")


def _profile(ours: dict[str, Any], theirs: dict[str, Any]) -> LaneProfile:
    lanes = set().union(*(side.get("summary") or () for side in (ours, theirs)))
    return SEVEN_LANE if lanes <= set(SEVEN_LANE.counted) else NINE_LANE


def _refuse(number: int, _line: bytes, why: str, _is_json: bool) -> None:
    raise CannotMergeError(f"line {number} of a log is damaged: {why}")
