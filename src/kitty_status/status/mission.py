"""The snapshot of a feature that spec-kitty 3 manages too, as spec-kitty's own reducer gives it.

Such a `status.json` is spec-kitty's file. It holds what spec-kitty notes about a work package beside its lane
(agent, subtasks, notes, verdicts), and where moves compete it says what spec-kitty takes for the lane. So that
neither tool calls the other's file drifted, it is made here by spec-kitty's rules and from all rows of the log.

The rules are those of `specify_cli.status.reducer` of spec-kitty-cli 3.2; `make interop` compares the two.
"""

from __future__ import annotations

from kitty_status.status import lanes
from kitty_status.status.lanes import NINE_LANE
from kitty_status.status.mission_notes import apply_note, delta_in
from kitty_status.status.mission_retrospective import retrospective_in
from kitty_status.status.rows import is_foreign, is_safe_name, problem_with

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    Row: TypeAlias = Mapping[str, Any]

IDENTITY = "mission_slug"
UNINITIALIZED = "uninitialized"
"""The lane of a work package that has notes and no event; only such a snapshot holds it."""
_SLOTS = (
    "shell_pid",
    "shell_pid_created_at",
    "subtasks",
    "notes",
    "tracker_refs",
    "agent",
    "assignee",
    "review",
    "role",
    "agent_profile",
    "agent_profile_version",
    "model",
    "provider",
)
_VERDICT = "review_result"
_CANCELLATION = ("cancellation_reason", "reason_source")
_STANDING = ("lane", "actor", "last_transition_at", "last_event_id", "force_count")
_KNOWN = frozenset((*_STANDING, *_SLOTS, _VERDICT, *_CANCELLATION, "conflict"))
_KNOWN_OF_FEATURE = frozenset(
    {
        *(IDENTITY, "mission_number", "mission_type", "retrospective", "feature_slug", "log_oid"),
        *("materialized_at", "event_count", "last_event_id", "work_packages", "summary"),
    }
)
# By these spec-kitty tells a reason that it made up from one that a person gave.
_MADE_UP = ("Force move to ", "move-task: ")
_ANNOTATION = "annotation"


def written_by_spec_kitty(existing: Row | None) -> bool:
    """Say whether a snapshot is one that spec-kitty 3 keeps; it names the feature `mission_slug`."""
    return existing is not None and IDENTITY in existing


def snapshot_of_mission(rows: Iterable[Row], meta: Row | None, existing: Row) -> dict[str, Any]:
    """Return what `status.json` holds after `rows`, which are all of a log's, in their order.

    `meta` is what the mission's `meta.json` says, None where it cannot be read; its identity is then that of the
    `existing` snapshot. What that holds of keys that spec-kitty 3.2 does not write is kept.
    """
    events: dict[str, Row] = {}
    notes: list[Row] = []
    retrospective: list[Row] = []
    for row in rows:
        if not is_foreign(row):
            if problem_with(row) is None:
                events.setdefault(row["event_id"], row)
        elif row.get("kind") == _ANNOTATION:
            notes.append(row)
        elif "event_name" in row:
            retrospective.append(row)
    ordered = sorted(events.values(), key=_moment)
    work_packages = _fold(ordered, notes)
    newest = ordered[-1] if ordered else None
    summary = dict.fromkeys(NINE_LANE.counted, 0)
    for state in work_packages.values():
        if state["lane"] in summary:
            summary[state["lane"]] += 1
    content = {key: value for key, value in existing.items() if key not in _KNOWN_OF_FEATURE}
    content |= _identity(ordered, meta, existing)
    content |= {
        "materialized_at": newest["at"] if newest else "",
        "event_count": len(ordered),
        "last_event_id": newest["event_id"] if newest else None,
        "work_packages": _with_unknown_keys(work_packages, existing.get("work_packages")),
        "summary": summary,
    }
    looking_back = retrospective_in(retrospective)
    return content if looking_back is None else {**content, "retrospective": looking_back}


def _moment(row: Row) -> tuple[str, str]:
    return str(row.get("at")), str(row.get("event_id"))


def _fold(ordered: list[Row], notes: list[Row]) -> dict[str, dict[str, Any]]:
    """Return where each work package stands: all events in their order, then all notes in theirs."""
    states: dict[str, dict[str, Any]] = {}
    setters: dict[str, Row] = {}
    for event in ordered:
        wp_id = event["wp_id"]
        setter = setters.get(wp_id)
        if setter is not None and setter["at"] == event["at"] and _sends_back(setter) and not _sends_back(event):
            continue
        states[wp_id] = _after(event, states.get(wp_id))
        setters[wp_id] = event
    for note in sorted(notes, key=_moment):
        delta = delta_in(note)
        if delta is not None:
            apply_note(states.setdefault(str(note["wp_id"]), _without_events(note)), delta)
    return states


def _sends_back(event: Row) -> bool:
    if event["to_lane"] != lanes.IN_PROGRESS:
        return False
    return event["from_lane"] == lanes.IN_REVIEW or (
        event["from_lane"] == lanes.FOR_REVIEW and event.get("review_ref") is not None
    )


def _after(event: Row, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return where a work package stands after an event; what was noted of it before goes on to hold."""
    before = before or {}
    state: dict[str, Any] = {
        "lane": event["to_lane"],
        "actor": _name(event["actor"]),
        "last_transition_at": event["at"],
        "last_event_id": event["event_id"],
        "force_count": before.get("force_count", 0) + event["force"],
        **{slot: before[slot] for slot in (*_SLOTS, _VERDICT) if slot in before},
    }
    if (event["from_lane"], event["to_lane"]) == (lanes.PLANNED, lanes.CLAIMED):
        state |= _claim_in(event.get("policy_metadata"))
    verdict = _verdict(event.get(_VERDICT))
    if verdict is not None or event["from_lane"] in NINE_LANE.reviewing:
        state[_VERDICT] = verdict
    if event["to_lane"] == lanes.CANCELED:
        state |= dict(zip(_CANCELLATION, (event.get("reason"), _source_of_reason(event)), strict=True))
    return state


def _claim_in(metadata: Any) -> dict[str, Any]:
    """Return what a claim says about the process that made it."""
    if not isinstance(metadata, dict):
        return {}
    claim = {slot: metadata.get(slot) for slot in ("shell_pid", "shell_pid_created_at")}
    found = {slot: value for slot, value in claim.items() if value is not None}
    return {**found, "agent": metadata["agent"]} if metadata.get("agent") else found


def _verdict(result: Any) -> dict[str, Any] | None:
    parts = ("reviewer", "verdict", "reference")
    if not isinstance(result, dict) or not all(part in result for part in parts):
        return None
    path = result.get("feedback_path")
    return {part: result[part] for part in parts} | ({} if path is None else {"feedback_path": path})


def _source_of_reason(event: Row) -> Any:
    if event.get("reason_source") is not None:
        return event["reason_source"]
    reason = (event.get("reason") or "").strip()
    return "synthetic" if not reason or event["reason"].startswith(_MADE_UP) else "operator"


def _name(actor: Any) -> str:
    return str(actor.get("tool") or actor.get("role") or "") if isinstance(actor, dict) else str(actor)


def _without_events(note: Row) -> dict[str, Any]:
    return dict(zip(_STANDING, (UNINITIALIZED, _name(note.get("actor")), None, None, 0), strict=True))


def _identity(ordered: list[Row], meta: Row | None, existing: Row) -> dict[str, str]:
    named = (ordered[0].get(IDENTITY) or ordered[0].get("feature_slug")) if ordered else ""
    slug = named if isinstance(named, str) and is_safe_name(named) else ""
    if meta is None:
        return {key: existing.get(key, "") for key in ("mission_number", "mission_type")} | {IDENTITY: slug}
    number = _number(meta.get("mission_number"))
    kind = meta.get("mission_type")
    prefix, hyphen, _ = slug.partition("-")
    if number is None and hyphen:
        number = _number(prefix)
    return {
        IDENTITY: slug,
        "mission_number": "" if number is None else str(number),
        "mission_type": kind.strip() if isinstance(kind, str) else "",
    }


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _with_unknown_keys(states: dict[str, dict[str, Any]], existing: Any) -> dict[str, dict[str, Any]]:
    """Return `states` with what a later spec-kitty may have written beside what this one writes."""
    former = existing if isinstance(existing, dict) else {}
    for wp_id, state in states.items():
        known = former.get(wp_id)
        if isinstance(known, dict):
            state |= {key: value for key, value in known.items() if key not in _KNOWN}
    return states
