"""What spec-kitty 3 puts into a snapshot of its rows whose `event_name` begins with `retrospective.`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_FAMILY = "retrospective."
_ENDS = ("completed", "skipped", "failed")
_PROPOSALS = ("generated", "applied", "rejected")
_MODES = ("autonomous", "human_in_command")
_SIGNALS = ("charter_override", "explicit_flag", "environment", "parent_process")


def retrospective_in(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return how far the retrospective of a mission is, None where there is none."""
    named = [(str(row["event_name"]).removeprefix(_FAMILY), row) for row in rows if _is_of_family(row)]
    if not named:
        return None
    named.sort(key=lambda pair: (str(pair[1].get("at", "")), str(pair[1].get("event_id", ""))))
    ends = [(name, row) for name, row in named if name in _ENDS]
    path = _payload(ends[-1][1]).get("record_path") if ends else None
    requested = [row for name, row in named if name == "requested"]
    total, applied, rejected = (sum(name == f"proposal.{what}" for name, _ in named) for what in _PROPOSALS)
    return {
        "status": ends[-1][0] if ends else "pending",
        "mode": _mode(_payload(requested[-1]).get("mode")) if requested else None,
        "record_path": None if path is None else str(path),
        "proposals_total": total,
        "proposals_applied": applied,
        "proposals_rejected": rejected,
        "proposals_pending": max(0, total - applied - rejected),
    }


def _is_of_family(row: Mapping[str, Any]) -> bool:
    return str(row.get("event_name", "")).startswith(_FAMILY)


def _payload(row: Mapping[str, Any]) -> dict[str, Any]:
    payload = row.get("payload")
    return payload if isinstance(payload, dict) else {}


def _mode(mode: Any) -> dict[str, Any] | None:
    """Return a mode as spec-kitty writes it, None where it has not the shape that spec-kitty knows."""
    if not isinstance(mode, dict) or mode.keys() != {"value", "source_signal"} or mode["value"] not in _MODES:
        return None
    signal = mode["source_signal"]
    if not isinstance(signal, dict) or signal.keys() != {"kind", "evidence"} or signal["kind"] not in _SIGNALS:
        return None
    return mode if isinstance(signal["evidence"], str) else None
