"""The library `eventsourcing` in an environment of its own, and what it does there when it is asked.

Run by that environment's interpreter with a folder of a PostgreSQL server, it makes its tables and reads lines: what to
do (`one`, `hundred`, `conditional`) and how often. It answers each with the seconds that it took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

RELEASE = "eventsourcing[postgres]==9.5.6"
_LONGEST_INSTALLATION = 300
_STATE = json.dumps({"number": 1, "text": "some text that is not short"}).encode()


class CannotInstallError(Exception):
    """The environment could not be made; says why."""


def python_of(place: Path) -> Path:
    """Return the interpreter of an environment that holds the library, and make the environment if need be.

    Raises:
        CannotInstallError: it cannot be made here.
    """
    python, installed = place / "bin" / "python", place / ".installed"
    if installed.exists():
        return python
    steps = (
        [sys.executable, "-m", "venv", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", RELEASE],
    )
    try:
        for step in steps:
            subprocess.run(step, check=True, capture_output=True, text=True, timeout=_LONGEST_INSTALLATION)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotInstallError(f"{RELEASE} could not be installed in {place}: {error}") from error
    installed.touch()
    return python


class Peer:
    """The library at work in its own process."""

    def __init__(self, python: Path, folder: str) -> None:
        self._process = subprocess.Popen(
            [str(python), __file__, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, what: str, times: int) -> float:
        """Have something done so many times and return the seconds that it took."""
        if self._process.stdin is None or self._process.stdout is None:
            raise CannotInstallError("the peer has no pipes")
        self._process.stdin.write(f"{what} {times}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


def _serve(folder: str) -> None:
    store = import_module("eventsourcing.postgres")
    dcb, api = import_module("eventsourcing.dcb.postgres_tt"), import_module("eventsourcing.dcb.api")
    event = import_module("eventsourcing.persistence").StoredEvent
    datastore = store.PostgresDatastore("postgres", folder, "5432", "postgres", "")
    recorder = store.PostgresApplicationRecorder(datastore)
    recorder.create_table()
    bounded = dcb.PostgresDCBRecorderTT(datastore)
    bounded.create_table()

    def append(count: int) -> None:
        stream = uuid4()
        recorder.insert_events([event(stream, version, "Counted", _STATE) for version in range(1, count + 1)])

    def append_if(number: int, head: int | None) -> Any:
        tags = [f"issueId:{number % 500}", "provider:github"]
        query = api.DCBQuery([api.DCBQueryItem(types=["Counted"], tags=tags[:1])])
        return bounded.append(
            [api.DCBEvent("Counted", _STATE, tags)], api.DCBAppendCondition(fail_if_events_match=query, after=head)
        )

    head: Any = None
    for line in sys.stdin:
        what, times = line.split()
        start = time.perf_counter()
        for number in range(int(times)):
            if what == "conditional":
                head = append_if(number, head)
            else:
                append(100 if what == "hundred" else 1)
        sys.stdout.write(f"{time.perf_counter() - start}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1])
