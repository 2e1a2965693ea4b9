"""The event store in one SQLite file."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.archives import check_name
from kitty_status.eventstore.durability import ALWAYS, Durability
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.query import EVERYTHING, EventQuery, instant_of, query_of
from kitty_status.eventstore.snapshots import StateSnapshot, check_bound, check_place, checked_state, no_such_version
from kitty_status.eventstore.sqlite.archiving import Archiver, ArchiveTable
from kitty_status.eventstore.sqlite.bell import Bell
from kitty_status.eventstore.sqlite.connections import Connections, failures, may_be_stored, roll_back, store_error
from kitty_status.eventstore.sqlite.reading import Reading
from kitty_status.eventstore.sqlite.rows import insert
from kitty_status.eventstore.sqlite.stored import HEAD, Stored
from kitty_status.eventstore.staging import Append, Stage
from kitty_status.eventstore.watching import Watch
from kitty_status.status.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.eventstore.archives import Archived
    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.staging import Outcome

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode


class SqliteEventStore(EventStore):
    """Events in a SQLite file (WAL); threads and processes may use it at the same time.

    `durability` is `ALWAYS`, `OS` or `Durability.parse("batch(5)")`. The tables are documented: other programs may
    read them, and triggers keep them from changing what is stored.

    Raises:
        EventStoreError: STORAGE_ERROR or CORRUPT: the file cannot be opened, or is no event store.
    """

    def __init__(self, path: Path | str, *, durability: Durability = ALWAYS) -> None:
        super().__init__(durability)
        if str(path) == ":memory:":
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED,
                "a store in a file has no place in memory",
                hint="open the URL memory:, or a MemoryEventStore",
            )
        # A program may change its folder while the store is open.
        self.path = Path(path).absolute()
        self._connections = Connections(self.path, flushes=durability.flushes, retried=self.measures.retried)
        self._archive = ArchiveTable()
        self._archiver = Archiver(self._connections)
        self._reading = Reading(self._connections.snapshot, self._archive)
        self._stored = Stored(self._connections.writer, self._archive)
        self._bell = Bell(self.path)
        self._seen = 0
        self._watch = Watch(lambda: [self._bell.path], self._hear)

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends; see `EventStore.commit`."""
        writer = self._connections.writer
        self._connections.check_place()
        known = max(self._seen, self.known_head())
        with failures(str(self.path)):
            if writer.in_transaction:
                # A person has interrupted what was begun here.
                roll_back(writer)
            try:
                self._connections.begin()
                self._stored.look()
                self._refuse_if_set_back(known, self._stored.head())
                stage = Stage(self._stored, appends)
                outcomes = [stage.outcome_of(append) for append in appends]
                insert(writer, stage.events)
            except BaseException:
                roll_back(writer)
                raise
            self._confirm(writer)
        self._stored.has_grown(stage.events)
        if stage.events:
            self._bell.ring(stage.events)
        return outcomes

    def _confirm(self, writer: sqlite3.Connection) -> None:
        try:
            writer.execute("COMMIT")
        except sqlite3.Error as error:
            roll_back(writer)
            raise store_error(error, str(self.path), outcome_unknown=may_be_stored(error)) from error

    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        known = max(self._seen, self.known_head())
        with self._connections.reading() as reader:
            found = int(reader.execute(HEAD).fetchone()[0])
        self._refuse_if_set_back(known, found)
        self._seen = max(self._seen, found)
        return found

    def _refuse_if_set_back(self, known: int, found: int) -> None:
        if found < known:
            self.recent.forget()
            raise self._connections.set_back(known, found)

    def hear_of(self, position: int, seconds: float) -> bool:
        """Wait until there is an event at a position; see `EventStore.hear_of`."""
        # Who is not told of an event, because another program has written it, finds it by looking now and then.
        return self._growth.wait_for(position, seconds, self.head, self._watch)

    def _hear(self) -> None:
        told = self._bell.hear()
        if told is None:
            return  # whoever waits has been told
        try:
            first, events = told
            if events and first + len(events) <= self.known_head():
                self.head()  # told late, or of a file that was set back
            self.recent.add_encoded(first, events)
            self._growth.reached(first + len(events) - 1 if events else self.head())
        except EventStoreError:
            self.wake()  # whoever waits will meet the error itself

    def stream_events(self, query: EventQuery = EVERYTHING) -> Iterator[Event]:
        """Return the events that a query asks for; see `EventStore.stream_events`."""
        return self.measures.streamed(chain.from_iterable(self._answers(query)))

    def _answers(self, query: EventQuery) -> Iterator[Iterator[Event]]:
        """Yield the one answer there is, whose end is looked for when its first event is asked for."""
        yield self._reading.answer(query_of(query), self._end_of(query))

    def _end_of(self, query: EventQuery) -> int:
        """Return the position before which an answer ends; what is known to be stored need not be asked."""
        if query.before is not None and query.before <= self.known_head() + 1:
            return query.before
        end = self.head() + 1
        return end if query.before is None else min(end, query.before)

    def count_events(self, query: EventQuery = EVERYTHING) -> int:
        """Return how many events a query asks for."""
        before = query_of(query).before
        before = self.head() + 1 if before is None else before
        with self.measures.querying():
            return self._reading.count(query, before)

    def get_event_types(self) -> list[str]:
        """Return the types of all events, sorted."""
        return self._column(
            "SELECT type FROM (SELECT DISTINCT type FROM events) "
            "UNION SELECT value FROM event_archives, json_each(event_archives.types) ORDER BY 1"
        )

    def get_event_files(self) -> list[str]:
        """Return the days on which events happened; see `EventStore.get_event_files`."""
        return self._column(
            "SELECT day FROM days UNION SELECT value FROM event_archives, json_each(event_archives.days) ORDER BY 1"
        )

    def get_tags(self) -> dict[str, list[str]]:
        """Return the values of each tag that any event has, sorted."""
        return self._reading.tags()

    def _column(self, statement: str) -> list[str]:
        with self._connections.reading() as reader:
            return [row[0] for row in reader.execute(statement)]

    def create_snapshot(self, stream: str, version: int, state: Any) -> StateSnapshot:
        """Keep the state that a stream has at a version; see `EventStore.create_snapshot`."""
        check_place(stream, version)
        kept = checked_state(state)
        at = datetime.now(UTC)
        wanted = EventQuery(streams=stream, after_version=max(0, version - 1), limit=1)
        event = next(self.stream_events(wanted), None)
        if event is None or event.version != version:
            newest = next(self.stream_events(EventQuery(streams=stream, direction="desc", limit=1)), None)
            raise no_such_version(stream, version, 0 if newest is None else newest.version)
        row = (stream, version, event.position, _encode(kept).decode(), format_instant(at))
        with self._writing.alone(), failures(str(self.path)):
            self._connections.check_place()
            writer = self._connections.writer
            try:
                self._connections.begin()
                writer.execute("INSERT OR REPLACE INTO state_snapshots VALUES (?, ?, ?, ?, ?)", row)
                writer.execute("COMMIT")
            finally:
                roll_back(writer)
        return StateSnapshot(stream=stream, version=version, position=event.position, state=kept, at=at)

    def get_snapshot(self, stream: str, max_version: int | None = None) -> StateSnapshot | None:
        """Return the newest state that is kept of a stream; see `EventStore.get_snapshot`."""
        check_bound(stream, max_version)
        with self._connections.reading() as reader:
            row = reader.execute(
                "SELECT stream, version, position, state, at FROM state_snapshots "
                "WHERE stream = ? AND (?2 IS NULL OR version <= ?2) ORDER BY version DESC LIMIT 1",
                (stream, max_version),
            ).fetchone()
        if row is None:
            return None
        try:
            return StateSnapshot(
                stream=row[0],
                version=row[1],
                position=row[2],
                state=_decode(row[3]),
                at=datetime.fromisoformat(row[4]),
            )
        except (ValueError, TypeError) as error:
            raise EventStoreError(
                StoreCode.CORRUPT,
                f"{self.path}: the state of {stream} at version {row[1]} cannot be read: {error}",
                hint="save it again: it can be computed from the events",
            ) from error

    def compact_events(self, before: datetime | str, *, dry_run: bool = False) -> int:
        """Move the first events, up to one that happened at `before` or later; see `EventStore.compact_events`.

        They move in chunks, each in one transaction. The newest event stays.
        """
        moment = instant_of(before)
        if dry_run:
            return self._archiver.movable(moment)
        moved = 0
        while events := self._archiver.next_events(moment):
            with self._writing.alone(), failures(str(self.path)):
                self._connections.check_place()
                moved += len(events) if self._archiver.take(events) else 0
        return moved

    def archives(self) -> list[Archived]:
        """Return what is in the archive; see `EventStore.archives`."""
        with self._connections.reading() as reader:
            return self._archive.archives(reader)

    def restore_events(self, name: str) -> int:
        """Bring a chunk back from the archive; see `EventStore.restore_events`."""
        check_name(name)
        with self._writing.alone(), failures(str(self.path)):
            self._connections.check_place()
            return self._archiver.restore(name)

    def check_archive(self, name: str) -> None:
        """Compare a chunk with its checksum; see `EventStore.check_archive`."""
        check_name(name)
        # A chunk and its ids as they are at one moment: others may bring it back meanwhile.
        with self._connections.snapshot() as reader:
            self._archive.check(reader, name)

    def release(self) -> None:
        """Close the file."""
        self._watch.close()
        self._connections.close()
        self._bell.close()
