"""A lane profile as something to look at: data, a table, and the diagrams that mermaid and graphviz draw."""

from __future__ import annotations

from kitty_status.status.lanes import GUARDS, NO_GUARD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kitty_status.status.lanes import LaneProfile


def describe(profile: LaneProfile) -> dict[str, Any]:
    """Return everything that a profile says, in plain JSON types; lanes and moves in the order of the board."""
    return {
        "name": profile.name,
        "lanes": list(profile.lanes),
        "initial": profile.initial,
        "pre_seed": list(profile.pre_seed),
        "terminal": [lane for lane in profile.lanes if lane in profile.terminal],
        "held": [lane for lane in profile.lanes if lane in profile.held],
        "aliases": dict(sorted(profile.aliases.items())),
        "rollbacks": [{"from": source, "to": target} for source, target in _in_order(profile, profile.rollbacks)],
        "moves": [
            {"from": source, "to": target, "guard": profile.moves[source, target] or None}
            for source, target in _in_order(profile, profile.moves)
        ],
        "guards": {guard: needs for guard, needs in GUARDS.items() if guard in profile.moves.values()},
    }


def to_text(profile: LaneProfile) -> list[str]:
    """Return the lines of a table of all moves with their guards, and what else the profile says below it."""
    rows = [
        (source, target, _label(profile, source, target) or "-") for source, target in _in_order(profile, profile.moves)
    ]
    table = [("from", "to", "guard"), *rows]
    left, middle = (max(len(row[column]) for row in table) for column in (0, 1))
    lines = [f"  {source:<{left}}  {target:<{middle}}  {guard}" for source, target, guard in table]
    lines += ["", f"begins in: {profile.initial}"]
    lines += [f"ends in: {_listed(profile, profile.terminal)}"] if profile.terminal else []
    lines += [f"before the first: {', '.join(profile.pre_seed)}"] if profile.pre_seed else []
    lines += [f"has a holder in: {_listed(profile, profile.held)}"] if profile.held else []
    lines += [f"alias: {alias} means {lane}" for alias, lane in sorted(profile.aliases.items())]
    forced = [move for move in _in_order(profile, profile.rollbacks) if move not in profile.moves]
    lines += [f"rollback, if forced with a review: {source} to {target}" for source, target in forced]
    used = [guard for guard in GUARDS if guard in profile.moves.values()]
    lines += ["", *(f"guard {guard} asks for {GUARDS[guard]}" for guard in used)] if used else []
    return lines


def to_mermaid(profile: LaneProfile) -> list[str]:
    """Return the lines of a `stateDiagram-v2`. Ids are prefixed, for a lane may be called as a word of mermaid's."""
    lines = ["stateDiagram-v2", *(f'    state "{lane}" as lane_{lane}' for lane in profile.lanes)]
    lines += [f"    [*] --> lane_{lane}" for lane in (profile.initial, *profile.pre_seed)]
    for source, target in _in_order(profile, profile.moves):
        label = _label(profile, source, target)
        lines.append(f"    lane_{source} --> lane_{target}" + (f" : {label}" if label else ""))
    lines += [f"    lane_{lane} --> [*]" for lane in profile.lanes if lane in profile.terminal]
    return lines


def to_dot(profile: LaneProfile) -> list[str]:
    """Return the lines of a directed graph in graphviz's language; every id is quoted."""
    lines = [
        f'digraph "{profile.name}" {{',
        "    rankdir=LR;",
        "    node [shape=box, style=rounded];",
        '    "(begin)" [shape=point, label=""];',
    ]
    lines += [f'    "{lane}"{_shape(profile, lane)};' for lane in profile.lanes]
    lines += [f'    "(begin)" -> "{lane}";' for lane in (profile.initial, *profile.pre_seed)]
    for source, target in _in_order(profile, profile.moves):
        label = _label(profile, source, target)
        lines.append(f'    "{source}" -> "{target}"' + (f' [label="{label}"];' if label else ";"))
    return [*lines, "}"]


def _shape(profile: LaneProfile, lane: str) -> str:
    return " [peripheries=2]" if lane in profile.terminal else ""


def _label(profile: LaneProfile, source: str, target: str) -> str:
    guard = profile.moves[source, target]
    words = [] if guard == NO_GUARD else [guard]
    return " ".join([*words, "(rollback)"] if (source, target) in profile.rollbacks else words)


def _listed(profile: LaneProfile, lanes: frozenset[str]) -> str:
    return ", ".join(lane for lane in profile.lanes if lane in lanes)


def _in_order(profile: LaneProfile, moves: Any) -> list[tuple[str, str]]:
    rank = {lane: position for position, lane in enumerate(profile.lanes)}
    return sorted(moves, key=lambda move: (rank[move[0]], rank[move[1]]))
