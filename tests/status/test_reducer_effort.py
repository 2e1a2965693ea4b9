"""How much work a large log makes, counted in steps, never in seconds."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import pytest

from events import moves, record, row
from kitty_status.status.causality import decide_outcome
from kitty_status.status.folding import Fold
from kitty_status.status.lanes import SEVEN_LANE
from kitty_status.status.record import StatusRecord
from kitty_status.status.reducer import reduce_events, unique_events

COUNT = 200_000


class Counted(StatusRecord):
    """An event that counts how often its lanes are looked at."""

    looks: ClassVar[int] = 0

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__(content)
        self._lanes = (content["from_lane"], content["to_lane"])

    def __getattribute__(self, name: str) -> Any:
        if name == "from_lane":
            Counted.looks += 1
        return super().__getattribute__(name)


class Id(str):
    """An event id that counts how often it is compared."""

    __slots__ = ()
    comparisons: ClassVar[int] = 0

    def __lt__(self, other: str) -> bool:
        Id.comparisons += 1
        return super().__lt__(other)


@pytest.fixture
def crowd() -> list[StatusRecord]:
    """200,000 events at one timestamp, of 1,000 work packages that go round and round."""
    lanes = ["planned", "claimed", "in_progress"]
    template = record()
    events = []
    for number in range(COUNT):
        event = StatusRecord.__new__(StatusRecord)
        for name in StatusRecord.__slots__:
            setattr(event, name, getattr(template, name))
        turn = number // 1000
        event.event_id = Id(f"{number:08}")
        event.wp_id = f"WP{number % 1000}"
        event.from_lane, event.to_lane = lanes[turn % 3], lanes[(turn + 1) % 3]
        events.append(event)
    return events


def test_many_events_at_one_instant_are_sorted_and_no_more(crowd: list[StatusRecord]) -> None:
    shuffled = random.Random(7).sample(crowd, len(crowd))  # noqa: S311  any order will do
    Id.comparisons = 0
    snapshot = reduce_events(unique_events(shuffled))
    assert 0 < Id.comparisons < 2 * COUNT * 18
    assert snapshot.event_count == COUNT
    assert set(snapshot.heads.values()) == {(f"{number:08}",) for number in range(COUNT - 1000, COUNT)}


def test_many_events_at_one_instant_are_folded_in_one_pass(crowd: list[StatusRecord]) -> None:
    fold = Fold()
    fold.add(crowd)
    assert fold.tangled == set()
    assert fold.snapshot(None, lambda _tangled: []) == reduce_events(crowd)


@pytest.mark.parametrize("parents", [None, []])
def test_heads_that_compete_are_each_looked_at_a_few_times(parents: list[str] | None) -> None:
    def looks(count: int) -> int:
        given = {} if parents is None else {"parents": parents}
        rows = [row(event_id=f"{number:08}", actor=f"actor {number}", **given) for number in range(count)]
        events = [Counted(content) for content in rows]
        Counted.looks = 0
        outcome = decide_outcome(events, SEVEN_LANE)
        assert len(outcome.heads) == count
        return Counted.looks

    # Events times competing heads, so twice of both is four times the work.
    assert looks(800) <= 4 * looks(400) + 4000


def test_a_chain_against_the_clock_is_followed_link_by_link() -> None:
    count = 20_000
    names = [f"{number:08}" for number in range(count)]
    told = [
        (
            name,
            "planned" if number % 2 else "claimed",
            "claimed" if number % 2 else "planned",
            0,
            names[number + 1 :][:1],
        )
        for number, name in enumerate(names)
    ]
    outcome = decide_outcome(moves(told), SEVEN_LANE)
    assert [event.event_id for event in outcome.heads] == [names[0]]
