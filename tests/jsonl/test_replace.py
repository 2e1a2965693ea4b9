"""Replacing a file: all or nothing, and nothing at all when it is the same."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kitty_status.errors import UnsafeLogError
from kitty_status.jsonl import replace
from kitty_status.jsonl.replace import replace_file, stage_file
from kitty_status.testing.faulty_disk import OPERATIONS, FaultyDisk


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_new_contents_replace_old_ones_and_equal_ones_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    disk = FaultyDisk()
    assert replace_file(path, b"one", disk=disk) is True
    assert disk.calls[-4:] == ["fsync", "close", "replace", "fsync_directory"]
    before = path.stat().st_ino, path.stat().st_ctime_ns
    disk.calls.clear()
    assert replace_file(path, b"one", disk=disk) is False
    assert "write" not in disk.calls
    assert (path.stat().st_ino, path.stat().st_ctime_ns) == before
    assert replace_file(path, b"two", disk=disk) is True
    assert replace_file(path, b"longer", disk=disk) is True
    assert path.read_bytes() == b"longer"
    assert _names(tmp_path) == ["status.json"]


def test_what_need_not_last_is_flushed_before_the_rename_and_its_name_is_not(tmp_path: Path) -> None:
    disk = FaultyDisk()
    assert replace_file(tmp_path / "a", b"one", lasting=False, disk=disk) is True
    assert disk.calls[-3:] == ["fsync", "close", "replace"]
    assert (tmp_path / "a").read_bytes() == b"one"


def test_empty_contents_can_be_written(tmp_path: Path) -> None:
    assert replace_file(tmp_path / "a", b"") is True
    assert replace_file(tmp_path / "a", b"") is False
    assert (tmp_path / "a").read_bytes() == b""


def test_a_new_file_gets_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    previous = os.umask(0o027)
    try:
        replace_file(path, b"one")
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o664)
        replace_file(path, b"two")
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o664


def test_a_short_write_is_continued(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.write_at_most(3)
    replace_file(tmp_path / "a", b"0123456789", disk=disk)
    assert (tmp_path / "a").read_bytes() == b"0123456789"


@pytest.mark.parametrize("target", ["exists", "does-not"])
def test_a_symbolic_link_is_refused_and_stays(tmp_path: Path, target: str) -> None:
    (tmp_path / "exists").write_bytes(b"precious")
    path = tmp_path / "link"
    path.symlink_to(tmp_path / target)
    with pytest.raises(UnsafeLogError, match="symbolic link"):
        replace_file(path, b"new")
    assert path.is_symlink()
    assert (tmp_path / "exists").read_bytes() == b"precious"


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(UnsafeLogError, match="not a regular file"):
            replace_file(tmp_path / name, b"new")
    assert _names(tmp_path) == ["folder", "pipe"]


def test_a_missing_folder_is_the_systems_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "none" / "a", b"new")


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_fails_the_file_is_whole_and_nothing_is_left_beside_it(
    tmp_path: Path, operation: str, old: bytes | None
) -> None:
    counting = FaultyDisk()
    replace_file(tmp_path / "count", b"old", disk=counting)
    replace_file(tmp_path / "count", b"new", disk=counting)
    for nth in range(1, counting.count(operation) + 1):
        path = tmp_path / f"a{nth}"
        if old is not None:
            path.write_bytes(old)
        disk = FaultyDisk()
        disk.fail(operation, nth=nth, error=errno.EIO)
        try:
            replace_file(path, b"new", disk=disk)
        except OSError:
            after_rename = operation == "fsync_directory"
            assert (path.read_bytes() if path.exists() else None) == (b"new" if after_rename else old)
        else:
            assert path.read_bytes() == b"new"
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    disk = FaultyDisk()
    disk.fill_after(5)
    with pytest.raises(OSError, match="No space left") as caught:
        replace_file(path, b"0123456789", disk=disk)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["a"]


@pytest.mark.parametrize(("refusals", "replaced"), [(0, True), (3, True), (20, False)])
def test_where_a_reader_keeps_a_file_from_being_renamed_over_the_rename_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int, replaced: bool
) -> None:
    monkeypatch.setattr(replace, "_READERS_BLOCK", True)
    monkeypatch.setattr(replace, "_FIRST_PAUSE", 0.0)
    disk = FaultyDisk()
    for nth in range(1, refusals + 1):
        disk.fail("replace", nth=nth, error=errno.EACCES)
    if replaced:
        assert replace_file(tmp_path / "a", b"new", disk=disk)
    else:
        with pytest.raises(PermissionError):
            replace_file(tmp_path / "a", b"new", disk=disk)
    assert _names(tmp_path) == (["a"] if replaced else [])


def test_new_contents_wait_beside_the_file_until_they_are_renamed(tmp_path: Path) -> None:
    path = tmp_path / "tasks.md"
    path.write_bytes(b"old")
    path.chmod(0o640)
    disk = FaultyDisk()
    staged = stage_file(path, b"new", disk=disk)
    assert staged is not None
    assert disk.calls[-2:] == ["fsync", "close"]
    assert (path.read_bytes(), len(_names(tmp_path))) == (b"old", 2)
    staged.rename(lasting=False)
    assert (path.read_bytes(), _names(tmp_path)) == (b"new", ["tasks.md"])
    assert path.stat().st_mode & 0o777 == 0o640
    assert disk.calls[-1] == "replace"
    assert stage_file(path, b"new") is None


def test_new_contents_that_are_given_up_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tasks.md"
    path.write_bytes(b"old")
    staged = stage_file(path, b"new")
    assert staged is not None
    staged.discard()
    staged.discard()
    assert (path.read_bytes(), _names(tmp_path)) == (b"old", ["tasks.md"])
    disk = FaultyDisk()
    disk.fail("replace")
    staged = stage_file(path, b"new", disk=disk)
    assert staged is not None
    with pytest.raises(OSError, match="injected into replace"):
        staged.rename()
    assert (path.read_bytes(), _names(tmp_path)) == (b"old", ["tasks.md"])
