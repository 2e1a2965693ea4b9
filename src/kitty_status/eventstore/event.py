"""An event: something that happened, recorded once and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec

from kitty_status.eventstore.values import canonical

DEFAULT_STREAM = "default"
"""The stream of an event that names none."""

MAX_ID_LENGTH = 128
MAX_NAME_LENGTH = 255

Tags: TypeAlias = "Mapping[str, str | list[str]]"


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


class Draft(msgspec.Struct, frozen=True, gc=False):
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
        return Event(position, self.id, self.type, self.stream, version, self.at, self.data, self.tags, self.metadata)

    def differs_from(self, event: Event) -> list[str]:
        """Return the names of the fields in which this is another event than a stored one of the same id."""
        names = ["type", "stream", "data", "tags", "metadata", *(["at"] if self.states_time else [])]
        return [name for name in names if not _is_same(getattr(self, name), getattr(event, name))]


def _is_same(one: Any, other: Any) -> bool:
    return one == other if isinstance(one, datetime | str) else canonical(one) == canonical(other)
