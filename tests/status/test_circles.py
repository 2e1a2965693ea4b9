"""Parents that lead back to where they started, found in histories of any shape and length."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import SEEDS
from kitty_status.status.circles import circles


def brute_circles(graph: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    def reach(start: str) -> set[str]:
        found: set[str] = set()
        pending = [start]
        while pending:
            for target in graph.get(pending.pop(), []):
                if target not in found:
                    found.add(target)
                    pending.append(target)
        return found

    reached = {node: reach(node) for node in graph}
    return {
        node: frozenset(other for other in graph if other in reached[node] and node in reached[other])
        for node in graph
        if node in reached[node]
    }


def graph_of(seed: int, count: int) -> dict[str, list[str]]:
    chance = Random(seed)  # noqa: S311  nothing secret
    nodes = [str(number) for number in range(count)]
    others = {node: [other for other in [*nodes, "root"] if other != node] for node in nodes}
    return {node: chance.sample(own, chance.randint(0, min(3, len(own)))) for node, own in others.items()}


@settings(max_examples=2000)
@given(SEEDS, st.integers(0, 9))
def test_circles_are_found_as_by_trying_every_way(seed: int, count: int) -> None:
    graph = graph_of(seed, count)
    assert circles(graph) == brute_circles(graph)


@pytest.mark.parametrize("closed", [False, True])
def test_a_history_may_be_longer_than_the_interpreters_stack(closed: bool) -> None:
    count = 20_000
    chain: dict[str, Any] = {str(number): [str(number - 1)] for number in range(1, count)}
    chain["0"] = [str(count - 1)] if closed else []
    found = circles(chain)
    assert len(found) == (count if closed else 0)
    assert set(found.values()) == ({frozenset(chain)} if closed else set())
