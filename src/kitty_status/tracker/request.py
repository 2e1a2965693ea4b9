"""What a caller of `emit` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitRequest:
    """What a caller asks for; `evidence` is already validated, `to_lane` still as it was typed."""

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
    dry_run: bool = False
