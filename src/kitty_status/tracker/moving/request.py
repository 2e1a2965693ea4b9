"""What a caller of `emit` asks for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kitty_status.status.record import LaneEvent
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.views.views import View


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitRequest:
    """What a caller asks for; `evidence` is already validated, `to_lane` still as it was typed.

    Where `heads` is given, they are the newest events of the work package that the caller has seen, and the
    move is refused if there are others by now.
    """

    wp_id: str
    to_lane: str
    actor: str
    feature: str | None = None
    force: bool = False
    reason: str | None = None
    review_ref: str | None = None
    evidence: dict[str, Any] | None = None
    execution_mode: str | None = None
    event_id: str | None = None
    strict_wp: bool = False
    heads: tuple[str, ...] | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Prospect:
    """What a decision foresees: the log that it was made from, the line that comes behind, and what both say.

    `events` are those of the log, each once, and the one of the line.
    """

    data: bytes
    line: bytes
    events: list[LaneEvent]
    snapshot: Snapshot

    def is_what_stands(self, data: bytes | None) -> bool:
        """Say whether a log's bytes are what was foreseen, and nothing else."""
        return (
            data is not None
            and self.data[-1:] in (b"", b"\n")
            and len(data) == len(self.data) + len(self.line)
            and data.startswith(self.data)
            and data.endswith(self.line)
        )


@dataclass(slots=True)
class Emitted:
    """The event that stands in the log now (under `dry_run`: that would), and what came of it.

    `replayed` is true where the event stood there already, with the given id and the same content; there is no
    `prospect` then. `views` are the views of the log with the event in it.
    """

    feature: Feature
    event: dict[str, Any]
    state: dict[str, Any]
    replayed: bool = False
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)
    views: list[View] = field(default_factory=list, repr=False, compare=False)
    prospect: Prospect | None = field(default=None, repr=False, compare=False)
