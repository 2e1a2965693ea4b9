"""What this process has understood of logs lately: a log only grows, so most of it need not be understood again.

What is remembered is compared with the log byte by byte. Where it is not how the log begins, because git put another
file in its place, it counts for nothing.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from kitty_status.jsonl.codec import decode
from kitty_status.status.record import events_of
from kitty_status.status.reducer import reduce_events, reduce_with, unique_events
from kitty_status.tracker.log import events_in

if TYPE_CHECKING:
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent, OnDamage
    from kitty_status.status.snapshot import Snapshot

_MOST_LOGS = 8
_MOST_BYTES = 256 * 1024
# Of so many new events each is put into the snapshot by itself; for more, one reduction costs less.
_FEW = 4


class _Understood:
    """The beginning of a log: its bytes, all of them whole and undamaged lines, and what they say."""

    __slots__ = ("data", "events", "profile", "snapshot")

    def __init__(self, data: bytes, events: list[LaneEvent], snapshot: Snapshot, profile: LaneProfile | None) -> None:
        self.data = data
        self.events = events
        self.snapshot = snapshot
        self.profile = profile


_lately: dict[str, _Understood] = {}


def understand(
    log: str, data: bytes, profile: LaneProfile | None, on_damage: OnDamage
) -> tuple[list[LaneEvent], Snapshot]:
    """Return the events in the bytes `data` of the log at the path `log`, each once, and what they reduce to.

    That is what `unique_events` and `reduce_events` give. Neither may be changed by the caller.

    Raises:
        Whatever `on_damage` raises.
    """
    if len(data) > _MOST_BYTES:
        events = unique_events(events_in(BytesIO(data), len(data), on_damage))
        return events, reduce_events(events, profile)
    known = _lately.get(log)
    if known is not None and known.profile is profile and data == known.data:
        return known.events, known.snapshot
    if known is None or known.profile is not profile or not data.startswith(known.data):
        known = _Understood(b"", [], reduce_events([], profile), profile)
    is_sound = data.endswith(b"\n")

    def hear_of(number: int, line: bytes, why: str, is_json: bool) -> None:
        nonlocal is_sound
        is_sound = False
        on_damage(number, line, why, is_json)

    first = known.data.count(b"\n") + 1
    new: list[LaneEvent] = list(events_of(BytesIO(data[len(known.data) :]), decode, hear_of, first=first))
    events, snapshot = _together(known, new)
    if is_sound:
        remember(log, data, events, snapshot, profile)
    return events, snapshot


def _together(known: _Understood, new: list[LaneEvent]) -> tuple[list[LaneEvent], Snapshot]:
    events = unique_events([*known.events, *new])
    if len(new) > _FEW or len(events) < len(known.events) + len(new):
        return events, reduce_events(events, known.profile)
    snapshot = known.snapshot
    for count, event in enumerate(new, start=len(known.events)):
        snapshot = reduce_with(snapshot, events[:count], event, known.profile)
    return events, snapshot


def remember(log: str, data: bytes, events: list[LaneEvent], snapshot: Snapshot, profile: LaneProfile | None) -> None:
    """Keep what the bytes of a log were found to say; every line of them is whole and undamaged."""
    if len(data) > _MOST_BYTES:
        return
    if log not in _lately and len(_lately) >= _MOST_LOGS:
        _lately.clear()
    _lately[log] = _Understood(data, events, snapshot, profile)
