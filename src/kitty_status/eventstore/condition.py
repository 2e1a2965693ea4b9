"""What must hold for an append: the bounds inside of which two writers cannot both be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.query import Order, is_number, query_error, query_of
from kitty_status.eventstore.values import problem_of_text

if TYPE_CHECKING:
    from kitty_status.eventstore.query import EventQuery

NO_STREAM = 0
"""The version of a stream that has no event yet."""

ANY_VERSION = None
"""The stream may be anywhere."""

ExpectedVersion: TypeAlias = "int | Mapping[str, int] | None"
"""The version of the stream that all events of the append belong to, or of each stream by its name."""


@dataclass(frozen=True, slots=True)
class AppendCondition:
    """Append only if no event matches `fail_if` whose position is greater than `after`.

    Read what a decision rests on with a query, and append what was decided with the same query and the store's head at
    the time of reading: whoever was faster with an event that matters makes the append fail. (A dynamic consistency
    boundary, https://dcb.events/specification/.)

    Raises:
        EventStoreError: QUERY_ERROR, when it is made: the query is limited or begins behind a cursor.
    """

    fail_if: EventQuery
    after: int = 0

    def __post_init__(self) -> None:
        """Refuse a query that could overlook an event."""
        query = query_of(self.fail_if)
        if query.limit is not None or query.offset or query.cursor or query.order is not Order.POSITION:
            raise query_error("a condition takes no limit, offset, cursor or other order: it asks for any event")
        if not is_number(self.after, 0):
            raise query_error(f"after is {self.after!r:.40}, and a position from 0 on is expected")

    @property
    def query(self) -> EventQuery:
        """The query whose first answer makes the append fail."""
        return self.fail_if.narrowed(after=max(self.after, self.fail_if.after), limit=1)


def check_condition(condition: object) -> None:
    """Refuse what is no condition, before it meets the appends of others.

    Raises:
        EventStoreError: VALIDATION_FAILED.
    """
    if condition is not None and not isinstance(condition, AppendCondition):
        raise EventStoreError(
            StoreCode.VALIDATION_FAILED,
            f"the condition is a {type(condition).__name__}, and an AppendCondition is expected",
            hint="write AppendCondition(fail_if=query, after=position); nothing was appended",
        )


def expected_versions(expected: ExpectedVersion, streams: set[str]) -> dict[str, int]:
    """Return the version that each stream must be at, for an append to `streams`.

    Raises:
        EventStoreError: VALIDATION_FAILED: one number for several streams, or a negative one.
    """
    if expected is None:
        return {}
    if isinstance(expected, Mapping):
        versions = dict(expected)
    elif len(streams) == 1:
        versions = {next(iter(streams)): expected}
    else:
        raise EventStoreError(
            StoreCode.VALIDATION_FAILED,
            f"one expected version for events of {len(streams)} streams",
            hint="give a version for each stream, by its name",
            streams=sorted(streams),
        )
    for stream, version in versions.items():
        problem = problem_of_text(stream)
        if problem:
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED,
                f"a version is expected of a stream, and {problem}",
                hint="name a stream",
                stream=ascii(stream),
            )
        if isinstance(version, bool) or not isinstance(version, int) or version < NO_STREAM:
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED,
                f"the expected version of {stream} is {version!r}",
                hint=f"{NO_STREAM} means that the stream has no event",
                stream=stream,
            )
    return versions
