"""The event store in one SQLite file."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kitty_status.eventstore.durability import ALWAYS, Durability
from kitty_status.eventstore.errors import EventStoreError
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.query import EVERYTHING, EventQuery, Order
from kitty_status.eventstore.snapshots import StateSnapshot, check_place, checked_state, no_such_version
from kitty_status.eventstore.sqlite.asking import Sql, count, page_by_position, whole
from kitty_status.eventstore.sqlite.bell import Bell
from kitty_status.eventstore.sqlite.connections import Connections, failures, may_be_stored, roll_back, store_error
from kitty_status.eventstore.sqlite.rows import events_of, insert
from kitty_status.eventstore.sqlite.stored import HEAD, Stored
from kitty_status.eventstore.staging import Append, Stage
from kitty_status.eventstore.watching import Watch
from kitty_status.status.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.eventstore.staging import Outcome

# So many rows, and the events that become of them, stay in a core's own cache until they are handed out: of a thousand,
# each takes half as long again. Where something is asked for, more are found at once.
_PAGE = 160
_LARGEST_PAGE = 1000
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
        self.path = Path(path)
        self._connections = Connections(self.path, flushes=durability.flushes)
        self._stored = Stored(self._connections.writer)
        self._bell = Bell(self.path)
        self._watch = Watch(lambda: [self._bell.path], self._hear)

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends; see `EventStore.commit`."""
        writer = self._connections.writer
        self._connections.check_place()
        with failures(str(self.path)):
            if writer.in_transaction:
                # A person has interrupted what was begun here.
                roll_back(writer)
            try:
                writer.execute("BEGIN IMMEDIATE")
                self._stored.look()
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
        with self._connections.reading() as reader:
            return int(reader.execute(HEAD).fetchone()[0])

    def wait_for(self, position: int, seconds: float) -> bool:
        """Wait until there is an event at a position; see `EventStore.wait_for`."""
        # Who is not told of an event, because another program has written it, finds it by looking now and then.
        return self._growth.wait_for(position, seconds, self.head, self._watch)

    def _hear(self) -> None:
        told = self._bell.hear()
        if told is None:
            return  # whoever waits has been told
        try:
            first, events = told
            self.recent.add_encoded(first, events)
            self._growth.reached(first + len(events) - 1 if events else self.head())
        except EventStoreError:
            self.wake()  # whoever waits will meet the error itself

    def stream_events(self, query: EventQuery = EVERYTHING) -> Iterator[Event]:
        """Return the events that a query asks for; see `EventStore.stream_events`."""
        before = self._end_of(query)
        if query.order is Order.POSITION:
            return self.measures.streamed(_cut(query, chain.from_iterable(self._pages(query, before))))
        return self.measures.streamed(chain.from_iterable(self._sorted(query, before)))

    def _end_of(self, query: EventQuery) -> int:
        """Return the position before which an answer ends; what is known to be stored need not be asked."""
        if query.before is not None and query.before <= self.known_head() + 1:
            return query.before
        end = self.head() + 1
        return end if query.before is None else min(end, query.before)

    def _pages(self, query: EventQuery, before: int) -> Iterator[list[Event]]:
        after = query.after
        if query.behind is not None:
            behind = query.behind[1]
            after, before = (after, min(before, behind)) if query.is_backwards else (max(after, behind), before)
        wanted = None if query.limit is None else query.offset + query.limit
        largest = _LARGEST_PAGE if query.criteria else _PAGE
        size = _PAGE if wanted is None else max(1, min(wanted, largest))
        while True:
            page = self._page(page_by_position(query, after, before, size))
            yield page
            if len(page) < size:
                return
            if query.is_backwards:
                before = page[-1].position
            else:
                after = page[-1].position
            size = min(size * 2, largest)

    def _sorted(self, query: EventQuery, before: int) -> Iterator[list[Event]]:
        """Yield an answer that SQLite sorts, in lists; it holds the sorted rows, we hold a few of them."""
        sql = whole(query, before)
        with self._connections.reading() as reader:
            cursor = reader.execute(sql.text, sql.values)
            while rows := cursor.fetchmany(_PAGE):
                yield events_of(rows)

    def _page(self, sql: Sql) -> list[Event]:
        with self._connections.reading() as reader:
            return events_of(reader.execute(sql.text, sql.values).fetchall())

    def count_events(self, query: EventQuery = EVERYTHING) -> int:
        """Return how many events a query asks for."""
        sql = count(query, self.head() + 1 if query.before is None else query.before)
        with self.measures.querying(), self._connections.reading() as reader:
            return int(reader.execute(sql.text, sql.values).fetchone()[0])

    def get_event_types(self) -> list[str]:
        """Return the types of all events, sorted."""
        return self._column("SELECT DISTINCT type FROM events ORDER BY type")

    def get_event_files(self) -> list[str]:
        """Return the days on which events happened; see `EventStore.get_event_files`."""
        return self._column("SELECT day FROM days ORDER BY day")

    def get_tags(self) -> dict[str, list[str]]:
        """Return the values of each tag that any event has, sorted."""
        found: dict[str, list[str]] = {}
        with self._connections.reading() as reader:
            for key, value in reader.execute("SELECT DISTINCT key, value FROM event_tags ORDER BY key, value"):
                found.setdefault(key, []).append(value)
        return found

    def _column(self, statement: str) -> list[str]:
        with self._connections.reading() as reader:
            return [row[0] for row in reader.execute(statement)]

    def create_snapshot(self, stream: str, version: int, state: Any) -> StateSnapshot:
        """Keep the state that a stream has at a version; see `EventStore.create_snapshot`."""
        kept = checked_state(state)
        check_place(stream, version)
        at = datetime.now(UTC)
        with self._connections.reading() as reader:
            found = reader.execute(
                "SELECT position FROM events WHERE stream = ? AND version = ?", (stream, version)
            ).fetchone()
            newest = reader.execute(
                "SELECT coalesce(max(version), 0) FROM events WHERE stream = ?", (stream,)
            ).fetchone()[0]
        if found is None:
            raise no_such_version(stream, version, newest)
        row = (stream, version, found[0], _encode(kept).decode(), format_instant(at))
        with self._writing.alone(), failures(str(self.path)):
            self._connections.writer.execute("INSERT OR REPLACE INTO state_snapshots VALUES (?, ?, ?, ?, ?)", row)
        return StateSnapshot(stream=stream, version=version, position=found[0], state=kept, at=at)

    def get_snapshot(self, stream: str, max_version: int | None = None) -> StateSnapshot | None:
        """Return the newest state that is kept of a stream; see `EventStore.get_snapshot`."""
        check_place(stream, max_version)
        with self._connections.reading() as reader:
            row = reader.execute(
                "SELECT stream, version, position, state, at FROM state_snapshots "
                "WHERE stream = ? AND (?2 IS NULL OR version <= ?2) ORDER BY version DESC LIMIT 1",
                (stream, max_version),
            ).fetchone()
        if row is None:
            return None
        return StateSnapshot(
            stream=row[0],
            version=row[1],
            position=row[2],
            state=_decode(row[3]),
            at=datetime.fromisoformat(row[4]),
        )

    def compact_events(self, before: datetime | str) -> int:
        """Move nothing: events in SQLite stay in its file."""
        EventQuery(end=before)
        return 0

    def close(self) -> None:
        """Finish what is being written and close the file; closing twice does nothing."""
        super().close()
        self._watch.close()
        self._connections.close()
        self._bell.close()


def _cut(query: EventQuery, found: Iterator[Event]) -> Iterator[Event]:
    return islice(found, query.offset, None if query.limit is None else query.offset + query.limit)
