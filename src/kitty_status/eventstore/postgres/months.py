"""Which months there are, and where they begin among the positions.

A reader names the tables of the months that it asks, and never `events`, which holds them all. PostgreSQL takes the
partitions of a table from what a connection was told of it, and the events from what is committed: for a moment after
a partition was attached, a statement that shows the head misses the first events below it. A table that is named is
there or is an error. So an answer is complete if no month has begun but those that were known when it was asked for;
each statement therefore tells, out of the same snapshot, whether that is so.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Known:
    """The months that had begun at some moment, and the position behind which each of them begins."""

    months: tuple[date, ...] = ()
    after: tuple[int, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[tuple[date, int]]) -> Known:
        """Return what the rows of `event_months` say."""
        ordered = sorted(rows)
        return cls(tuple(month for month, _ in ordered), tuple(after for _, after in ordered))

    @property
    def newest(self) -> date:
        """The newest month; as `event_head` has it, the first day of all where none has begun."""
        return self.months[-1] if self.months else date.min

    def holding(self, first: int, before: int | None) -> tuple[date, ...]:
        """Return the months in which positions from `first` on and before another may lie; one at least."""
        start = max(bisect_left(self.after, first) - 1, 0)
        return self.months[start : max(start + 1, self._end(before))]

    def _end(self, before: int | None) -> int:
        return len(self.months) if before is None else bisect_left(self.after, before - 1)


class Months:
    """What a store knows of the months; it may be out of date."""

    def __init__(self) -> None:
        self.known = Known()
        self._learning = threading.Lock()

    def learn(self, known: Known) -> None:
        """Take in what is known, unless more is known already."""
        with self._learning:
            if known.newest >= self.known.newest:
                self.known = known
