"""How far a store reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
