"""The event store in files of lines, against the writing and reading that it cannot do without.

What a flush takes differs by a factor of thirty from hour to hour on one machine. Where it takes milliseconds,
nothing else counts. Where it takes a fifth of one, the 35 microseconds of Python that an append needs (twice as many
right after a wait, when the processor has forgotten everything) are a quarter of it, and a batch of 100 takes two to
three times as long as its bytes.
"""

# What each promise costs can only be told from the inside.
# ruff: noqa: SLF001

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from bench.measuring import in_turn, ratio
from bench.notices import notices
from bench.places import RESULTS
from bench.store_events import append_some, cpu_of_work, crowd, event_numbered, timed

from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.jsonl.lines import encode_line
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.query import EventQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.measuring import Figure

_APPENDS = 250
_BATCHES = 100
_LARGE = 1_000_000
_CALLERS = 64
_EACH = 50
_PIECE = 1 << 17


def run(folder: Path) -> Iterator[Figure | str]:
    """Measure appends, how soon subscribers hear of events, then reading everything and one tag of a million events."""
    # Beside the results: a folder for temporary files may be no disk at all.
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as here:
        yield from _appends(Path(here))
        yield from notices(Path(here), "jsonl")
    yield from _reads(folder)


def _appends(here: Path) -> Iterator[Figure | str]:
    line = b"x" * 210 + b"\n"
    raw = os.open(here / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    written = _Overwritten(here / "overwritten")
    with JsonlEventStore(here / "events.jsonl") as store:
        store.append(event_numbered(0))
        batch = [event_numbered(number) for number in range(100)]
        one = in_turn(
            _APPENDS,
            {
                "raw": lambda: _raw(raw, line),
                "ours": lambda: timed(lambda: store.append(event_numbered(1))),
                "overwriting": lambda: written(line),
            },
        )
        many = in_turn(
            _BATCHES,
            {
                "raw": lambda: _raw(raw, line * 100),
                "ours": lambda: timed(lambda: store.append_batch(batch)),
                "overwriting": lambda: written(line * 100),
            },
        )
        crowded = in_turn(7, {"raw": lambda: _raw_alone(raw, line), "ours": lambda: _crowd(store)})
        costs = _costs(store)
    os.close(raw)
    yield f"jsonl, one durable append, microseconds: {costs}; write and flush {_median(one['raw'])}"
    yield (
        "a write and flush at the end of a file, in those of a file that is overwritten (SQLite's log): "
        f"{_times(one)} of a line, {_times(many)} of a hundred"
    )
    of = "write and fdatasync, descriptor held"
    yield ratio("jsonl, one durable append", one["raw"], one["ours"], target=0.9, of=of, at_least=True)
    yield ratio("jsonl, a batch of 100", many["raw"], many["ours"], target=0.35, of=of, at_least=True)
    yield ratio(
        f"jsonl, {_CALLERS} callers",
        crowded["raw"],
        crowded["ours"],
        target=3,
        of="one caller's write+fdatasync",
        at_least=True,
    )


def _reads(folder: Path) -> Iterator[Figure]:
    path = folder / "events.jsonl"
    with JsonlEventStore(path, durability=OS) as store:
        for first in range(0, _LARGE, 10_000):
            store.append_batch([event_numbered(number) for number in range(first, first + 10_000)])
        wanted = EventQuery(tags={"issueId": "7"})
        store.get_events(wanted)
        everything = in_turn(7, {"floor": lambda: _decoded(path), "ours": lambda: cpu_of_work(lambda: _all_of(store))})
        tag = in_turn(
            7,
            {
                "scan": lambda: timed(lambda: list(filter(wanted.matches, store.stream_events()))),
                "ours": lambda: timed(lambda: store.get_events(wanted)),
                "0.1 s": lambda: 0.1,
            },
        )
    of = "msgspec decode_lines, a piece at a time"
    yield ratio("jsonl, reading everything", everything["floor"], everything["ours"], target=0.6, of=of, at_least=True)
    yield ratio("jsonl, one tag of a million", tag["scan"], tag["ours"], target=20, of="a full scan", at_least=True)
    yield ratio("jsonl, one tag of a million", tag["ours"], tag["0.1 s"], target=1, of="100 ms")


def _raw(descriptor: int, data: bytes) -> float:
    def write() -> None:
        os.write(descriptor, data)
        os.fdatasync(descriptor)

    return timed(write)


class _Overwritten:
    """A file of zeros, written over from its beginning again and again: its length stays."""

    _LENGTH = 8 << 20

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(self._LENGTH))
        self._file = path.open("r+b", buffering=0)
        os.fsync(self._file.fileno())
        self._at = 0

    def __call__(self, data: bytes) -> float:
        self._at = 0 if self._at + len(data) > self._LENGTH else self._at

        def write() -> None:
            os.pwrite(self._file.fileno(), data, self._at)
            os.fdatasync(self._file.fileno())

        seconds = timed(write)
        self._at += len(data)
        return seconds


def _costs(store: JsonlEventStore) -> str:
    """Return what each promise of an append takes by itself, again and again, without a disk that is waited for."""
    writer, event = store._writer, event_numbered(1)
    append = store.prepared([event])
    stored = append.drafts[0].stored(1, 1)
    visible = store._known.visible()

    def lock() -> None:
        with writer._lock:
            pass

    steps = {
        "checks, copy and id": lambda: store.prepared([event]),
        "lock": lock,
        "what others have written": lambda: writer._known.visible(is_locked=True),
        "place": lambda: writer._staged([append], visible),
        "line": lambda: encode_line(stored),
        "telling subscribers": lambda: store._growth.reached(0),
    }
    return ", ".join(f"{name} {_median([timed(step) for _ in range(2000)])}" for name, step in steps.items())


def _median(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e6:.1f}"


def _times(measured: dict[str, list[float]]) -> str:
    pairs = zip(measured["raw"], measured["overwriting"], strict=True)
    return f"{statistics.median(raw / other for raw, other in pairs):.2f}"


def _raw_alone(descriptor: int, data: bytes) -> float:
    return sum(_raw(descriptor, data) for _ in range(_EACH)) * _CALLERS


def _crowd(store: JsonlEventStore) -> float:
    return timed(lambda: crowd(_CALLERS, lambda: append_some(store, _EACH)))


def _decoded(path: Path) -> float:
    decode = msgspec.json.Decoder(Event).decode_lines

    def read() -> None:
        with path.open("rb") as file:
            while lines := file.readlines(_PIECE):
                decode(b"".join(lines))

    return cpu_of_work(read)


def _all_of(store: JsonlEventStore) -> int:
    return sum(1 for _ in store.stream_events())
