"""A process that says when it hears of something: `python hearing.py store PATH` or `python hearing.py file PATH`.

It writes a line when it is ready, and then the time of each event that a subscription of the store hands out, or of
each change of the file that the operating system tells it of.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time

from kitty_status.eventstore.sqlite.store import SqliteEventStore

_IN_MODIFY = 0x2


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _hear_store(path: str) -> None:
    with SqliteEventStore(path) as store, store.subscribe() as subscription:
        _say("ready")
        while subscription.next_within(None) is not None:
            _say(str(time.perf_counter_ns()))


def _hear_file(path: str) -> None:
    libc = ctypes.CDLL(None)
    notify = libc.inotify_init1(0)
    libc.inotify_add_watch(notify, os.fsencode(path), _IN_MODIFY)
    _say("ready")
    while os.read(notify, 4096):
        _say(str(time.perf_counter_ns()))


if __name__ == "__main__":
    {"store": _hear_store, "file": _hear_file}[sys.argv[1]](sys.argv[2])
