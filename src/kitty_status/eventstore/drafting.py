"""Checking what is to be appended, before any backend sees it.

The events of a batch are checked a field at a time: what takes a call for one event takes one for all of them, and what
many have in common is looked at once. Where that finds something odd, each event is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from kitty_status.clock import event_ids
from kitty_status.eventstore.errors import EventStoreError, StoreCode, invalid
from kitty_status.eventstore.event import MAX_ID_LENGTH, MAX_NAME_LENGTH, Draft, Event, NewEvent
from kitty_status.eventstore.values import all_copied

if TYPE_CHECKING:
    from collections.abc import Sequence

_CORRECT = "correct it; nothing was appended"
_NEITHER_BEGINS_NOR_ENDS = " \t"
# Of a text that is an instance of some other program's subclass, what it says.
_plain = str.__str__
# So few texts are looked at one by one sooner than together.
_FEW = 4
# Names that were checked: many events have them in common.
_names: set[str] = set()
_MOST_NAMES = 10_000


def drafted(events: Iterable[NewEvent | Event]) -> tuple[Draft, ...]:
    """Check events, and return what is to be stored of them.

    A stored `Event` is taken with its id and its time, and gets the position and version that come next: this is how
    events are copied from one store to another. Those that state no time all happen now.

    Raises:
        EventStoreError: VALIDATION_FAILED, with the field in `context["field"]`.
    """
    events = _listed(events)
    if not events:
        return ()
    if len(events) == 1:
        return (_drafted_alone(events[0]),)
    now = datetime.now(UTC)
    given = [event.id for event in events]
    _check_texts((each for each in given if each is not None), "id", MAX_ID_LENGTH)
    minted = iter(event_ids.mint_many(given.count(None)))
    types = [event.type for event in events]
    _check_names(types, "type")
    streams = [event.stream for event in events]
    _check_names(streams, "stream")
    moments = [event.at for event in events]
    columns = zip(
        [next(minted) if each is None else _plain(each) for each in given],
        list(map(_plain, types)),
        list(map(_plain, streams)),
        [now if at is None else _instant(at) for at in moments],
        _json([event.data for event in events], "data"),
        _tags([event.tags for event in events]),
        _objects([event.metadata for event in events], "metadata"),
        [_version(event.version) if isinstance(event, NewEvent) else None for event in events],
        [each is None for each in given],
        [at is not None for at in moments],
        strict=True,
    )
    return tuple([Draft(*fields) for fields in columns])


def _listed(events: Iterable[NewEvent | Event]) -> Sequence[NewEvent | Event]:
    """Return the events of anything that can be gone through, once."""
    if isinstance(events, str | bytes | Mapping) or not isinstance(events, Iterable):
        raise invalid(f"{events!r:.40} is a {type(events).__name__}, and a list of events is expected", _CORRECT)
    found = events if isinstance(events, list | tuple) else list(events)
    if not {*map(type, found)} <= {NewEvent, Event}:
        for each in found:
            if not isinstance(each, NewEvent | Event):
                raise invalid(f"{each!r:.40} is a {type(each).__name__}, and a NewEvent is expected", _CORRECT)
    return found


def _drafted_alone(event: NewEvent | Event) -> Draft:
    """Check one event: what is laid out for many costs one of them more than it spares it."""
    given, at, tags, metadata = event.id, event.at, event.tags, event.metadata
    if given is not None:
        _check_text(given, "id", MAX_ID_LENGTH)
    _check_name(event.type, "type")
    _check_name(event.stream, "stream")
    return Draft(
        event_ids.mint_many(1)[0] if given is None else _plain(given),
        _plain(event.type),
        _plain(event.stream),
        datetime.now(UTC) if at is None else _instant(at),
        _json([event.data], "data")[0],
        _tags([tags])[0] if tags or type(tags) is not dict else {},
        _objects([metadata], "metadata")[0] if metadata or type(metadata) is not dict else {},
        _version(event.version) if isinstance(event, NewEvent) else None,
        given is None,
        at is not None,
    )


def refused(field: str, why: str) -> EventStoreError:
    """Return the error for an event whose `field` cannot be stored."""
    return EventStoreError(StoreCode.VALIDATION_FAILED, f"the event's {field} {why}", hint=_CORRECT, field=field)


def _check_texts(values: Iterable[object], field: str, longest: int) -> None:
    values = list(values)
    if len(values) < _FEW or not _are_all_well(values, longest):
        for value in values:
            _check_text(value, field, longest)


def _check_names(values: list[Any], field: str) -> None:
    if len(values) < _FEW or not _are_all_well(values, MAX_NAME_LENGTH):
        for value in values:
            _check_name(value, field)


def _check_name(value: object, field: str) -> None:
    if value.__class__ is str and value in _names:
        return
    _check_text(value, field, MAX_NAME_LENGTH)
    if len(_names) >= _MOST_NAMES:
        _names.clear()
    _names.add(str(value))


def _are_all_well(values: Iterable[object], longest: int) -> bool:
    """Say whether values are texts as `_check_text` wants them; it may say so of fewer than it could."""
    try:
        different: dict[Any, None] = dict.fromkeys(values)
        together = "|".join(different)
    except TypeError:
        return False
    return (
        {*map(type, different)} <= {str}
        and together.isprintable()
        and not any(odd in together for odd in ("||", "| ", " |"))
        and not together.startswith(("|", " "))
        and not together.endswith(("|", " "))
        and max(map(len, different), default=1) <= longest
        and ("" not in different)
    )


def _check_text(value: object, field: str, longest: int) -> None:
    if not isinstance(value, str):
        raise refused(field, f"is a {type(value).__name__}, not text")
    if not value:
        raise refused(field, "is empty")
    if len(value) > longest:
        raise refused(field, f"has {len(value)} characters, and at most {longest} are kept")
    if not value.isprintable() or value[0] in _NEITHER_BEGINS_NOR_ENDS or value[-1] in _NEITHER_BEGINS_NOR_ENDS:
        raise refused(field, f"{value!a} begins or ends with a space, or holds a character that cannot be printed")


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
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refused("version", f"is {value!r}, and the first version is 1")
    return value


def _json(values: list[Any], field: str) -> list[Any]:
    try:
        return all_copied(values, field)
    except ValueError as error:
        raise EventStoreError(StoreCode.VALIDATION_FAILED, str(error), hint=_CORRECT, field=field) from error


def _objects(values: list[Any], field: str) -> list[dict[str, Any]]:
    if any(type(value) is not dict for value in values):
        for value in values:
            if not isinstance(value, Mapping):
                raise refused(field, f"is a {type(value).__name__}, not an object")
        values = list(map(dict, values))
    return _json(values, field) if any(values) else [{} for _ in values]


def _tags(values: list[Any]) -> list[dict[str, str | list[str]]]:
    if _are_plain_tags(values):
        return list(map(dict, values))
    found = _objects(values, "tags")
    for tags in found:
        for key, given in tags.items():
            _check_tag(key, given)
    return found


def _are_plain_tags(values: list[Any]) -> bool:
    """Say whether all tags are plain texts under plain names; it may say so of fewer than it could."""
    if {*map(type, values)} != {dict}:
        return False
    texts = list(chain.from_iterable(chain.from_iterable(tags.items() for tags in values if tags)))
    if len(texts) < 2 * _FEW:
        return all(text.__class__ is str and text in _names for text in texts)
    return _are_all_well(texts, MAX_NAME_LENGTH)


def _check_tag(key: str, given: Any) -> None:
    _check_name(key, "tags")
    values = given if isinstance(given, list) else [given]
    if not values:
        raise refused("tags", f"name {key!a} without a value")
    for each in values:
        _check_name(each, f"tags.{key}")
    if len(set(values)) != len(values):
        raise refused("tags", f"name a value of {key!a} twice")
