"""Which events are asked for, in which order, and how many: the same words for every backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from kitty_status.eventstore.criteria import ANY, Criterion, Unsaid, criterion_of
from kitty_status.eventstore.cursor import read_cursor, sort_key, written_cursor
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.values import GREATEST
from kitty_status.status.instants import parse_instant

if TYPE_CHECKING:
    from kitty_status.eventstore.criteria import Words
    from kitty_status.eventstore.event import Event

_Choice = TypeVar("_Choice", bound=StrEnum)

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
_MAY_BE_LEFT_OUT = ("before", "limit")


class Order(StrEnum):
    """By what the events of an answer are sorted; where they are equal in it, by position."""

    POSITION = "position"
    TIMESTAMP = "timestamp"
    TYPE = "type"


class Direction(StrEnum):
    """Whether the answer begins with the least or with the greatest."""

    FORWARDS = "asc"
    BACKWARDS = "desc"


@dataclass(frozen=True, kw_only=True, eq=False)
class EventQuery:
    """Which events are asked for. A query that says nothing asks for all of them, from the first.

    * `types`, `streams`, `ids`: a word or several; the event has one of them
    * `tags`: all of them; where a key comes with several values, the event has each of these
    * `issue_ids`, `pr_ids`, `user_ids`, `providers`, `platforms`: the event has one of the values under the tag
      `issueId`, `prId`, `userId`, `provider`, `platform`
    * `any_of`: other queries; an event that meets what stands above, or what one of them says, matches
    * an empty list, wherever it stands, finds nothing: whoever computes what is allowed, and finds that nothing is,
      must not be given the whole log. What is left out does not limit the answer
    * `start`, `end`: when it happened, from `start` on and before `end`; datetimes or ISO 8601, with a zone
    * `after`, `before`: its position is greater, or less; `after_version`: its version in its stream is greater
    * `order_by` and `direction`: how the answer is sorted; `limit` and `offset`: how much of it is wanted
    * `cursor`: go on behind the event that `cursor_of` was given, in the same order

    Two queries are equal if they ask for the same.

    Raises:
        EventStoreError: QUERY_ERROR, when it is made: a value makes no sense.
    """

    types: Words = ANY
    streams: Words = ANY
    ids: Words = ANY
    tags: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    issue_ids: Words = ANY
    pr_ids: Words = ANY
    user_ids: Words = ANY
    providers: Words = ANY
    platforms: Words = ANY
    any_of: Iterable[EventQuery] | Unsaid = ANY
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
    criteria: tuple[Criterion, ...] = field(init=False, repr=False)
    """What `types` to `any_of` come to: an event matches if it meets one of them; none asks for nothing."""
    finds_nothing: bool = field(init=False, repr=False)
    """Whether no event can match, because of an empty list. Backends see it as `before`: no position is less than 0."""

    def __post_init__(self) -> None:
        """Bring every value into the form in which backends read it."""
        try:
            self._set("order_by", _member(Order, "order_by", self.order_by))
            self._set("direction", _member(Direction, "direction", self.direction))
            self._set("start", _instant(self.start))
            self._set("end", _instant(self.end))
            found = self._alternatives()
        except (ValueError, TypeError, OverflowError) as error:
            raise query_error(str(error)) from error
        self._check_numbers()
        if self.cursor is not None:
            read_cursor(self.cursor, self.order)
        self._set("finds_nothing", not found)
        if not found:
            self._set("before", 0)
        is_everything = any(criterion.is_everything for criterion in found)
        self._set("criteria", () if is_everything else tuple(dict.fromkeys(found)))

    def _alternatives(self) -> list[Criterion]:
        """Return what an event may meet, each time in full; no alternative at all is met by none."""
        words: dict[str, Words] = {"types": self.types, "streams": self.streams, "ids": self.ids}
        named: dict[str, Words] = {tag: getattr(self, name) for name, tag in NAMED_TAGS.items()}
        own = criterion_of(words, named, self.tags)
        found = [] if own is None else [own]
        if self.any_of is ANY:
            return found
        if isinstance(self.any_of, EventQuery | str) or not isinstance(self.any_of, Iterable):
            raise TypeError(f"any_of is a {type(self.any_of).__name__}, and a list of queries is expected")
        self._set("any_of", tuple(self.any_of))
        # What says nothing is no alternative to what does.
        found = [criterion for criterion in found if not criterion.is_everything]
        return found + [criterion for query in self.any_of for criterion in _alone(query)]

    def _check_numbers(self) -> None:
        for name in ("after", "before", "after_version", "limit", "offset"):
            value = getattr(self, name)
            if not is_number(value, 0) and (value is not None or name not in _MAY_BE_LEFT_OUT):
                raise query_error(f"{name} is {value!r:.40}, and a whole number from 0 on, below 2**62, is expected")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, EventQuery) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

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
            if self.finds_nothing:
                found._set("before", 0)
            found._check_numbers()
            return found
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked when it is made


def query_error(message: str) -> EventStoreError:
    """Return the error for a query that makes no sense."""
    return EventStoreError(StoreCode.QUERY_ERROR, message, hint="correct the query")


def query_of(value: object) -> EventQuery:
    """Return what is a query.

    Raises:
        EventStoreError: QUERY_ERROR: it is none.
    """
    if not isinstance(value, EventQuery):
        raise query_error(f"{value!r:.40} is a {type(value).__name__}, and an EventQuery is expected")
    return value


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
    names = (name for name in _OF_THE_WHOLE if not (query.finds_nothing and name == "before"))
    if any(getattr(query, name) != getattr(EVERYTHING, name) for name in names):
        raise ValueError("a query in any_of may name types, streams, ids and tags; the rest stands outside")
    return query.criteria or (() if query.finds_nothing else (Criterion(),))


def _instant(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    moment = parse_instant(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise TypeError(f"{moment!r} is no datetime, and no text of one")
    if moment.tzinfo is None:
        raise ValueError(f"{moment} names no time zone")
    return moment.astimezone(UTC)


def _member(kind: type[_Choice], name: str, value: object) -> _Choice:
    if value in [*kind]:
        return kind(str(value))
    raise ValueError(f"{name} is {value!r:.40}, and may be {', '.join(kind)}")


EVERYTHING = EventQuery()
"""All events, from the first."""
