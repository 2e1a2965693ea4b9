"""What this process has understood of logs lately: a log only grows, so most of it need not be understood again.

What is remembered is compared with the log byte by byte. Where it is not how the log begins, because git put another
file in its place, it counts for nothing.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from kitty_status.jsonl.codec import decode
from kitty_status.status.record import events_of
from kitty_status.tracker.log import events_in

if TYPE_CHECKING:
    from kitty_status.status.record import LaneEvent, OnDamage

_MOST_LOGS = 8
_MOST_BYTES = 256 * 1024


class _Understood:
    """The beginning of a log: its bytes, all of them whole and undamaged lines, and the events that they hold."""

    __slots__ = ("data", "events", "lines")

    def __init__(self, data: bytes, events: list[LaneEvent], lines: int) -> None:
        self.data = data
        self.events = events
        self.lines = lines


_NOTHING = _Understood(b"", [], 0)
_lately: dict[str, _Understood] = {}


def events_of_log(log: str, data: bytes, on_damage: OnDamage) -> list[LaneEvent]:
    """Return the status events in `data`, which are the bytes of the log at the path `log`, in file order.

    Raises:
        Whatever `on_damage` raises.
    """
    if len(data) > _MOST_BYTES:
        return list(events_in(BytesIO(data), len(data), on_damage))
    known = _lately.get(log, _NOTHING)
    if not data.startswith(known.data):
        known = _NOTHING
    is_sound = data.endswith(b"\n")

    def hear_of(number: int, line: bytes, why: str, is_json: bool) -> None:
        nonlocal is_sound
        is_sound = False
        on_damage(number, line, why, is_json)

    new = BytesIO(data[len(known.data) :])
    events = [*known.events, *events_of(new, decode, hear_of, first=known.lines + 1)]
    if is_sound:
        _remember(log, _Understood(data, events, data.count(b"\n")))
    # Whoever changes the list must not change what is remembered.
    return list(events)


def _remember(log: str, understood: _Understood) -> None:
    if log not in _lately and len(_lately) >= _MOST_LOGS:
        _lately.clear()
    _lately[log] = understood
