"""The real disk, and the one that fails on command."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from kitty_status.jsonl.disk import DISK
from kitty_status.testing.faulty_disk import FaultyDisk
from places import open_descriptors


@pytest.mark.parametrize(("error", "refused"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_only_a_file_system_that_cannot_flush_folders_is_excused_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, refused: bool
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(error, f"refused for {fd}")

    before = open_descriptors()
    monkeypatch.setattr("os.fsync", refuse)
    if refused:
        with pytest.raises(OSError, match="refused for"):
            DISK.fsync_directory(tmp_path)
    else:
        DISK.fsync_directory(tmp_path)
    assert open_descriptors() == before


def test_each_new_folder_is_flushed_in_the_one_above_it(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.makedirs(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
    assert disk.count("fsync_directory") == 3
    disk.calls.clear()
    disk.makedirs(tmp_path / "a" / "b" / "c")
    assert disk.calls == ["mkdir"]


def test_a_relative_path_has_a_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    DISK.makedirs("a/b")
    assert Path("a/b").is_dir()


def test_an_operation_can_fail_once_or_for_good_and_be_healed(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.fail("mkdir", nth=2, error=errno.EDQUOT)
    disk.mkdir(tmp_path / "1")
    with pytest.raises(OSError, match="injected into mkdir") as caught:
        disk.mkdir(tmp_path / "2")
    assert caught.value.errno == errno.EDQUOT
    disk.mkdir(tmp_path / "2")
    disk.fail("mkdir", for_good=True)
    for _ in range(2):
        with pytest.raises(OSError, match="injected"):
            disk.mkdir(tmp_path / "3")
    disk.heal()
    disk.mkdir(tmp_path / "3")
    assert disk.count("mkdir") == 6
    with pytest.raises(ValueError, match="is not one of"):
        disk.fail("format")


def test_what_git_waits_for_loads_nothing_slow_in_order_to_append() -> None:
    script = "import sys; import kitty_status.jsonl.append, kitty_status.jsonl.replace; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    slow = {"re", "json", "typing", "pathlib", "contextlib", "hashlib", "threading", "collections", "functools"}
    site = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert not (slow & set(done.stdout.split())) - set(site.stdout.split())
