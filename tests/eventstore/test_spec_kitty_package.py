"""`SimpleJsonStore` beside the code of the package `spec-kitty-events`: its models, its orders, its own test cases."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_kitty_events.conformance.loader import load_event_ordering_cases, load_ledger_append_cases
from spec_kitty_events.models import Event
from spec_kitty_events.ordering import canonical_order_key, node_order_key
from spec_kitty_events.storage import InMemoryEventStore

from kitty_status.eventstore.spec_kitty import SimpleJsonStore
from package_events import make_event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "telemetry" / "events.jsonl"


EVENTS_TO_WRITE = [
    case for case in load_ledger_append_cases() if case["expected_result"] == "valid" and case["input_kind"] == "event"
]


@pytest.mark.parametrize("case", EVENTS_TO_WRITE, ids=lambda case: case["id"])
def test_a_line_is_the_one_that_the_package_itself_writes(path: Path, case: dict[str, Any]) -> None:
    """The package ships what its own writer must write, for writers in other languages."""
    prior = (case.get("existing_ledger") or "").encode()
    path.parent.mkdir()
    path.write_bytes(prior)
    SimpleJsonStore(path).save_event(Event(**case["input"]))
    assert path.read_bytes() == prior + case["expected_line"].encode("ascii")


@pytest.mark.parametrize("case", load_event_ordering_cases(), ids=lambda case: case["id"])
def test_events_of_the_packages_own_cases_come_back_in_its_orders(path: Path, case: dict[str, Any]) -> None:
    events = [Event(**fields) for fields in case["events"]]
    for arrangement in (events, events[::-1]):
        path.unlink(missing_ok=True)
        store = SimpleJsonStore(path)
        for event in arrangement:
            store.save_event(event)
        loaded = store.load_all_events()
        assert loaded == sorted(events, key=node_order_key)
        assert [event.event_id for event in sorted(loaded, key=canonical_order_key)] == case["expected_order"]


moments = st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1))  # noqa: DTZ001
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
models = st.builds(
    make_event,
    event_id=st.integers(0, 5).map(lambda number: f"01HZ{number:022d}") | st.uuids().map(str),
    aggregate_id=st.sampled_from(["WP01", "WP02", "ü"]),
    payload=st.dictionaries(texts, values, max_size=3),
    timestamp=moments,
    node_id=st.sampled_from(["a", "b"]) | texts,
    lamport_clock=st.none() | st.integers(0, 3),
    project_slug=st.none() | texts,
    data_tier=st.integers(0, 4),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(models, max_size=8))
def test_every_model_of_the_package_comes_back_as_it_was_in_the_order_of_the_package(events: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SimpleJsonStore(Path(folder, "events.jsonl"))
        first: dict[str, Event] = {}
        for event in events:
            store.save_event(event)
            first.setdefault(event.event_id, event)
        again = SimpleJsonStore(Path(folder, "events.jsonl"))
        assert list(again.stream_events()) == list(first.values())
        assert again.load_all_events() == sorted(first.values(), key=node_order_key)
        theirs = InMemoryEventStore()
        for event in first.values():
            theirs.save_event(event)
        for aggregate in ("WP01", "WP02", "ü"):
            assert again.load_events(aggregate) == theirs.load_events(aggregate)


def test_two_processes_that_append_at_once_lose_nothing(path: Path) -> None:
    """Each has events of its own; the one of the package has no lock, so both are ours."""
    program = (
        "import sys; from pathlib import Path; from spec_kitty_events.models import Event\n"
        "from kitty_status.eventstore.spec_kitty import SimpleJsonStore\n"
        "store = SimpleJsonStore(Path(sys.argv[1]))\n"
        "lines = sys.stdin.readlines()\n"
        "for line in lines: store.save_event(Event.model_validate_json(line))\n"
    )
    events = [make_event(lamport_clock=number, node_id="ab"[number % 2]) for number in range(200)]
    with ThreadPoolExecutor(2) as pool:
        writers = [
            subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE) for _ in range(2)
        ]
        talks = [
            pool.submit(writer.communicate, "".join(f"{each.model_dump_json()}\n" for each in events[at::2]).encode())
            for at, writer in enumerate(writers)
        ]
        for talk in talks:
            talk.result()
    assert [writer.returncode for writer in writers] == [0, 0]
    store = SimpleJsonStore(path)
    assert store.load_all_events() == events
    of_each = [[event for event in store.stream_events() if event.node_id == node] for node in "ab"]
    assert of_each == [events[0::2], events[1::2]]
