"""The line of an event, the same in every layout: what it says, and how lines of other programs are understood.

    {"data": {...}, "id": "...", "metadata": {...}, "position": 7, "stream": "...", "tags": {...}, "ts": "...",
     "type": "...", "until": 9, "version": 3}

`metadata` and `tags` are left out where they are empty. `until` stands where several events were written together: it
is the position of the last of them, and none of them counts until all are there.

A line of another program says `ts`, `type` and `data`. Its event is given what lacks: the position behind the line
before it, the next version in the stream `default`, and an id made of its position and the digest of its bytes. All
three stay what they are, because a file of lines only grows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, TypeAlias

import msgspec

from kitty_status.eventstore.event import DEFAULT_STREAM, Event
from kitty_status.eventstore.values import GREATEST
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status.instants import parse_instant

_DIGITS_OF_ID = 24


class _Line(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A line as it is written; the fields stand in the order of their names."""

    data: Any
    id: str
    metadata: dict[str, Any] = {}
    position: int
    stream: str
    tags: dict[str, str | list[str]] = {}
    ts: datetime
    type: str
    until: int = 0
    version: int


_Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=GREATEST)]


class Mark(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a writer must know of a line; a line of another program has position 0."""

    position: _Number = 0
    until: _Number = 0
    version: _Number = 0
    stream: str = DEFAULT_STREAM
    id: str = ""


class Context:
    """Where a reader of lines stands: behind which position, and at which version of the stream `default`.

    `version` is None where that is not known, because reading did not begin with the first line.
    """

    __slots__ = ("position", "version")

    def __init__(self, position: int = 0, version: int | None = 0) -> None:
        self.position = position
        self.version = version

    def copy(self) -> Context:
        """Return another one that stands at the same place."""
        return Context(self.position, self.version)


class ContextMissingError(Exception):
    """A line of another program was met, and the version of its stream before it is not known."""


NAMES_NO_PLACE = "it names neither its position nor its version, and nothing in a folder of streams tells them"
"""Why a line of another program is damaged where its neighbours are in other files."""


_encode = msgspec.json.Encoder(order="deterministic").encode
_events = msgspec.json.Decoder(Event)
_marks = msgspec.json.Decoder(Mark)
decode_events = _events.decode_lines
"""Read lines that are all our own; anything else raises ValueError."""
decode_marks = _marks.decode_lines


def encode_line(event: Event, until: int = 0) -> bytes:
    """Return the line of an event, which was written together with all up to the position `until`."""
    return _encode(
        _Line(
            data=event.data,
            id=event.id,
            metadata=event.metadata,
            position=event.position,
            stream=event.stream,
            tags=event.tags,
            ts=event.at,
            type=event.type,
            until=until,
            version=event.version,
        )
    )


def event_of(line: bytes, context: Context) -> Event:
    """Return the event of a line (without its LF) that stands where `context` says; nothing else is changed.

    Raises:
        LineDamagedError: it is no line of an event.
        ContextMissingError: it says less than its event has, and what it lacks cannot be told here.
    """
    try:
        event = _events.decode(line)
    except ValueError:
        return _foreign_event(line, context)
    if not (0 < event.position < GREATEST and 0 < event.version < GREATEST):
        raise LineDamagedError(f"it names position {event.position} and version {event.version}, which no event has")
    return event


def mark_of(line: bytes) -> Mark:
    """Return what a writer must know of a line (without its LF). Other programs' lines have position 0.

    Raises:
        LineDamagedError: it is no line of an event.
    """
    try:
        mark = _marks.decode(line)
    except ValueError:
        mark = Mark()
    if mark.position and mark.id and mark.version:
        return mark
    _foreign_event(line, Context())
    return Mark()


def _foreign_event(line: bytes, context: Context) -> Event:
    row = decode(line)
    problem = _problem(row, context.position + 1)
    if problem:
        raise LineDamagedError(problem)
    try:
        at = parse_instant(row["ts"]).astimezone(UTC)
        tags = msgspec.convert(row.get("tags", {}), dict[str, str | list[str]])
        metadata = msgspec.convert(row.get("metadata", {}), dict[str, Any])
    except (ValueError, OverflowError) as error:
        raise LineDamagedError(str(error)) from None
    if context.version is None:
        raise ContextMissingError
    return Event(
        position=context.position + 1,
        id=row.get("id") or derived_id(context.position + 1, line),
        type=row["type"],
        stream=DEFAULT_STREAM,
        version=context.version + 1,
        at=at,
        data=row.get("data", {}),
        tags=tags,
        metadata=metadata,
    )


def _problem(row: dict[str, Any], position: int) -> str | None:
    for name in ("ts", "type"):
        if not isinstance(row.get(name), str) or not row[name]:
            return f"it has no {name}"
    if not isinstance(row.get("id", ""), str):
        return "its id is no text"
    if row.get("stream", DEFAULT_STREAM) != DEFAULT_STREAM:
        return "it names a stream, but neither a position nor a version"
    if row.get("position", position) != position:
        return f"its position is {row['position']!a}, and {position} comes next"
    return None


def derived_id(position: int, line: bytes) -> str:
    """Return the id of the event of another program's line."""
    return f"{position}-{sha256(line).hexdigest()[:_DIGITS_OF_ID]}"
