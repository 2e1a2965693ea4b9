"""Status events for tests: as rows, as lines, as the records that the reducer reads, and whole histories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from kitty_status.jsonl.codec import decode
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.record import StatusRecord, events_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.status.lanes import LaneProfile

KEYS = (
    "event_id",
    "feature_slug",
    "wp_id",
    "from_lane",
    "to_lane",
    "at",
    "actor",
    "force",
    "execution_mode",
    "reason",
    "review_ref",
    "evidence",
)
APPROVAL = {"review": {"reviewer": "grace", "verdict": "approved", "reference": "PR 7"}}


def ulid(number: int) -> str:
    return f"01{number:024d}"


def instant(minute: int) -> str:
    return f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00.000000+00:00"


def row(**changes: Any) -> dict[str, Any]:
    return {
        "event_id": ulid(1),
        "feature_slug": "001-feature",
        "wp_id": "WP01",
        "from_lane": "planned",
        "to_lane": "claimed",
        "at": instant(0),
        "actor": "ada",
        "force": False,
        "execution_mode": "worktree",
        "reason": None,
        "review_ref": None,
        "evidence": None,
        **changes,
    }


def their_row(**changes: Any) -> dict[str, Any]:
    """Return a row as spec-kitty 3 writes it."""
    own = row(mission_slug="001-feature", mission_id=ulid(9), policy_metadata=None, review_result=None)
    del own["feature_slug"]
    return {**own, **changes}


def line_of(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True).encode() + b"\n"


def line(**changes: Any) -> bytes:
    return line_of(row(**changes))


def record_of(content: dict[str, Any]) -> StatusRecord:
    return StatusRecord(content, line_of(content))


def record(**changes: Any) -> StatusRecord:
    return record_of(row(**changes))


def moves(events: Iterable[tuple[str, str, str, int, Sequence[str] | None]]) -> list[StatusRecord]:
    """Return the records of a story: (name, from lane, to lane, minute, parents or None), one work package."""
    return [
        record(
            event_id=name,
            from_lane=from_lane,
            to_lane=to_lane,
            at=instant(minute),
            actor=f"actor of {name}",
            review_ref="PR 7" if (from_lane, to_lane) == ("for_review", "in_progress") else None,
            **({} if parents is None else {"parents": list(parents)}),
        )
        for name, from_lane, to_lane, minute, parents in events
    ]


def records_in(log: bytes) -> list[StatusRecord]:
    def refuse(number: int, line: bytes, why: str, _is_json: bool) -> None:
        raise AssertionError(f"line {number} is damaged: {why}: {line!r}")

    return list(events_of(log.splitlines(keepends=True), decode, refuse))


SPELLINGS = (
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.000000+00:00",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01T00:00:00.3+00:00",
    "2026-01-01T00:00:00.300000001Z",
    "2026-01-01T00:00:01Z",
    "2025-12-31T23:59:59.9999995Z",
    "2026-01-02T00:00:00-00:30",
)


@st.composite
def histories(
    draw: st.DrawFn, *, profiles: Sequence[LaneProfile] = (SEVEN_LANE, NINE_LANE), in_order: bool = False
) -> list[dict[str, Any]]:
    """Draw the rows of a log: tied instants, few work packages, parents good and bad, each event once."""
    profile = draw(st.sampled_from(profiles))
    count = draw(st.integers(0, 9))
    ids = [ulid(number) for number in draw(st.permutations(range(count)))]
    packages = draw(st.lists(st.sampled_from(["WP01", "WP01", "WP02"]), min_size=count, max_size=count))
    # Few lanes, so that moves often leave the same one.
    lanes = draw(st.lists(st.sampled_from(profile.lanes), min_size=2, max_size=3))
    parents = st.none() | st.just([]) | st.lists(st.sampled_from([*ids, "absent"]), max_size=3)
    rows = []
    for event_id, wp_id in zip(ids, packages, strict=True):
        from_lane, to_lane = draw(
            st.tuples(st.sampled_from(lanes), st.sampled_from(lanes)) | st.sampled_from(sorted(profile.rollbacks))
        )
        content = row(
            event_id=event_id,
            wp_id=wp_id,
            from_lane=from_lane,
            to_lane=to_lane,
            at=draw(st.sampled_from(SPELLINGS)),
            actor=draw(st.sampled_from(["ada", "grace"])),
            force=draw(st.booleans()),
            review_ref=draw(st.sampled_from([None, "PR 7"])),
        )
        named = draw(parents)
        rows.append(content if named is None else {**content, "parents": named})
    if in_order:
        rows.sort(key=lambda content: (record_of(content).instant, content["event_id"]))
    return rows
