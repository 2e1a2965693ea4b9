"""Where the months begin among the positions, so that a reader asks only the partitions that can have an answer."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


class Months:
    """What is known of the months; it may be out of date and is right all the same, since they only grow in number."""

    def __init__(self) -> None:
        # Both lists in one attribute: threads that learn and threads that ask meet.
        self._known: tuple[list[date], list[int]] = ([], [])

    @property
    def newest(self) -> date | None:
        """The newest month that is known."""
        months, _ = self._known
        return months[-1] if months else None

    def learn(self, rows: Sequence[tuple[date, int]]) -> None:
        """Take in all months, each with the position behind which it begins."""
        ordered = sorted(rows)
        self._known = ([month for month, _ in ordered], [after for _, after in ordered])

    def holding(self, first: int, before: int | None) -> tuple[date | None, date | None]:
        """Return the first and the last month in which positions from `first` on and before another may lie."""
        months, after = self._known
        if not months:
            return None, None
        # The last one that is known may have been followed by others, which hold what lies behind it.
        earliest = months[max(bisect_left(after, first) - 1, 0)]
        latest = (
            None if before is None or before - 1 > after[-1] else months[max(bisect_left(after, before - 1) - 1, 0)]
        )
        return earliest, latest
