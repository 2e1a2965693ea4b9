"""The event store in PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import msgspec

from kitty_status.eventstore.archives import check_name
from kitty_status.eventstore.durability import ALWAYS, Durability
from kitty_status.eventstore.postgres.across import Across
from kitty_status.eventstore.postgres.archived import ArchiveTable
from kitty_status.eventstore.postgres.archiving import Archiver
from kitty_status.eventstore.postgres.asking import Asking, Sql
from kitty_status.eventstore.postgres.connections import DEFAULTS, Options, Server
from kitty_status.eventstore.postgres.lending import FROM_PRIMARY, Lender
from kitty_status.eventstore.postgres.listening import Listener
from kitty_status.eventstore.postgres.months import Months
from kitty_status.eventstore.postgres.reading import Reader
from kitty_status.eventstore.postgres.rows import exact_of
from kitty_status.eventstore.postgres.schema import DEFAULT_SCHEMA, checked_schema
from kitty_status.eventstore.postgres.writing import Writer
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.query import EVERYTHING, EventQuery, instant_of, query_of
from kitty_status.eventstore.snapshots import StateSnapshot, check_bound, check_place, checked_state, no_such_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.eventstore.archives import Archived
    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.staging import Append, Outcome

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode


class PostgresEventStore(EventStore):
    """Events in a schema of a PostgreSQL database, which is made if it is not there.

    * `dsn` is what libpq takes: a URL or `key=value` words
    * `replicas` are connection strings of streaming replicas, from which is read what they have already. A store never
      reads less than it has spoken of itself; `min_position` asks for at least as much as another one has
    * `durability` is `ALWAYS`, `OS` or `Durability.parse("batch(5)")`

    Positions are gapless and in the order of commits because the database refuses every other one, whoever writes.

    Raises:
        EventStoreError: STORAGE_ERROR: the server cannot be reached, or the schema is not ours. VALIDATION_FAILED: a
            schema cannot have this name.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = DEFAULT_SCHEMA,
        replicas: Sequence[str] = (),
        durability: Durability = ALWAYS,
        options: Options = DEFAULTS,
    ) -> None:
        super().__init__(durability)
        self._asking = asking = Asking(checked_schema(schema))
        self._primary = Server(dsn, options)
        self._replicas = [Server(each, options) for each in replicas]
        months = Months()
        self._archive = ArchiveTable(asking)
        self._writer = Writer(self._primary, (asking, self._archive), months, self.measures, flushes=durability.flushes)
        self._lender = Lender(self._primary, self._replicas, asking, months, self.measures)
        self._reader = Reader(self._lender, asking, months, self.measures)
        self._across = Across(self._reader, self._lender, self._archive, asking, months)
        self._archiver = Archiver(self._primary, asking, self._archive, months)
        # Whoever measures keeps what it asks for ever, and a store that nobody uses any more shall go.
        alive = WeakMethod(self._connections)
        self.measures.watch_pool(lambda: {} if (states := alive()) is None else states())
        self._listener = Listener(self._primary, f"{schema}.events", asking.head, self._heard)

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends; see `EventStore.commit`."""
        outcomes = self._writer.commit(appends)
        self._lender.saw(max((each[-1].position for each in outcomes if isinstance(each, list) and each), default=0))
        return outcomes

    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        return self._reader.head()

    def stream_events(self, query: EventQuery = EVERYTHING, *, min_position: int = 0) -> Iterator[Event]:
        """Return the events that a query asks for; see `EventStore.stream_events`.

        They are read where at least the events up to `min_position` are stored.
        """
        return self.measures.streamed(self._across.events(query_of(query), min_position))

    def get_event(self, event_id: str) -> Event | None:
        """Return the event with this id, None where there is none."""
        with self.measures.querying():
            return self._across.event(event_id) if event_id else None

    def count_events(self, query: EventQuery = EVERYTHING) -> int:
        """Return how many events a query asks for."""
        with self.measures.querying():
            return self._across.count(query_of(query))

    def explain(self, query: EventQuery) -> str:
        """Return the plan by which the server would answer a query, for people who look for what makes it slow."""
        return self._reader.plan(query)

    def pool_stats(self) -> dict[str, int]:
        """Return what the pool of connections counts: `pool_size`, `pool_available`, `requests_waiting`, ..."""
        return self._primary.statistics()

    def _connections(self) -> dict[str, int]:
        if self.is_closed:
            return {}
        counted = self.pool_stats()
        idle = counted.get("pool_available", 0)
        return {
            "idle": idle,
            "used": counted.get("pool_size", 0) - idle,
            "waited for": counted.get("requests_waiting", 0),
        }

    def get_event_types(self) -> list[str]:
        """Return the types of all events, sorted."""
        return [row[0] for row in self._reader.complete(self._asking.types)]

    def get_tags(self) -> dict[str, list[str]]:
        """Return the values of each tag that any event has, sorted."""
        return self._across.tags()

    def get_event_files(self) -> list[str]:
        """Return the days on which events happened; see `EventStore.get_event_files`."""
        return [row[0] for row in self._reader.complete(self._asking.days)]

    def create_snapshot(self, stream: str, version: int, state: Any) -> StateSnapshot:
        """Keep the state that a stream has at a version; see `EventStore.create_snapshot`."""
        check_place(stream, version)
        kept = checked_state(state)
        at = datetime.now(UTC)
        position = self._across.place_of(stream, version)
        if position is None:
            newest = dict(self._reader.rows(Sql(self._asking.versions, [[stream]])))
            raise no_such_version(stream, version, newest.get(stream, 0))
        data = _encode(kept).decode()
        row = (stream, version, position, data, exact_of(data), at)
        with self._writing.alone():
            self._writer.execute(self._asking.keep_snapshot, row)
        return StateSnapshot(stream=stream, version=version, position=position, state=kept, at=at)

    def get_snapshot(self, stream: str, max_version: int | None = None) -> StateSnapshot | None:
        """Return the newest state that is kept of a stream; see `EventStore.get_snapshot`."""
        check_bound(stream, max_version)
        # How far a replica has come is known by its events, which says nothing of a snapshot that was replaced.
        rows = self._reader.rows(self._asking.snapshot_of(stream, max_version), FROM_PRIMARY)
        if not rows:
            return None
        version, position, state, exact, at = rows[0]
        kept = _decode(state) if exact is None else _decode(exact)[0]
        return StateSnapshot(stream=stream, version=version, position=position, state=kept, at=at)

    def compact_events(self, before: datetime | str, *, dry_run: bool = False) -> int:
        """Move months that are over, and whose events all happened before an instant; see `EventStore.compact_events`.

        A month moves as a whole, and its table is dropped. The month of the newest event stays.
        """
        self._refuse_if_closed()
        moment = instant_of(before)
        return self._archiver.movable(moment) if dry_run else self._archiver.move(moment)

    def archives(self) -> list[Archived]:
        """Return which months are in the archive; see `EventStore.archives`."""
        self._refuse_if_closed()
        return self._lender.patiently(self._archive.archives, FROM_PRIMARY)

    def restore_events(self, name: str) -> int:
        """Bring a month back from the archive; see `EventStore.restore_events`."""
        self._refuse_if_closed()
        check_name(name)
        return self._archiver.restore(name)

    def check_archive(self, name: str) -> None:
        """Compare a month in the archive with its checksums; see `EventStore.check_archive`."""
        self._refuse_if_closed()
        check_name(name)
        self._lender.settled(
            lambda connection, _: self._archive.check(connection, self._lender.learned(connection), name), FROM_PRIMARY
        )

    def hear_of(self, position: int, seconds: float) -> bool:
        """Wait until there is an event at a position; see `EventStore.hear_of`."""
        return self._growth.wait_for(position, seconds, self._look)

    def _look(self) -> int:
        """Return the head as far as this process has been told of it; ask the server while nobody tells."""
        return self._lender.seen if self._listener.listens() or self.is_closed else self.head()

    def _heard(self, head: int) -> None:
        self._lender.saw(head)
        self._growth.reached(head)

    def release(self) -> None:
        """Close every connection."""
        self._listener.close()
        self._writer.close()
        for server in (self._primary, *self._replicas):
            server.close()
