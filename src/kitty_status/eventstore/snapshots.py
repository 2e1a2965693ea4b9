"""A state that was computed from a stream, kept so that the next reader need not compute it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.query import is_number, query_error
from kitty_status.eventstore.values import copied, problem_of_text


class StateSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a stream.

    * `version` is the stream's version that it was computed from, `position` that event's place in the store
    * `state` is any JSON value, `at` is when it was saved
    """

    stream: str
    version: int
    position: int
    state: Any
    at: datetime


def checked_state(state: Any) -> Any:
    """Return a state as it will be read back.

    Raises:
        EventStoreError: VALIDATION_FAILED: it is no JSON that every backend can keep.
    """
    try:
        return copied(state, "state")
    except ValueError as error:
        raise EventStoreError(
            StoreCode.VALIDATION_FAILED, str(error), hint="correct it; no snapshot was saved", field="state"
        ) from error


def check_place(stream: object, version: object) -> None:
    """Refuse what no stream, and no version of one, could be.

    Raises:
        EventStoreError: QUERY_ERROR.
    """
    problem = problem_of_text(stream)
    if problem:
        raise query_error(f"the stream is no name: {problem}")
    if not is_number(version, 0):
        raise query_error(f"the version is {version!r:.40}, and a whole number from 0 on is expected")


def check_bound(stream: object, max_version: object) -> None:
    """Refuse what no stream, and no greatest version of one that is asked for, could be.

    Raises:
        EventStoreError: QUERY_ERROR.
    """
    check_place(stream, 0 if max_version is None else max_version)


def no_such_version(stream: str, version: int, newest: int) -> EventStoreError:
    """Return the error for a snapshot of a version that the stream does not have."""
    return EventStoreError(
        StoreCode.VALIDATION_FAILED,
        f"stream {stream} has no version {version}: its newest is {newest}",
        hint="save the state of a version that was read",
        stream=stream,
        version=version,
        newest=newest,
    )
