"""Lane profiles that a repository defines itself: from what its configuration says to rules that hold together.

Nothing is read here. Who reads the file hands in what it says together with the line of each part,
so that every mistake can be named by its place, all of them in one go.
"""

from __future__ import annotations

from kitty_status.status.lanes import GUARDS, NO_GUARD, PROFILES, LaneProfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

KEYS = ("lanes", "initial", "pre_seed", "terminal", "aliases", "rollbacks", "moves")
_MOVE_KEYS = ("from", "to", "guard")
_PAIR = 2
_RESERVED = frozenset({"auto", *PROFILES})
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


class Node:
    """A part of the configuration: a dict of nodes, a list of nodes or a plain value, and the line it stands on."""

    __slots__ = ("line", "value")

    def __init__(self, value: Any, line: int) -> None:
        self.value = value
        self.line = line


class Mistake:
    """What is wrong with a profile, where, and whether it can be lived with."""

    __slots__ = ("is_warning", "line", "message")

    def __init__(self, line: int, message: str, *, is_warning: bool = False) -> None:
        self.line = line
        self.message = message
        self.is_warning = is_warning


def profiles_in(node: Node) -> tuple[dict[str, LaneProfile], list[Mistake]]:
    """Return the profiles that `node` defines, by name, and every mistake in them by line.

    A profile with a mistake that is no warning is not among those returned.
    """
    if not isinstance(node.value, dict):
        return {}, [Mistake(node.line, "profiles must map names to profiles")]
    profiles, mistakes = {}, []
    for name, own in node.value.items():
        reader = _Reader(name, own)
        profile = reader.profile()
        mistakes += reader.mistakes
        if profile is not None:
            profiles[name] = profile
    return profiles, sorted(mistakes, key=lambda mistake: mistake.line)


def is_lane_name(name: object) -> bool:
    """Say whether a lane may be called so: lower case ASCII letters, digits and `_`, beginning with a letter."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 40  # noqa: PLR2004  a board has columns
        and name[0].isalpha()
        and _NAME_CHARACTERS.issuperset(name)
    )


class _Reader:
    """Reads one profile and collects what is wrong with it."""

    def __init__(self, name: str, node: Node) -> None:
        self._name = name
        self._node = node
        self._parts: dict[str, Node] = node.value if isinstance(node.value, dict) else {}
        self._lanes: dict[str, int] = {}
        self._moves: dict[tuple[str, str], str] = {}
        self.mistakes: list[Mistake] = []

    def profile(self) -> LaneProfile | None:
        """Return the profile, None where a mistake stands in the way."""
        self._check_name()
        if not isinstance(self._node.value, dict):
            self._wrong(self._node, "must be a mapping with lanes and moves")
            return None
        for key, part in self._parts.items():
            if key not in KEYS:
                self._wrong(part, f"unknown key {key}; known are {', '.join(KEYS)}")
        self._read_lanes()
        initial = self._read_initial()
        pre_seed = list(self._lanes_in("pre_seed"))
        terminal = list(self._lanes_in("terminal"))
        aliases = self._read_aliases()
        self._read_moves(terminal)
        rollbacks = self._read_rollbacks()
        if any(not mistake.is_warning for mistake in self.mistakes):
            return None
        self._look_for_lost_lanes([initial, *pre_seed], terminal)
        return LaneProfile(
            self._name,
            lanes=tuple(self._lanes),
            moves=self._moves,
            rollbacks=rollbacks,
            terminal=terminal,
            initial=initial,
            pre_seed=pre_seed,
            aliases=aliases,
        )

    def _wrong(self, node: Node, message: str, *, is_warning: bool = False) -> None:
        self.mistakes.append(Mistake(node.line, f"profile {self._name}: {message}", is_warning=is_warning))

    def _check_name(self) -> None:
        if self._name in _RESERVED:
            self._wrong(self._node, "this name is taken; give it another one")
        elif not is_lane_name(self._name.replace("-", "_")):
            self._wrong(self._node, "its name must be of lower case letters, digits and -")

    def _items(self, key: str) -> list[Node]:
        part = self._parts.get(key)
        if part is None:
            return []
        if not isinstance(part.value, list):
            self._wrong(part, f"{key} must be a list")
            return []
        return part.value

    def _read_lanes(self) -> None:
        if "lanes" not in self._parts:
            self._wrong(self._node, "lanes are missing")
        for item in self._items("lanes"):
            if not is_lane_name(item.value):
                self._wrong(item, f"{item.value!a} is no name for a lane: lower case letters, digits and _")
            elif item.value in self._lanes:
                self._wrong(item, f"the lane {item.value} is there twice")
            else:
                self._lanes[item.value] = item.line
        if "lanes" in self._parts and self._parts["lanes"].value == []:
            self._wrong(self._parts["lanes"], "there must be lanes")

    def _read_initial(self) -> str:
        part = self._parts.get("initial")
        if part is None:
            self._wrong(self._node, "initial is missing: the lane in which work begins")
            return ""
        return self._lane(part, "initial") or ""

    def _lane(self, node: Node, what: str) -> str | None:
        if isinstance(node.value, str) and node.value in self._lanes:
            return node.value
        shown = node.value if isinstance(node.value, str | int | float) else "this"
        self._wrong(node, f"{what}: {shown!a} is no lane of this profile")
        return None

    def _lanes_in(self, key: str) -> Iterator[str]:
        seen = set()
        for item in self._items(key):
            lane = self._lane(item, key)
            if lane in seen:
                self._wrong(item, f"{key}: {lane} is there twice")
            elif lane is not None:
                seen.add(lane)
                yield lane

    def _read_aliases(self) -> dict[str, str]:
        part = self._parts.get("aliases")
        aliases: dict[str, str] = {}
        if part is None:
            return aliases
        if not isinstance(part.value, dict):
            self._wrong(part, "aliases must map other spellings to lanes")
            return aliases
        for alias, node in part.value.items():
            lane = self._lane(node, f"alias {alias}")
            if alias in self._lanes:
                self._wrong(node, f"the alias {alias} is the name of a lane")
            elif not is_lane_name(alias):
                self._wrong(node, f"the alias {alias!a} must be of lower case letters, digits and _")
            elif lane is not None:
                aliases[alias] = lane
        return aliases

    def _read_moves(self, terminal: list[str]) -> None:
        if "moves" not in self._parts:
            self._wrong(self._node, "moves are missing")
        for item in self._items("moves"):
            if not isinstance(item.value, dict):
                self._wrong(item, "a move must be written as {from: LANE, to: LANE, guard: GUARD}")
                continue
            for key in item.value:
                if key not in _MOVE_KEYS:
                    self._wrong(item, f"unknown key {key} of a move; known are {', '.join(_MOVE_KEYS)}")
            self._read_move(item, terminal)

    def _read_move(self, item: Node, terminal: list[str]) -> None:
        guard = self._guard(item)
        sources, targets = self._ends(item, "from"), self._ends(item, "to")
        for source in sources:
            if source in terminal:
                self._wrong(item, f"{source} is terminal, and this move leaves it")
            for target in targets:
                if source == target:
                    self._wrong(item, f"a move from {source} to itself changes nothing")
                elif (source, target) in self._moves:
                    self._wrong(item, f"the move from {source} to {target} is there twice")
                self._moves[source, target] = guard

    def _guard(self, item: Node) -> str:
        node = item.value.get("guard")
        if node is None or node.value is None:
            return NO_GUARD
        if not isinstance(node.value, str) or node.value not in GUARDS:
            self._wrong(node, f"{node.value!a} is no guard; guards are {', '.join(GUARDS)}")
            return NO_GUARD
        return node.value

    def _ends(self, item: Node, key: str) -> list[str]:
        """Return the lanes at one end of a move, which may be one lane or a list of them."""
        node = item.value.get(key)
        if node is None:
            self._wrong(item, f"a move without {key}")
            return []
        nodes = node.value if isinstance(node.value, list) else [node]
        lanes = [self._lane(each, f"move {key}") for each in nodes]
        return [lane for lane in lanes if lane is not None]

    def _read_rollbacks(self) -> list[tuple[str, str]]:
        rollbacks = []
        for item in self._items("rollbacks"):
            if not isinstance(item.value, list) or len(item.value) != _PAIR:
                self._wrong(item, "a rollback must be written as [FROM, TO]")
                continue
            source, target = (self._lane(end, "rollback") for end in item.value)
            if source is None or target is None:
                continue
            rollbacks.append((source, target))
            if (source, target) not in self._moves:
                message = f"the rollback from {source} to {target} is no legal move: only force makes it"
                self._wrong(item, message, is_warning=True)
        return rollbacks

    def _look_for_lost_lanes(self, first: list[str], terminal: list[str]) -> None:
        reached = set(first)
        waiting = list(first)
        while waiting:
            lane = waiting.pop()
            for target in (to for source, to in self._moves if source == lane and to not in reached):
                reached.add(target)
                waiting.append(target)
        left = {source for source, _ in self._moves}
        for lane, line in self._lanes.items():
            place = Node(lane, line)
            if lane not in reached:
                self._wrong(place, f"no move leads to {lane}: only force reaches it", is_warning=True)
            if lane not in left and lane not in terminal:
                self._wrong(place, f"no move leaves {lane}, and it is not terminal", is_warning=True)
