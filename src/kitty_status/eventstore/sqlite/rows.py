"""Events as rows of a SQLite file, there and back. A column is taken at once: a call for each value costs much more."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.event import Event
from kitty_status.eventstore.sqlite.asking import COLUMNS
from kitty_status.status.instants import format_instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

_encode_lines = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.decode
# Rows of one statement: each spares SQLite the beginning of another one.
_ROWS = 25
_plain = attrgetter("position", "id", "type", "stream", "version")


def insert(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Insert events and their tags, inside of a transaction; if SQLite refuses one of them, the transaction is over."""
    data, tags, metadata = (_texts([getattr(event, name) for event in events]) for name in ("data", "tags", "metadata"))
    moments = _instants([event.at for event in events])
    rows = [
        (*_plain(event), *others)
        for event, others in zip(events, zip(moments, data, tags, metadata, strict=True), strict=True)
    ]
    _insert(connection, "events", COLUMNS, rows)
    # In the order of the table, so that what lies together is found together.
    _insert(connection, "event_tags", "key, value, position", sorted(_tag_rows(events)))


def _insert(connection: sqlite3.Connection, table: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    # OR ROLLBACK: a statement of several rows needs no journal of its own then.
    # ruff: noqa: S608  the names are ours, every value is a parameter
    statement = f"INSERT OR ROLLBACK INTO {table} ({columns}) VALUES "
    row = f"({', '.join('?' * len(rows[0]))})"
    whole = len(rows) - len(rows) % _ROWS
    if whole:
        groups = (tuple(chain.from_iterable(rows[at : at + _ROWS])) for at in range(0, whole, _ROWS))
        connection.executemany(statement + ", ".join([row] * _ROWS), groups)
    connection.executemany(statement + row, rows[whole:])


def _tag_rows(events: Iterable[Event]) -> Iterator[tuple[str, str, int]]:
    for event in events:
        for key, values in event.tags.items():
            if isinstance(values, str):
                yield key, values, event.position
            else:
                for value in values:
                    yield key, value, event.position


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
