"""One way to open each kind of event store at a place, for tests that hold for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonl_stores import NOON
from kitty_status.eventstore import EventStore, MemoryEventStore, SqliteEventStore
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.jsonl.store import JsonlEventStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LASTING: dict[str, Callable[[Path], EventStore]] = {
    "sqlite": lambda place: SqliteEventStore(place / "events.db", durability=OS),
    "jsonl": lambda place: JsonlEventStore(place / "events.jsonl", durability=OS),
    "jsonl-daily": lambda place: JsonlEventStore(place, layout="daily", durability=OS, clock=lambda: NOON),
    "jsonl-streams": lambda place: JsonlEventStore(
        place, layout="per-day-and-stream", durability=OS, clock=lambda: NOON
    ),
}
"""Those that can be opened again. A PostgreSQL has to be started, see the fixture `postgres`."""

STORES: dict[str, Callable[[Path], EventStore]] = {"memory": lambda _: MemoryEventStore(), **LASTING}
