"""Which moves of any history stand, as the rule in its long form says: what is left out decides nothing."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from causes import chained_history, decided_the_long_way
from events import moves
from kitty_status.status.causality import decide_outcome
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE

if TYPE_CHECKING:
    from causes import Decided
    from kitty_status.status.lanes import LaneProfile

HISTORIES = 15_000


def decided(events: list[Any], profile: LaneProfile) -> Decided:
    ignored: list[tuple[str, str, str]] = []
    outcome = decide_outcome(events, profile, ignored)
    return outcome.head.event_id, [head.event_id for head in outcome.heads], outcome.rule, sorted(ignored)


@pytest.mark.parametrize("seed", range(8))
def test_every_history_is_decided_as_the_rule_in_its_long_form_says(seed: int) -> None:
    chance = Random(seed)  # noqa: S311  nothing secret
    rules: Counter[str | None] = Counter()
    for number in range(HISTORIES):
        profile = chance.choice((SEVEN_LANE, NINE_LANE))
        events = chained_history(chance, profile)
        found = decided(chance.sample(events, len(events)), profile)
        assert found == decided_the_long_way(events, profile), f"history {number} of seed {seed}"
        rules[found[2]] += 1
    assert min(rules[rule] for rule in (None, "newest", "rollback", "double_claim")) > HISTORIES // 200


@pytest.mark.parametrize("length", range(1, 7))
@pytest.mark.parametrize("parents", [None, [], ["absent"], ["0"], ["1"], ["2"], ["3"], ["1", "2"], ["9"]])
def test_whatever_follows_a_chain_is_decided_as_by_the_rule_in_its_long_form(
    length: int, parents: list[str] | None
) -> None:
    lanes = ["planned", "claimed", "in_progress", "for_review", "in_progress", "for_review", "done", "planned"]
    for from_lane in ("claimed", "in_progress", "for_review"):
        for minute in range(-1, length + 1):
            story = [
                (str(step), lanes[step], lanes[step + 1], step + 1, [str(step - 1)] if step else [])
                for step in range(length)
            ]
            records = moves([*story, ("9", from_lane, "blocked", minute + 1, parents)])
            events: list[Any] = list(records)
            assert decided(events, SEVEN_LANE) == decided_the_long_way(events, SEVEN_LANE)
