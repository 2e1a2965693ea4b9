"""Days in UTC, as text: `YYYY-MM-DD`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from kitty_status.eventstore.errors import EventStoreError, StoreCode

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day_of(moment: datetime) -> str:
    """Return the day on which an instant lies."""
    return moment.astimezone(UTC).date().isoformat()


def instants_of(first: date | str, last: date | str) -> tuple[datetime, datetime | None]:
    """Return the instant with which a day begins, and the one with which the day after another begins.

    None for the second where the calendar ends with that day.

    Raises:
        EventStoreError: QUERY_ERROR: one of them is no day.
    """
    start, end = _day(first), _day(last)
    return _midnight(start), None if end == date.max else _midnight(end + timedelta(days=1))


def _day(value: date | str) -> date:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError as error:
        raise EventStoreError(
            StoreCode.QUERY_ERROR, f"{value!a} is no day: {error}", hint="write YYYY-MM-DD"
        ) from error
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise EventStoreError(StoreCode.QUERY_ERROR, f"{value!a} is no day", hint="write YYYY-MM-DD")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
