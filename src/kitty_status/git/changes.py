"""What installing or removing does to a clone, as a list that can be shown before it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Action = Literal["create", "update", "remove", "keep", "manual"]
State = Literal["installed", "missing", "outdated", "foreign"]

_STATES: dict[Action, State] = {
    "create": "missing",
    "update": "outdated",
    "remove": "outdated",
    "keep": "installed",
    "manual": "foreign",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing in a clone (a path or a configuration key) and what happens to it.

    `keep` is there already, `manual` is for a person to do; `details` are lines to show below it.
    """

    what: str
    action: Action
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that an installation consists of, and how it is found in a clone."""

    what: str
    state: State
    details: tuple[str, ...] = ()


def _nothing() -> None:
    """Do what `keep` and `manual` ask of us."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change and the doing of it, together so that what is announced is what is done."""

    change: Change
    run: Callable[[], object] = field(default=_nothing)
    # What the status says, where it does not follow from the action.
    state: State | None = None

    def item(self) -> Item:
        """Return the state from which this step starts."""
        return Item(self.change.what, self.state or _STATES[self.change.action], self.change.details)
