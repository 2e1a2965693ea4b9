"""Events as rows of a SQLite file, there and back. A column is taken at once: a call for each value costs much more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.sqlite.asking import COLUMNS
from kitty_status.status.instants import format_instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

_encode_lines = msgspec.json.Encoder().encode_lines
_DECODERS = (
    msgspec.json.Decoder(list[Any]).decode,
    msgspec.json.Decoder(list[dict[str, str | list[str]]]).decode,
    msgspec.json.Decoder(list[dict[str, Any]]).decode,
)
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
    """Return the events of rows.

    Raises:
        EventStoreError: CORRUPT: one of them cannot be read.
    """
    if not rows:
        return []
    *plain, at, data, tags, metadata = zip(*rows, strict=True)
    try:
        moments = map(datetime.fromisoformat, at)
        values = map(_values, _DECODERS, (data, tags, metadata))
        return list(map(Event, *plain, moments, *values))
    except (ValueError, TypeError) as error:
        if len(rows) > 1:
            # One by one, to say which.
            return [event for row in rows for event in events_of([row])]
        raise EventStoreError(
            StoreCode.CORRUPT,
            f"the row of event {rows[0][0]} cannot be read: {error}",
            hint="keep a copy of the file, and see who has written the row",
            position=rows[0][0],
        ) from error


def _values(decode: Callable[[str], list[Any]], column: tuple[str, ...]) -> list[Any]:
    values = decode(f"[{','.join(column)}]")
    if len(values) != len(column):
        # Two values in one row would shift those of all others.
        raise ValueError("a column does not hold one value")
    return values
