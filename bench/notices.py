"""How soon subscribers hear of an event: from the answer to whoever appends it, beside the barest way to be told.

Whoever has slept finds nothing of what it needs in a core's cache, so the same code takes several times as long as when
it is repeated. What is written in Python can do little in twice the time that an idle process takes to wake up; how
little is measured beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bench.measuring import in_turn, ratio
from bench.places import BENCH
from bench.store_events import event_numbered, timed

from kitty_status import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.measuring import Figure

    from kitty_status.eventstore.protocol import EventStore

_NOTICES = 200
_INOTIFY = "inotify, after an append, too"
# What a process that is told by inotify must do at the very least, in two ways.
_LEAST = {"event": "an event read from a file and decoded", "select": "an event selected from SQLite and decoded"}


def notices(here: Path, kind: str) -> Iterator[Figure]:
    """Measure a kind of store whose files lie in a folder."""
    url = f"{kind}:{here / 'heard'}"
    with open_store(url) as store, open_store(f"{kind}:{here / 'unheard'}") as other:
        ours, bare = _in_process(store, other)
        of = "a condition variable, after an append, too"
        yield ratio(f"{kind}, to a subscriber of the process", ours, bare, target=3, of=of)
        times = _across_processes(store, other, url, here)
        bare = times["inotify"]
        yield ratio(f"{kind}, to a subscriber of another process", times["store"], bare, target=2, of=_INOTIFY)
        for way, what in _LEAST.items():
            yield ratio(f"without a store, {what}", times[way], bare, target=2, of=_INOTIFY)


def _in_process(store: EventStore, other: EventStore) -> tuple[list[float], list[float]]:
    heard = threading.Event()
    changed = threading.Condition()
    ended = False

    def listen() -> None:
        with changed:
            while not ended:
                changed.wait()
                heard.set()

    thread = threading.Thread(target=listen)
    thread.start()
    unsubscribe = store.subscribe(lambda _: heard.set())

    def ours() -> float:
        heard.clear()
        store.append(event_numbered(1))
        return _rested(timed(heard.wait))

    def bare() -> float:
        heard.clear()
        # Else its threads would wait less long, and find more of what they need where the last round left it.
        other.append(event_numbered(1))
        with changed:
            changed.notify_all()
        return _rested(timed(heard.wait))

    times = in_turn(_NOTICES, {"ours": ours, "bare": bare})
    unsubscribe()
    with changed:
        ended = True
        changed.notify_all()
    thread.join()
    return times["ours"], times["bare"]


def _across_processes(store: EventStore, other: EventStore, url: str, here: Path) -> dict[str, list[float]]:
    with ExitStack() as stack:
        contestants = {"store": _told_by(store, stack.enter_context(_hearing("store", url)))}
        for way in ("inotify", *_LEAST):
            touched = here / way
            touched.write_bytes(b".")
            hears = stack.enter_context(_hearing(way, str(touched)))
            file = os.open(touched, os.O_RDWR)
            stack.callback(os.close, file)
            contestants[way] = _touched(other, file, hears)
        return in_turn(_NOTICES, contestants)


def _told_by(store: EventStore, hears: Callable[[int], float]) -> Callable[[], float]:
    def tell() -> float:
        store.append(event_numbered(1))
        return _rested(hears(time.perf_counter_ns()))

    return tell


def _touched(other: EventStore, file: int, hears: Callable[[int], float]) -> Callable[[], float]:
    def tell() -> float:
        other.append(event_numbered(1))
        os.pwrite(file, b"!", 0)
        return _rested(hears(time.perf_counter_ns()))

    return tell


@contextmanager
def _hearing(what: str, place: str) -> Iterator[Callable[[int], float]]:
    """Yield what returns how many seconds after a moment another process has heard."""
    argv = [sys.executable, str(BENCH / "hearing.py"), what, place]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        answers = process.stdout
        if answers is None or answers.readline() != "ready\n":
            raise ChildProcessError(f"{' '.join(argv)} is not ready")
        try:
            # Never less than a microsecond: who is told before the append returns has heard at once.
            yield lambda moment: max(1e-6, (int(answers.readline()) - moment) / 1e9)
        finally:
            process.terminate()


def _rested(seconds: float) -> float:
    """Let the other side go back to waiting."""
    time.sleep(0.003)
    return seconds
