"""The log driver as git runs it, and what it leaves behind where it is interrupted."""

from __future__ import annotations

import errno
import io
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from features import event_line, log_of, numbers_in
from kitty_status.git import log_driver
from kitty_status.git.drivers import bootstrap
from kitty_status.jsonl.codec import decode
from kitty_status.status.merging import merge_logs, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "kitty-specs/034 déjà/status.events.jsonl"
HEAVY = {"re", "json", "os", "typing", "enum", "subprocess", "dataclasses", "datetime", "pathlib", "site", "hashlib"}
PROGRAM = bootstrap("kitty_status.git.log_driver")


def files_of(folder: Path, base: bytes, ours: bytes, theirs: bytes) -> list[str]:
    for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(content)
    return ["base", "ours", "theirs"]


def run(folder: Path, files: list[str], program: str = PROGRAM, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, *files, PATH],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_process_merges_a_branch_whole_and_a_picked_commit_alone(tmp_path: Path) -> None:
    sides = (log_of(1, 3), log_of(1, 4), log_of(1, 3, 5))

    picked = run(tmp_path, files_of(tmp_path, *sides))
    assert (picked.returncode, picked.stderr) == (0, "")
    assert (tmp_path / "ours").read_bytes() == log_of(1, 4, 5)

    merged = run(tmp_path, files_of(tmp_path, *sides), GITHEAD_0123456789="theirs")
    assert merged.returncode == 0
    assert (tmp_path / "ours").read_bytes() == log_of(1, 3, 4, 5)
    assert (
        merged.stderr
        == f"kitty-status: {PATH}: ours lacks 1 lines of the common ancestor; a log is only ever appended to\n"
    )


def test_damage_ends_the_process_with_1_its_place_and_both_sides(tmp_path: Path) -> None:
    done = run(tmp_path, files_of(tmp_path, log_of(1), log_of(1, 2), log_of(1) + b"{torn\n"))

    assert done.returncode == 1
    assert done.stderr.startswith(f"{PATH}:2: invalid JSON: ")
    assert "Traceback" not in done.stderr
    assert (tmp_path / "ours").read_bytes() == log_of(1) + b"{torn\n" + log_of(2)


def test_the_process_loads_nothing_that_takes_longer_than_the_merge(tmp_path: Path) -> None:
    program = PROGRAM.replace("o._exit(s)", "print(*sys.modules)")
    assert program != PROGRAM

    done = run(tmp_path, files_of(tmp_path, log_of(1), log_of(1, 2), log_of(1, 3)), program, GITHEAD_01="theirs")

    loaded = set(done.stdout.split())
    assert "kitty_status.git.log_driver" in loaded, done.stderr
    assert loaded & HEAVY == set()
    assert (tmp_path / "ours").read_bytes() == log_of(1, 2, 3)


class _KilledError(BaseException):
    """Stands for the end of the process: nothing catches it."""


class StoppingFile(io.FileIO):
    """A file that takes `room` bytes in all, in pieces of at most `piece`, and then raises `error` at every write."""

    room = 0
    piece = 1 << 30
    error: BaseException = _KilledError()

    def write(self, data: object, /) -> int:
        view = memoryview(data)[: min(self.room, self.piece)]  # type: ignore[arg-type]
        if not view:
            raise self.error
        self.room -= len(view)
        return super().write(view)


def interruptions(tmp_path: Path, start: bytes, old: bytes, new: bytes, error: BaseException) -> Iterator[bytes]:
    """Yield what the file holds after a write was stopped behind each byte, until it is stopped no more."""
    path = tmp_path / "ours"
    for room in range(len(old) + 2 * len(new) + 2):
        path.write_bytes(start + old)
        with StoppingFile(str(path), "r+") as file:
            file.room, file.piece, file.error = room, 7, error
            try:
                log_driver._write_tail(file, len(start), old, new)
            except type(error):
                yield path.read_bytes()
            else:
                assert path.read_bytes() == start + new
                return
    raise AssertionError("it never came to its end")


def lines(*numbers: int) -> bytes:
    """Return short lines: the write does not look into them."""
    return b"".join(b'{"id": "%d"}\n' % number for number in numbers)


TAILS = {
    "new lines come before": (lines(5), lines(2, 5)),
    "and between": (lines(3, 5), lines(2, 3, 4, 5, 6)),
    "and behind": (lines(2, 3), lines(2, 3, 4)),
    "a long one comes before a short one": (lines(5), b'{"kind": "' + b"x" * 70 + b'"}\n' + lines(5)),
    "ours has no final line end": (lines(3, 5)[:-1], lines(2, 3, 5)),
    "only the line end is added": (lines(3)[:-1], lines(3)),
    "blank lines and repeated ones fall away": (lines(5, 5) + b"\n\n" + lines(6), lines(2, 5, 6)),
    "ours has nothing": (b"", lines(2)),
}


@pytest.mark.parametrize(("old", "new"), TAILS.values(), ids=TAILS.keys())
def test_a_process_killed_at_any_byte_of_its_write_leaves_every_line_of_ours(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    ours = {each.removesuffix(b"\n") for each in split_lines(lines(1) + old)}

    stops = 0
    for left in interruptions(tmp_path, lines(1), old, new, _KilledError()):
        stops += 1
        assert ours <= set(left.split(b"\n"))
        assert left.startswith(lines(1))

    assert stops >= len(new) - len(old)


@pytest.mark.parametrize(("old", "new"), TAILS.values(), ids=TAILS.keys())
def test_a_disk_that_fills_up_before_ours_is_touched_leaves_the_file_as_it_was(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for room, left in enumerate(interruptions(tmp_path, lines(1), old, new, full)):
        if left != lines(1) + old:
            # All lines stand behind the old ones already, and those are being written over.
            assert room >= len(new)
            assert {each.removesuffix(b"\n") for each in split_lines(old)} <= set(left.split(b"\n"))


def test_on_a_full_disk_the_merge_is_left_to_git_with_ours_as_it_was(tmp_path: Path) -> None:
    ours = log_of(*range(2, 40, 2))
    files = files_of(tmp_path, b"", ours, log_of(*range(1, 40, 2)))
    limit = (len(ours) + 1000, resource.RLIM_INFINITY)

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, *files, PATH],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )

    assert done.returncode == 3
    assert "leaving git's own union of both sides" in done.stderr
    assert (tmp_path / "ours").read_bytes() == ours


def test_two_logs_of_megabytes_lose_nothing(tmp_path: Path) -> None:
    common = event_line(1) * 9_000
    ours, theirs = common + log_of(4, 6), common + log_of(3, 5)

    done = run(tmp_path, files_of(tmp_path, common, ours, theirs), GITHEAD_01="theirs")

    assert (done.returncode, done.stderr) == (0, "")
    merged = (tmp_path / "ours").read_bytes()
    assert merged == merge_logs(ours, theirs, decode)[0]
    assert numbers_in(merged[len(common) :]) == [3, 4, 5, 6]
    assert len(merged) > 2_000_000
