"""The chunks of the archive, as rows of `event_archives`. Only those of months that are marked as archived count."""

# ruff: noqa: S608  the names are ours; every value is a parameter

from __future__ import annotations

from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.archives import Archived, damaged_archive
from kitty_status.eventstore.chunks import Chunk, Unpacked, events_of, matching, may_answer, unpacked
from kitty_status.eventstore.postgres.driver import Int8
from kitty_status.eventstore.postgres.months import MovedError
from kitty_status.eventstore.postgres.reading import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.postgres.asking import Asking
    from kitty_status.eventstore.postgres.driver import psycopg
    from kitty_status.eventstore.postgres.months import Known
    from kitty_status.eventstore.query import EventQuery

MANIFEST = ("from_position", "to_position", "size", "sha256", "codec", "first_at", "last_at", "types", "days", "words")
_AT_ONCE = 16


class MonthChunk(Chunk, frozen=True, kw_only=True):
    """A chunk of a month, which is archived and restored as a whole."""

    month: date

    @property
    def name(self) -> str:
        """What stands in messages."""
        return f"{name_of(self.month)} ({self.first}-{self.last})"


def name_of(month: date) -> str:
    """Return the name under which a month is archived."""
    return f"{month:%Y-%m}"


class ArchiveTable:
    """Reads the archive through whichever connection asks."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._unpacked = Unpacked()
        table = f"{asking.schema}.event_archives"
        manifest = ", ".join(MANIFEST)
        self._next = (
            f"SELECT {manifest}, month, {asking.told} FROM {table} WHERE to_position > %s AND from_position < %s"
        )
        self._lines = f"SELECT lines FROM {table} WHERE to_position = %s"
        self._of_month = f"SELECT {manifest}, month FROM {table} WHERE month = %s ORDER BY to_position"
        self._all = (
            f"SELECT month, from_position, to_position, size, length(lines), sha256 FROM {table} "
            f"JOIN {asking.schema}.event_months USING (month) WHERE archived ORDER BY to_position"
        )

    def matching(
        self, connection: psycopg.Connection, known: Known, query: EventQuery, span: tuple[int, int]
    ) -> tuple[Iterator[Event], MonthChunk | None]:
        """Return the first events of a span that a query asks for, all of one chunk, and which it is; None for none.

        All of the span is in the archive, as far as is known.

        Raises:
            MovedError: it is not, or not all of it.
            EventStoreError: CORRUPT: a chunk is missing, or does not hold what was put into it.
        """
        part = query.narrowed(after=span[0], before=span[1])
        for chunk in self._chunks(connection, known, span, backwards=query.is_backwards):
            if may_answer(chunk, part):
                return matching(part, chunk, self._lines_of(connection, chunk)), chunk
        return iter(()), None

    def _chunks(
        self, connection: psycopg.Connection, known: Known, span: tuple[int, int], *, backwards: bool
    ) -> Iterator[MonthChunk]:
        after, before = span
        statement = f"{self._next} ORDER BY to_position {'DESC' if backwards else 'ASC'} LIMIT {_AT_ONCE}"
        while after + 1 < before:
            rows = connection.execute(statement, [*known.told, Int8(after), Int8(before)], binary=True).fetchall()
            if (rows[0][-1] if rows else told(connection, self._asking, known.told)) is None:
                raise MovedError
            wanted = before - 1 if backwards else after + 1
            for chunk in map(_chunk_of, rows):
                if not chunk.first <= wanted <= chunk.last:
                    break
                yield chunk
                wanted = chunk.first - 1 if backwards else chunk.last + 1
            if wanted == (before - 1 if backwards else after + 1):
                raise damaged_archive(_name_at(known, wanted), f"it lacks the chunk with position {wanted}")
            after, before = (after, wanted + 1) if backwards else (wanted - 1, before)

    def _lines_of(self, connection: psycopg.Connection, chunk: MonthChunk) -> bytes:
        return self._unpacked.lines_of(chunk, lambda: self.kept(connection, chunk))

    def kept(self, connection: psycopg.Connection, chunk: Chunk) -> bytes:
        """Return the lines of a chunk as they are kept.

        Raises:
            MovedError: they are there no more.
        """
        row = connection.execute(self._lines, (Int8(chunk.last),), binary=True).fetchone()
        if row is None:
            raise MovedError
        return bytes(row[0])

    def contents(self, connection: psycopg.Connection, month: date) -> Iterator[list[Event]]:
        """Yield the events of each chunk of a month.

        Raises:
            EventStoreError: CORRUPT: one does not hold what was put into it.
        """
        for row in connection.execute(self._of_month, (month,), binary=True).fetchall():
            chunk = _chunk_of((*row, None))
            yield events_of(chunk, unpacked(chunk, self.kept(connection, chunk)))

    def check(self, connection: psycopg.Connection, known: Known, name: str) -> None:
        """Compare the chunks of a month with their manifests.

        Raises:
            EventStoreError: CORRUPT.
            MovedError: it is not in the archive any more.
        """
        for month, span in known.archived_months(0, None).items():
            if name_of(month) == name:
                for chunk in self._chunks(connection, known, span, backwards=False):
                    events = events_of(chunk, unpacked(chunk, self.kept(connection, chunk)))
                    ids = [event.id for event in events]
                    places: dict[str, int] = dict(
                        connection.execute(self._asking.places, (ids,), binary=True).fetchall()
                    )
                    if places != {event.id: event.position for event in events}:
                        raise damaged_archive(chunk.name, "the table event_ids lacks ids of it, or has them elsewhere")

    def archives(self, connection: psycopg.Connection) -> list[Archived]:
        """Return what is in the archive."""
        rows = connection.execute(self._all, binary=True).fetchall()
        return [_archived(month, list(chunks)) for month, chunks in groupby(rows, key=lambda row: row[0])]


def _archived(month: date, rows: list[tuple[Any, ...]]) -> Archived:
    _, firsts, lasts, sizes, lengths, digests = zip(*rows, strict=True)
    names = (f"{first}-{last}" for first, last in zip(firsts, lasts, strict=True))
    listed = "".join(f"{digest}  {name}\n" for digest, name in zip(digests, names, strict=True))
    return Archived(
        name=name_of(month),
        first=firsts[0],
        last=lasts[-1],
        events=lasts[-1] - firsts[0] + 1,
        size=sum(sizes),
        packed=sum(lengths),
        sha256=digests[0] if len(rows) == 1 else sha256(listed.encode()).hexdigest(),
    )


def _name_at(known: Known, position: int) -> str:
    return name_of(next(iter(known.archived_months(position - 1, position + 1))))


def _chunk_of(row: tuple[Any, ...]) -> MonthChunk:
    first, last, size, digest, codec, first_at, last_at, types, days, words, month, _ = row
    return MonthChunk(
        first=first,
        last=last,
        size=size,
        sha256=digest,
        codec=codec,
        first_at=first_at,
        last_at=last_at,
        types=types,
        days=days,
        words=bytes(words),
        month=month,
    )
