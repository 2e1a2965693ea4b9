"""The event store in memory keeps the promises of every event store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.testing.event_store import EventStoreSuite

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.eventstore.protocol import EventStore


class TestMemory(EventStoreSuite):
    persists = False

    def open_store(self, place: Path) -> EventStore:
        del place
        return MemoryEventStore()
