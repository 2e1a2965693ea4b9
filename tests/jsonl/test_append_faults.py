"""Appending to a disk that fails: every outcome that is told is true."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from kitty_status.errors import OutcomeUnknownError
from kitty_status.jsonl.append import Place, append_line, append_locked
from kitty_status.jsonl.lock import exclusive
from kitty_status.testing.faulty_disk import OPERATIONS, FaultyDisk
from places import NEW, NEXT, OLD, has_row, ids_in, open_descriptors, place_in, quarantined


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path)


def _append_under_lock(place: Place, line: bytes, disk: FaultyDisk) -> None:
    with exclusive(place.lock):
        append_locked(place, line, disk=disk)


def _append(place: Place, line: bytes, disk: FaultyDisk) -> None:
    assert append_line(place, line, disk=disk)


@pytest.mark.parametrize("append", [_append, _append_under_lock])
@pytest.mark.parametrize("length", [1, 7])
@pytest.mark.parametrize("tail", [b"", b'{"id": "unended"}', b'{"torn'])
def test_a_short_write_is_continued(
    tmp_path: Path, append: Callable[[Place, bytes, FaultyDisk], None], length: int, tail: bytes
) -> None:
    place = place_in(tmp_path, OLD + tail)
    disk = FaultyDisk()
    disk.write_at_most(length)
    append(place, NEW, disk)
    assert ids_in(place.log) == ["old-1", "old-2", "old-3", *(["unended"] if b"unended" in tail else []), "new"]


@pytest.mark.parametrize("old", [None, OLD, OLD + b'{"id": "unended"}'])
def test_a_disk_that_fills_up_at_any_byte_leaves_the_log_as_it_was(tmp_path: Path, old: bytes | None) -> None:
    for room in range(len(NEW)):
        place = place_in(tmp_path / str(room), old)
        disk = FaultyDisk()
        disk.fill_after(room)
        with pytest.raises(OSError, match="No space left") as caught:
            append_line(place, NEW, disk=disk)
        assert caught.value.errno == errno.ENOSPC
        assert place.log.read_bytes() == (old or b"")
        disk.heal()
        append_line(place, NEXT, disk=disk)
        assert ids_in(place.log)[-1] == "next"
        assert not has_row(place.log, NEW)


def test_a_write_that_takes_nothing_and_reports_nothing_counts_as_a_full_disk(place: Place) -> None:
    class Disk(FaultyDisk):
        def write(self, fd: int, data: bytes) -> int:
            return super().write(fd, data[:4]) if self.count("write") == 0 else 0

    with pytest.raises(OSError, match="No space left"):
        append_line(place, NEW, disk=Disk())
    assert place.log.read_bytes() == b""


_STARTS = {
    "no folder": None,
    "empty": b"",
    "whole": OLD,
    "no last LF": OLD + b'{"id": "unended"}',
    "torn": OLD + b'{"id": "torn',
    "all torn": b'{"id": "torn',
    "damaged": OLD + b"not json at all",
}


@pytest.mark.parametrize("append", [_append, _append_under_lock])
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("start", _STARTS)
def test_whatever_fails_the_outcome_is_told_truthfully(
    tmp_path: Path, append: Callable[[Place, bytes, FaultyDisk], None], operation: str, start: str
) -> None:
    counting = FaultyDisk()
    counting.write_at_most(5)
    append(place_in(tmp_path / "count", _STARTS[start]), NEW, counting)
    cases = [
        (nth, error, for_good)
        for nth in range(1, counting.count(operation) + 1)
        for error in (errno.EIO, errno.ENOSPC)
        for for_good in (False, True)
    ]
    for nth, error, for_good in cases:
        place = place_in(tmp_path / f"{nth}-{error}-{for_good}", _STARTS[start])
        disk = FaultyDisk()
        disk.write_at_most(5)
        disk.fail(operation, nth=nth, error=error, for_good=for_good)
        _expect_truth(place, append, disk)
        _expect_nothing_lost(place, _STARTS[start] or b"")


def _expect_truth(place: Place, append: Callable[[Place, bytes, FaultyDisk], None], disk: FaultyDisk) -> None:
    try:
        append(place, NEW, disk)
    except OutcomeUnknownError:
        return
    except OSError:
        assert not has_row(place.log, NEW)
    else:
        assert ids_in(place.log).count("new") == 1


def _expect_nothing_lost(place: Place, before: bytes) -> None:
    whole, tail = before[: before.rfind(b"\n") + 1], before[before.rfind(b"\n") + 1 :]
    assert append_line(place, NEXT)
    log = place.log.read_bytes()
    assert log.startswith(whole)
    assert log.endswith(NEXT)
    assert log.startswith(whole + tail) or tail in quarantined(place)
    assert not {"torn"} & set(ids_in(place.log))


@pytest.mark.parametrize("operation", ["pread", "fstat", "ftruncate", "fsync"])
def test_a_part_that_cannot_be_taken_back_is_reported_as_unknown(tmp_path: Path, operation: str) -> None:
    place = place_in(tmp_path, OLD)

    class Disk(FaultyDisk):
        def write(self, fd: int, data: bytes) -> int:
            self.fail(operation, for_good=True)
            return super().write(fd, data)

    disk = Disk()
    disk.fill_after(4)
    with pytest.raises(OutcomeUnknownError, match="could not be taken back"):
        append_line(place, NEW, disk=disk)
    append_line(place, NEXT)
    assert ids_in(place.log) == ["old-1", "old-2", "old-3", "next"]


def test_what_somebody_else_wrote_behind_a_part_is_not_cut_off(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD)

    class Disk(FaultyDisk):
        def write(self, fd: int, data: bytes) -> int:
            if self.count("write"):
                with place.log.open("ab") as log:
                    log.write(b'{"id": "theirs"}\n')
            return super().write(fd, data)

    disk = Disk()
    disk.fill_after(4)
    with pytest.raises(OutcomeUnknownError):
        append_line(place, NEW, disk=disk)
    assert place.log.read_bytes() == OLD + NEW[:4] + b'{"id": "theirs"}\n'


@pytest.mark.parametrize("taken", [0, 4, len(NEW)])
@pytest.mark.parametrize("undo_fails", [False, True])
def test_an_interrupted_write_leaves_no_half_line(tmp_path: Path, taken: int, undo_fails: bool) -> None:
    place = place_in(tmp_path, OLD)

    class Disk(FaultyDisk):
        def write(self, fd: int, data: bytes) -> int:
            super().write(fd, data[:taken])
            raise KeyboardInterrupt

    disk = Disk()
    if undo_fails:
        disk.fail("ftruncate")
    with pytest.raises(KeyboardInterrupt):
        append_line(place, NEW, disk=disk)
    if not undo_fails:
        assert place.log.read_bytes() == OLD
    append_line(place, NEXT)
    assert ids_in(place.log)[-1] == "next"
    assert set(ids_in(place.log)) <= {"old-1", "old-2", "old-3", "new", "next"}


def test_an_interruption_while_the_disk_is_waited_for_leaves_the_whole_line(place: Place) -> None:
    class Disk(FaultyDisk):
        def fsync(self, fd: int) -> None:
            raise KeyboardInterrupt(fd)

    with pytest.raises(KeyboardInterrupt):
        append_line(place, NEW, disk=Disk())
    assert place.log.read_bytes() == NEW
    assert append_line(place, NEXT, timeout=0)


def test_a_flush_that_failed_is_not_tried_again(place: Place) -> None:
    disk = FaultyDisk()
    disk.fail("fsync", error=errno.EIO)
    with pytest.raises(OutcomeUnknownError, match="did not confirm") as caught:
        append_line(place, NEW, disk=disk)
    assert disk.count("fsync") == 1
    assert str(place.log) in caught.value.message
    assert "same event id" in caught.value.hint
    assert place.log.read_bytes() == NEW


def test_no_descriptor_is_left_open_whatever_happens(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD + b'{"torn')
    before = open_descriptors()
    for operation in OPERATIONS:
        disk = FaultyDisk()
        disk.fail(operation, for_good=True)
        _expect_truth(place, _append, disk)
        place.log.write_bytes(OLD + b'{"torn')
    assert open_descriptors() == before
