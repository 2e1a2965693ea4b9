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
    from datetime import date

COLUMNS = ("position", "month", "version", "at", "id", "type", "stream", "data", "tags", "metadata", "exact")
"""The columns of the table, in the order of `row_of`."""

READ = (
    "events.position, events.id, events.type, events.stream, events.version, events.at, "
    "events.data::text, events.tags::text, events.metadata::text, events.exact"
)
"""What is selected for `events_of`."""

# A float that `jsonb` would write without a point or without its sign. Text may look like one; that does no harm.
_CHANGED = re.compile(rb"\d[eE]\+?\d|-0(\.0*)?(?![.\d])")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode
_EXACT = 9


def exact_of(*values: bytes) -> str | None:
    """Return what `jsonb` would change, as a list in JSON; None where it changes nothing."""
    return f"[{','.join(value.decode() for value in values)}]" if any(map(_CHANGED.search, values)) else None


def row_of(event: Event, month: date) -> tuple[Any, ...]:
    """Return the row of an event that is stored in a month."""
    data = _encode(event.data)
    metadata = _encode(event.metadata) if event.metadata else b"{}"
    return (
        event.position,
        month,
        event.version,
        event.at,
        event.id,
        event.type,
        event.stream,
        data.decode(),
        _encode(event.tags).decode() if event.tags else "{}",
        metadata.decode(),
        exact_of(data, metadata),
    )


def copied_rows(events: Sequence[Event], month: date) -> bytes:
    """Return events in the text form of COPY, where NULL is an empty field.

    No field can hold a tab or the end of a line: names are printable, and JSON escapes them. So backslashes are all
    that has to be escaped.
    """
    lines = []
    for event in events:
        position, _, version, at, *texts, exact = row_of(event, month)
        lines.append(f"{position}\t{month}\t{version}\t{at.isoformat()}\t" + "\t".join([*texts, exact or ""]))
    return ("\n".join(lines).replace("\\", "\\\\") + "\n").encode()


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
