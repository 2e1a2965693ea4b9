"""What a caller of `emit` asks for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature


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


@dataclass(slots=True)
class Emitted:
    """The event that stands in the log now (under `dry_run`: that would), and what came of it.

    `replayed` is true where the event stood there already, with the given id and the same content.
    """

    feature: Feature
    event: dict[str, Any]
    state: dict[str, Any]
    replayed: bool = False
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)
