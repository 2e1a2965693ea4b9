"""The event store: an append-only, queryable record with one protocol and several backends.

The names that programs use. They are loaded when they are asked for, so that who needs one pays for no other.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kitty_status.eventstore.asynchronous import AsyncEventStore
    from kitty_status.eventstore.caching import QueryCache
    from kitty_status.eventstore.condition import NO_STREAM, AppendCondition
    from kitty_status.eventstore.criteria import ANY
    from kitty_status.eventstore.durability import Durability
    from kitty_status.eventstore.errors import EventStoreError, StoreCode
    from kitty_status.eventstore.event import Event, NewEvent
    from kitty_status.eventstore.jsonl.store import JsonlEventStore
    from kitty_status.eventstore.memory import MemoryEventStore
    from kitty_status.eventstore.opening import open_url
    from kitty_status.eventstore.postgres.store import PostgresEventStore
    from kitty_status.eventstore.protocol import EventStore
    from kitty_status.eventstore.query import EventQuery
    from kitty_status.eventstore.snapshots import StateSnapshot
    from kitty_status.eventstore.sqlite.store import SqliteEventStore
    from kitty_status.eventstore.subscription import Subscription

__all__ = [
    "ANY",
    "NO_STREAM",
    "AppendCondition",
    "AsyncEventStore",
    "Durability",
    "Event",
    "EventQuery",
    "EventStore",
    "EventStoreError",
    "JsonlEventStore",
    "MemoryEventStore",
    "NewEvent",
    "PostgresEventStore",
    "QueryCache",
    "SqliteEventStore",
    "StateSnapshot",
    "StoreCode",
    "Subscription",
    "open_url",
]

_HOMES = {
    "asynchronous": ("AsyncEventStore",),
    "caching": ("QueryCache",),
    "condition": ("NO_STREAM", "AppendCondition"),
    "criteria": ("ANY",),
    "durability": ("Durability",),
    "errors": ("EventStoreError", "StoreCode"),
    "event": ("Event", "NewEvent"),
    "jsonl.store": ("JsonlEventStore",),
    "memory": ("MemoryEventStore",),
    "opening": ("open_url",),
    "postgres.store": ("PostgresEventStore",),
    "protocol": ("EventStore",),
    "query": ("EventQuery",),
    "snapshots": ("StateSnapshot",),
    "sqlite.store": ("SqliteEventStore",),
    "subscription": ("Subscription",),
}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
