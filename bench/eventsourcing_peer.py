"""The library `eventsourcing` in an environment of its own, and what it does there when it is asked.

Run by that environment's interpreter with `postgres` and a folder of a PostgreSQL server, or `sqlite` and the path of a
file, it makes its tables and reads lines: what to do (`one`, `hundred`, `conditional`, `all`) and how often. It answers
each with the seconds that it took. In SQLite it has no conditions.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

RELEASE = "eventsourcing[postgres]==9.5.6"
SCRIPT = Path(__file__)
_STATE = json.dumps({"number": 1, "text": "the review asks for a narrower lock"}).encode()
_PAGE = 10_000


def _opened(database: str, place: str) -> tuple[Any, Any]:
    """Return the recorder of events, and the one that knows conditions."""
    if database == "sqlite":
        sqlite = import_module("eventsourcing.sqlite")
        recorder = sqlite.SQLiteApplicationRecorder(sqlite.SQLiteDatastore(place))
        recorder.create_table()
        return recorder, None
    store, dcb = import_module("eventsourcing.postgres"), import_module("eventsourcing.dcb.postgres_tt")
    datastore = store.PostgresDatastore("postgres", place, "5432", "postgres", "")
    recorder = store.PostgresApplicationRecorder(datastore)
    recorder.create_table()
    bounded = dcb.PostgresDCBRecorderTT(datastore)
    bounded.create_table()
    return recorder, bounded


class _Work:
    def __init__(self, database: str, place: str) -> None:
        self._event = import_module("eventsourcing.persistence").StoredEvent
        self._recorder, self._bounded = _opened(database, place)
        self._head: Any = None

    def append(self, count: int) -> None:
        stream = uuid4()
        self._recorder.insert_events(
            [self._event(stream, version, "Counted", _STATE) for version in range(1, count + 1)]
        )

    def append_if(self, number: int) -> None:
        api = import_module("eventsourcing.dcb.api")
        tags = [f"issueId:{number % 500}", "provider:github"]
        query = api.DCBQuery([api.DCBQueryItem(types=["Counted"], tags=tags[:1])])
        self._head = self._bounded.append(
            [api.DCBEvent("Counted", _STATE, tags)],
            api.DCBAppendCondition(fail_if_events_match=query, after=self._head),
        )

    def read(self) -> None:
        start = 1
        while page := self._recorder.select_notifications(start, _PAGE):
            start = page[-1].id + 1

    def do(self, what: str, number: int) -> None:
        if what == "conditional":
            self.append_if(number)
        elif what == "all":
            self.read()
        else:
            self.append(100 if what == "hundred" else 1)


def _serve(database: str, place: str) -> None:
    work = _Work(database, place)
    for line in sys.stdin:
        what, times = line.split()
        start = time.perf_counter()
        for number in range(int(times)):
            work.do(what, number)
        sys.stdout.write(f"{time.perf_counter() - start}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
