"""A feature's log as events: strict, or line by line with every damage reported."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.errors import StoreError
from kitty_status.jsonl.codec import decode, preview
from kitty_status.jsonl.reading import is_in_flight, open_log
from kitty_status.status.record import events_of
from kitty_status.status.reducer import CannotFoldError, Fold, IdsDoNotIncreaseError, reduce_events, unique_events

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent, OnDamage
    from kitty_status.status.snapshot import Snapshot

EVENTS_FILENAME = "status.events.jsonl"
# Below this many bytes, loading the fast reader takes longer than reading without it.
_WORTH_THE_FAST_READER = 1_500_000


def damaged_line(path: Path, number: int, line: bytes, why: str, *, is_json: bool) -> StoreError:
    """Return the error for a damaged line. Its text begins as the file format's documentation promises."""
    what = f"invalid event structure: {why}" if is_json else f"invalid JSON: {preview(line)}: {why}"
    return StoreError(
        f"Line {number}: {what}",
        hint=f"`kitty-status validate {path}` lists all damage; nothing is written to the log until it is mended",
        path=str(path),
        line=number,
        reason=why,
    )


def strictly(path: Path) -> OnDamage:
    """Return the policy that raises a StoreError at the first damaged line of the log at `path`."""

    def refuse(number: int, line: bytes, why: str, is_json: bool) -> None:
        if not is_in_flight(line):
            raise damaged_line(path, number, line, why, is_json=is_json)

    return refuse


def skipping(path: Path, warn: Callable[[str], None]) -> OnDamage:
    """Return the policy that passes over damaged lines and gives `warn` one sentence for each."""

    def skip(number: int, line: bytes, why: str, is_json: bool) -> None:
        warn(f"{path}:{number}: {damaged_line(path, number, line, why, is_json=is_json).message}")

    return skip


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
        on_damage: what to do about a damaged line, see `strictly` and `skipping`.
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
        reader = _reader(size_of(path) if bytes_to_read is None else bytes_to_read)
        yield from reader(file, decode, on_damage)


def reduce_log(
    path: Path,
    profile: LaneProfile | None,
    on_damage: OnDamage,
    *,
    bytes_to_read: int | None = None,
    plain_moves: Container[tuple[str, str]] = (),
    judge: Callable[[LaneEvent], None] | None = None,
) -> Snapshot:
    """Return the snapshot of a log; large logs are folded as they are read, without keeping their events.

    `judge` is called at least once with each event whose move is forced or not among `plain_moves`.

    Raises:
        StoreError, OSError: as `read_log`.
    """
    size = size_of(path)
    total = size if bytes_to_read is None else bytes_to_read

    def events() -> Iterable[LaneEvent]:
        return read_log(path, on_damage, bytes_to_read=total)

    if size >= _WORTH_THE_FAST_READER:
        for remember_ids in (False, True):
            fold = Fold(remember_ids=remember_ids, plain_moves=plain_moves, judge=judge)
            try:
                fold.add_all(events())
                return fold.snapshot(profile, lambda _tangled: events())
            except IdsDoNotIncreaseError:
                continue
            except CannotFoldError:
                break
    return reduce_events(unique_events(_judged(events(), plain_moves, judge)), profile)


def _judged(
    events: Iterable[LaneEvent], plain_moves: Container[tuple[str, str]], judge: Callable[[LaneEvent], None] | None
) -> Iterator[LaneEvent]:
    for event in events:
        if judge is not None and (event.force or (event.from_lane, event.to_lane) not in plain_moves):
            judge(event)
        yield event


def _reader(bytes_to_read: int) -> Callable[..., Iterator[LaneEvent]]:
    if bytes_to_read < _WORTH_THE_FAST_READER and "msgspec" not in sys.modules:
        return events_of
    # Loaded by name: msgspec takes longer to load than most logs take to read.
    module: Any = import_module("kitty_status.status.fast")
    reader: Callable[..., Iterator[LaneEvent]] = module.fast_events_of
    return reader
