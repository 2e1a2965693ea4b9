"""The conformance suite of event stores: inherit `EventStoreSuite`, say how your store is opened, and pytest runs it.

class TestMyStore(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return MyStore(place / "events")
"""

from __future__ import annotations

from kitty_status.testing.event_store.suite import EventStoreSuite

__all__ = ["EventStoreSuite"]
