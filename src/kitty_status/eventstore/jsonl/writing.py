"""Writing: one lock for a store, one write and one flush for each file of a commit, all of it or nothing."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kitty_status.clock import event_ids
from kitty_status.errors import OutcomeUnknownError
from kitty_status.eventstore.days import day_of
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import Draft, Event
from kitty_status.eventstore.jsonl.failures import NO_ROOM, failures
from kitty_status.eventstore.jsonl.lines import encode_line
from kitty_status.eventstore.jsonl.marking import refuse_other_content
from kitty_status.eventstore.jsonl.stored import StoredInFiles
from kitty_status.eventstore.jsonl.visible import Visible
from kitty_status.eventstore.staging import Append, Stage
from kitty_status.jsonl.codec import MAX_LINE_BYTES
from kitty_status.jsonl.disk import DISK
from kitty_status.jsonl.kept import KeptLog
from kitty_status.jsonl.lock import KeptHold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kitty_status.eventstore.jsonl.finding import Finder
    from kitty_status.eventstore.jsonl.layouts import Layout
    from kitty_status.eventstore.jsonl.segments import Segment
    from kitty_status.eventstore.staging import Outcome
    from kitty_status.jsonl.disk import Disk

DAY_CHANGED = "session.day_changed"
DISK_FULL = "store.disk_full"
SESSION_STREAM, STORE_STREAM = "session", "store"
_ATTEMPTS = 5
_FIRST_PAUSE = 0.01
_MOST_OPEN = 128
_PATIENCE = 30.0


class Writer:
    """Commits appends to the files of a layout."""

    def __init__(
        self,
        layout: Layout,
        finder: Finder,
        *,
        flushes: bool,
        retried: Callable[[], None],
        clock: Callable[[], datetime],
        disk: Disk = DISK,
    ) -> None:
        self._layout = layout
        self._finder = finder
        self._known = finder.known
        self._flushes = flushes
        self._retried = retried
        self._clock = clock
        self._disk = disk
        self._logs: dict[str, KeptLog] = {}
        self._unconfirmed: dict[str, Segment] = {}
        self._confirmed: Visible | None = None
        self._full_since: datetime | None = None
        self._refused = 0
        self.has_written = False
        self._lock = KeptHold(layout.lock, _PATIENCE)

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Store appends; see `EventStore.commit`."""
        with failures(self._layout.path), self._lock:
            visible = self._ready()
            stage, outcomes, events = self._staged(appends, visible)
            if not stage.events:
                self._confirm(self._unconfirmed)
                return outcomes
            day = max(day_of(self._clock()), visible.day) if self._layout.has_days else ""
            try:
                self._write(events, day)
            except OSError as error:
                if error.errno in NO_ROOM:
                    self._full_since = self._full_since or self._clock()
                    self._refused += len(appends)
                raise
            self._full_since, self._refused = None, 0
            return outcomes

    @contextmanager
    def alone(self) -> Iterator[Visible]:
        """Keep other writers out, and say how far the log reaches."""
        with failures(self._layout.path), self._lock:
            yield self._ready()

    def let_go(self, segment: Segment) -> None:
        """Close a file that goes away."""
        if segment.name in self._logs:
            self._logs.pop(segment.name).close()

    def close(self) -> None:
        """Give every descriptor back."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()
        self._lock.close()

    # What is there

    def _ready(self) -> Visible:
        """Catch up with others, and take out what was left of a write that nobody was told had succeeded."""
        if self._confirmed is None:
            self._layout.refuse_others()
        visible = self._known.visible(is_locked=True)
        left = self._known.leftovers()
        for segment, _ in left:
            refuse_other_content(segment)
            self._log_of(segment).mend()
        if left:
            visible = self._known.visible(is_locked=True)
            for segment, end in self._known.leftovers():
                self._log_of(segment).cut(end - segment.base)
        if self._confirmed is None:
            for part in self._layout.parts()[-1:] if not self._layout.has_many_streams else ():
                refuse_other_content(part.segments[0])
            # What is wrong with what is there must be known before anything is appended to it.
            self._finder.look_through(visible)
            visible = self._known.visible(is_locked=True)
        if visible is not self._confirmed:
            self._note_others(visible)
        return visible

    def _note_others(self, visible: Visible) -> None:
        """Note what was written by others, who may have died before they had it confirmed, or never wanted it."""
        parts = self._layout.parts()
        confirmed = self._confirmed or Visible(day=min((part.day for part in parts[-2:]), default=""))
        for part in parts if self._flushes else ():
            for segment in part.segments if confirmed.day <= part.day <= visible.day else ():
                end = segment.size() if part.day < visible.day else visible.ends.get(segment.name, 0)
                known = confirmed.ends.get(segment.name, 0) if part.day == confirmed.day else 0
                if end != known and not segment.is_archived:
                    self._unconfirmed[segment.name] = segment
        self._confirmed = visible

    def _log_of(self, segment: Segment) -> KeptLog:
        log = self._logs.get(segment.name)
        if log is None:
            if len(self._logs) >= _MOST_OPEN:
                self._logs.pop(next(iter(self._logs))).close()
            log = self._logs[segment.name] = KeptLog(segment.path, self._layout.quarantine, self._disk)
        return log

    # What is to be written

    def _staged(self, appends: Sequence[Append], visible: Visible) -> tuple[Stage, list[Outcome], list[Event]]:
        """Return the judged appends, and all events to write, with those that the store has to say itself."""
        today = day_of(self._clock()) if self._layout.announces_days and visible.head else ""
        turns = today > visible.day
        # Whoever says which version the stream has comes first: the change of the day breaks no expectation.
        comes_first = turns and not any(_names_version_of(append, SESSION_STREAM) for append in appends)
        stored = StoredInFiles(self._finder, visible, first={SESSION_STREAM} if comes_first else set())
        stage = Stage(stored, appends)
        outcomes = [stage.outcome_of(append) for append in appends]
        events = stage.events
        if turns and events:
            changed = self._own(DAY_CHANGED, SESSION_STREAM, {"date": today})
            if comes_first:
                version = self._finder.versions_of([SESSION_STREAM], visible).get(SESSION_STREAM, 0) + 1
                events = [changed.stored(visible.head + 1, version), *events]
            else:
                events = [*events, *stage.add(Append((changed,), {}))]
        if self._full_since is not None and events:
            said = {"since": self._full_since.isoformat(), "refused": self._refused}
            events = [*events, *stage.add(Append((self._own(DISK_FULL, STORE_STREAM, said),), {}))]
        return stage, outcomes, events

    def _own(self, event_type: str, stream: str, data: dict[str, object]) -> Draft:
        return Draft(
            id=event_ids.mint(),
            type=event_type,
            stream=stream,
            at=self._clock().astimezone(UTC),
            data=data,
            tags={},
            metadata={},
            version=None,
            is_fresh=True,
            states_time=True,
        )

    def _write(self, events: list[Event], day: str) -> None:
        together = list(self._by_segment(events, day))
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                ends = self._write_all(together)
                break
            except _PartLeftError as left:
                # It never became whole, so nobody reads it, and the next append takes it out before it writes.
                raise left.__cause__ or left from None
            except OSError as error:
                if error.errno in NO_ROOM or attempt == _ATTEMPTS:
                    raise
                self._retried()
                time.sleep(_FIRST_PAUSE * 2**attempt * random.random())  # noqa: S311  it only spreads the attempts
        written = {segment.name: segment for segment, _ in together}
        self._confirm(written | self._unconfirmed if self._unconfirmed else written)
        self._known.added(events, day, ends)
        self._confirmed = self._known.seen
        self.has_written = True

    def _by_segment(self, events: list[Event], day: str) -> Iterator[tuple[Segment, bytes]]:
        until = events[-1].position if len(events) > 1 else 0
        lines = [encode_line(event, until) for event in events]
        longest = max(map(len, lines))
        if longest > MAX_LINE_BYTES:
            raise EventStoreError(
                StoreCode.VALIDATION_FAILED,
                f"an event's line has {longest} bytes, and at most {MAX_LINE_BYTES} are kept",
                hint="keep large data in a file, and its name in the event",
                field="data",
            )
        if not self._layout.has_many_streams:
            yield self._layout.segment_for(day, ""), b"\n".join(lines) + b"\n"
            return
        by_stream: dict[str, list[bytes]] = {}
        for event, line in zip(events, lines, strict=True):
            by_stream.setdefault(event.stream, []).append(line)
        by_name: dict[str, tuple[Segment, list[bytes]]] = {}
        for stream, found in by_stream.items():
            segment = self._layout.segment_for(day, stream)
            by_name.setdefault(segment.name, (segment, []))[1].extend(found)
        for segment, found in by_name.values():
            yield segment, b"\n".join(found) + b"\n"

    def _write_all(self, together: list[tuple[Segment, bytes]]) -> dict[str, int]:
        """Write to each file and return where it ends now; where one refuses, nothing stays in the others."""
        done: list[tuple[KeptLog, int, bytes]] = []
        # Looked up first: what fails once something was written must be the writing.
        bases = {segment.name: segment.base for segment, _ in together}
        try:
            for segment, lines in together:
                log = self._log_of(segment)
                done.append((log, log.write(lines), lines))
        except BaseException as error:
            left = [log for log, start, lines in done if not log.take_back(start, lines)]
            if left:
                raise _PartLeftError from error
            raise
        written = zip(together, done, strict=True)
        return {segment.name: bases[segment.name] + start + len(lines) for (segment, _), (_, start, lines) in written}

    def _confirm(self, segments: dict[str, Segment]) -> None:
        if self._flushes:
            try:
                for segment in segments.values():
                    self._log_of(segment).confirm()
            except OutcomeUnknownError:
                self._unconfirmed = dict(segments)
                self._known.reset()
                raise
        self._unconfirmed = {}


class _PartLeftError(Exception):
    """A write failed, and what was written before it to other files could not be taken back."""


def _names_version_of(append: Append, stream: str) -> bool:
    return stream in append.versions or any(
        draft.stream == stream and draft.version is not None for draft in append.drafts
    )
