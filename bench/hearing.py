"""A process that says when it hears of something: `python hearing.py store URL`, or one of the other ways with a file.

It writes a line when it is ready, and then the time of each event that a subscription of the store hands out, or of
each change of the file that the operating system tells it of (`inotify`), after it has decoded one event (`event`), or
has selected the newest event from a SQLite file of its own and decoded that (`select`).
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kitty_status import open_store
from kitty_status.eventstore.event import Event, NewEvent
from kitty_status.eventstore.sqlite.asking import COLUMNS
from kitty_status.eventstore.sqlite.rows import events_of

if TYPE_CHECKING:
    from collections.abc import Callable

_IN_MODIFY = 0x2
_LAST = f"SELECT {COLUMNS} FROM events WHERE position > 0 LIMIT 1"  # noqa: S608  the names are ours


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _hear_store(url: str) -> None:
    with open_store(url) as store, store.subscribe() as subscription:
        _say("ready")
        while subscription.next_within(None) is not None:
            _say(str(time.perf_counter_ns()))


def _hear_file(path: str, work: Callable[[], object]) -> None:
    libc = ctypes.CDLL(None)
    notify = libc.inotify_init1(0)
    libc.inotify_add_watch(notify, os.fsencode(path), _IN_MODIFY)
    work()
    _say("ready")
    while os.read(notify, 4096):
        work()
        _say(str(time.perf_counter_ns()))


def _decoding(path: str) -> Callable[[], object]:
    decode = msgspec.json.Decoder(Event).decode
    with open_store("memory:") as store:
        line = msgspec.json.encode(store.append(_event()))
    Path(f"{path}.event").write_bytes(line)
    file = os.open(f"{path}.event", os.O_RDONLY)
    return lambda: decode(os.pread(file, 4096, 0))


def _selecting(path: str) -> Callable[[], object]:
    with open_store(f"sqlite:{path}.db") as store:
        store.append(_event())
    connection = sqlite3.connect(f"{path}.db", isolation_level=None)
    return lambda: events_of(connection.execute(_LAST).fetchall())


def _event() -> NewEvent:
    return NewEvent(type="T", stream="s", data={"text": "the review asks for a narrower lock"}, tags={"issueId": "1"})


if __name__ == "__main__":
    way, place = sys.argv[1:]
    if way == "store":
        _hear_store(place)
    else:
        works = {"event": _decoding, "select": _selecting}
        _hear_file(place, works[way](place) if way in works else lambda: None)
