"""Which months there are, where they begin among the positions, and which of them are in the archive.

A reader names the tables of the months that it asks, and never `events`, which holds them all. PostgreSQL takes the
partitions of a table from what a connection was told of it, and the events from what is committed: for a moment after
a partition was attached, a statement that shows the head misses the first events below it. A table that is named is
there or is an error. So an answer is complete if no month has begun but those that were known when it was asked for,
and none has moved to the archive or back; each statement therefore tells, out of the same snapshot, whether that is so.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class MovedError(Exception):
    """Another month has begun than those that were known, or one has moved to the archive or back."""


@dataclass(frozen=True)
class Known:
    """The months that had begun at some moment, and the position behind which each of them begins.

    `archived` says of each whether it is in the archive; `moves` is how often any has moved there or back.
    """

    months: tuple[date, ...] = ()
    after: tuple[int, ...] = ()
    archived: tuple[bool, ...] = ()
    moves: int = 0

    @classmethod
    def of(cls, rows: Iterable[tuple[date, int, bool, int]]) -> Known:
        """Return what the rows of `event_months` say, each with the number of moves."""
        ordered = sorted(rows)
        if not ordered:
            return cls()
        months, after, archived, moves = zip(*ordered, strict=True)
        return cls(months, after, archived, moves[0])

    @property
    def newest(self) -> date:
        """The newest month; as `event_head` has it, the first day of all where none has begun."""
        return self.months[-1] if self.months else date.min

    @property
    def told(self) -> list[Any]:
        """The parameters by which a statement tells whether this is still so."""
        return [self.newest, self.moves]

    @property
    def tables(self) -> tuple[date, ...]:
        """The months that have a table."""
        return self.holding(1, None)

    def holding(self, first: int, before: int | None) -> tuple[date, ...]:
        """Return the months with a table in which positions from `first` on and before another may lie; one at least.

        The newest month is never in the archive.
        """
        start = max(bisect_left(self.after, first) - 1, 0)
        end = max(start + 1, len(self.months) if before is None else bisect_left(self.after, before - 1))
        months = zip(self.months[start:end], self.archived[start:end], strict=True)
        return tuple(month for month, is_archived in months if not is_archived) or self.months[-1:]

    def leaving_out(self, months: Collection[date]) -> Known:
        """Return the same, with these months as if they were in the archive."""
        if not months:
            return self
        pairs = zip(self.months, self.archived, strict=True)
        return replace(self, archived=tuple(is_archived or month in months for month, is_archived in pairs))

    def archived_months(self, after: int, before: int | None) -> dict[date, tuple[int, int]]:
        """Return the months in the archive that hold a part of a span of positions, and those parts."""
        found = {}
        for number, (month, is_archived) in enumerate(zip(self.months, self.archived, strict=True)):
            if is_archived:
                end = self.after[number + 1] + 1
                part = max(self.after[number], after), end if before is None else min(end, before)
                if part[0] + 1 < part[1]:
                    found[month] = part
        return found

    def archived_between(self, after: int, before: int | None) -> list[tuple[int, int]]:
        """Return the parts of a span of positions that are in the archive: behind which and before which they lie."""
        parts = ((max(low, after), end if before is None else min(end, before)) for low, end in self._archived_spans)
        return [(low, end) for low, end in parts if low + 1 < end]

    def beginning_of(self, after: int, before: int, *, backwards: bool) -> tuple[int, int, bool]:
        """Return the part with which a span begins that lies all in the archive, or all in tables, and which it is."""
        archived = self.archived_between(after, before)
        if not archived:
            return after, before, False
        if backwards:
            low, end = archived[-1]
            return (low, end, True) if end == before else (end - 1, before, False)
        low, end = archived[0]
        return (low, end, True) if low == after else (after, low + 1, False)

    @cached_property
    def _archived_spans(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for number, is_archived in enumerate(self.archived):
            if is_archived:
                low, end = self.after[number], self.after[number + 1] + 1
                if found and found[-1][1] == low + 1:
                    low = found.pop()[0]
                found.append((low, end))
        return found


class Months:
    """What a store knows of the months; it may be out of date."""

    def __init__(self) -> None:
        self.known = Known()
        self._learning = threading.Lock()

    def learn(self, known: Known) -> None:
        """Take in what is known, unless more is known already."""
        with self._learning:
            if (known.moves, known.newest) >= (self.known.moves, self.known.newest):
                self.known = known
