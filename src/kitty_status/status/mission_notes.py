"""What spec-kitty 3 notes about a work package beside its lane: the rows of kind `annotation`, and what they change.

A row that spec-kitty could not read is passed over: it would refuse the whole log.
"""

from __future__ import annotations

from kitty_status.status.lanes import ALL_LANES
from kitty_status.status.rows import is_ulid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_REPLACED = (
    "shell_pid",
    "shell_pid_created_at",
    "agent",
    "assignee",
    "role",
    "agent_profile",
    "agent_profile_version",
    "model",
    "provider",
)
_CLAIM = ("agent", "shell_pid", "shell_pid_created_at")
_ACTOR = {"role", "profile", "tool", "model"}
_REVIEW = ("at", "actor", "wp_id", "reason")
_STATES = ALL_LANES | {"uninitialized"}


def delta_in(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what an annotation changes, None where spec-kitty could not read it."""
    delta = row.get("delta")
    event_id, wp_id = row.get("event_id"), row.get("wp_id")
    if not (isinstance(delta, dict) and isinstance(event_id, str) and is_ulid(event_id)):
        return None
    if wp_id is None or not _is_actor(row):
        return None
    return delta if _is_readable(delta) else None


def _is_actor(row: Mapping[str, Any]) -> bool:
    """Say whether an actor is one that spec-kitty reads: anything plain, or an object of exactly these keys."""
    actor = row.get("actor")
    if not isinstance(actor, dict):
        return "actor" in row
    return actor.keys() == _ACTOR and all(isinstance(value, str | None) for value in actor.values())


def _is_readable(delta: Mapping[str, Any]) -> bool:
    subtasks, review = delta.get("subtasks"), delta.get("review")
    if subtasks is not None and not (isinstance(subtasks, dict) and _STATES.issuperset(map(str, subtasks.values()))):
        return False
    if review is not None and not (isinstance(review, dict) and all(key in review for key in _REVIEW)):
        return False
    pid = delta.get("shell_pid")
    if pid is not None and not (isinstance(pid, int) or (isinstance(pid, str) and pid.strip().isdecimal())):
        return False
    return all(isinstance(delta.get(key), list | None) for key in ("tracker_refs", "tracker_refs_replace"))


def apply_note(state: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Put what an annotation changes into the state of its work package.

    A present value takes the place of the former one. But subtasks are changed one by one, a note comes behind the
    notes, and tracker references join those that are there, unless they are to replace them.
    """
    if delta.get("release_runtime_claim"):
        state |= dict.fromkeys(_CLAIM)
    state |= {slot: delta[slot] for slot in _REPLACED if delta.get(slot) not in (None, "")}
    if isinstance(state.get("shell_pid"), str):
        state["shell_pid"] = int(state["shell_pid"])
    if delta.get("subtasks") is not None:
        state["subtasks"] = {**(state.get("subtasks") or {}), **delta["subtasks"]}
    if delta.get("note") is not None:
        state["notes"] = [*(state.get("notes") or []), delta["note"]]
    if delta.get("tracker_refs_replace") is not None:
        state["tracker_refs"] = _each_once(delta["tracker_refs_replace"])
    elif delta.get("tracker_refs") is not None:
        state["tracker_refs"] = _each_once([*(state.get("tracker_refs") or []), *delta["tracker_refs"]])
    review = delta.get("review")
    if review is not None:
        said = {key: str(review[key]) for key in _REVIEW}
        # One that says nothing takes back what was said.
        state["review"] = said if any(said.values()) else None


def _each_once(references: list[Any]) -> list[Any]:
    found: list[Any] = []
    for reference in references:
        if reference not in found:
            found.append(reference)
    return found
