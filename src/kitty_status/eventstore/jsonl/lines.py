"""The line of an event, the same in every layout: what it says, and how lines of other programs are understood.

    {"data": {...}, "id": "...", "metadata": {...}, "position": 7, "stream": "...", "tags": {...}, "ts": "...",
     "type": "...", "until": 9, "version": 3}

`metadata` and `tags` are left out where they are empty. `until` stands where several events were written together: it
is the position of the last of them, and none of them counts until all are there.

A line of another program says `ts`, `type` and `data`. Its event is given what lacks: the position behind the line
before it, the stream `default`, the next version in its stream, and an id made of its position and the digest of its
bytes. They stay what they are, because a file of lines only grows.

Places are given to lines in one way, by whoever reads and by whoever writes; see `Context`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, TypeAlias

import msgspec

from kitty_status.eventstore.event import DEFAULT_STREAM, Event
from kitty_status.eventstore.values import GREATEST, problem_of_text
from kitty_status.jsonl.codec import LINE_ENDINGS_CHANGED, LineDamagedError, decode
from kitty_status.status.instants import parse_instant

_DIGITS_OF_ID = 24
_CR_LF = "it ends in CR LF: something has changed the line endings of this file; change them back to LF"


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
    """Where a reader of lines stands: which place was taken last, by which event, and at which versions streams are.

    A damaged line takes the place behind the line before it, for it may be what is left of an event that was
    acknowledged. It gives it back where the next line that names its position needs it: then it was put between.
    A line that names the position of an event before it takes none, and is damaged.

    `versions` is None where they are not known, because reading did not begin with the first line.
    """

    __slots__ = ("event", "position", "versions")

    def __init__(self, position: int = 0, versions: dict[str, int] | None = None, event: int | None = None) -> None:
        self.position = position
        self.event = position if event is None else event
        self.versions = versions

    def copy(self) -> Context:
        """Return another one that stands at the same place."""
        return Context(self.position, None if self.versions is None else dict(self.versions), self.event)

    def refuses(self, position: int) -> str | None:
        """Return why no line here can be the event at a position, or None."""
        if position > self.event:
            return None
        return f"its position {position} is not behind {self.event}, which comes before it"

    def lacks(self, position: int) -> str | None:
        """Return which events are missing before the one at a position, or None."""
        if position <= self.position + 1:
            return None
        return missing(self.position + 1, position - 1)

    def version_of(self, stream: str) -> int:
        """Return the version that a stream is at.

        Raises:
            ContextMissingError: it is not known.
        """
        if self.versions is None:
            raise ContextMissingError
        return self.versions.get(stream, 0)

    def take(self, position: int) -> None:
        """Go behind an event."""
        self.position = self.event = position

    def skip(self) -> None:
        """Go behind a damaged line."""
        self.position += 1


def missing(first: int, last: int) -> str:
    """Return what is wrong with an event before which others should stand."""
    return (
        f"event {first} is missing before it"
        if first == last
        else f"the events {first} to {last} are missing before it"
    )


class SingleContext(Context):
    """Where a single line stands, of which it is known what it does not say."""

    __slots__ = ("_version",)

    def __init__(self, position: int, version: int) -> None:
        super().__init__(position - 1)
        self._version = version

    def version_of(self, stream: str) -> int:
        """Return the version before that of the line, whichever stream it names."""
        del stream
        return self._version - 1


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
    except (ValueError, RecursionError):
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
    except (ValueError, RecursionError):
        mark = Mark()
    if mark.position and mark.id and mark.version:
        return mark
    _foreign_event(line, SingleContext(mark.position or 1, 1))
    return Mark()


def _foreign_event(line: bytes, context: Context) -> Event:
    row = _row_of(line)
    problem = _problem(row, context.position + 1)
    if problem:
        raise LineDamagedError(problem)
    try:
        at = parse_instant(row["ts"]).astimezone(UTC)
        tags = msgspec.convert(row.get("tags", {}), dict[str, str | list[str]])
        metadata = msgspec.convert(row.get("metadata", {}), dict[str, Any])
    except (ValueError, OverflowError) as error:
        raise LineDamagedError(str(error)) from None
    stream = row.get("stream", DEFAULT_STREAM)
    return Event(
        position=context.position + 1,
        id=row.get("id") or derived_id(context.position + 1, line),
        type=row["type"],
        stream=stream,
        version=context.version_of(stream) + 1,
        at=at,
        data=row.get("data", {}),
        tags=tags,
        metadata=metadata,
    )


def _row_of(line: bytes) -> dict[str, Any]:
    try:
        return decode(line)
    except LineDamagedError as error:
        if error.reason == LINE_ENDINGS_CHANGED:
            raise LineDamagedError(_CR_LF) from None
        raise


def _problem(row: dict[str, Any], position: int) -> str | None:
    for name in ("ts", "type"):
        if not isinstance(row.get(name), str) or not row[name]:
            return f"it has no {name}"
    if not isinstance(row.get("id", ""), str):
        return "its id is no text"
    if problem_of_text(row.get("stream", DEFAULT_STREAM)) or not row.get("stream", DEFAULT_STREAM):
        return "the stream that it names is no text"
    if row.get("position", position) != position:
        return f"its position is {row['position']!a}, and {position} comes next"
    return None


def derived_id(position: int, line: bytes) -> str:
    """Return the id of the event of another program's line."""
    return f"{position}-{sha256(line).hexdigest()[:_DIGITS_OF_ID]}"
