"""Events that a database keeps compressed: a run of positions, its lines in one piece, and what is said about them.

A chunk is one row of a table, and that row is its manifest: positions, size and digest of the lines, when the events
happened, their types and days, and a filter by which most chunks without an answer are passed over unread. A line is
the event as JSON, its fields in the order of `Event`, ended by LF; what objects hold keeps its order.
"""

from __future__ import annotations

import threading
from datetime import datetime
from hashlib import blake2b, sha256
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from kitty_status.eventstore.archives import damaged_archive
from kitty_status.eventstore.days import day_of
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.zstd import compressed, decompressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kitty_status.eventstore.criteria import Criterion
    from kitty_status.eventstore.query import EventQuery

MOST_EVENTS = 10_000
"""So many events a chunk has at most."""
MOST_BYTES = 4 << 20
"""So long its lines are at most, but for those of a single event."""
CODEC = "zstd"

_BITS_OF_A_WORD = 10
_PROBES = 7
_AT_ONCE = 1_000
_MOST_UNPACKED = 4
_encode = msgspec.json.Encoder().encode
_decode_lines = msgspec.json.Decoder(Event).decode_lines


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about the lines of a chunk; the fields are columns of the tables that hold chunks.

    * `first` and `last` are positions, and every one between them is there
    * `size` and `sha256` are those of the lines before they were compressed by `codec`
    * `first_at` and `last_at` are the earliest and the latest instant; `types` and `days` are sorted
    * `words` is a Bloom filter of types, streams, ids and tags
    """

    first: int
    last: int
    size: int
    sha256: str
    codec: str
    first_at: datetime
    last_at: datetime
    types: list[str]
    days: list[str]
    words: bytes

    @property
    def name(self) -> str:
        """What the archive is called."""
        return f"{self.first}-{self.last}"

    @property
    def events(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


class _Tags(msgspec.Struct):
    tags: dict[str, str | list[str]]


_tags = msgspec.json.Decoder(_Tags)


def together(events: Iterable[Event]) -> list[Event]:
    """Return those of the first events that become one chunk."""
    taken: list[Event] = []
    size = 0
    for event in islice(events, MOST_EVENTS):
        size += len(_encode(event)) + 1
        if taken and size > MOST_BYTES:
            break
        taken.append(event)
    return taken


def packed(events: Sequence[Event]) -> tuple[Chunk, bytes]:
    """Return the chunk of events whose positions follow each other, and its lines compressed."""
    lines = b"".join(_encode(event) + b"\n" for event in events)
    moments = [event.at for event in events]
    chunk = Chunk(
        first=events[0].position,
        last=events[-1].position,
        size=len(lines),
        sha256=sha256(lines).hexdigest(),
        codec=CODEC,
        first_at=min(moments),
        last_at=max(moments),
        types=sorted({event.type for event in events}),
        days=sorted({day_of(moment) for moment in moments}),
        words=_filter_of({word for event in events for word in _words_of(event)}),
    )
    return chunk, compressed(lines)


def unpacked(chunk: Chunk, data: bytes) -> bytes:
    """Return the lines of a chunk.

    Raises:
        EventStoreError: CORRUPT: they are not those that were put into it.
    """
    if chunk.codec != CODEC:
        raise damaged_archive(chunk.name, f"it is packed by {chunk.codec!a}, which this kitty-status does not know")
    try:
        lines = decompressed(data, chunk.size)
    except ValueError as error:
        raise damaged_archive(chunk.name, str(error)) from error
    if sha256(lines).hexdigest() != chunk.sha256:
        raise damaged_archive(chunk.name, "its lines have another checksum than its manifest says")
    return lines


def events_of(chunk: Chunk, lines: bytes) -> list[Event]:
    """Return all events of a chunk.

    Raises:
        EventStoreError: CORRUPT: the manifest speaks of others.
    """
    try:
        events = _decode_lines(lines)
    except ValueError as error:
        raise damaged_archive(chunk.name, str(error)) from error
    if [event.position for event in events] != list(range(chunk.first, chunk.last + 1)):
        raise damaged_archive(chunk.name, "its lines have other positions than its manifest says")
    return events


def matching(query: EventQuery, chunk: Chunk, lines: bytes) -> Iterator[Event]:
    """Yield those events of a chunk that a query asks for, in the direction of its positions, a part in memory.

    Raises:
        EventStoreError: CORRUPT.
    """
    every = lines.split(b"\n")
    if len(every) != chunk.events + 1:
        raise damaged_archive(chunk.name, f"it has {len(every) - 1} lines, and its manifest says {chunk.events}")
    start, end = max(0, query.after + 1 - chunk.first), chunk.events
    if query.before is not None:
        end = min(end, query.before - chunk.first)
    starts = range(start, end, _AT_ONCE)
    for at in reversed(starts) if query.is_backwards else starts:
        events = _decode_lines(b"\n".join(every[at : min(end, at + _AT_ONCE)]))
        if events[0].position != chunk.first + at:
            raise damaged_archive(chunk.name, "its lines have other positions than its manifest says")
        yield from filter(query.matches, reversed(events) if query.is_backwards else events)


def may_answer(chunk: Chunk, query: EventQuery) -> bool:
    """Say whether any event of a chunk can be what a query asks for; where it says no, none is."""
    if chunk.last <= query.after or (query.before is not None and chunk.first >= query.before):
        return False
    if query.earliest is not None and chunk.last_at < query.earliest:
        return False
    if query.latest is not None and chunk.first_at >= query.latest:
        return False
    return not query.criteria or any(_may_meet(chunk.words, criterion) for criterion in query.criteria)


def is_whole_answer(chunk: Chunk, query: EventQuery) -> bool:
    """Say whether a query asks for every event of a chunk."""
    return (
        chunk.first > query.after
        and (query.before is None or chunk.last < query.before)
        and (query.earliest is None or chunk.first_at >= query.earliest)
        and (query.latest is None or chunk.last_at < query.latest)
        and not (query.criteria or query.after_version or query.behind)
    )


def tags_in(lines: bytes) -> Iterator[tuple[str, str]]:
    """Yield the tags that events have, by their lines."""
    for each in _tags.decode_lines(lines):
        for key, given in each.tags.items():
            for value in (given,) if isinstance(given, str) else given:
                yield key, value


class Unpacked:
    """The lines of the chunks that were read last."""

    def __init__(self) -> None:
        self._lines: dict[tuple[int, int, str], bytes] = {}
        self._lock = threading.Lock()

    def lines_of(self, chunk: Chunk, load: Callable[[], bytes]) -> bytes:
        """Return the lines of a chunk; `load` gives them compressed.

        Raises:
            EventStoreError: CORRUPT.
        """
        key = chunk.first, chunk.last, chunk.sha256
        with self._lock:
            lines = self._lines.pop(key, None)
        if lines is None:
            lines = unpacked(chunk, load())
        with self._lock:
            self._lines[key] = lines
            while len(self._lines) > _MOST_UNPACKED:
                self._lines.pop(next(iter(self._lines)))
        return lines


def _words_of(event: Event) -> Iterator[str]:
    yield f"type:{event.type}"
    yield f"stream:{event.stream}"
    yield f"id:{event.id}"
    for key, given in event.tags.items():
        for value in (given,) if isinstance(given, str) else given:
            yield _tag_word(key, value)


def _tag_word(key: str, value: str) -> str:
    return f"tag:{key}\0{value}"  # no name has the character NUL


def _may_meet(words: bytes, criterion: Criterion) -> bool:
    named = (("type", criterion.types), ("stream", criterion.streams), ("id", criterion.ids))
    return all(any(_may_have(words, f"{kind}:{each}") for each in wanted) for kind, wanted in named if wanted) and all(
        any(_may_have(words, _tag_word(key, value)) for value in values) for key, values in criterion.tags
    )


def _filter_of(words: set[str]) -> bytes:
    found = bytearray(max(1, (len(words) * _BITS_OF_A_WORD + 7) // 8))
    for word in words:
        for bit in _bits_of(word, 8 * len(found)):
            found[bit >> 3] |= 1 << (bit & 7)
    return bytes(found)


def _may_have(words: bytes, word: str) -> bool:
    return all(words[bit >> 3] >> (bit & 7) & 1 for bit in _bits_of(word, 8 * len(words)))


def _bits_of(word: str, count: int) -> Iterator[int]:
    digest = blake2b(word.encode(), digest_size=16).digest()
    first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
    return ((first + number * step) % count for number in range(_PROBES))
