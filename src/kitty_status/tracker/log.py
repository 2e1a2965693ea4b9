"""A feature's log as events: strict, or line by line with every damage reported."""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

from kitty_status.errors import ConflictingEventError
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.jsonl.reading import batches_of
from kitty_status.status.folding import CannotFoldError, Fold, IdsDoNotIncreaseError
from kitty_status.status.record import events_of
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.repeats import lines_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import DecodeRow, LaneEvent, OnDamage
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.status.validation import Judge
    from kitty_status.tracker.feature_log import FeatureLog

# Below this many bytes, loading the fast reader takes longer than reading without it.
_WORTH_THE_FAST_READER = 1_500_000


def find_event(log: FeatureLog, event_id: str, row: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Return the row that a log holds for an event id, None if it holds none.

    Raises:
        ConflictingEventError: `row` is given and the log's row differs from it.
        StoreError, OSError: the log cannot be read.
    """
    data = log.read()
    for line, number in lines_with(data or b"", event_id):
        try:
            found = decode(line)
        except LineDamagedError:
            continue
        if found.get("event_id") != event_id:
            continue
        if row is not None and found != row:
            path, number_there = log.locate(number)
            raise ConflictingEventError(
                f"{path}:{number_there} holds event {event_id} with other content",
                hint="give the new event an id of its own",
                event_id=event_id,
                line=number_there,
                stored=found,
                refused=row,
            )
        return found
    return None


def read_log(
    log: FeatureLog, on_damage: OnDamage, *, bytes_to_read: int | None = None, decode_row: DecodeRow = decode
) -> Iterator[LaneEvent]:
    """Yield the status events of a log in file order; none where there is no log.

    Args:
        log: the log.
        on_damage: what to do about a damaged line, see `jsonl.damage`.
        bytes_to_read: how much this process will read in all, by default this log; it decides
            whether the fast reader is worth loading.
        decode_row: how a line is decoded where the fast reader is not used.

    Raises:
        StoreError: the log is no regular file, or what `on_damage` raises.
        OSError: the operating system refused.
    """
    file = log.open()
    if file is None:
        return
    with file:
        yield from events_in(file, log.size() if bytes_to_read is None else bytes_to_read, on_damage, decode_row)


def events_in(file: BinaryIO, size: int, on_damage: OnDamage, decode_row: DecodeRow = decode) -> Iterator[LaneEvent]:
    """Yield the status events of an open log of about `size` bytes; see `read_log`.

    Raises:
        Whatever `on_damage` raises.
    """
    if _is_worth_the_fast_reader(size):
        for events in _fast_batches(file, on_damage):
            yield from events
    else:
        yield from events_of(file, decode_row, on_damage)


def reduce_lines(file: BinaryIO, size: int, profile: LaneProfile | None, on_damage: OnDamage) -> Snapshot:
    """Return the snapshot of an open log of about `size` bytes, wherever its bytes come from.

    Raises:
        Whatever `on_damage` raises.
    """
    return reduce_events(unique_events(events_in(file, size, on_damage)), profile)


def reduce_log(
    log: FeatureLog,
    profile: LaneProfile | None,
    on_damage: OnDamage,
    *,
    bytes_to_read: int | None = None,
    judge: Judge | None = None,
    decode_row: DecodeRow = decode,
) -> Snapshot:
    """Return the snapshot of a log; large logs are folded as they are read, without keeping their events.

    A `judge` hears of everything in the log that is against the rules, possibly twice.

    Raises:
        StoreError, OSError: as `read_log`.
    """
    size = log.size()
    total = size if bytes_to_read is None else bytes_to_read

    snapshot = _folded(log, profile, on_damage, judge) if size >= _WORTH_THE_FAST_READER else None
    return snapshot or _reduced(
        list(read_log(log, on_damage, bytes_to_read=total, decode_row=decode_row)), profile, judge
    )


def _folded(log: FeatureLog, profile: LaneProfile | None, on_damage: OnDamage, judge: Judge | None) -> Snapshot | None:
    """Return the snapshot if one pass can give it, and there is nothing to report that takes all events."""
    try:
        fold = _fold(log, on_damage, judge)
    except CannotFoldError:
        return None
    if fold.has_odd_ids:
        return None

    def those_folded() -> Iterator[LaneEvent]:
        # The log may have grown since: what came later belongs to another snapshot.
        return islice(read_log(log, on_damage), fold.count)

    asked_about = fold.unsteady | fold.tangled
    if judge is not None and asked_about:
        judge.sequence([event for event in those_folded() if event.wp_id in asked_about])
    return fold.snapshot(profile, lambda _tangled: those_folded())


def _fold(log: FeatureLog, on_damage: OnDamage, judge: Judge | None) -> Fold:
    try:
        return _fold_once(Fold(judge=judge), log, on_damage)
    except IdsDoNotIncreaseError:
        return _fold_once(Fold(remember_ids=True, judge=judge), log, on_damage)


def _fold_once(fold: Fold, log: FeatureLog, on_damage: OnDamage) -> Fold:
    file = log.open()
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

    unique = unique_events(events, repeated)
    judge.sequence(unique)
    return reduce_events(unique, profile, judge.ignored)


def _bare(event: LaneEvent) -> bytes:
    return event.line.removesuffix(b"\n")


def _is_worth_the_fast_reader(bytes_to_read: int) -> bool:
    return bytes_to_read >= _WORTH_THE_FAST_READER or "msgspec" in sys.modules


def _fast_batches(file: BinaryIO, on_damage: OnDamage) -> Iterator[Sequence[LaneEvent]]:
    # Loaded by name: msgspec takes longer to load than most logs take to read.
    module: Any = import_module("kitty_status.status.fast")
    batches: Iterator[Sequence[LaneEvent]] = module.fast_batches(batches_of(file), decode, on_damage)
    return batches
