"""The event store in files of lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.archives import check_name
from kitty_status.eventstore.durability import ALWAYS, Durability
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.jsonl.archiving import Archiver
from kitty_status.eventstore.jsonl.damage import DamagedLine, DamageNotes, OnDamage
from kitty_status.eventstore.jsonl.failures import failures
from kitty_status.eventstore.jsonl.finding import Finder
from kitty_status.eventstore.jsonl.front import FrontArchiver
from kitty_status.eventstore.jsonl.known import Known
from kitty_status.eventstore.jsonl.layouts import LAYOUTS, SingleFile
from kitty_status.eventstore.jsonl.log import Log
from kitty_status.eventstore.jsonl.snapshot_files import SnapshotFiles
from kitty_status.eventstore.jsonl.writing import Writer
from kitty_status.eventstore.protocol import EventStore
from kitty_status.eventstore.query import EVERYTHING, EventQuery, instant_of, query_of
from kitty_status.eventstore.snapshots import StateSnapshot, check_bound, check_place, checked_state, no_such_version
from kitty_status.eventstore.watching import Watch
from kitty_status.jsonl.disk import DISK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kitty_status.eventstore.archives import Archived
    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.staging import Append, Outcome
    from kitty_status.jsonl.disk import Disk


def utc_now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


class JsonlEventStore(EventStore):
    """Events in files of lines; threads and processes may use them at the same time.

    * `layout` is `single` (`path` is the file), `daily` (`path/events/YYYY-MM-DD.jsonl`, by the day of writing, in
      UTC) or `per-day-and-stream` (`path/YYYY-MM-DD/STREAM.jsonl`)
    * `on_damage`: a damaged line raises CORRUPT, or is skipped with a warning and listed by `damaged_lines`
    * `durability` is `ALWAYS`, `OS` or `Durability.parse("batch(5)")`
    * `clock` says what day it is; `disk` does the writing

    Raises:
        EventStoreError: VALIDATION_FAILED: there is no such layout, or the folder holds a store of another one.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        layout: str = "single",
        durability: Durability = ALWAYS,
        on_damage: OnDamage = "raise",
        clock: Callable[[], datetime] = utc_now,
        disk: Disk = DISK,
    ) -> None:
        super().__init__(durability)
        self.path = Path(path).absolute()
        if layout not in LAYOUTS:
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED, f"there is no layout {layout!a}", hint=f"it may be {', '.join(LAYOUTS)}"
            )
        self.layout = LAYOUTS[layout](self.path, disk)
        self.layout.refuse_others()
        self._notes = DamageNotes(on_damage)
        self.layout.archive.on_damage = self._notes.note_file
        self._log = Log(self.layout, self._notes)
        self._known = Known(self.layout, self._log, self._notes)
        self._finder = Finder(self.layout, self._log, self._known)
        self._writer = Writer(
            self.layout,
            self._finder,
            flushes=durability.flushes,
            retried=self.measures.retried,
            clock=clock,
            disk=disk,
        )
        self._archiver = (
            FrontArchiver(self.layout, self._writer, disk)
            if isinstance(self.layout, SingleFile)
            else Archiver(self.layout, self._finder, self._writer)
        )
        self._snapshots = SnapshotFiles(self.layout.snapshots, disk)
        self._watch = Watch(self.layout.folders, self._look, tells_everything=True)

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends; see `EventStore.commit`."""
        try:
            return self._writer.commit(appends)
        except EventStoreError as error:
            if error.code is not StoreCode.VALIDATION_FAILED:
                raise
            if len(appends) == 1:
                return [error]
            return [outcome for append in appends for outcome in self.commit([append])]

    def head(self) -> int:
        """Return the position of the newest event, 0 where there is none."""
        self._refuse_if_closed()
        with failures(self.path):
            return self._known.visible().head

    def hear_of(self, position: int, seconds: float) -> bool:
        """Wait until there is an event at a position; see `EventStore.hear_of`."""
        return self._growth.wait_for(position, seconds, self.head, self._watch)

    def _look(self) -> None:
        try:
            self._growth.reached(self.head())
        except EventStoreError:
            self.wake()  # whoever waits will meet the error itself

    def stream_events(self, query: EventQuery = EVERYTHING) -> Iterator[Event]:
        """Return the events that a query asks for; see `EventStore.stream_events`."""
        return self.measures.streamed(self._found(query))

    def _found(self, query: EventQuery) -> Iterator[Event]:
        self._refuse_if_closed()
        query_of(query)
        with failures(self.path):
            visible = self._known.visible()
            yield from self._finder.answer(query, visible)

    def damaged_lines(self) -> list[DamagedLine]:
        """Return every damaged line of the store, where damage is skipped."""
        for _ in self.stream_events():
            pass
        return self._notes.lines

    def create_snapshot(self, stream: str, version: int, state: Any) -> StateSnapshot:
        """Keep the state that a stream has at a version; see `EventStore.create_snapshot`."""
        check_place(stream, version)
        kept = checked_state(state)
        event = None
        if version > 0:
            event = next(self.stream_events(EventQuery(streams=stream, after_version=version - 1, limit=1)), None)
        if event is None or event.version != version:
            newest = next(self.stream_events(EventQuery(streams=stream, direction="desc", limit=1)), None)
            raise no_such_version(stream, version, 0 if newest is None else newest.version)
        snapshot = StateSnapshot(
            stream=stream, version=version, position=event.position, state=kept, at=datetime.now(UTC)
        )
        with failures(self.path):
            self._snapshots.save(snapshot)
        return snapshot

    def get_snapshot(self, stream: str, max_version: int | None = None) -> StateSnapshot | None:
        """Return the newest state that is kept of a stream; see `EventStore.get_snapshot`."""
        check_bound(stream, max_version)
        self._refuse_if_closed()
        with failures(self.path):
            return self._snapshots.newest(stream, max_version)

    def compact_events(self, before: datetime | str, *, dry_run: bool = False) -> int:
        """Move days that are over and whose events all happened before an instant; see `EventStore.compact_events`.

        The newest day stays where it is. In the layout `single`, the first events move, up to one that happened at
        `before` or later, to a line of another program, or to what was written last; the file is replaced by the rest.
        """
        self._refuse_if_closed()
        moment = instant_of(before)
        if dry_run:
            with failures(self.path):
                return self._archiver.movable(moment, self._known.visible())
        with self._writing.alone():
            return self._archiver.move(moment)

    def archives(self) -> list[Archived]:
        """Return what is in the archive, named by days or by positions; see `EventStore.archives`."""
        self._refuse_if_closed()
        with failures(self.path):
            return self.layout.archive.listed(self.layout.archived_names())

    def restore_events(self, name: str) -> int:
        """Bring a day of writing back from the archive; see `EventStore.restore_events`.

        In the layout `single`, what was archived behind it comes back as well.
        """
        check_name(name)
        with self._writing.alone():
            return self._archiver.restore(name)

    def check_archive(self, name: str) -> None:
        """Compare what is in the archive under a name with its checksum; see `EventStore.check_archive`."""
        self._refuse_if_closed()
        check_name(name)
        with failures(self.path):
            self.layout.archive.check(name)

    def release(self) -> None:
        """Give every file back."""
        if self.layout.has_many_streams and self._writer.has_written:
            self._finder.tidy_up()
        self._watch.close()
        self._writer.close()
        self._finder.index.close()
        if isinstance(self.layout, SingleFile):
            self.layout.segment.forget()
        self.layout.archive.close()
