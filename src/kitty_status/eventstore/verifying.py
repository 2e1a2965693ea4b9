"""Reading all of a store, to say whether it is whole: its archives, its positions, and the versions of its streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from kitty_status.eventstore.archives import Archived
    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.protocol import EventStore

_MOST_FINDINGS = 1_000


@dataclass(frozen=True)
class Flaw:
    """What is wrong: `damaged` (it cannot be read), `position-gap` or `version-gap` (an event is missing)."""

    code: str
    message: str
    hint: str
    archive: str | None = None


@dataclass
class Verification:
    """How much was read, and what is wrong, as far as it is worth listing."""

    events: int = 0
    archives: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def is_damaged(self) -> bool:
        """Whether something cannot be read."""
        return any(flaw.code == "damaged" for flaw in self.flaws)


def verify(store: EventStore) -> Verification:
    """Read everything, in bounded memory but for the versions of streams.

    Raises:
        EventStoreError: the store cannot be asked; that it is damaged is a flaw.
    """
    found = Verification()
    try:
        damaged = [each for each in _archives(store, found) if _is_damaged(store, each, found)]
        _Walk(store, found).walk(damaged)
    except EventStoreError as error:
        found.flaws.append(_damage(error))
    return found


def _archives(store: EventStore, found: Verification) -> list[Archived]:
    archives = store.archives()
    found.archives = len(archives)
    return archives


def _is_damaged(store: EventStore, archive: Archived, found: Verification) -> bool:
    try:
        store.check_archive(archive.name)
    except EventStoreError as error:
        found.flaws.append(_damage(error, archive.name))
        return True
    return False


def _damage(error: EventStoreError, archive: str | None = None) -> Flaw:
    if error.code is not StoreCode.CORRUPT:
        raise error
    return Flaw("damaged", error.message, error.hint, archive)


class _Walk:
    """Goes from event to event, around archives that are known to be damaged."""

    def __init__(self, store: EventStore, found: Verification) -> None:
        self._store = store
        self._found = found
        self._after = 0
        # The newest version of each stream, and at which position it was seen.
        self._versions: dict[str, tuple[int, int]] = {}
        self._unread = 0

    def walk(self, damaged: list[Archived]) -> None:
        end = self._store.head() + 1
        for archive in damaged:
            self._read(archive.first)
            self._after = self._unread = archive.last
        self._read(end)

    def _read(self, before: int) -> None:
        for event in self._store.stream_events(EventQuery(after=self._after, before=before)):
            self._found.events += 1
            self._check(event)
            self._after = event.position
        if self._after + 1 < before:
            self._note("position-gap", f"the events {self._after + 1} to {before - 1} are missing")

    def _check(self, event: Event) -> None:
        if event.position != self._after + 1:
            missing = f"{self._after + 1} to {event.position - 1}"
            self._note("position-gap", f"the events {missing} are missing before event {event.position} ({event.id})")
        version, seen = self._versions.get(event.stream, (0, 0))
        expected = version + 1
        # What was not read may have held events of the stream.
        if event.version < expected or (event.version > expected and seen >= self._unread):
            what = f"event {event.position} ({event.id}) has version {event.version} of stream {event.stream}"
            self._note("version-gap", f"{what}, and {expected} comes next")
        self._versions[event.stream] = event.version, event.position

    def _note(self, code: str, message: str) -> None:
        if len(self._found.flaws) < _MOST_FINDINGS:
            self._found.flaws.append(Flaw(code, message, "bring the store back from a copy"))
