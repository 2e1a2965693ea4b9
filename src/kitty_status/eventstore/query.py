"""Which events are asked for, in which order, and how many: the same words for every backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from kitty_status.eventstore.cursor import read_cursor, sort_key, written_cursor
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.values import GREATEST, problem_of_text
from kitty_status.status.instants import parse_instant

if TYPE_CHECKING:
    from typing import TypeAlias

    from kitty_status.eventstore.event import Event

    Words: TypeAlias = "str | Iterable[str]"

NAMED_TAGS = {
    "issue_ids": "issueId",
    "pr_ids": "prId",
    "user_ids": "userId",
    "providers": "provider",
    "platforms": "platform",
}
"""The parameters of a query that stand for a tag, and that tag's key."""

# What whoever reads on, or asks for a page, changes.
_PLACES = {"after", "before", "limit"}
_OF_THE_WHOLE = (
    "start",
    "end",
    "after",
    "before",
    "after_version",
    "order_by",
    "direction",
    "limit",
    "offset",
    "cursor",
)


class Order(StrEnum):
    """By what the events of an answer are sorted; where they are equal in it, by position."""

    POSITION = "position"
    TIMESTAMP = "timestamp"
    TYPE = "type"


class Direction(StrEnum):
    """Whether the answer begins with the least or with the greatest."""

    FORWARDS = "asc"
    BACKWARDS = "desc"


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


def _has(tags: Mapping[str, str | list[str]], key: str, values: frozenset[str]) -> bool:
    found = tags.get(key)
    if isinstance(found, str):
        return found in values
    return found is not None and not values.isdisjoint(found)


@dataclass(frozen=True, kw_only=True)
class EventQuery:
    """Which events are asked for. A query that says nothing asks for all of them, from the first.

    * `types`, `streams`, `ids`: a word or several; the event has one of them; none at all asks for nothing
    * `tags`: all of them; where a key comes with several values, the event has each of these
    * `issue_ids`, `pr_ids`, `user_ids`, `providers`, `platforms`: the event has one of the values under the tag
      `issueId`, `prId`, `userId`, `provider`, `platform`
    * `any_of`: other queries; an event that meets what stands above, or what one of them says, matches
    * `start`, `end`: when it happened, from `start` on and before `end`; datetimes or ISO 8601, with a zone
    * `after`, `before`: its position is greater, or less; `after_version`: its version in its stream is greater
    * `order_by` and `direction`: how the answer is sorted; `limit` and `offset`: how much of it is wanted
    * `cursor`: go on behind the event that `cursor_of` was given, in the same order

    Raises:
        EventStoreError: QUERY_ERROR, when it is made: a value makes no sense.
    """

    types: Words = ()
    streams: Words = ()
    ids: Words = ()
    tags: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    issue_ids: Words = ()
    pr_ids: Words = ()
    user_ids: Words = ()
    providers: Words = ()
    platforms: Words = ()
    any_of: tuple[EventQuery, ...] = ()
    start: datetime | str | None = None
    end: datetime | str | None = None
    after: int = 0
    before: int | None = None
    after_version: int = 0
    order_by: Order | str = Order.POSITION
    direction: Direction | str = Direction.FORWARDS
    limit: int | None = None
    offset: int = 0
    cursor: str | None = None
    criteria: tuple[Criterion, ...] = field(init=False, repr=False, compare=False)
    """What `types` to `any_of` come to: an event matches if it meets one of them; none asks for nothing."""

    def __post_init__(self) -> None:
        """Bring every value into the form in which backends read it."""
        try:
            self._set("order_by", Order(self.order_by))
            self._set("direction", Direction(self.direction))
            self._set("start", _instant(self.start))
            self._set("end", _instant(self.end))
            self._set("any_of", tuple(self.any_of))
            self._set("criteria", self._criteria())
        except (ValueError, TypeError, OverflowError) as error:
            raise query_error(str(error)) from error
        self._check_numbers()
        if self.cursor is not None:
            read_cursor(self.cursor, self.order)

    def _check_numbers(self) -> None:
        for name, least in (("after", 0), ("before", 0), ("after_version", 0), ("limit", 0), ("offset", 0)):
            value = getattr(self, name)
            if value is not None and not is_number(value, least):
                raise query_error(
                    f"{name} is {value!r:.40}, and a whole number from {least} on, below 2**62, is expected"
                )

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _criteria(self) -> tuple[Criterion, ...]:
        if not isinstance(self.tags, Mapping):
            raise TypeError(f"tags are {self.tags!r:.40}, and an object is expected")
        clauses = [(_word(key), frozenset([value])) for key, values in self.tags.items() for value in _words(values)]
        named = [(tag, _words(getattr(self, name))) for name, tag in NAMED_TAGS.items()]
        clauses += [(tag, values) for tag, values in named if values]
        own = Criterion(_words(self.types), _words(self.streams), _words(self.ids), tuple(sorted(clauses, key=_key)))
        others = [criterion for query in self.any_of for criterion in _alone(query)]
        found = [*([] if own.is_everything and others else [own]), *others]
        return () if any(criterion.is_everything for criterion in found) else tuple(dict.fromkeys(found))

    @property
    def key(self) -> tuple[object, ...]:
        """What two queries have in common that have the same answers."""
        return (self.criteria, *(getattr(self, name) for name in _OF_THE_WHOLE))

    @property
    def order(self) -> Order:
        """By what the answer is sorted."""
        return Order(self.order_by)

    @property
    def is_backwards(self) -> bool:
        """Whether the greatest comes first."""
        return self.direction is Direction.BACKWARDS

    @property
    def earliest(self) -> datetime | None:
        """The first instant that is asked for, in UTC."""
        return self.start if isinstance(self.start, datetime) else None

    @property
    def latest(self) -> datetime | None:
        """The instant before which everything must have happened, in UTC."""
        return self.end if isinstance(self.end, datetime) else None

    @property
    def behind(self) -> tuple[str | int, int] | None:
        """The sort key and the position of the event behind which the answer goes on."""
        return None if self.cursor is None else read_cursor(self.cursor, self.order)

    def matches(self, event: Event) -> bool:
        """Say whether an event is asked for, whatever the order, the limit, the offset and the cursor."""
        if event.position <= self.after or event.version <= self.after_version:
            return False
        if self.before is not None and event.position >= self.before:
            return False
        start, end = self.earliest, self.latest
        if (start is not None and event.at < start) or (end is not None and event.at >= end):
            return False
        return not self.criteria or any(criterion.matches(event) for criterion in self.criteria)

    def cursor_of(self, event: Event) -> str:
        """Return the cursor with which this query goes on behind an event of its answer."""
        return written_cursor(self.order, sort_key(event, self.order), event.position)

    def narrowed(self, **changes: object) -> EventQuery:
        """Return the query with other values in place of these."""
        if changes.keys() <= _PLACES:
            # Whoever reads on asks for this often, and nothing else has to be brought into form again.
            found = object.__new__(EventQuery)
            found.__dict__.update(self.__dict__, **changes)
            found._check_numbers()
            return found
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked when it is made


def query_error(message: str) -> EventStoreError:
    """Return the error for a query that makes no sense."""
    return EventStoreError(StoreCode.QUERY_ERROR, message, hint="correct the query")


def is_number(value: object, least: int) -> bool:
    """Say whether a value can count events."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < GREATEST


def instant_of(value: datetime | str) -> datetime:
    """Return an instant in UTC.

    Raises:
        EventStoreError: QUERY_ERROR: it is none.
    """
    moment = EventQuery(end=value).latest
    if moment is None:
        raise query_error(f"{value!r:.40} is no instant")
    return moment


def _alone(query: EventQuery) -> tuple[Criterion, ...]:
    """Return what a query comes to inside of another one, which decides on everything else."""
    if not isinstance(query, EventQuery):
        raise TypeError(f"any_of has {query!r:.40}, and queries are expected")
    if any(getattr(query, name) != getattr(EVERYTHING, name) for name in _OF_THE_WHOLE):
        raise ValueError("a query in any_of may name types, streams, ids and tags; the rest stands outside")
    return query.criteria or (Criterion(),)


def _instant(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    moment = parse_instant(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise TypeError(f"{moment!r} is no datetime, and no text of one")
    if moment.tzinfo is None:
        raise ValueError(f"{moment} names no time zone")
    return moment.astimezone(UTC)


def _words(values: Words) -> frozenset[str]:
    if values == ():
        return _NOTHING
    if not isinstance(values, str | Iterable):
        raise TypeError(f"{values!r:.40} is a {type(values).__name__}, not text")
    found = [values] if isinstance(values, str) else list(values)
    return frozenset(_word(each) for each in found)


_NOTHING: frozenset[str] = frozenset()


def _word(value: object) -> str:
    problem = problem_of_text(value)
    if problem or not value:
        raise ValueError(problem or "an event has no empty text")
    return str.__str__(value)


def _key(clause: tuple[str, frozenset[str]]) -> tuple[str, list[str]]:
    return clause[0], sorted(clause[1])


EVERYTHING = EventQuery()
"""All events, from the first."""
