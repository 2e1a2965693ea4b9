"""A feature's log as events: strict, or line by line with every damage reported."""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

from kitty_status.errors import ConflictingEventError
from kitty_status.jsonl import reading
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.jsonl.reading import batches_of, open_log
from kitty_status.status.folding import CannotFoldError, Fold, IdsDoNotIncreaseError
from kitty_status.status.record import events_of
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.repeats import lines_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent, OnDamage
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.status.validation import Judge

# Below this many bytes, loading the fast reader takes longer than reading without it.
_WORTH_THE_FAST_READER = 1_500_000


def find_event(path: Path, event_id: str, row: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Return the row that a log holds for an event id, None if it holds none.

    Raises:
        ConflictingEventError: `row` is given and the log's row differs from it.
        StoreError, OSError: the log cannot be read.
    """
    data = read_bytes(path)
    for line, number in lines_with(data or b"", event_id):
        try:
            found = decode(line)
        except LineDamagedError:
            continue
        if found.get("event_id") != event_id:
            continue
        if row is not None and found != row:
            raise ConflictingEventError(
                f"{path}:{number} holds event {event_id} with other content",
                hint="give the new event an id of its own",
                event_id=event_id,
                line=number,
                stored=found,
                refused=row,
            )
        return found
    return None


def read_bytes(path: Path) -> bytes | None:
    """Return the whole of a log, None where there is none.

    Raises:
        UnsafeLogError: it is a symbolic link or no regular file.
        OSError: the operating system refused.
    """
    return reading.read_bytes(path)


def size_of(path: Path) -> int:
    """Return the size of a log in bytes, 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def read_log(path: Path, on_damage: OnDamage, *, bytes_to_read: int | None = None) -> Iterator[LaneEvent]:
    """Yield the status events of a log in file order; none where there is no log.

    Args:
        path: the log.
        on_damage: what to do about a damaged line, see `jsonl.damage`.
        bytes_to_read: how much this process will read in all, by default this log; it decides
            whether the fast reader is worth loading.

    Raises:
        StoreError: the log is no regular file, or what `on_damage` raises.
        OSError: the operating system refused.
    """
    file = open_log(path)
    if file is None:
        return
    with file:
        yield from events_in(file, size_of(path) if bytes_to_read is None else bytes_to_read, on_damage)


def events_in(file: BinaryIO, size: int, on_damage: OnDamage) -> Iterator[LaneEvent]:
    """Yield the status events of an open log of about `size` bytes; see `read_log`.

    Raises:
        Whatever `on_damage` raises.
    """
    if _is_worth_the_fast_reader(size):
        for events in _fast_batches(file, on_damage):
            yield from events
    else:
        yield from events_of(file, decode, on_damage)


def reduce_lines(file: BinaryIO, size: int, profile: LaneProfile | None, on_damage: OnDamage) -> Snapshot:
    """Return the snapshot of an open log of about `size` bytes, wherever its bytes come from.

    Raises:
        Whatever `on_damage` raises.
    """
    return reduce_events(unique_events(events_in(file, size, on_damage)), profile)


def reduce_log(
    path: Path,
    profile: LaneProfile | None,
    on_damage: OnDamage,
    *,
    bytes_to_read: int | None = None,
    judge: Judge | None = None,
) -> Snapshot:
    """Return the snapshot of a log; large logs are folded as they are read, without keeping their events.

    A `judge` hears of everything in the log that is against the rules, possibly twice.

    Raises:
        StoreError, OSError: as `read_log`.
    """
    size = size_of(path)
    total = size if bytes_to_read is None else bytes_to_read

    snapshot = _folded(path, profile, on_damage, judge) if size >= _WORTH_THE_FAST_READER else None
    return snapshot or _reduced(list(read_log(path, on_damage, bytes_to_read=total)), profile, judge)


def _folded(path: Path, profile: LaneProfile | None, on_damage: OnDamage, judge: Judge | None) -> Snapshot | None:
    """Return the snapshot if one pass can give it, and there is nothing to report that takes all events."""
    try:
        fold = _fold(path, on_damage, judge)
    except CannotFoldError:
        return None
    if fold.has_odd_ids:
        return None
    # The log may have grown since: what came later belongs to another snapshot.
    return fold.snapshot(profile, lambda _tangled: islice(read_log(path, on_damage), fold.count))


def _fold(path: Path, on_damage: OnDamage, judge: Judge | None) -> Fold:
    try:
        return _fold_once(Fold(judge=judge), path, on_damage)
    except IdsDoNotIncreaseError:
        return _fold_once(Fold(remember_ids=True, judge=judge), path, on_damage)


def _fold_once(fold: Fold, path: Path, on_damage: OnDamage) -> Fold:
    file = open_log(path)
    if file is not None:
        with file:
            for events in _fast_batches(file, on_damage):
                fold.add(events)
    return fold


def _reduced(events: list[LaneEvent], profile: LaneProfile | None, judge: Judge | None) -> Snapshot:
    if judge is None:
        return reduce_events(unique_events(events), profile)
    for event in events:
        if event.force or (event.from_lane, event.to_lane) not in judge.plain_moves:
            judge.look(event)
        if event.slug != judge.slug:
            judge.other_feature(event)
    judge.ids(events)

    def repeated(first: LaneEvent, second: LaneEvent) -> None:
        judge.repeated(first, second, same_content=decode(_bare(first)) == decode(_bare(second)))

    return reduce_events(unique_events(events, repeated), profile, judge.ignored)


def _bare(event: LaneEvent) -> bytes:
    return event.line.removesuffix(b"\n")


def _is_worth_the_fast_reader(bytes_to_read: int) -> bool:
    return bytes_to_read >= _WORTH_THE_FAST_READER or "msgspec" in sys.modules


def _fast_batches(file: BinaryIO, on_damage: OnDamage) -> Iterator[Sequence[LaneEvent]]:
    # Loaded by name: msgspec takes longer to load than most logs take to read.
    module: Any = import_module("kitty_status.status.fast")
    batches: Iterator[Sequence[LaneEvent]] = module.fast_batches(batches_of(file), decode, on_damage)
    return batches
