"""What the tests of the event store in files of lines share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.jsonl.store import JsonlEventStore

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.eventstore.event import Event

LAYOUTS = ("single", "daily", "per-day-and-stream")
NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **step: float) -> None:
        self.now += timedelta(**step)


def opened(place: Path, layout: str, **options: Any) -> JsonlEventStore:
    """Open a store of a layout whose clock stands at noon, if it is given no other."""
    options.setdefault("clock", Clock())
    return JsonlEventStore(place / ("events.jsonl" if layout == "single" else "events"), layout=layout, **options)


def log_files(place: Path) -> list[Path]:
    """Return the files in which events stand, the oldest first."""
    return sorted(path for path in place.rglob("*.jsonl") if "quarantine" not in path.parts)


def quarantined(place: Path) -> bytes:
    """Return everything that was put into quarantine."""
    return b"".join(path.read_bytes() for path in sorted(place.rglob("*.tail")))


def facts(events: list[Event]) -> list[tuple[int, str, int, Any]]:
    """Return what tells events apart."""
    return [(event.position, event.stream, event.version, event.data) for event in events]
