"""Subscribers are told by the operating system that files have changed."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jsonl_stores import LAYOUTS, NOON, opened
from kitty_status.eventstore import growth
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.recent import decode
from kitty_status.eventstore.sqlite.bell import NOTHING
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.eventstore.watching import Watch
from kitty_status.testing.event_store.base import SECONDS, event

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")

_WRITER = """
import sys
from datetime import UTC, datetime
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl.store import JsonlEventStore
now = datetime(2026, 5, 5, 12, tzinfo=UTC)
with JsonlEventStore(sys.argv[1], layout=sys.argv[2], clock=lambda: now) as store:
    for line in sys.stdin:
        store.append(NewEvent(type="T", stream=line.strip()))
"""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_another_process_appends_wakes_who_waits(tmp_path: Path, layout: str) -> None:
    with opened(tmp_path / "not" / "there", layout) as store, store.subscribe(after=0) as subscription:
        argv = [sys.executable, "-c", _WRITER, str(store.path), layout]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, text=True) as writer:
            assert writer.stdin is not None
            for number, stream in enumerate("abab", start=1):
                print(stream, file=writer.stdin, flush=True)
                found = subscription.next_within(SECONDS)
                assert found is not None
                assert (found.position, found.stream) == (number, stream)
            assert store._watch.is_watching
            assert not store.wait_for(5, 0.01)
            writer.stdin.close()


def test_a_folder_that_comes_to_be_is_watched(tmp_path: Path) -> None:
    changed = threading.Event()
    wanted = [tmp_path]
    watch = Watch(lambda: [folder for folder in wanted if folder.exists()], changed.set)
    assert watch.is_watching
    assert not watch.wait(0), "what was there before, nobody is told of"
    wanted.append(tmp_path / "new")
    (tmp_path / "new").mkdir()
    assert watch.wait(SECONDS)
    assert watch.hear()
    assert changed.is_set()
    changed.clear()
    (tmp_path / "new" / "file").write_text("x")
    assert watch.wait(SECONDS)
    assert watch.hear()
    assert changed.is_set()
    watch.close()
    watch.close()
    assert not watch.is_watching
    assert not watch.wait(SECONDS)
    watch.wake()


def test_a_watch_that_is_closed_lets_go_of_who_waits(tmp_path: Path) -> None:
    watch = Watch(lambda: [tmp_path], list)
    assert watch.is_watching
    assert not watch.wait(0)
    closing = threading.Timer(0.05, watch.close)
    closing.start()
    assert watch.wait(SECONDS)
    assert not watch.hear()
    closing.join()


def test_a_folder_that_cannot_be_watched_ends_the_watch(tmp_path: Path) -> None:
    wanted = [tmp_path]
    watch = Watch(lambda: wanted, list)
    assert watch.is_watching
    assert not watch.wait(0)
    wanted.append(tmp_path / "missing")
    (tmp_path / "new").mkdir()
    assert watch.wait(SECONDS)
    assert not watch.hear()
    assert not watch.is_watching
    watch.close()


def test_another_thread_leads_when_the_one_that_has_led_is_gone(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store, ThreadPoolExecutor(3) as pool:
        impatient = pool.submit(store.wait_for, 1, 0.05)
        others = [pool.submit(store.wait_for, 1, SECONDS) for _ in range(2)]
        assert not impatient.result()
        with opened(tmp_path, "single") as other:
            other.append(event())
        assert [waiting.result() for waiting in others] == [True, True]


def test_where_the_system_cannot_tell_one_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, "single") as store:
        monkeypatch.setattr(store._watch, "_folders", lambda: [tmp_path / "missing"])
        assert not store.wait_for(1, 0.01)
        assert not store._watch.is_watching
        store.append(event())
        assert store.wait_for(1, 1)


def test_damage_wakes_who_waits(tmp_path: Path) -> None:
    def spoil() -> None:
        with (tmp_path / "events.jsonl").open("ab") as file:
            file.write(b"no event\n")

    with opened(tmp_path, "single") as store, opened(tmp_path, "single") as other:
        store.append(event(at=NOON))
        subscription = other.subscribe()
        timer = threading.Timer(0.1, spoil)
        timer.start()
        with pytest.raises(EventStoreError) as caught:
            subscription.next_within(SECONDS)
        timer.join()
        assert caught.value.code is StoreCode.CORRUPT


_SQLITE_WRITER = """
import sys
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.sqlite.store import SqliteEventStore
with SqliteEventStore(sys.argv[1]) as store:
    for line in sys.stdin:
        store.append(NewEvent(type="T", stream=line.strip()))
"""


def test_a_bell_tells_of_what_another_process_appends_to_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "_FIRST_PAUSE_WHEN_TOLD", SECONDS)
    monkeypatch.setattr(growth, "_LONGEST_PAUSE", SECONDS)
    with SqliteEventStore(tmp_path / "events.db") as store:
        argv = [sys.executable, "-c", _SQLITE_WRITER, str(store.path)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, text=True) as writer:
            assert writer.stdin is not None
            for number in (1, 3, 5):
                timer = threading.Timer(0.05, print, ["s"], {"file": writer.stdin, "flush": True})
                timer.start()
                # Nobody looks for events here: only the bell can end this before its time.
                assert store.wait_for(number, SECONDS)
                timer.join()
                told = store._bell.hear()
                assert told is not None
                assert told[0] == number
                assert [decode(line).position for line in told[1]] == [number]
                assert store.append(event()).position == number + 1
                assert store._bell.hear() is None
            writer.stdin.close()


def test_without_a_bell_one_looks(tmp_path: Path) -> None:
    (tmp_path / "events.db-bell").mkdir()
    with SqliteEventStore(tmp_path / "events.db") as store, SqliteEventStore(tmp_path / "events.db") as other:
        assert not store.wait_for(1, 0.01)
        assert store._bell.hear() == NOTHING
        other.append(event())
        assert store.wait_for(1, SECONDS)


def test_an_error_at_the_bell_is_met_by_who_waits(tmp_path: Path) -> None:
    with SqliteEventStore(tmp_path / "events.db") as store:
        store._connections.close()
        store._hear()
        with pytest.raises(EventStoreError, match="closed"):
            store.head()


def test_who_waits_for_a_position_is_not_stopped_by_the_end_of_a_subscription() -> None:
    with MemoryEventStore() as store, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.wait_for, 1, SECONDS)
        for _ in range(20):
            store.subscribe().close()
        store.append(event())
        assert waiting.result()


def test_who_waits_for_a_position_is_told_that_the_store_was_closed() -> None:
    store = MemoryEventStore()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.wait_for, 1, SECONDS)
        store.close()
        with pytest.raises(EventStoreError, match="closed"):
            waiting.result()
