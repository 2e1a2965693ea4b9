"""Whatever is asked of a large log in files of lines, and in whatever order, is answered in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jsonl_stores import LAYOUTS
from kitty_status.eventstore.event import Event
from kitty_status.eventstore.jsonl.lines import encode_line

BOUND = 64 << 20
EVENTS = 13_000
_FILLING = "x" * 4_000

# The highest mark of this process alone: getrusage also counts what its parent had held when it was started.
_READER = """
import sys
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.query import EventQuery
with JsonlEventStore(sys.argv[1], layout=sys.argv[2]) as store:
    seen = last = 0
    for event in store.stream_events(eval(sys.argv[3])):
        seen += 1
        last = event.position
with open("/proc/self/status") as status:
    (high,) = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")]
print(seen, last, high)
"""


def place_of(folder: Path, layout: str) -> Path:
    """Return a store of more than 50 MB, which is made once for all tests."""
    place = folder / layout
    if place.exists():
        return place
    moment = datetime(2026, 1, 10, tzinfo=UTC)
    names = {"single": "{layout}", "daily": "{layout}/events/2026-01-{day:02d}.jsonl"}
    name = names.get(layout, "{layout}/2026-01-{day:02d}/s{stream}.jsonl")
    lines: dict[str, list[bytes]] = {}
    versions = dict.fromkeys(range(40), 0)
    for number in range(EVENTS):
        stream = number % 40
        versions[stream] += 1
        event = Event(
            id=f"e{number}",
            type=f"T{number * 7 % 11}",
            stream=f"s{stream}",
            version=versions[stream],
            position=number + 1,
            at=moment + timedelta(seconds=number * 7919 % EVENTS),
            data=_FILLING,
            tags={"k": str(number % 500)},
            metadata={},
        )
        path = name.format(layout=layout, day=10 + number * 4 // EVENTS, stream=stream)
        lines.setdefault(path, []).append(encode_line(event) + b"\n")
    for path, found in lines.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"".join(found))
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("large")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much a process has held")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("query", "count", "last"),
    [
        ("EventQuery()", EVENTS, EVENTS),
        ("EventQuery(direction='desc')", EVENTS, 1),
        ("EventQuery(order_by='timestamp')", EVENTS, None),
        ("EventQuery(order_by='timestamp', direction='desc')", EVENTS, None),
        ("EventQuery(order_by='type')", EVENTS, None),
        ("EventQuery(tags={'k': '5'})", EVENTS // 500, None),
    ],
    ids=str,
)
def test_a_large_log_is_read_in_bounded_memory(
    folder: Path, layout: str, query: str, count: int, last: int | None
) -> None:
    argv = [sys.executable, "-c", _READER, str(place_of(folder, layout)), layout, query]
    seen, newest, high = map(int, subprocess.run(argv, capture_output=True, check=True, text=True).stdout.split())
    assert seen == count
    assert last is None or newest == last
    assert high < BOUND, high
