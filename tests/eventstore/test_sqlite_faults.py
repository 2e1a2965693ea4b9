"""Disks that are full, files that are locked, read-only or gone: an error that says so, and nothing half stored."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.sqlite import connections
from kitty_status.eventstore.sqlite.connections import may_be_stored
from kitty_status.eventstore.sqlite.rows import tag_rows
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store.base import event, positions, refused
from kitty_status.testing.event_store.forking import child_says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kitty_status.eventstore.event import NewEvent

NOBODY = 65534
# `make crash` fails at every byte.
STEP = int(os.environ.get("KITTY_STATUS_PROOF_STEP", "37"))


def batch(name: str, count: int = 12) -> list[NewEvent]:
    text = "the review asks for a narrower lock " * 40
    return [event(number, id=f"{name}-{number}", data=text, tags={"batch": name}) for number in range(1, count + 1)]


def check_whole(path: Path, *names: str) -> None:
    """Check that a new store at this path has these batches, and no others, with their tags."""
    with SqliteEventStore(path) as store:
        found = store.get_events()
        assert positions(found) == list(range(1, len(found) + 1))
        assert [each.id for each in found] == [each.id for name in names for each in batch(name)]
    with closing(sqlite3.connect(path)) as stranger:
        assert stranger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = stranger.execute("SELECT key, value, position FROM event_tags").fetchall()
    assert sorted(rows) == sorted(tag_rows(found))


def error_of(work: Callable[[], object]) -> EventStoreError | None:
    try:
        work()
    except EventStoreError as error:
        return error
    return None


@contextmanager
def no_larger_file_than(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_wherever_in_a_batch_writing_fails_nothing_of_it_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    log = Path(f"{path}-wal")
    with SqliteEventStore(path) as store:
        store.append_batch(batch("one"))
        size = log.stat().st_size
        store.append_batch(batch("two"))
        largest = 2 * log.stat().st_size - size
        failures = 0
        for limit in range(log.stat().st_size, largest, STEP):
            with no_larger_file_than(limit):
                error = error_of(lambda: store.append_batch(batch("three")))
            if error is None:
                break
            assert (error.code, error.retryable, error.outcome_unknown) == (StoreCode.STORAGE_ERROR, True, False)
            assert store.head() == 24
            failures += 1
        assert failures > 3
        store.append_batch(batch("three"))
        assert positions(store.append_batch(batch("four"))) == list(range(37, 49))
    check_whole(path, "one", "two", "three", "four")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of one megabyte, where that is allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(file: Path, *, but: int) -> None:
    """Fill the disk with a file, but for so many bytes."""
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            filler.truncate(max(0, filler.tell() - but))


def test_a_full_disk_refuses_batches_whole_until_there_is_room(small_disk: Path) -> None:
    path = small_disk / "events.db"
    with SqliteEventStore(path) as store:
        store.append_batch(batch("one"))
        failures = 0
        for room in range(0, 400_000, 4096):
            fill(small_disk / "filler", but=room)
            error = error_of(lambda: store.append_batch(batch("two")))
            if error is None:
                break
            assert (error.code, error.retryable, error.outcome_unknown) == (StoreCode.STORAGE_ERROR, True, False)
            assert store.head() == 12
            failures += 1
        assert failures > 1
        (small_disk / "filler").unlink()
        assert positions(store.append_batch(batch("two"))) == list(range(13, 25))
    check_whole(path, "one", "two")


def test_a_full_database_refuses_batches_whole_until_it_may_grow(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append_batch(batch("one"))
        pages = store._connections.writer.execute("PRAGMA page_count").fetchone()[0]
        for more in range(6):
            store._connections.writer.execute(f"PRAGMA max_page_count = {pages + more}")
            with refused(StoreCode.STORAGE_ERROR, "full"):
                store.append_batch(batch("two"))
            assert store.head() == 12
        store._connections.writer.execute("PRAGMA max_page_count = 100000")
        store.append_batch(batch("two"))
    check_whole(path, "one", "two")


_HOLDER = """
import sqlite3, sys
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_file_that_another_process_keeps_locked_is_a_passing_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_PATIENCE", 0.2)
    path = tmp_path / "events.db"
    with SqliteEventStore(path) as store:
        store.append_batch(batch("one"))
        argv = [sys.executable, "-c", _HOLDER, str(path)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(EventStoreError) as caught:
                store.append_batch(batch("two"))
            assert (caught.value.code, caught.value.retryable) == (StoreCode.STORAGE_ERROR, True)
            assert "locked" in caught.value.message
            assert "0.2 s" in caught.value.message
            assert positions(store.get_events()) == list(range(1, 13))
            holder.communicate("go\n")
        store.append_batch(batch("two"))
    check_whole(path, "one", "two")


def error_without_rights(work: Callable[[], object]) -> str:
    """Return the error that something raises in a process that may write only what everybody may."""

    def attempt() -> str:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        try:
            work()
        except EventStoreError as error:
            return f"{error.code} {error.retryable} {error.message} {error.hint}"
        return "no error"

    return child_says(attempt)


@pytest.mark.parametrize("mode", [0o555, 0o777])
def test_a_file_that_may_not_be_written_is_an_error_that_does_not_pass(mode: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.db"
        with SqliteEventStore(path) as store:
            store.append_batch(batch("one"))
        path.chmod(0o444)
        Path(folder).chmod(mode)

        def append() -> None:
            with SqliteEventStore(path) as store:
                store.append_batch(batch("two"))

        said = error_without_rights(append)
        Path(folder).chmod(0o755)
        path.chmod(0o644)
        assert said.startswith("STORAGE_ERROR False")
        assert str(path) in said
        assert "can be written" in said
        check_whole(path, "one")


def test_what_nobody_would_find_again_is_not_acknowledged(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with SqliteEventStore(place / "events.db") as store:
        store.append_batch(batch("one"))
        shutil.rmtree(place)
        with refused(StoreCode.STORAGE_ERROR, "removed"):
            store.append_batch(batch("two"))
        with SqliteEventStore(place / "events.db") as other:
            other.append_batch(batch("three"))
            with refused(StoreCode.STORAGE_ERROR, "replaced"):
                store.append_batch(batch("two"))
    check_whole(place / "events.db", "three")


def test_only_a_confirmation_that_fails_leaves_the_outcome_unknown() -> None:
    def error(code: int) -> sqlite3.Error:
        found = sqlite3.OperationalError("it failed")
        found.sqlite_errorcode = code
        return found

    assert may_be_stored(error(sqlite3.SQLITE_IOERR_FSYNC))
    for code in (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY):
        assert not may_be_stored(error(code))
