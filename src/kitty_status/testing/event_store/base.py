"""What the parts of the suite share: a store to try, events to put into it, and errors to expect."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import NewEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.protocol import EventStore

MOMENT = datetime(2026, 1, 10, 9, 0, tzinfo=UTC)
"""When the events of the suite begin to happen."""

SECONDS = 30.0
"""How long the suite waits for something that must happen."""


class StoreCase(ABC):
    """How the store under test is opened.

    `persists` says whether a second store that is opened at the same place has the events of the first, `archives`
    whether `compact_events` moves all events but the newest one once all of them have happened, and what held the
    others is over; see `period_ends`.
    """

    persists = True
    archives = False

    @abstractmethod
    def open_store(self, place: Path) -> EventStore:
        """Open a store whose files, if it has any, lie in the folder `place`; empty at the first call for a place."""

    def period_ends(self, place: Path) -> None:
        """Let be over what the store at a place archives as a whole, as when a month ends."""
        del place

    @contextmanager
    def opened(self, place: Path) -> Iterator[EventStore]:
        """Open a store, and close it afterwards."""
        store = self.open_store(place)
        try:
            yield store
        finally:
            store.close()


def event(number: int = 1, /, **fields: Any) -> NewEvent:
    """Return an event that happens `number` minutes after the beginning; `fields` replace what it says."""
    said: dict[str, Any] = {"type": "Counted", "data": {"number": number}, "at": MOMENT + timedelta(minutes=number)}
    return NewEvent(**(said | fields))


def events(count: int, /, **fields: Any) -> list[NewEvent]:
    """Return so many events, a minute apart."""
    return [event(number, **fields) for number in range(1, count + 1)]


def numbers(found: Iterable[Event]) -> list[int]:
    """Return the numbers that events of `event` carry."""
    return [each.data["number"] for each in found]


def positions(found: Iterable[Event]) -> list[int]:
    """Return the positions of events."""
    return [each.position for each in found]


@contextmanager
def refused(code: StoreCode, *words: str) -> Iterator[None]:
    """Expect an error with this code, whose message has all these words."""
    caught = None
    try:
        yield
    except EventStoreError as error:
        caught = error
    assert caught is not None, f"nothing was refused, and {code} was expected"
    assert caught.code == code, f"{caught.code}: {caught.message}"
    missing = [word for word in words if word not in caught.message]
    assert not missing, f"{missing} not in: {caught.message}"
    assert caught.hint, f"no hint: {caught.message}"
