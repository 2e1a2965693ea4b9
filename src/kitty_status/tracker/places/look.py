"""One look around for one feature: what stands in each place, and what of it this work tree's log lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.damage import is_in_flight
from kitty_status.status.record import event_in
from kitty_status.status.reducer import unique_events
from kitty_status.tracker.mending.same_feature import is_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.status.record import LaneEvent
    from kitty_status.tracker.features import Feature


class View:
    """One place with events that this log does not hold: a work tree's log, a branch's tip, or the journal.

    `worktree` is None but for a log that lies in one, `branch` is None on a detached HEAD. `events` is
    everything that stands there, each event once; `unmerged` is the part that this log lacks. `former` is
    the name that the feature still has there, if it is another one.
    """

    __slots__ = ("branch", "events", "former", "in_journal", "unmerged", "worktree")

    def __init__(self, events: list[LaneEvent], worktree: str | None, branch: str | None) -> None:
        self.events = events
        self.worktree = worktree
        self.branch = branch
        self.in_journal = False
        self.former: str | None = None
        self.unmerged: list[LaneEvent] = []

    @property
    def name(self) -> str:
        """The place as a person would say it."""
        called = f", where the feature is called {self.former}" if self.former else ""
        if self.worktree is not None:
            stands_on = f"branch {self.branch}" if self.branch else "detached HEAD"
            return f"the work tree {self.worktree} ({stands_on}){called}"
        return f"{'the journal, for ' if self.in_journal else ''}branch {self.branch}{called}"

    def to_dict(self) -> dict[str, str | None]:
        """Return the place as JSON answers give it."""
        found_in = "worktree" if self.worktree is not None else "journal" if self.in_journal else "branch"
        return {"found_in": found_in, "worktree": self.worktree, "branch": self.branch}


class Look:
    """One look around for one feature: each distinct line is understood once, however many places hold it."""

    def __init__(self, own: Sequence[LaneEvent], feature: Feature) -> None:
        self.own = own
        self.own_ids = {event.event_id for event in own}
        self.folder = feature.path
        self.log = feature.relative(feature.log.path)
        self.is_divided = feature.log.is_divided
        self.warnings: list[str] = []
        self.former: str | None = None
        self._expected: Sequence[bytes] = ()
        self._known: dict[bytes, LaneEvent | None] = {event.line.removesuffix(b"\n"): event for event in own}
        self._damaged: dict[bytes, str] = {}

    def expect(self, feature: Feature) -> None:
        """Look under a name that `feature` had before: a log there that tells of another feature adds nothing."""
        self.former = self.folder.rpartition("/")[2]
        self._expected = lines_of(feature.log)

    def take(self, view: View, files: dict[str, bytes | None], before: Sequence[LaneEvent] = ()) -> View:
        """Put the events that {path: content} of a log's files hold into a view, behind those that stand `before`."""
        view.former = self.former
        if self.former and not is_of(self._expected, files.values(), before):
            return view
        events = list(before)
        for path, data in files.items():
            self._read(view, path, data or b"", events)
        view.events = unique_events(events)
        view.unmerged = [event for event in view.events if event.event_id not in self.own_ids]
        return view

    def _read(self, view: View, path: str, data: bytes, events: list[LaneEvent]) -> None:
        damaged = []
        lines = data.split(b"\n")
        for number, line in enumerate(lines, start=1):
            if line not in self._known:
                self._known[line] = event_in(line, number, decode, self._note)
            event = self._known[line]
            if event is not None:
                events.append(event)
            elif line in self._damaged and not (number == len(lines) and is_in_flight(line)):
                damaged.append((number, self._damaged[line]))
        if damaged:
            number, why = damaged[0]
            more = f", and {len(damaged) - 1} more lines" if len(damaged) > 1 else ""
            self.warnings.append(f"line {number} of {path} in {view.name} is damaged ({why}){more}: passed over")

    def _note(self, _number: int, line: bytes, why: str, _is_json: bool) -> None:
        self._damaged[line] = why
