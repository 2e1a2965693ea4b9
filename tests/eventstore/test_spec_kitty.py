"""`SimpleJsonStore` is the event store of spec-kitty's own package, in a file."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from spec_kitty_events.models import Event, StorageError
from spec_kitty_events.storage import EventStore, InMemoryEventStore

from kitty_status.eventstore.spec_kitty import SimpleJsonStore
from package_events import MOMENT, make_event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "telemetry" / "events.jsonl"


def test_it_is_the_packages_own_kind_of_store(path: Path) -> None:
    assert isinstance(SimpleJsonStore(path), EventStore)


def test_events_of_one_aggregate_are_found_in_order(path: Path) -> None:
    store = SimpleJsonStore(path)
    events = [make_event(aggregate_id=f"WP0{number % 2}", lamport_clock=9 - number) for number in range(3)]
    for event in events:
        store.save_event(event)
    assert store.load_events("WP00") == [events[2], events[0]]
    assert store.load_events("WP01") == [events[1]]
    assert store.load_events("WP09") == []


def test_all_events_are_ordered_as_the_package_orders_them(path: Path) -> None:
    store, memory = SimpleJsonStore(path), InMemoryEventStore()
    for clock, node in ((3, "b"), (3, "a"), (None, "z"), (1, "b"), (None, "a"), (0, "c")):
        event = make_event(lamport_clock=clock, node_id=node)
        store.save_event(event)
        memory.save_event(event)
    assert store.load_all_events() == memory.load_all_events()
    assert store.load_all_events()[0].lamport_clock is None


def test_an_event_is_stored_once_and_the_first_one_stays(path: Path) -> None:
    store = SimpleJsonStore(path)
    event = make_event()
    store.save_event(event)
    store.save_event(event)
    store.save_event(make_event(event_id=event.event_id, payload={"to": "done"}))
    SimpleJsonStore(path).save_event(event)
    assert len(path.read_bytes().splitlines()) == 1
    assert store.load_all_events() == [event]


def test_an_id_is_the_same_in_each_of_its_spellings(path: Path) -> None:
    event = make_event(event_id=str(uuid.uuid4()))
    path.parent.mkdir()
    row = event.model_dump(mode="json") | {"event_id": event.event_id.replace("-", "").upper()}
    path.write_text(json.dumps(row) + "\n")
    store = SimpleJsonStore(path)
    store.save_event(event)
    assert len(path.read_bytes().splitlines()) == 1
    assert store.load_all_events() == [event]


def test_a_file_that_does_not_exist_is_an_empty_store_and_reading_makes_none(path: Path) -> None:
    store = SimpleJsonStore(path)
    assert store.load_all_events() == []
    assert store.load_events("WP01") == []
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "line",
    [
        b"{broken",
        b"[1, 2]",
        b'"text"',
        b"{}",
        b'{"event_id": 7}',
        b"\xff\xfe",
        b'{"a": 1, "a": 2}',
        b'{"event_id": NaN}',
    ],
)
def test_a_malformed_line_is_skipped_with_a_warning_and_a_count(
    path: Path, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store = SimpleJsonStore(path)
    first, second = make_event(lamport_clock=1), make_event(lamport_clock=2)
    store.save_event(first)
    with path.open("ab") as file:
        file.write(line + b"\n")
    SimpleJsonStore(path).save_event(second)
    with caplog.at_level(logging.WARNING):
        assert store.load_all_events() == [first, second]
    assert [f"{path}:2" in each.getMessage() for each in caplog.records] == [True, False]
    assert "1 malformed line(s) skipped" in caplog.records[-1].getMessage()
    assert line in path.read_bytes()


def test_the_torn_end_of_a_crashed_writer_hides_no_event(path: Path) -> None:
    store = SimpleJsonStore(path)
    first, second = make_event(lamport_clock=1), make_event(lamport_clock=2)
    store.save_event(first)
    with path.open("ab") as file:
        file.write(b'{"event_id": "01')
    assert store.load_all_events() == [first]
    store.save_event(second)
    assert SimpleJsonStore(path).load_all_events() == [first, second]


def test_the_line_is_plain_json_with_sorted_keys(path: Path) -> None:
    event = make_event(payload={"name": "ü"})
    SimpleJsonStore(path).save_event(event)
    line = path.read_text(encoding="ascii")
    row = json.loads(line)
    assert line == json.dumps(row, sort_keys=True) + "\n"
    assert datetime.fromisoformat(row["timestamp"]) == MOMENT
    assert Event.from_dict(row) == event


def test_fields_that_the_package_does_not_know_stay_with_their_event(path: Path, tmp_path: Path) -> None:
    event = make_event()
    path.parent.mkdir()
    path.write_text(json.dumps(event.model_dump(mode="json") | {"from_the_future": [1]}) + "\n")
    [loaded] = SimpleJsonStore(path).load_all_events()
    assert isinstance(loaded, Event)
    copy = SimpleJsonStore(tmp_path / "copy.jsonl")
    copy.save_event(loaded)
    assert json.loads((tmp_path / "copy.jsonl").read_text())["from_the_future"] == [1]


def test_a_thousand_events_are_read_by_streaming(path: Path) -> None:
    store = SimpleJsonStore(path)
    events = [make_event(lamport_clock=number) for number in range(1000)]
    path.parent.mkdir()
    path.write_text("".join(json.dumps(event.model_dump(mode="json"), sort_keys=True) + "\n" for event in events))
    stream = store.stream_events()
    assert next(stream) == events[0]
    assert len([*stream]) == 999
    assert store.load_all_events() == events


def test_threads_and_processes_lose_nothing_and_store_nothing_twice(path: Path) -> None:
    store = SimpleJsonStore(path)
    events = [make_event(lamport_clock=number) for number in range(40)]
    program = (
        "import sys; from pathlib import Path; from spec_kitty_events.models import Event\n"
        "from kitty_status.eventstore.spec_kitty import SimpleJsonStore\n"
        "store = SimpleJsonStore(Path(sys.argv[1]))\n"
        "for line in sys.stdin: store.save_event(Event.model_validate_json(line))\n"
    )
    lines = "".join(event.model_dump_json() + "\n" for event in events).encode()
    others = [subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        talks = [pool.submit(other.communicate, lines) for other in others]
        list(pool.map(store.save_event, events))
        for talk in talks:
            talk.result()
    assert [other.returncode for other in others] == [0, 0]
    assert len(path.read_bytes().splitlines()) == 40
    assert store.load_all_events() == events


def test_a_file_that_was_put_in_the_place_of_another_is_read_anew(path: Path) -> None:
    store = SimpleJsonStore(path)
    event = make_event()
    store.save_event(event)
    path.unlink()
    store.save_event(event)
    assert store.load_all_events() == [event]


def test_what_cannot_be_stored_or_read_is_the_packages_own_error(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        SimpleJsonStore(path).save_event(make_event(payload={"a": float("nan")}))
    assert not path.exists()
    blocked = SimpleJsonStore(tmp_path)
    with pytest.raises(StorageError, match="cannot be read"):
        blocked.load_all_events()
    with pytest.raises(StorageError, match="not saved"):
        blocked.save_event(make_event())


def test_the_folders_of_the_file_are_made_by_the_first_event(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "there" / "events.jsonl"
    store, event = SimpleJsonStore(path), make_event()
    assert not (tmp_path / "not").exists()
    store.save_event(event)
    assert path.parent.is_dir()
    assert store.load_all_events() == [event]


def test_a_thousand_events_are_saved_one_by_one_and_loaded(path: Path) -> None:
    store = SimpleJsonStore(path)
    events = [make_event(lamport_clock=number) for number in range(1000)]
    for event in reversed(events):
        store.save_event(event)
    assert len(path.read_bytes().splitlines()) == 1000
    assert store.load_all_events() == events
    assert SimpleJsonStore(path).load_events("WP01") == events


@pytest.mark.parametrize(
    "error", [KeyError("field"), AttributeError("it"), RecursionError("deep"), OverflowError("big")]
)
def test_whatever_the_package_raises_for_a_line_is_a_malformed_line(
    path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, first, second = SimpleJsonStore(path), make_event(lamport_clock=1), make_event(lamport_clock=2)
    store.save_event(first)
    store.save_event(second)
    whole = Event.from_dict

    def from_dict(row: dict[str, Any]) -> Event:
        if row["event_id"] == first.event_id:
            raise error
        return whole(row)

    monkeypatch.setattr(Event, "from_dict", from_dict)
    with caplog.at_level(logging.WARNING):
        assert store.load_all_events() == [second]
    assert type(error).__name__ in caplog.text
    assert "1 malformed line(s) skipped" in caplog.text


def test_a_file_whose_line_endings_another_program_has_changed_is_read(path: Path) -> None:
    store, first, second = SimpleJsonStore(path), make_event(lamport_clock=1), make_event(lamport_clock=2)
    store.save_event(first)
    store.save_event(second)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    again = SimpleJsonStore(path)
    again.save_event(first)
    third = make_event(lamport_clock=3)
    again.save_event(third)
    assert again.load_all_events() == [first, second, third]
    assert len(path.read_bytes().splitlines()) == 3


@pytest.mark.parametrize("what", [None, {}, "event"])
def test_what_is_no_event_is_the_packages_own_error(path: Path, what: Any) -> None:
    with pytest.raises(StorageError, match="no event"):
        SimpleJsonStore(path).save_event(what)
    assert not path.exists()


def test_a_program_that_changes_its_folder_goes_on_with_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    store, event = SimpleJsonStore(Path("events.jsonl")), make_event()
    store.save_event(event)
    monkeypatch.chdir(tmp_path / "other")
    store.save_event(event)
    assert store.load_all_events() == [event]
    assert not list((tmp_path / "other").iterdir())
