"""The event store in memory: the promises in plain objects. Other backends are compared with it."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.answering import answer
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.query import EVERYTHING, EventQuery, instant_of, query_of
from kitty_status.eventstore.snapshots import StateSnapshot, check_bound, check_place, checked_state, no_such_version
from kitty_status.eventstore.staging import Append, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from kitty_status.eventstore.staging import Outcome

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


class MemoryEventStore(EventStore):
    """Events in the memory of this process; they are gone with it, and `compact_events` has nowhere to move them.

    Events are kept as bytes and decoded for each reader, so that nobody can change what is stored.
    """

    def __init__(self) -> None:
        super().__init__()
        # The id, the stream and the JSON of each event; up to the head, they are found by what stands below.
        self._events: list[tuple[str, str, bytes]] = []
        self._head = 0
        self._by_id: dict[str, int] = {}
        self._by_stream: dict[str, list[int]] = {}
        self._snapshots: dict[str, dict[int, StateSnapshot]] = {}

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends; see `EventStore.commit`."""
        # No lock: only whoever commits changes anything, and a person's interruption could leave it locked for ever.
        self._catch_up()
        stage = Stage(self, appends)
        outcomes = [stage.outcome_of(append) for append in appends]
        self._events += [(event.id, event.stream, _encode(event)) for event in stage.events]
        self._catch_up()
        return outcomes

    def _catch_up(self) -> None:
        """Make every event findable, and then visible, all at once; after an interruption this begins anew."""
        for position in range(self._head + 1, len(self._events) + 1):
            event_id, stream, _ = self._events[position - 1]
            self._by_id[event_id] = position
            positions = self._by_stream.setdefault(stream, [])
            if not positions or positions[-1] < position:
                positions.append(position)
        self._head = len(self._events)

    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        self._refuse_if_closed()
        return self._head

    def events_with_ids(self, ids: Collection[str]) -> dict[str, Event]:
        """Return the stored events that have one of these ids, by id."""
        return {event_id: self._at(self._by_id[event_id]) for event_id in ids if event_id in self._by_id}

    def versions_of(self, streams: Collection[str]) -> dict[str, int]:
        """Return the version of the newest event of each stream."""
        return {stream: len(self._by_stream.get(stream, ())) for stream in streams}

    def first_match(self, query: EventQuery) -> Event | None:
        """Return the first event that a query asks for."""
        return next(self._answer(query), None)

    def stream_events(self, query: EventQuery = EVERYTHING) -> Iterator[Event]:
        """Return the events that a query asks for; see `EventStore.stream_events`."""
        self._refuse_if_closed()
        return self.measures.streamed(self._answer(query_of(query)))

    def _answer(self, query: EventQuery) -> Iterator[Event]:
        yield from answer(query, self._candidates(query), newest_first=self._candidates_backwards(query))

    def _candidates(self, query: EventQuery) -> Iterator[Event]:
        for position in self._positions(query):
            yield self._at(position)

    def _candidates_backwards(self, query: EventQuery) -> Iterator[Event]:
        for position in reversed(self._positions(query)):
            yield self._at(position)

    def _positions(self, query: EventQuery) -> Sequence[int]:
        """Return the positions among which all events of the answer are."""
        last = self._head if query.before is None else min(self._head, query.before - 1)
        if query.criteria and all(criterion.ids for criterion in query.criteria):
            ids = {event_id for criterion in query.criteria for event_id in criterion.ids}
            return sorted(position for position in map(self._by_id.get, ids) if position and position <= last)
        if query.criteria and all(criterion.streams for criterion in query.criteria):
            streams = {stream for criterion in query.criteria for stream in criterion.streams}
            found = sorted(position for stream in streams for position in self._by_stream.get(stream, ()))
            return found[bisect_right(found, query.after) : bisect_right(found, last)]
        return range(query.after + 1, last + 1)

    def _at(self, position: int) -> Event:
        return _decode(self._events[position - 1][2])

    def create_snapshot(self, stream: str, version: int, state: Any) -> StateSnapshot:
        """Keep the state that a stream has at a version; see `EventStore.create_snapshot`."""
        self._refuse_if_closed()
        check_place(stream, version)
        kept = checked_state(state)
        positions = self._by_stream.get(stream, [])
        newest = bisect_right(positions, self._head)
        if not 0 < version <= newest:
            raise no_such_version(stream, version, newest)
        snapshot = StateSnapshot(
            stream=stream, version=version, position=positions[version - 1], state=kept, at=datetime.now(UTC)
        )
        self._snapshots.setdefault(stream, {})[version] = snapshot
        return _copy(snapshot)

    def get_snapshot(self, stream: str, max_version: int | None = None) -> StateSnapshot | None:
        """Return the newest state that is kept of a stream; see `EventStore.get_snapshot`."""
        check_bound(stream, max_version)
        self._refuse_if_closed()
        kept = self._snapshots.get(stream, {})
        versions = [version for version in list(kept) if max_version is None or version <= max_version]
        return _copy(kept[max(versions)]) if versions else None

    def compact_events(self, before: datetime | str, *, dry_run: bool = False) -> int:  # noqa: ARG002  nothing moves
        """Move nothing: there is no other place than memory."""
        self._refuse_if_closed()
        instant_of(before)
        return 0


def _copy(snapshot: StateSnapshot) -> StateSnapshot:
    return msgspec.json.decode(_encode(snapshot), type=StateSnapshot)
