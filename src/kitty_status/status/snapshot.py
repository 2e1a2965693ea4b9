"""Where every work package of a feature stands: `status.json`, a pure function of the log.

Equal logs give equal bytes on every machine. There is no wall clock in a snapshot:
`materialized_at` is the `at` of the newest event.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from kitty_status.status.causality import Outcome
    from kitty_status.status.lanes import LaneProfile

MAX_LISTED_HEADS = 20
_CONTAINERS = (dict, list)
_encode = json.JSONEncoder(ensure_ascii=False).encode


class Snapshot:
    """The state of one feature after all of its events.

    * `work_packages` maps an id to `lane`, `actor`, `last_transition_at`, `last_event_id`,
      `force_count`, and `conflict` while moves compete
    * `event_count` counts status events, each id once; foreign rows do not count
    * `summary` maps every lane of the profile to its number of work packages
    * `heads` maps an id to the event ids that the next event names as its `parents`; it is not written
    """

    __slots__ = (
        "event_count",
        "feature_slug",
        "heads",
        "last_event_id",
        "materialized_at",
        "newest_instant",
        "profile",
        "summary",
        "work_packages",
    )

    def __init__(self, profile: LaneProfile) -> None:
        self.profile = profile
        self.feature_slug = ""
        self.materialized_at: str | None = None
        self.newest_instant: datetime | None = None
        self.event_count = 0
        self.last_event_id: str | None = None
        self.work_packages: dict[str, dict[str, Any]] = {}
        self.summary: dict[str, int] = dict.fromkeys(profile.counted, 0)
        self.heads: dict[str, tuple[str, ...]] = {}

    def place(self, wp_id: str, outcome: Outcome, force_count: int) -> None:
        """Record where a work package stands, in place of where it stood."""
        head = outcome.head
        former = self.work_packages.get(wp_id)
        if former is not None and former["lane"] in self.summary:
            self.summary[former["lane"]] -= 1
        state: dict[str, Any] = {
            "lane": head.to_lane,
            "actor": head.shown_actor,
            "last_transition_at": head.at,
            "last_event_id": head.event_id,
            "force_count": force_count,
        }
        if outcome.rule is not None:
            state["conflict"] = _conflict(outcome)
        self.work_packages[wp_id] = state
        self.heads[wp_id] = tuple(event.event_id for event in outcome.heads)
        if head.to_lane in self.summary:
            self.summary[head.to_lane] += 1

    def state_of(self, wp_id: str) -> dict[str, Any]:
        """Return where a work package stands, for the caller to keep and to change.

        Raises:
            KeyError: there is no such work package.
        """
        state = dict(self.work_packages[wp_id])
        if "conflict" in state:
            conflict = state["conflict"]
            state["conflict"] = {**conflict, "heads": [dict(head) for head in conflict["heads"]]}
        return state

    def copy(self) -> Snapshot:
        """Return a snapshot that says the same, and in which work packages can be placed anew."""
        other = Snapshot(self.profile)
        other.feature_slug = self.feature_slug
        other.materialized_at = self.materialized_at
        other.newest_instant = self.newest_instant
        other.event_count = self.event_count
        other.last_event_id = self.last_event_id
        other.work_packages = dict(self.work_packages)
        other.summary = dict(self.summary)
        other.heads = dict(self.heads)
        return other

    def to_dict(self) -> dict[str, Any]:
        """Return the snapshot as `status.json` holds it, without `log_oid`."""
        return {
            "feature_slug": self.feature_slug,
            "materialized_at": self.materialized_at,
            "event_count": self.event_count,
            "last_event_id": self.last_event_id,
            "work_packages": self.work_packages,
            "summary": self.summary,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # a snapshot is filled step by step


def _conflict(outcome: Outcome) -> dict[str, Any]:
    heads = [
        {"event_id": event.event_id, "lane": event.to_lane, "actor": event.shown_actor}
        for event in outcome.heads[:MAX_LISTED_HEADS]
    ]
    return {"rule": outcome.rule, "head_count": len(outcome.heads), "heads": heads}


def to_bytes(snapshot: Snapshot, log_oid: str | None) -> bytes:
    """Return the bytes of `status.json`; `log_oid` is the git blob id of the log's bytes, None outside git.

    Where spec-kitty 3 keeps the file too, `mission.snapshot_of_mission` says what it holds instead.
    """
    return rendered({**snapshot.to_dict(), "log_oid": log_oid})


def rendered(content: dict[str, Any]) -> bytes:
    """Return the bytes of a snapshot with this content."""
    return (_rendered(content, "\n") + "\n").encode()


def _rendered(value: Any, line_end: str) -> str:
    """Return what `json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False)` gives, in a third of its time.

    With an indent, `json` leaves its extension module aside and yields every comma by itself; so it is given what
    holds nothing deeper, with the indent as part of the comma. Keys are strings.
    """
    if not isinstance(value, _CONTAINERS) or not value:
        return _encode(value)
    deeper = f"{line_end}  "
    inner = value.values() if isinstance(value, dict) else value
    if not any(isinstance(each, _CONTAINERS) for each in inner):
        flat = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(f",{deeper}", ": "))
        return f"{flat[0]}{deeper}{flat[1:-1]}{line_end}{flat[-1]}"
    if isinstance(value, dict):
        members = [f"{encode_basestring(key)}: {_rendered(value[key], deeper)}" for key in sorted(value)]
        return f"{{{deeper}{f',{deeper}'.join(members)}{line_end}}}"
    return f"[{deeper}{f',{deeper}'.join([_rendered(each, deeper) for each in value])}{line_end}]"


def parse(data: bytes) -> dict[str, Any]:
    """Return a snapshot's content.

    Raises:
        ValueError: the bytes are no JSON object, for example because a merge left markers in them.
    """
    try:
        content = json.loads(data)
        # Half of a surrogate pair could be read and never be written again. It takes an escape, or a byte beyond ASCII.
        if b"\\" in data or not data.isascii():
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004  to callers it is one kind of damage
    return content
