"""Logs of random rows, the odd ones included: one snapshot to both, byte for byte."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from commandline import FOLDER
from events import APPROVAL, line_of, their_row, ulid
from kitty_status.status.lanes import NINE_LANE
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.views.materialize import materialize_feature
from spec_kitty import needs_spec_kitty

if TYPE_CHECKING:
    from gitrepo import GitRepo
    from spec_kitty import Theirs

needs_spec_kitty()

_LANES = [lane for lane in NINE_LANE.lanes if lane != "genesis"]
_ACTOR = {"role": "implementer", "profile": None, "tool": "claude", "model": None}
_ACTORS: list[Any] = ["ada", "Zo\u00eb", _ACTOR, {**_ACTOR, "tool": None}, {**_ACTOR, "tool": "", "role": None}]
_VERDICT = {**APPROVAL["review"], "feedback_path": "f.md"}
_RESULTS = [None, {}, APPROVAL["review"], _VERDICT, {**_VERDICT, "feedback_path": None, "more": 1}]
_REASONS = [None, "", " ", "because", "Force move to canceled", "move-task: a -> b", "\u2028 odd"]
_CLAIMS = [None, {}, {"agent": "claude", "shell_pid": 7}, {"agent": "", "shell_pid_created_at": "x"}, {"shell_pid": 0}]
_OVERRIDE = {"at": "x", "actor": "ada", "wp_id": "WP01", "reason": "fine"}
_NOTES: dict[str, list[Any]] = {
    "shell_pid": [None, 0, 12, "13"],
    "shell_pid_created_at": [None, "", "then"],
    "agent": [None, "", "codex"],
    "assignee": ["", "ada"],
    "role": ["reviewer"],
    "agent_profile": ["p"],
    "agent_profile_version": ["1"],
    "model": [None, "m", ""],
    "provider": ["q"],
    "subtasks": [None, {}, {"T001": "done"}, {"T001": "planned", "T002": "uninitialized"}],
    "note": [None, "", "hello \u00e9"],
    "tracker_refs": [None, [], ["A", "B"], ["B", "C"]],
    "tracker_refs_replace": [None, None, None, [], ["Z", "Z"]],
    "review": [None, _OVERRIDE, dict.fromkeys(_OVERRIDE, ""), {**_OVERRIDE, "reason": ""}],
    "release_runtime_claim": [False, False, True],
    "review_result": [APPROVAL["review"]],
}
_HAPPENINGS = ["requested", "started", "completed", "skipped", "failed", "proposal.generated", "proposal.applied"]
_SIGNAL = {"kind": "environment", "evidence": "CI"}
_MODES = [None, {"value": "autonomous", "source_signal": _SIGNAL}, {"value": "x"}]


def at(rng: random.Random) -> str:
    """Return one of few instants, so that many rows share one, mostly as both tools write it."""
    minute = rng.randrange(12)
    ends = [".000000+00:00"] * 8 + ["Z", "+00:00", ".5+00:00"]
    return f"2026-01-01T00:{minute:02}:00{rng.choice(ends)}"


def event(rng: random.Random, number: int) -> dict[str, Any]:
    row = their_row(
        event_id=ulid(number),
        at=at(rng),
        wp_id=f"WP0{rng.randrange(1, 4)}",
        from_lane=rng.choice([*_LANES, "in_review", "in_review", "for_review", "genesis"]),
        to_lane=rng.choice([*_LANES, "in_progress", "canceled"]),
        actor=rng.choice(_ACTORS[:-1]),
        force=rng.random() < 0.3,
        reason=rng.choice(_REASONS),
        review_ref=rng.choice([None, "PR 7"]),
        review_result=rng.choice(_RESULTS),
        policy_metadata=rng.choice(_CLAIMS),
    )
    if rng.random() < 0.3:
        row |= {"from_lane": "planned", "to_lane": "claimed"}
    if rng.random() < 0.3:
        row["feature_slug"] = row.pop("mission_slug")
    return {**row, "reason_source": "operator"} if rng.random() < 0.2 else row


def row(rng: random.Random, number: int) -> dict[str, Any]:
    kind = rng.random()
    if kind < 0.6:
        return event(rng, number)
    head = {"event_id": ulid(number), "at": at(rng)}
    if kind < 0.9:
        delta = {key: rng.choice(_NOTES[key]) for key in rng.sample(list(_NOTES), 4)}
        actor = rng.choice(_ACTORS)
        return {**head, "kind": "annotation", "wp_id": f"WP0{rng.randrange(1, 5)}", "actor": actor, "delta": delta}
    if kind < 0.97:
        payload = rng.choice([None, {"mode": rng.choice(_MODES), "record_path": rng.choice([None, "r.md"])}])
        return {**head, "event_name": f"retrospective.{rng.choice(_HAPPENINGS)}", "payload": payload}
    return {**head, "event_type": "WPCreated", "payload": {}}


@pytest.mark.parametrize("seed", range(12))
def test_a_log_of_random_rows_gives_one_snapshot(mission: GitRepo, theirs: Theirs, seed: int) -> None:
    for number in range(25):
        rng = random.Random(seed * 1000 + number)  # noqa: S311  it hides nothing
        rows = [row(rng, each) for each in range(1, rng.randrange(2, 40))]
        rng.shuffle(rows)
        mission.write(f"{FOLDER}/status.events.jsonl", b"".join(map(line_of, rows)))
        (mission.path / FOLDER / "status.json").unlink(missing_ok=True)
        materialize_feature(feature_at(mission.path / FOLDER), Config())
        written = mission.read(f"{FOLDER}/status.json")
        assert json.loads(written) == json.loads(theirs.snapshot(mission)), rows
        assert written == theirs.snapshot(mission)
