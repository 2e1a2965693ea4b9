"""The place behind which a query goes on, as a text that a client may keep and send back.

A cursor names the event that was read last, by what the answer is sorted by, so that events which were appended
meanwhile neither repeat nor hide others, as they would with an offset.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import msgspec

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.values import GREATEST, problem_of_text
from kitty_status.status.instants import format_instant, parse_instant

if TYPE_CHECKING:
    from kitty_status.eventstore.event import Event

_POSITION, _TIMESTAMP = "position", "timestamp"


def sort_key(event: Event, order: str) -> str | int:
    """Return what an event is sorted by; texts compare by their code points."""
    if order == _POSITION:
        return event.position
    return format_instant(event.at) if order == _TIMESTAMP else event.type


def written_cursor(order: str, key: str | int, position: int) -> str:
    """Return the cursor behind the event with this sort key and position."""
    return base64.urlsafe_b64encode(msgspec.json.encode([str(order), key, position])).decode("ascii").rstrip("=")


def read_cursor(cursor: str, order: str) -> tuple[str | int, int]:
    """Return the sort key and the position behind which a query goes on.

    Raises:
        EventStoreError: QUERY_ERROR: it is no cursor, or one of a query that sorts otherwise.
    """
    try:
        data = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        written_for, key, position = msgspec.json.decode(data, type=tuple[str, str | int, int])
        if written_for == _TIMESTAMP:
            parse_instant(str(key))
    except (ValueError, AttributeError, binascii.Error) as error:
        raise _no_cursor(cursor) from error
    if not 0 <= position < GREATEST or (isinstance(key, int) and key != position) or problem_of_text(str(key)):
        raise _no_cursor(cursor)
    if written_for != order or isinstance(key, int) != (order == _POSITION):
        raise EventStoreError(
            StoreCode.QUERY_ERROR,
            f"the cursor belongs to a query that sorts by {written_for}, and this one sorts by {order}",
            hint="begin without a cursor",
            cursor=cursor,
        )
    return key, position


def _no_cursor(cursor: object) -> EventStoreError:
    return EventStoreError(
        StoreCode.QUERY_ERROR, f"{cursor!a} is no cursor", hint="take it from the page before", cursor=cursor
    )
