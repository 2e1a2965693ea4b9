"""How far a store reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kitty_status.eventstore.jsonl.damage import lost

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kitty_status.eventstore.jsonl.segments import Part, Segment


@dataclass(frozen=True, slots=True)
class Visible:
    """How far a store reaches: the newest place, its part, and where the lines of that part's files end."""

    head: int = 0
    day: str = ""
    ends: dict[str, int] = field(default_factory=dict)

    def end_of(self, part: Part, segment: Segment) -> int | None:
        """Return where a file ends for whoever reads up to the newest event; None means with its last line."""
        if part.day == self.day:
            return self.ends.get(segment.name, 0)
        return None if part.day < self.day else 0

    def part_and_later(self, parts: Sequence[Part], store: Path) -> Sequence[Part]:
        """Return the parts in which there may be more by now.

        Raises:
            EventStoreError: CORRUPT: a file is gone that was read.
        """
        later = parts[-1:] if parts and parts[-1].day == self.day else [part for part in parts if part.day >= self.day]
        if self.ends and (not later or later[0].day != self.day or len(later[0].segments) < len(self.ends)):
            raise lost(store, f"lacks a file of {self.day or store.name} that was read")
        return later
