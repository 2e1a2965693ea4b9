"""Files that fail: refused writes, full disks, flushes that are not confirmed, locks that somebody holds."""

from __future__ import annotations

import errno
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jsonl_stores import LAYOUTS, Clock, log_files, opened
from kitty_status.eventstore.durability import OS
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.measuring import Measures
from kitty_status.jsonl.lock import KeptHold, exclusive
from kitty_status.testing.event_store.base import event, events, numbers, positions, refused
from kitty_status.testing.faulty_disk import FaultyDisk

BATCH = [event(number, stream="abc"[number % 3], id=f"e{number}") for number in range(6)]


def bytes_of(batch: list[NewEvent], place: Path, layout: str) -> int:
    """Return how many bytes a batch takes behind three events."""
    with opened(place, layout) as store:
        store.append_batch([event(stream=stream) for stream in "abc"])
        before = sum(path.stat().st_size for path in log_files(place))
        store.append_batch(batch)
    length = sum(path.stat().st_size for path in log_files(place)) - before
    shutil.rmtree(place)
    return length


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_disk_that_is_full_at_any_byte_of_a_batch_keeps_nothing_of_it(tmp_path: Path, layout: str) -> None:
    disk = FaultyDisk()
    clock = Clock()
    with opened(tmp_path, layout, disk=disk, clock=clock) as store:
        store.append_batch([event(stream=stream) for stream in "abc"])
        before = {path: path.read_bytes() for path in log_files(tmp_path)}
        length = bytes_of(BATCH, tmp_path / "other", layout)
        for room in range(length):
            disk.heal()
            disk.fill_after(room)
            with pytest.raises(EventStoreError) as caught:
                store.append_batch(BATCH)
            assert caught.value.code == StoreCode.STORAGE_ERROR
            assert caught.value.retryable
            assert "full" in caught.value.message
            assert {path: path.read_bytes() for path in log_files(tmp_path) if path.stat().st_size} == before, room
            assert store.head() == 3
        refusals = length
        disk.heal()
        clock.move(minutes=5)
        assert positions(store.append_batch(BATCH)) == [4, 5, 6, 7, 8, 9]
        (said,) = store.get_events_by_type("store.disk_full")
        assert said.data == {"refused": refusals, "since": "2026-05-05T12:00:00+00:00"}
        assert (said.position, said.stream) == (10, "store")
        assert store.append(event()).position == 11


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_write_that_fails_for_a_moment_is_tried_again(tmp_path: Path, layout: str) -> None:
    disk = FaultyDisk()
    with opened(tmp_path, layout, disk=disk) as store:
        store.append(event())
        disk.write_at_most(50)
        for nth in (1, 2, 3):
            disk.fail("write", nth=nth)
            store.append_batch(BATCH if nth == 1 else events(4))
        disk.heal()
        assert positions(store.get_events()) == list(range(1, 16))
        disk.fail("write", for_good=True, error=errno.EIO)
        with pytest.raises(EventStoreError) as caught:
            store.append(event(id="late"))
        assert caught.value.retryable
        assert not caught.value.outcome_unknown
        disk.heal()
        assert store.head() == 15
        assert store.append(event(id="late")).position == 16


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_flush_that_is_not_confirmed_leaves_the_outcome_open(tmp_path: Path, layout: str, nth: int) -> None:
    disk = FaultyDisk()
    with opened(tmp_path, layout, disk=disk) as store:
        store.append_batch([event(stream=stream) for stream in "abc"])
        disk.fail("fsync", nth=1 if layout != "per-day-and-stream" else nth)
        with pytest.raises(EventStoreError) as caught:
            store.append_batch(BATCH)
        assert caught.value.outcome_unknown
        assert caught.value.retryable
        disk.heal()
        flushes, writes = disk.count("fsync"), disk.count("write")
        before = {path: path.read_bytes() for path in log_files(tmp_path)}
        assert numbers(store.append_batch(BATCH)) == [0, 1, 2, 3, 4, 5]
        assert disk.count("fsync") > flushes
        assert disk.count("write") > writes
        assert {path: path.read_bytes() for path in log_files(tmp_path)} == before
        assert positions(store.get_events()) == list(range(1, 10))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "operation", ["open", "fstat", "pread", "write", "fsync", "ftruncate", "fsync_directory", "mkdir"]
)
def test_whatever_fails_nothing_acknowledged_is_lost_and_the_next_append_succeeds(
    tmp_path: Path, layout: str, operation: str
) -> None:
    disk = FaultyDisk()
    acknowledged: list[str] = []
    for nth in range(1, 12):
        with opened(tmp_path, layout, disk=disk) as store:
            disk.heal()
            disk.write_at_most(100)
            disk.fail(operation, nth=nth)
            disk.fail(operation, nth=nth + 1)
            if operation == "ftruncate":
                disk.fail("write", nth=nth, error=errno.ENOSPC, for_good=True)
            batch = [event(place, stream="ab"[place % 2], id=f"{nth}-{place}") for place in range(3)]
            try:
                store.append_batch(batch)
            except EventStoreError as error:
                assert error.code == StoreCode.STORAGE_ERROR  # noqa: PT017  any other one is a failure
                disk.heal()
                store.append_batch(batch)
            acknowledged += [f"{nth}-{place}" for place in range(3)]
            disk.heal()
            found = store.get_events()
            assert [each.id for each in found if each.stream != "store"] == acknowledged
            assert positions(found) == list(range(1, len(found) + 1))


def test_a_lock_that_somebody_holds_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, "single") as store:
        store.append(event())
        monkeypatch.setattr(store._writer, "_lock", KeptHold(store.layout.lock, 0.01))
        with exclusive(store.layout.lock):
            with pytest.raises(EventStoreError) as caught:
                store.append(event())
            assert caught.value.retryable
            assert "lock" in caught.value.message
            assert numbers(store.get_events()) == [1]


def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "events.jsonl").symlink_to(tmp_path / "elsewhere")
    with opened(tmp_path, "single") as store, refused(StoreCode.STORAGE_ERROR, "symbolic link", "regular files"):
        store.append(event())
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_a_place_that_cannot_be_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "events").touch()
    for layout in LAYOUTS[1:]:
        with opened(tmp_path, layout) as store, refused(StoreCode.STORAGE_ERROR, "events"):
            store.append(event())


def test_a_file_that_was_removed_is_missed(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store:
        store.append_batch(events(3))
        (tmp_path / "events.jsonl").unlink()
        with refused(StoreCode.CORRUPT, "shorter"):
            store.append(event())


def test_an_event_that_is_too_long_spoils_no_other_callers_append(tmp_path: Path) -> None:
    with opened(tmp_path, "single") as store, ThreadPoolExecutor(8) as pool:

        def attempt(number: int) -> int:
            try:
                return store.append(NewEvent(type="T", data="x" * (9 << 20 if number == 3 else 1))).position
            except EventStoreError as error:
                assert error.code is StoreCode.VALIDATION_FAILED  # noqa: PT017
                return 0

        assert sorted(pool.map(attempt, range(8))) == [0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("looks", [False, True])
def test_nothing_is_answered_that_others_wrote_and_nobody_flushed(tmp_path: Path, layout: str, looks: bool) -> None:
    disk = FaultyDisk()
    clock = Clock()
    with opened(tmp_path, layout, disk=disk, clock=clock) as store:
        store.append(event(stream="a", id="a"))
        with opened(tmp_path, layout, durability=OS, clock=clock) as other:
            stored = other.append(event(1, stream="b", id="b"))
        if looks:
            assert store.head() == 2
        flushes = disk.count("fsync")
        assert store.append(event(1, stream="b", id="b")) == stored
        assert disk.count("fsync") == flushes + 1
        assert store.append(event(1, stream="b", id="b")) == stored
        assert disk.count("fsync") == flushes + 1


@pytest.mark.parametrize("looks", [False, True])
def test_what_others_wrote_on_days_that_are_over_is_flushed_before_what_follows_on_it(
    tmp_path: Path, looks: bool
) -> None:
    for layout in LAYOUTS[1:]:
        disk = FaultyDisk()
        clock = Clock()
        with opened(tmp_path / layout, layout, disk=disk, clock=clock) as store:
            store.append(event(stream="a"))
            with opened(tmp_path / layout, layout, durability=OS, clock=clock) as other:
                for _ in range(3):
                    other.append(event(stream="a"))
                    clock.move(days=1)
            if looks:
                store.get_events()
            flushes = disk.count("fsync")
            store.append(event(stream="a"))
            # The first file, the two that are newer, and the one that is begun now.
            assert disk.count("fsync") == flushes + 4


@pytest.mark.parametrize("layout", LAYOUTS)
def test_attempts_that_are_made_again_are_counted(tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FaultyDisk()
    with opened(tmp_path, layout, disk=disk) as store:
        counted: list[int] = []
        monkeypatch.setattr(store._writer, "_retried", lambda: counted.append(1))
        store.append(event())
        assert counted == []
        disk.fail("write", nth=1)
        disk.fail("write", nth=2)
        store.append(event())
        assert len(counted) == 2


def test_the_measures_of_a_store_count_attempts_that_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(Measures, "retried", lambda _: counted.append("again"))
    disk = FaultyDisk()
    with opened(tmp_path, "single", disk=disk) as store:
        store.append(event())
        disk.fail("write")
        store.append(event())
    assert counted == ["again"]
