"""Writers of any event store that live until they are killed, and what must hold of what they leave."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kitty_status.clock import event_ids
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.protocol import EventStore

# Long enough for a batch to take more than one page.
TEXT = "the review asks for a narrower lock " * 200


def writing(opener: Callable[[], EventStore]) -> Callable[[str], str]:
    """Return what `killing.Killed` calls: it appends a batch in a store of its process's own, and names the batch."""
    opened: dict[int, EventStore] = {}

    def write(name: str) -> str:
        store = opened.get(os.getpid())
        if store is None:
            store = opened[os.getpid()] = opener()
        batch = event_ids.mint()
        size = 1 + sum(name.encode()) % 6
        tags: dict[str, str | list[str]] = {"batch": batch, "labels": ["a", f"b{size}"]}
        store.append_batch(
            [
                NewEvent(type=f"T{size}", stream=f"s{number % 3}", id=f"{batch}-{number}", tags=tags, data=TEXT)
                for number in range(size)
            ]
        )
        return batch

    return write


def check_kept(store: EventStore, acknowledged: set[str]) -> list[Event]:
    """Check that what was acknowledged is there, batches are whole, and positions and versions have no gap."""
    everything = store.get_events()
    assert [event.position for event in everything] == list(range(1, store.head() + 1))
    assert store.get_events(EventQuery(direction="desc")) == everything[::-1]
    versions: dict[str, int] = {}
    batches: dict[str, list[str]] = {}
    for event in everything:
        versions[event.stream] = versions.get(event.stream, 0) + 1
        assert event.version == versions[event.stream]
        if event.tags:
            batches.setdefault(str(event.tags["batch"]), []).append(event.type)
    assert acknowledged <= batches.keys()
    assert all(types == [f"T{len(types)}"] * len(types) for types in batches.values())
    for event_type in ("T1", "T6"):
        of_type = [event for event in everything if event.type == event_type]
        assert store.get_events_by_type(event_type) == of_type
        assert store.get_events(EventQuery(tags={"labels": ["a", event_type.replace("T", "b")]})) == of_type
    return everything
