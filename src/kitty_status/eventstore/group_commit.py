"""Group commit: what many callers append at the same moment is written, and confirmed by the disk, once.

A caller that finds nobody else at work writes for itself, in its own thread: nothing is faster for one caller. Whoever
comes meanwhile hands its append over to one writer thread, which takes everything that waits and commits it together.
A hand-over to each waiting caller in turn (leader and followers) was measured at a quarter of that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from kitty_status.eventstore.errors import closed
from kitty_status.eventstore.owning import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kitty_status.eventstore.event import Event
    from kitty_status.eventstore.staging import Append, Outcome

    Tell: TypeAlias = Callable[[Outcome | BaseException], object]

_log = logging.getLogger(__name__)

MOST_AT_ONCE = 10_000
"""How many events one commit takes at most, as far as it has a choice: an append is never divided."""


class _Waiting:
    """An append that was handed over, and whom to tell what became of it."""

    __slots__ = ("append", "tell")

    def __init__(self, append: Append, tell: Tell) -> None:
        self.append = append
        self.tell = tell


class _Answer:
    """What became of an append, for the thread that waits for it."""

    __slots__ = ("_given", "_outcome")

    def __init__(self) -> None:
        # A lock is the cheapest thing that one thread can wait for and another can give.
        self._given = threading.Lock()
        self._given.acquire()
        self._outcome: Outcome | BaseException = []

    def give(self, outcome: Outcome | BaseException) -> None:
        self._outcome = outcome
        self._given.release()

    def wait(self) -> list[Event]:
        self._given.acquire()  # never given back: one answer, one wait
        return events_of(self._outcome)


class GroupCommit:
    """Commits appends through `commit`, which is never called by two threads at once.

    `commit` gets the appends in the order of their arrival and returns an outcome for each. An error that it raises
    instead is raised to every caller whose append was among them.
    """

    def __init__(self, commit: Callable[[Sequence[Append]], list[Outcome]], linger: float = 0.0) -> None:
        """Write through `commit`, at most once in `linger` seconds: whoever comes meanwhile joins in."""
        self._commit = commit
        self._linger = linger
        self._at_work = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        # Held until something waits: the writer takes it, and then everything that is there. A semaphore would let it
        # come once for each append, nearly always to nothing.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._starting = threading.Lock()
        self._writer: threading.Thread | None = None
        self._closed = False
        self._owner = Owner()

    def submit(self, append: Append) -> list[Event]:
        """Commit an append and return its events.

        Raises:
            EventStoreError: it was refused, or the backend failed.
        """
        self._refuse_if_closed()
        if not self._linger and not self._waiting and not self._at_work.locked():
            # Only `with` takes a lock so that an interruption in the same moment gives it back. Who was faster
            # meanwhile is waited for, which is as good.
            with self._at_work:
                if self._closed:
                    raise closed()
                return events_of(self._commit([append])[0])
        answer = _Answer()
        self.submit_later(append, answer.give)
        return answer.wait()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every commit out meanwhile.

        Raises:
            EventStoreError: the store is closed.
        """
        self._refuse_if_closed()
        with self._at_work:
            self._refuse_if_closed()
            yield

    def close(self) -> None:
        """Commit what waits, and refuse what comes after."""
        with self._starting:
            self._closed = True
            writer = self._writer
            self._ring()
        if writer is not None:
            writer.join()
        with self._at_work:
            pass

    def _refuse_if_closed(self) -> None:
        # Before any lock is waited for: no thread came along into a forked child that would give it back.
        self._owner.refuse_others()
        if self._closed:
            raise closed()

    def submit_later(self, append: Append, tell: Tell) -> None:
        """Hand an append over and return at once; `tell` is called with the outcome, in the writer's thread.

        Raises:
            EventStoreError: the store is closed; `tell` is not called.
        """
        self._refuse_if_closed()
        with self._starting:
            if self._closed:
                raise closed()
            if self._writer is None:
                writer = threading.Thread(target=self._write_for_others, name="group commit", daemon=True)
                writer.start()
                self._writer = writer
            try:
                self._waiting.append(_Waiting(append, tell))
            finally:
                self._ring()

    def _ring(self) -> None:
        """Let the writer come; whoever calls holds `_starting`, so that nobody else rings at the same moment."""
        if self._bell.locked():
            self._bell.release()

    def _write_for_others(self) -> None:
        while True:
            self._bell.acquire()
            if self._linger and not self._closed:
                time.sleep(self._linger)
            with self._at_work:
                while together := self._taken():
                    self._commit_together(together)
            if not self._waiting and self._closed:
                return

    def _taken(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        events = 0
        while self._waiting and (not taken or events + len(self._waiting[0].append.drafts) <= MOST_AT_ONCE):
            waiting = self._waiting.popleft()
            events += len(waiting.append.drafts)
            taken.append(waiting)
        return taken

    def _commit_together(self, together: list[_Waiting]) -> None:
        outcomes: Sequence[Outcome | BaseException]
        try:
            outcomes = self._commit([waiting.append for waiting in together])
        except BaseException as error:  # noqa: BLE001  every caller gets it, and none waits for ever
            outcomes = [error] * len(together)
        for waiting, outcome in zip(together, outcomes, strict=True):
            try:
                waiting.tell(outcome)
            except Exception:  # noqa: BLE001  an event loop may have ended; the others are still to be told
                _log.warning("nobody could be told what became of an append", exc_info=True)


def events_of(outcome: Outcome | BaseException) -> list[Event]:
    """Return the events of an outcome.

    Raises:
        EventStoreError: the append was refused, or the backend failed.
    """
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
