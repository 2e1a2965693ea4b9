"""Events as rows and rows as events.

`jsonb` keeps numbers as decimals: 1e300 comes back as an integer of 301 digits, -0.0 without its sign. Where the data
or the metadata of an event hold such a number, what was given stands beside it in the column `exact`, and is what is
read. The order of keys is not kept: an object of JSON has none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.event import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.eventstore.postgres.driver import psycopg

BRIEF = ("position", "version", "at", "id", "type", "stream", "data", "tags")
"""The columns that every event has something of its own in."""

WRITTEN = (*BRIEF, "metadata", "exact")
"""The columns that are written, in the order of `row_of`; the table of a month adds the month."""

COLUMNS = (*WRITTEN, "month")
"""All columns of the table."""

READ = (
    "events.position, events.id, events.type, events.stream, events.version, events.at, "
    "events.data::text, events.tags::text, events.metadata::text, events.exact"
)
"""What is selected for `events_of`."""

# A float that `jsonb` would write without a point or without its sign. Text may look like one; that does no harm.
_CHANGED = re.compile(r"\d[eE]\+?\d|-0(\.0*)?(?![.\d])")
_encoder = msgspec.json.Encoder()
_encode, _encode_lines = _encoder.encode, _encoder.encode_lines
_decode = msgspec.json.decode
_EXACT = 9


def exact_of(*values: str) -> str | None:
    """Return what `jsonb` would change, as a list in JSON; None where it changes nothing."""
    return f"[{','.join(values)}]" if any(map(_CHANGED.search, values)) else None


def row_of(event: Event) -> tuple[Any, ...]:
    """Return the row of an event."""
    data = _encode(event.data).decode()
    metadata = _encode(event.metadata).decode() if event.metadata else "{}"
    return (
        event.position,
        event.version,
        event.at,
        event.id,
        event.type,
        event.stream,
        data,
        _encode(event.tags).decode() if event.tags else "{}",
        metadata,
        exact_of(data, metadata),
    )


def copied_rows(events: Sequence[Event]) -> tuple[bytes, bool]:
    """Return events in the text form of COPY, where NULL is an empty field, and whether they are brief.

    No field can hold a tab or the end of a line: names are printable, and JSON escapes them. So backslashes are all
    that has to be escaped.
    """
    data = _encode_lines([event.data for event in events]).decode()
    lines = [
        f"{event.position}\t{event.version}\t{event.at}\t{event.id}\t{event.type}\t{event.stream}\t{given}\t{tags}"
        for event, given, tags in zip(
            events,
            data.split("\n"),
            _encode_lines([event.tags for event in events]).decode().split("\n"),
            strict=False,
        )
    ]
    is_brief = not _CHANGED.search(data) and not any(event.metadata for event in events)
    if not is_brief:
        rows = map(row_of, events)
        lines = [f"{line}\t{row[-2]}\t{row[-1] or ''}" for line, row in zip(lines, rows, strict=True)]
    return ("\n".join(lines).replace("\\", "\\\\") + "\n").encode(), is_brief


def copy_into(cursor: psycopg.Cursor, table: str, events: Sequence[Event]) -> None:
    """Write events into the table of a month."""
    rows, is_brief = copied_rows(events)
    with cursor.copy(f"COPY {table} ({', '.join(BRIEF if is_brief else WRITTEN)}) FROM STDIN (NULL '')") as copying:
        copying.write(rows)


def events_of(rows: Sequence[Sequence[Any]]) -> list[Event]:
    """Return the events of rows. A column of JSON is decoded at once: a call for each value costs twice as much."""
    if not rows:
        return []
    position, *names, version, at, data, tags, metadata, exact = list(zip(*rows, strict=True))[: _EXACT + 1]
    values = [_decode(f"[{','.join(column)}]") for column in (data, tags, metadata)]
    if any(exact):
        for number, given in enumerate(exact):
            if given is not None:
                values[0][number], values[2][number] = _decode(given)
    return list(map(Event, position, *names, version, at, *values))
