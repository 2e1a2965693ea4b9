"""A profile as data, table and diagrams: everything that it says is there, once, and nothing else."""

from __future__ import annotations

import json
import re

import pytest

from kanban import own_profile
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE, LaneProfile
from kitty_status.status.machine import describe, to_dot, to_mermaid, to_text

OWN = own_profile()
WORDS = LaneProfile(
    "words", lanes=("state", "end"), initial="state", moves={("state", "end"): ""}, rollbacks=(), terminal=()
)
EVERY = [SEVEN_LANE, NINE_LANE, OWN, WORDS]
NAMES = [profile.name for profile in EVERY]


@pytest.mark.parametrize("profile", EVERY, ids=NAMES)
def test_the_data_hold_the_whole_profile(profile: LaneProfile) -> None:
    data = describe(profile)
    assert json.loads(json.dumps(data)) == data
    again = LaneProfile(
        data["name"],
        lanes=tuple(data["lanes"]),
        moves={(move["from"], move["to"]): move["guard"] or "" for move in data["moves"]},
        rollbacks=[(move["from"], move["to"]) for move in data["rollbacks"]],
        terminal=data["terminal"],
        initial=data["initial"],
        pre_seed=data["pre_seed"],
        aliases=data["aliases"],
    )
    for part in ("name", "lanes", "moves", "rollbacks", "terminal", "initial", "counted", "aliases", "held"):
        assert getattr(again, part) == getattr(profile, part), part
    assert set(data["held"]) == profile.held
    assert set(data["guards"]) == set(profile.moves.values()) - {""}


@pytest.mark.parametrize("profile", EVERY, ids=NAMES)
def test_the_table_has_one_row_for_each_move(profile: LaneProfile) -> None:
    lines = to_text(profile)
    assert lines[0].split() == ["from", "to", "guard"]
    rows = [line.split() for line in lines[1 : lines.index("")]]
    guards = {(row[0], row[1]): row[2] for row in rows}
    assert guards == {
        move: guard or ("(rollback)" if move in profile.rollbacks else "-") for move, guard in profile.moves.items()
    }
    marked = {(row[0], row[1]) for row in rows if row[-1] == "(rollback)"}
    assert marked == profile.rollbacks & set(profile.moves)
    text = "\n".join(lines)
    assert f"begins in: {profile.initial}" in text
    for lane in profile.terminal:
        assert re.search(rf"^ends in: .*\b{lane}\b", text, re.MULTILINE)
    for alias, lane in profile.aliases.items():
        assert f"alias: {alias} means {lane}" in text
    for guard in set(profile.moves.values()) - {""}:
        assert f"guard {guard} asks for " in text


def test_a_rollback_that_only_force_makes_is_said_below_the_table() -> None:
    text = "\n".join(to_text(NINE_LANE))
    assert "rollback, if forced with a review: for_review to planned" in text
    assert "rollback, if forced" not in "\n".join(to_text(SEVEN_LANE))
    assert "before the first: genesis" in text


@pytest.mark.parametrize("profile", EVERY, ids=NAMES)
def test_the_state_diagram_has_every_lane_and_every_move_in_the_grammar_of_mermaid(profile: LaneProfile) -> None:
    first, *lines = to_mermaid(profile)
    assert first == "stateDiagram-v2"
    states, moves = {}, []
    for line in lines:
        state = re.fullmatch(r'    state "([a-z0-9_]+)" as (lane_[a-z0-9_]+)', line)
        move = re.fullmatch(r"    (\[\*\]|lane_\w+) --> (\[\*\]|lane_\w+)(?: : ([a-z() -]+))?", line)
        assert state or move, line
        if state:
            states[state[2]] = state[1]
        elif move:
            moves.append((move[1], move[2], move[3]))
    assert states == {f"lane_{lane}": lane for lane in profile.lanes}
    inner = [(states[source], states[target]) for source, target, _ in moves if "[*]" not in (source, target)]
    assert sorted(inner) == sorted(profile.moves)
    assert {states[target] for source, target, _ in moves if source == "[*]"} == {profile.initial, *profile.pre_seed}
    assert {states[source] for source, target, _ in moves if target == "[*]"} == profile.terminal
    for source, target, label in moves:
        if "[*]" not in (source, target):
            words = (label or "").split(" (")
            assert words[0] in (profile.moves[states[source], states[target]], "(rollback)")


@pytest.mark.parametrize("profile", EVERY, ids=NAMES)
def test_the_graph_has_every_lane_and_every_move_in_the_grammar_of_graphviz(profile: LaneProfile) -> None:
    first, *lines, last = to_dot(profile)
    assert (first, last) == (f'digraph "{profile.name}" {{', "}")
    nodes, edges = set(), []
    for line in lines[3:]:
        node = re.fullmatch(r'    "([a-z0-9_]+)"(?: \[peripheries=2\])?;', line)
        edge = re.fullmatch(r'    "([a-z0-9_()]+)" -> "([a-z0-9_]+)"(?: \[label="[a-z() -]+"\])?;', line)
        assert node or edge, line
        if node:
            nodes.add(node[1])
            assert ("peripheries" in line) == (node[1] in profile.terminal)
        elif edge:
            edges.append((edge[1], edge[2]))
    assert nodes == set(profile.lanes)
    assert sorted(edge for edge in edges if edge[0] != "(begin)") == sorted(profile.moves)
    assert {target for source, target in edges if source == "(begin)"} == {profile.initial, *profile.pre_seed}
