"""A feature's event store, for callers of the library: append, read, reduce, materialize."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.clock import event_ids
from kitty_status.jsonl.append import append_line, append_locked, confirm
from kitty_status.jsonl.codec import encode
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.reading import rows_in
from kitty_status.status import known_lanes
from kitty_status.status.events import StatusEvent
from kitty_status.status.layout import SINGLE
from kitty_status.status.record import StatusRecord
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.rows import is_foreign, problem_with
from kitty_status.tracker.config import load_config
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.log import find_event
from kitty_status.tracker.views.materialize import materialize_folder
from kitty_status.tracker.writer import place_to_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kitty_status.jsonl.append import Place
    from kitty_status.jsonl.damage import DamagePolicy
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.features import Feature


def new_event_id() -> str:
    """Return a ULID for an event that is yet to be appended; ids of one process only ever increase."""
    return event_ids.mint()


def append_event(feature_dir: Path, event: StatusEvent) -> None:
    """Append `event` to the log of the feature in `feature_dir`; on return it is on stable storage.

    Folder and log are created where they are missing. An event that stands there already with the
    same content is not written twice, so a call whose outcome is unknown may be repeated.

    Raises:
        ConflictingEventError: the log holds this event id with other content.
        BusyError: another process held the log for too long.
        UnsafeLogError: the log is a symbolic link or no regular file.
        OutcomeUnknownError: the disk did not confirm; repeat the call with the same event.
        OSError: the operating system refused; the event is certainly absent.
    """
    # A path made anew has to be taken apart and hashed anew, a tenth of an append without its fsync.
    feature = feature_at(feature_dir if isinstance(feature_dir, Path) else Path(feature_dir))
    row = event.to_dict()
    line = encode(row, json.dumps)
    place = _place(feature)
    if event_ids.use(event.event_id):
        append_line(place, line)
    elif place.log == feature.log.single:
        append_line(place, line, unless=lambda: find_event(feature.log, event.event_id, row) is not None)
    else:
        _append_once(feature, place, line, row)


def _append_once(feature: Feature, place: Place, line: bytes, row: dict[str, Any]) -> None:
    """Append a line to a writer's file, unless it stands there already or in that of another writer."""
    with exclusive(place.lock):
        if find_event(feature.log, row["event_id"], row) is None:
            append_locked(place, line)
            return
        # Whoever recorded it may have been stopped before the disk confirmed it.
        for file in feature.log.files():
            confirm(file)


def _place(feature: Feature) -> Place:
    """Return where the next line goes. Who begins a log pays for reading the configuration, nobody else."""
    layout = feature.log.layout or load_config(feature.root).layout
    return feature.place if layout == SINGLE else place_to_write(feature, layout)


def lane_profile(feature_dir: Path) -> LaneProfile | None:
    """Return the lane profile that the repository around a feature has pinned; None where each log shows its own.

    The lanes of all profiles that the repository defines may stand in a `StatusEvent` from then on.

    Raises:
        ConfigurationError: the configuration cannot be understood; every mistake is named by file and line.
    """
    return load_config(feature_at(Path(feature_dir)).root).profile


def read_events(feature_dir: Path) -> list[StatusEvent]:
    """Return the status events of a feature's log in file order; foreign rows are passed over.

    Returns an empty list where there is no log.

    Raises:
        StoreError: a line is damaged. Its text begins `Line N: invalid JSON: …` or
            `Line N: invalid event structure: …`.
        ConfigurationError: a line names an unknown lane, and the configuration cannot be understood.
        OSError: the operating system refused.
    """
    log = FeatureLog(Path(feature_dir))
    refuse = log.strictly()
    known_lanes.ask_if_unknown(log.single, lambda: _own_lanes(feature_dir))
    events = []
    for number, row, line in _rows(log, refuse):
        if is_foreign(row):
            continue
        problem = problem_with(row)
        if problem is None:
            events.append(StatusEvent.from_dict(row))
        else:
            refuse(number, line, problem, True)
    return events


def _own_lanes(feature_dir: Path) -> list[str]:
    lane_profile(feature_dir)
    return []


def read_events_raw(feature_dir: Path) -> list[dict[str, Any]]:
    """Return all rows of a feature's log in file order, foreign rows included.

    Returns an empty list where there is no log.

    Raises:
        StoreError: a line is no JSON object, or damaged otherwise.
        OSError: the operating system refused.
    """
    log = FeatureLog(Path(feature_dir))
    return [row for _, row, _ in _rows(log, log.strictly())]


def _rows(log: FeatureLog, policy: DamagePolicy) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    file = log.open()
    if file is not None:
        with file:
            yield from rows_in(file, policy)


def reduce(events: Iterable[StatusEvent], profile: LaneProfile | None = None) -> Snapshot:
    """Return where every work package stands after `events`, in any order and however often each is given."""
    return reduce_events(unique_events(record_of(event) for event in events), profile)


def record_of(event: StatusEvent) -> StatusRecord:
    """Return an event as the reducer reads it."""
    row = event.to_dict()
    return StatusRecord(row, encode(row, json.dumps))


def materialize(feature_dir: Path) -> Snapshot:
    """Write `status.json` beside a feature's log, unless it says the same already, and return what it says.

    Raises:
        StoreError: the log is damaged; `status.json` is as it was.
        BusyError: another process held the log for too long.
        OSError: the operating system refused.
    """
    return materialize_folder(Path(feature_dir)).snapshot
