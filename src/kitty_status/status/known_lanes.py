"""Which lanes an event may name: those of the shipped profiles, and those of profiles that a repository defines.

This is the one place that says so. Whoever reads the configuration says here which lanes it found
(`accept`); who would rather not read it unless an event asks for it says where to look
(`ask_if_unknown`). What was accepted stays accepted until the process ends: a lane is only a name here,
and whether the profile in force has it is asked by the rules (`unknown-lane`).
"""

from __future__ import annotations

from kitty_status.status.lanes import ALL_LANES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_known: set[str] = set(ALL_LANES)
_sources: dict[object, Callable[[], Iterable[str]]] = {}


def is_lane(name: object) -> bool:
    """Say whether an event may name this lane; the sources are asked, once, for a name that is not known yet."""
    if not isinstance(name, str):
        return False
    while name not in _known and _sources:
        _, source = _sources.popitem()
        _known.update(source())
    return name in _known


def accept(lanes: Iterable[str]) -> None:
    """Take these lanes for known from now on."""
    _known.update(lanes)


def ask_if_unknown(place: object, source: Callable[[], Iterable[str]]) -> None:
    """Have `source` asked, at most once, for the lanes of a place when an event names one that is not known."""
    _sources[place] = source


def known() -> list[str]:
    """Return the names of all lanes that are known by now, sorted."""
    return sorted(_known)


def forget() -> None:
    """Know the lanes of the shipped profiles only, as in the beginning."""
    _known.clear()
    _known.update(ALL_LANES)
    _sources.clear()
