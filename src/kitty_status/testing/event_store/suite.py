"""The whole suite."""

from __future__ import annotations

from kitty_status.testing.event_store.appending import AppendingPromises
from kitty_status.testing.event_store.archiving import ArchivingPromises
from kitty_status.testing.event_store.calling import CallingPromises
from kitty_status.testing.event_store.forking import ForkingPromises
from kitty_status.testing.event_store.keeping import KeepingPromises
from kitty_status.testing.event_store.reading import ReadingPromises
from kitty_status.testing.event_store.subscribing import CrowdPromises, SubscribingPromises


class EventStoreSuite(
    AppendingPromises,
    CallingPromises,
    ReadingPromises,
    SubscribingPromises,
    CrowdPromises,
    KeepingPromises,
    ArchivingPromises,
    ForkingPromises,
):
    """Everything that a store promises; subclass it and say how the store is opened."""
