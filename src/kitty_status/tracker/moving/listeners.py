"""Listeners: what other programs want to hear of, once an event is acknowledged.

A listener is a function of one argument, registered as an entry point:

    [project.entry-points."kitty_status.listeners"]
    my-board = "my_package.board:heard"

It is called with a `Heard` after the event is on stable storage and the log's lock is given back. Whatever it does,
the event stays and the command succeeds: what it raises, and that it took too long, becomes a warning. It may hear of
one event twice, since a call whose outcome was unknown is repeated with the same event id.

One listener ships: where `KITTY_STATUS_TELEMETRY` names a file, each event is appended to it as one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kitty_status.jsonl.append import Place, append_line
from kitty_status.jsonl.codec import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from kitty_status.tracker.moving.request import Emitted

    Listener: TypeAlias = "Callable[[Heard], object]"

GROUP = "kitty_status.listeners"
SWITCH = "KITTY_STATUS_LISTENERS"
TELEMETRY = "KITTY_STATUS_TELEMETRY"
# Somebody waits for the command: so long for each listener, and so long for all of them.
SECONDS_EACH = 2.0
SECONDS_IN_ALL = 5.0


@dataclass(frozen=True, slots=True)
class Heard:
    """An acknowledged event, for a listener.

    * `event` is the row that the log holds, `state` the work package's entry in the snapshot
    * `feature_slug` and `folder` say which feature it belongs to
    * `replayed` is true where the event stood in the log already, and a repeated call has found it there
    """

    event: dict[str, Any]
    state: dict[str, Any]
    feature_slug: str
    folder: Path
    replayed: bool


def tell(emitted: Emitted) -> list[str]:
    """Call every listener about an acknowledged event, and return a warning for each that failed or took too long."""
    if os.environ.get(SWITCH) == "0":
        return []
    warnings: list[str] = []
    until = time.monotonic() + SECONDS_IN_ALL
    for name, load in _listeners():
        heard = Heard(
            dict(emitted.event), dict(emitted.state), emitted.feature.slug, emitted.feature.folder, emitted.replayed
        )
        seconds = min(SECONDS_EACH, until - time.monotonic())
        if seconds <= 0:
            warnings.append(f"listener {name} was not called: those before it took all the time there is")
            continue
        problem = _call(load, heard, seconds)
        warnings += [f"listener {name} {problem}; the event is recorded all the same"] if problem else []
    return warnings


def _call(load: Callable[[], Listener], heard: Heard, seconds: float) -> str | None:
    """Load and call a listener in a thread of its own, and return what went wrong."""
    problems: list[str] = []

    def run() -> None:
        try:
            load()(heard)
        except BaseException as error:  # noqa: BLE001  a listener is somebody else's program, whatever it raises
            problems.append(f"failed: {type(error).__name__}: {error}")

    thread = threading.Thread(target=run, name="kitty-status listener", daemon=True)
    # The answer on stdout is one document, whatever a listener prints.
    with redirect_stdout(sys.stderr):
        thread.start()
        thread.join(seconds)
    if thread.is_alive():
        return f"had not finished after {seconds:.1f} s and was left alone"
    return problems[0] if problems else None


def _listeners() -> Iterator[tuple[str, Callable[[], Listener]]]:
    sink = os.environ.get(TELEMETRY)
    if sink:
        yield "telemetry", lambda: _telemetry(sink)
    if _is_any_registered(tuple(sys.path)):
        # Loaded by name: it takes as long to load as all the rest of the search, and hardly anybody needs it.
        metadata: Any = import_module("importlib.metadata")
        for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
            yield entry.name, entry.load


@lru_cache(maxsize=1)
def _is_any_registered(path: tuple[str, ...]) -> bool:
    """Say whether any distribution on this path speaks of the group; looked up once, since it reads a file of each."""
    wanted = GROUP.encode("ascii")
    for folder in dict.fromkeys(path):
        try:
            names = [name for name in os.listdir(folder or os.curdir) if name.endswith((".dist-info", ".egg-info"))]  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:  # noqa: PTH118, PTH123
                    if wanted in file.read():
                        return True
            except OSError:
                continue
    return False


def _telemetry(path: str) -> Listener:
    def append(heard: Heard) -> None:
        row = {"event": heard.event, "feature": heard.feature_slug, "replayed": heard.replayed, "state": heard.state}
        place = Place(path, f"{path}.lock", f"{path}.quarantine")  # type: ignore[arg-type]  # any path will do
        append_line(place, encode(row, json.dumps), timeout=SECONDS_EACH)

    return append
