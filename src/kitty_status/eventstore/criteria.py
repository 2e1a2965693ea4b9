"""What an event must be to match, and the words that say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from kitty_status.eventstore.values import problem_of_text

if TYPE_CHECKING:
    from typing import TypeAlias

    from kitty_status.eventstore.event import Event

    Words: TypeAlias = "str | Iterable[str] | Unsaid"


class Unsaid(Enum):
    """Stands where a query says nothing; an empty list is something else, since no event has one of no words."""

    ANY = "any"

    def __repr__(self) -> str:
        return "ANY"


ANY = Unsaid.ANY


@dataclass(frozen=True, slots=True)
class Criterion:
    """What an event must be to match: all of these at once. An empty set asks for nothing.

    * `types`, `streams`, `ids`: the event has one of them
    * `tags`: for each pair of a key and values, the event has the key with one of the values
    """

    types: frozenset[str] = frozenset()
    streams: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    tags: tuple[tuple[str, frozenset[str]], ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether every event matches."""
        return not (self.types or self.streams or self.ids or self.tags)

    def matches(self, event: Event) -> bool:
        """Say whether an event is what is asked for."""
        return (
            (not self.types or event.type in self.types)
            and (not self.streams or event.stream in self.streams)
            and (not self.ids or event.id in self.ids)
            and all(_has(event.tags, key, values) for key, values in self.tags)
        )


def criterion_of(words: Mapping[str, Words], named: Mapping[str, Words], tags: object) -> Criterion | None:
    """Return what `types`, `streams` and `ids`, tags under their keys, and an object of tags come to.

    None stands for what no event can meet, because it names an empty list.

    Raises:
        TypeError, ValueError: something is no text; the message says where.
    """
    if not isinstance(tags, Mapping):
        raise TypeError(f"tags are {tags!r:.40}, and an object is expected")
    given = {name: _words(name, values) for name, values in words.items() if values is not ANY}
    clauses = [(key, _words(key, values)) for key, values in named.items() if values is not ANY]
    asked = [(_word("tags", key), _words(f"tags.{key}", values)) for key, values in tags.items()]
    if not all(given.values()) or not all(values for _, values in (*clauses, *asked)):
        return None
    clauses += [(key, frozenset([value])) for key, values in asked for value in values]
    return Criterion(**given, tags=tuple(sorted(clauses, key=lambda clause: (clause[0], sorted(clause[1])))))


def _has(tags: Mapping[str, str | list[str]], key: str, values: frozenset[str]) -> bool:
    found = tags.get(key)
    if isinstance(found, str):
        return found in values
    return found is not None and not values.isdisjoint(found)


def _words(name: str, values: object) -> frozenset[str]:
    if not isinstance(values, str | Iterable):
        raise TypeError(f"{name}: {values!r:.40} is a {type(values).__name__}, not text")
    return frozenset(_word(name, each) for each in ([values] if isinstance(values, str) else values))


def _word(name: str, value: object) -> str:
    problem = problem_of_text(value) or (None if value else "an event has no empty text")
    if problem:
        raise ValueError(f"{name}: {problem}")
    return str.__str__(value)
