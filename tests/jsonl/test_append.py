"""The one append: what it does to a log, and what it leaves alone."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

import pytest

from kitty_status.errors import BusyError, OutcomeUnknownError, UnsafeLogError
from kitty_status.jsonl import quarantine
from kitty_status.jsonl.append import Place, append_line, append_locked, mend_tail
from kitty_status.jsonl.codec import MAX_LINE_BYTES
from kitty_status.jsonl.disk import DISK
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.tail import TAIL_COMPLETE, TAIL_CUT, TAIL_NONE, classify_tail
from kitty_status.testing.faulty_disk import FaultyDisk
from places import NEW, NEXT, OLD, place_in, quarantined


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path)


def test_lines_are_appended_in_order_to_a_log_whose_folders_are_created(tmp_path: Path) -> None:
    place = Place(tmp_path / "specs" / "001" / "log", tmp_path / "git" / "locks" / "001", tmp_path / "git" / "q")
    assert append_line(place, NEW) is True
    with exclusive(place.lock):
        append_locked(place, NEXT)
    assert place.log.read_bytes() == NEW + NEXT
    assert not place.quarantine.exists()
    assert place == (place.log, place.lock, place.quarantine)


def test_the_name_of_a_new_log_lasts_before_its_first_line_does(place: Place) -> None:
    disk = FaultyDisk()
    append_line(place, NEW, disk=disk)
    assert disk.calls.index("fsync_directory") < disk.calls.index("write") < disk.calls.index("fsync")
    assert disk.count("fsync_directory") == 2  # the folder that is new, and the file that is new in it
    disk.calls.clear()
    append_line(place, NEXT, disk=disk)
    assert disk.count("fsync_directory") == 0
    assert disk.count("write") == disk.count("fsync") == 1


@pytest.mark.parametrize("line", [b"", b"{}", b"{}\n{}\n", b"{}\n\n", b"\n{}\n", b"{}\n "])
def test_what_is_not_exactly_one_line_is_refused(place: Place, line: bytes) -> None:
    with pytest.raises(ValueError, match="one LF"):
        append_line(place, line)
    with pytest.raises(ValueError, match="one LF"):
        append_locked(place, line)
    assert not place.log.exists()


def test_several_lines_are_written_at_once_or_not_at_all(place: Place) -> None:
    disk = FaultyDisk()
    with exclusive(place.lock):
        append_locked(place, OLD.splitlines(keepends=True)[0], NEW, NEXT, disk=disk)
        assert (disk.count("write"), disk.count("fsync")) == (1, 1)
        before = place.log.read_bytes()
        assert before == OLD.splitlines(keepends=True)[0] + NEW + NEXT
        with pytest.raises(ValueError, match="one LF"):
            append_locked(place, NEW, NEXT.rstrip(b"\n"))
        for room in range(len(NEW + NEXT)):
            disk.fill_after(room)
            with pytest.raises(OSError, match="No space left"):
                append_locked(place, NEW, NEXT, disk=disk)
            disk.heal()
            assert place.log.read_bytes() == before


def test_nothing_is_written_if_the_line_turns_out_to_be_there_already(place: Place) -> None:
    def already_there() -> bool:
        with pytest.raises(BusyError), exclusive(place.lock, timeout=0):
            pass
        return True

    assert append_line(place, NEW) is True
    confirming = FaultyDisk()
    assert append_line(place, NEW, unless=already_there, disk=confirming) is False
    assert place.log.read_bytes() == NEW
    assert (confirming.count("fsync"), confirming.count("fsync_directory")) == (1, 1)
    assert append_line(place, NEW, unless=lambda: False) is True


def test_a_line_that_is_there_already_is_not_acknowledged_before_the_disk_has_it(place: Place) -> None:
    assert append_line(place, NEW) is True
    disk = FaultyDisk()
    disk.fail("fsync")
    with pytest.raises(OutcomeUnknownError):
        append_line(place, NEW, unless=lambda: True, disk=disk)


def test_the_lock_is_given_back_before_the_disk_is_waited_for(place: Place) -> None:
    class Disk(FaultyDisk):
        def fsync(self, fd: int) -> None:
            with exclusive(place.lock, timeout=0):
                super().fsync(fd)

    disk = Disk()
    assert append_line(place, NEW, disk=disk)
    with pytest.raises(BusyError), exclusive(place.lock):
        append_locked(place, NEXT, disk=disk)


def test_a_lock_that_stays_held_refuses_the_line(place: Place) -> None:
    with exclusive(place.lock), pytest.raises(BusyError):
        append_line(place, NEW, timeout=0)
    assert not place.log.exists()


def test_after_a_crash_at_any_byte_whole_lines_stay_and_the_rest_is_kept_aside(tmp_path: Path) -> None:
    kinds = Counter[str]()
    for end in range(len(OLD) + 1):
        place = place_in(tmp_path / str(end), OLD[:end])
        append_line(place, NEW)
        whole, tail = OLD[: OLD.rfind(b"\n", 0, end) + 1], OLD[OLD.rfind(b"\n", 0, end) + 1 : end]
        kinds[classify_tail(tail)] += 1
        if classify_tail(tail) == TAIL_CUT:
            assert place.log.read_bytes() == whole + NEW
            assert quarantined(place) == [tail]
        else:
            assert place.log.read_bytes() == whole + tail + (b"\n" if tail else b"") + NEW
            assert not place.quarantine.exists()
    assert kinds == {TAIL_NONE: 4, TAIL_COMPLETE: 3, TAIL_CUT: len(OLD) - 6}


@pytest.mark.parametrize(
    "tail",
    [
        b"not json at all",
        b'{"this is not a valid event"}',
        b"<<<<<<< HEAD",
        b"\0" * 5000,
        b'{"id": "torn\0\0\0',
        b'{"id": "' + b"x" * 100_000,
        b"x" * (MAX_LINE_BYTES + 1),
    ],
    ids=lambda tail: repr(tail[:20]),
)
def test_a_last_line_that_is_no_row_goes_to_quarantine(tmp_path: Path, tail: bytes) -> None:
    place = place_in(tmp_path, OLD + tail)
    append_line(place, NEW)
    assert place.log.read_bytes() == OLD + NEW
    assert quarantined(place) == [tail]
    (kept,) = place.quarantine.iterdir()
    assert kept.name.startswith(f"feature-{len(OLD)}-")


def test_blanks_behind_the_last_line_become_a_blank_line(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD + b" \t")
    append_line(place, NEW)
    assert place.log.read_bytes() == OLD + b" \t\n" + NEW


def test_damage_before_the_last_line_is_not_touched(tmp_path: Path) -> None:
    damaged = b"<<<<<<< HEAD\n" + OLD + b'{"id": \n\n'
    place = place_in(tmp_path, damaged)
    append_line(place, NEW)
    assert place.log.read_bytes() == damaged + NEW


def test_the_same_torn_bytes_are_kept_once_and_others_of_the_same_name_beside_them(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD + b'{"torn')
    append_line(place, NEW)
    (kept,) = place.quarantine.iterdir()
    for _ in range(2):
        place.log.write_bytes(OLD + b'{"torn')
        append_line(place, NEW)
    assert quarantined(place) == [b'{"torn']
    for other in (b'{"to', b'{"TORN'):  # an attempt that died half-way; another tail with the same digest
        kept.write_bytes(other)
        place.log.write_bytes(OLD + b'{"torn')
        append_line(place, NEW)
        assert sorted(quarantined(place)) == sorted([other, b'{"torn'])
    kept.unlink()
    kept.symlink_to(tmp_path / "elsewhere")
    place.log.write_bytes(OLD + b'{"torn')
    append_line(place, NEW)
    assert not (tmp_path / "elsewhere").exists()
    assert place.log.read_bytes() == OLD + NEW


def test_a_quarantine_without_a_free_name_refuses_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_in(tmp_path, OLD + b'{"torn')
    monkeypatch.setattr(quarantine, "_create", lambda *_: False)
    monkeypatch.setattr(quarantine, "_is_copy", lambda *_: False)
    with pytest.raises(UnsafeLogError, match="a thousand"):
        append_line(place, NEW)
    assert place.log.read_bytes() == OLD + b'{"torn'


def test_a_quarantine_that_is_no_folder_refuses_the_line(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD + b'{"torn')
    place.quarantine.write_text("a file")
    with pytest.raises(FileExistsError):
        append_line(place, NEW)
    assert place.log.read_bytes() == OLD + b'{"torn'


def test_nothing_is_cut_off_before_its_copy_lasts(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD)
    for _ in ("a new copy", "one that an earlier attempt made"):
        place.log.write_bytes(OLD + b'{"torn')
        disk = FaultyDisk()
        append_line(place, NEW, disk=disk)
        before = disk.calls[: disk.calls.index("ftruncate")]
        assert before.index("fsync") < len(before) - 1 - before[::-1].index("fsync_directory")


def test_half_a_copy_is_not_left_behind(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD + b'{"torn')
    disk = FaultyDisk()
    disk.fill_after(3)
    with pytest.raises(OSError, match="No space left"):
        append_line(place, NEW, disk=disk)
    assert quarantined(place) == []
    assert place.log.read_bytes() == OLD + b'{"torn'


def test_a_copy_that_could_not_be_made_leaves_the_tail_in_the_log(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD + b'{"torn')
    disk = FaultyDisk()
    disk.fail("fsync", error=errno.EIO)
    disk.fail("unlink", error=errno.EIO)
    with pytest.raises(OSError, match="injected into fsync"):
        append_line(place, NEW, disk=disk)
    assert place.log.read_bytes() == OLD + b'{"torn'


def test_bytes_that_arrive_while_a_tail_is_mended_are_not_cut_off(tmp_path: Path) -> None:
    place = place_in(tmp_path, OLD + b'{"torn')

    class Disk(FaultyDisk):
        def mkdir(self, path: str | os.PathLike[str]) -> None:
            with place.log.open("ab") as log:
                log.write(b'": 1}\n')
            super().mkdir(path)

    with pytest.raises(BusyError, match="without the lock"):
        append_line(place, NEW, disk=Disk())
    assert place.log.read_bytes() == OLD + b'{"torn": 1}\n'


@pytest.mark.parametrize("target", ["exists", "does-not"])
def test_a_log_that_is_a_symbolic_link_is_refused_and_not_followed(place: Place, target: str) -> None:
    place.log.parent.mkdir()
    (place.log.parent / "exists").write_bytes(OLD)
    place.log.symlink_to(place.log.parent / target)
    with pytest.raises(UnsafeLogError, match="log is a symbolic link") as caught:
        append_line(place, NEW)
    assert caught.value.hint
    assert (place.log.parent / "exists").read_bytes() == OLD
    assert not (place.log.parent / "does-not").exists()


def test_a_pipe_a_folder_and_a_device_in_place_of_a_log_are_refused(place: Place) -> None:
    place.log.parent.mkdir()
    os.mkfifo(place.log)
    with pytest.raises(UnsafeLogError, match="not a regular file"):
        append_line(place, NEW)
    place.log.unlink()
    place.log.mkdir()
    with pytest.raises(UnsafeLogError, match="not a regular file"):
        append_line(place, NEW)
    with pytest.raises(UnsafeLogError, match="not a regular file"):
        append_line(Place(Path(os.devnull), place.lock, place.quarantine), NEW)


@pytest.mark.parametrize(
    ("tail", "stays"),
    [(b'{"event', b""), (b"\xff", b""), (b"{}", b"{}\n"), (b"  ", b"  \n"), (b'{"a": 1', b"")],
)
def test_the_end_of_a_log_is_mended_without_a_line_being_appended(place: Place, tail: bytes, stays: bytes) -> None:
    place.log.parent.mkdir()
    place.log.write_bytes(OLD + tail)
    assert quarantine.unfinished_tail(place.log, DISK) == tail
    assert mend_tail(place) is True
    assert place.log.read_bytes() == OLD + stays
    assert quarantine.unfinished_tail(place.log, DISK) == b""
    assert quarantined(place) == ([] if stays else [tail])
    assert mend_tail(place) is False


def test_a_log_that_ends_well_is_not_written_to(place: Place) -> None:
    place.log.parent.mkdir()
    place.log.write_bytes(OLD)
    disk = FaultyDisk()
    assert mend_tail(place, disk=disk) is False
    assert disk.count("write") == disk.count("fsync") == disk.count("ftruncate") == 0


def test_only_a_log_that_is_there_can_be_mended(place: Place) -> None:
    with pytest.raises(FileNotFoundError):
        mend_tail(place)
    assert quarantine.unfinished_tail(place.log, DISK) == b""


def test_the_end_of_a_log_is_not_mended_while_somebody_writes(place: Place) -> None:
    place.log.parent.mkdir()
    place.log.write_bytes(OLD + b"{")
    with exclusive(place.lock), pytest.raises(BusyError):
        mend_tail(place, timeout=0)
    assert place.log.read_bytes() == OLD + b"{"
