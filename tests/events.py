"""Status events for tests: as rows, as lines, as the records that the reducer reads, and whole histories."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st

from kitty_status.jsonl.codec import decode
from kitty_status.status.instants import parse_instant
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.record import StatusRecord, events_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.status.lanes import LaneProfile

_T = TypeVar("_T")
SEEDS = st.integers(0, 2**64)
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


def history(
    seed: int, count: int, profiles: Sequence[LaneProfile] = (SEVEN_LANE, NINE_LANE), *, in_order: bool = False
) -> list[dict[str, Any]]:
    """Return the rows of a log: tied instants, few work packages, parents good and bad, each event once."""
    chance = Random(seed)  # noqa: S311  nothing secret
    profile = chance.choice(profiles)
    ids = [ulid(number) for number in range(count)]
    chance.shuffle(ids)
    # Few lanes, so that moves often leave the same one.
    lanes = chance.choices(profile.lanes, k=chance.randint(2, 3))
    instants = chance.sample(SPELLINGS, chance.randint(1, len(SPELLINGS)))
    rows = []
    for event_id in ids:
        is_plain = chance.random() < 0.75
        from_lane, to_lane = chance.choices(lanes, k=2) if is_plain else chance.choice(sorted(profile.rollbacks))
        content = row(
            event_id=event_id,
            wp_id=chance.choice(["WP01", "WP01", "WP02"]),
            from_lane=from_lane,
            to_lane=to_lane,
            at=chance.choice(instants),
            actor=chance.choice(["ada", "grace"]),
            force=chance.random() < 0.3,
            review_ref=chance.choice([None, "PR 7"]),
        )
        if chance.random() < 0.7:
            content["parents"] = chance.choices([*ids, "absent"], k=chance.randint(0, 3))
        rows.append(content)
    if in_order:
        rows.sort(key=lambda content: (parse_instant(content["at"]), content["event_id"]))
    return rows


def histories(
    profiles: Sequence[LaneProfile] = (SEVEN_LANE, NINE_LANE), *, in_order: bool = False
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Draw histories: a seed and a length each, since drawing every choice takes a hundred times as long."""
    return st.builds(history, SEEDS, st.integers(0, 9), st.just(profiles), in_order=st.just(in_order))


def shuffled(items: Sequence[_T], seed: int) -> list[_T]:
    return Random(seed).sample(items, len(items))  # noqa: S311  nothing secret
