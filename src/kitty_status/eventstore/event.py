"""An event: something that happened, recorded once and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

import msgspec

from kitty_status.clock import event_ids
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.values import canonical, copied

DEFAULT_STREAM = "default"
"""The stream of an event that names none."""

MAX_ID_LENGTH = 128
MAX_NAME_LENGTH = 255

Tags: TypeAlias = "Mapping[str, str | list[str]]"

_NEITHER_BEGINS_NOR_ENDS = " \t"
_MOST_NAMES = 10_000
_names: set[str] = set()


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is to be appended.

    * `type` says what happened, in at most 255 characters
    * `data` is any JSON value, usually an object
    * `stream` is the history that it belongs to: one session, one task
    * `tags` are what it can be found by: each key has one value or a list of them
    * `metadata` is about the record: `user_id`, `correlation_id`, `causation_id`, ...
    * `id` makes a repeated append harmless; one is minted where it is left out, which no repetition has
    * `at` is when it happened; the moment of the append where it is left out
    * `version` is the one that it must get in its stream; whichever comes next where it is left out
    """

    type: str
    data: Any = {}
    stream: str = DEFAULT_STREAM
    tags: Tags = {}
    metadata: Mapping[str, Any] = {}
    id: str | None = None
    at: datetime | None = None
    version: int | None = None


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event that is stored.

    * `position` is its place in the store: the first has 1, and there is no gap
    * `version` is its place in its stream: the first has 1, and there is no gap
    * `at` is in UTC, to the microsecond; as JSON it is called `ts`

    Two events are equal if all their fields are. What `data`, `tags` and `metadata` hold belongs to whoever was
    given the event: to change it changes nothing that is stored.
    """

    # Not watched by the garbage collector: no event is part of a circle, and reading many would wake it all the time.
    position: int
    id: str
    type: str
    stream: str
    version: int
    at: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="ts")
    data: Any = {}
    tags: dict[str, str | list[str]] = {}
    metadata: dict[str, Any] = {}

    def __hash__(self) -> int:
        return hash((self.id, self.position))


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A valid event on its way into a store: everything is decided but its position and version.

    `is_fresh`: its id was minted for this append, so no store can hold it. `states_time`: the caller gave `at`.
    """

    id: str
    type: str
    stream: str
    at: datetime
    data: Any
    tags: dict[str, str | list[str]]
    metadata: dict[str, Any]
    version: int | None
    is_fresh: bool
    states_time: bool

    def stored(self, position: int, version: int) -> Event:
        """Return the event with its place."""
        return Event(
            position=position,
            id=self.id,
            type=self.type,
            stream=self.stream,
            version=version,
            at=self.at,
            data=self.data,
            tags=self.tags,
            metadata=self.metadata,
        )

    def differs_from(self, event: Event) -> list[str]:
        """Return the names of the fields in which this is another event than a stored one of the same id."""
        names = ["type", "stream", "data", "tags", "metadata", *(["at"] if self.states_time else [])]
        return [name for name in names if not _is_same(getattr(self, name), getattr(event, name))]


def _is_same(one: Any, other: Any) -> bool:
    return one == other if isinstance(one, datetime | str) else canonical(one) == canonical(other)


def drafted(event: NewEvent | Event) -> Draft:
    """Check an event, and return what is to be stored of it.

    A stored `Event` is taken with its id and its time, and gets the position and version that come next: this is how
    events are copied from one store to another.

    Raises:
        EventStoreError: VALIDATION_FAILED, with the field in `context["field"]`.
    """
    is_fresh = event.id is None
    event_id = event_ids.mint() if event.id is None else _text(event.id, "id", MAX_ID_LENGTH)
    return Draft(
        id=event_id,
        type=_name(event.type, "type"),
        stream=_name(event.stream, "stream"),
        at=datetime.now(UTC) if event.at is None else _instant(event.at),
        data=_json(event.data, "data") if event.data else _empty(event.data),
        tags=_tags(event.tags),
        metadata=_object(event.metadata, "metadata"),
        version=_version(event.version) if isinstance(event, NewEvent) else None,
        is_fresh=is_fresh,
        states_time=event.at is not None,
    )


def refused(field: str, why: str) -> EventStoreError:
    """Return the error for an event whose `field` cannot be stored."""
    return EventStoreError(
        StoreCode.VALIDATION_FAILED, f"the event's {field} {why}", hint="correct it; nothing was appended", field=field
    )


def _text(value: object, field: str, longest: int) -> str:
    if not isinstance(value, str):
        raise refused(field, f"is a {type(value).__name__}, not text")
    if not value:
        raise refused(field, "is empty")
    if len(value) > longest:
        raise refused(field, f"has {len(value)} characters, and at most {longest} are kept")
    if not value.isprintable() or value[0] in _NEITHER_BEGINS_NOR_ENDS or value[-1] in _NEITHER_BEGINS_NOR_ENDS:
        raise refused(field, f"{value!a} begins or ends with a space, or holds a character that cannot be printed")
    return str.__str__(value)


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise refused("at", f"is a {type(value).__name__}, not a datetime")
    if value.tzinfo is None:
        raise refused("at", "names no time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise refused("at", "lies beyond the calendar") from None


def _version(value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise refused("version", f"is {value!r}, and the first version is 1")
    return value


def _json(value: Any, field: str) -> Any:
    try:
        return copied(value, field)
    except ValueError as error:
        raise EventStoreError(
            StoreCode.VALIDATION_FAILED, str(error), hint="correct it; nothing was appended", field=field
        ) from error


def _empty(value: Any) -> Any:
    """Return a JSON value that is false in Python: these are checked as all others, without their encoding."""
    if isinstance(value, dict | list | tuple):
        return {} if isinstance(value, dict) else []
    return value if value is None or type(value) in (bool, int, str) else _json(value, "data")


def _object(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise refused(field, f"is a {type(value).__name__}, not an object")
    if not value:
        return {}
    copy: dict[str, Any] = _json(dict(value), field)
    return copy


def _name(value: object, field: str) -> str:
    """Return a name, which is the same in many events: what has been checked is remembered."""
    if value.__class__ is str and value in _names:
        return value
    name = _text(value, field, MAX_NAME_LENGTH)
    if len(_names) >= _MOST_NAMES:
        _names.clear()
    _names.add(name)
    return name


def _tags(value: object) -> dict[str, str | list[str]]:
    if value.__class__ is dict and all(each.__class__ is str for each in value.values()):
        return {_name(key, "tags"): _name(text, f"tags.{key}") for key, text in value.items()}
    tags = _object(value, "tags")
    for key, given in tags.items():
        _name(key, "tags")
        values = given if isinstance(given, list) else [given]
        if not values:
            raise refused("tags", f"name {key!a} without a value")
        for each in values:
            _name(each, f"tags.{key}")
        if len(set(values)) != len(values):
            raise refused("tags", f"name a value of {key!a} twice")
    return tags
