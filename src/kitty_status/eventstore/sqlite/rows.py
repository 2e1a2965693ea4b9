"""Events as rows of a SQLite file, there and back. A column is taken at once: a call for each value costs much more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.event import Event
from kitty_status.eventstore.sqlite.asking import COLUMNS
from kitty_status.status.instants import format_instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_encode_lines = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.decode
# A row that is refused ends the transaction, as whoever inserts would do: SQLite then keeps no journal for each row.
_INSERT = f"INSERT OR ROLLBACK INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  the names are ours
_INSERT_TAG = "INSERT OR ROLLBACK INTO event_tags (key, value, position) VALUES (?, ?, ?)"


def insert(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Insert events and their tags, inside of a transaction."""
    columns = (
        [event.position for event in events],
        [event.id for event in events],
        [event.type for event in events],
        [event.stream for event in events],
        [event.version for event in events],
        _instants([event.at for event in events]),
        _texts([event.data for event in events]),
        _texts([event.tags for event in events]),
        _texts([event.metadata for event in events]),
    )
    connection.executemany(_INSERT, zip(*columns, strict=True))
    connection.executemany(_INSERT_TAG, tag_rows(events))


def tag_rows(events: Sequence[Event]) -> list[tuple[str, str, int]]:
    """Return the rows of the table of tags for events."""
    return [
        (key, value, event.position)
        for event in events
        if event.tags
        for key, given in event.tags.items()
        for value in ((given,) if isinstance(given, str) else given)
    ]


def _texts(values: list[Any]) -> list[str]:
    """Return JSON values as text. No line of JSON holds a line feed."""
    return _encode_lines(values).decode().split("\n")[:-1]


def _instants(moments: list[datetime]) -> list[str]:
    """Return instants as text; those of a batch are often all the same."""
    texts = {moment: format_instant(moment) for moment in set(moments)}
    return [texts[moment] for moment in moments]


def events_of(rows: list[tuple[Any, ...]]) -> list[Event]:
    """Return the events of rows."""
    if not rows:
        return []
    *plain, at, data, tags, metadata = zip(*rows, strict=True)
    moments = map(datetime.fromisoformat, at)
    values = (_decode(f"[{','.join(column)}]") for column in (data, tags, metadata))
    return list(map(Event, *plain, moments, *values))
