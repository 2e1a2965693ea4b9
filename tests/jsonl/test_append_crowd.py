"""Many writers at once, writers that are killed, and writers that may not."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest

from kitty_status.jsonl.append import Place, append_line
from places import NEW, ids_in, place_in

_WRITER = """
import sys
from pathlib import Path
from kitty_status.jsonl.append import Place, append_line
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
place = Place(folder / "feature" / "log", folder / "lock", folder / "quarantine")
for number in range(count):
    assert append_line(place, b'{"id": "%s-%d", "reason": "%s"}\\n' % (name.encode(), number, b"x" * 200), timeout=60)
"""
_FORKING = """
import os, sys, threading
from pathlib import Path
from kitty_status.jsonl.append import Place, append_line
folder = Path(sys.argv[1])
place = Place(folder / "feature" / "log", folder / "lock", folder / "quarantine")
def write(name):
    for number in range(50):
        append_line(place, b'{"id": "%s-%d"}\\n' % (name.encode(), number))
thread = threading.Thread(target=write, args=("parent",))
thread.start()
children = []
for child in range(4):
    pid = os.fork()
    if pid == 0:
        write(f"child{child}")
        os._exit(0)
    children.append(pid)
thread.join()
assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
"""
_UNPRIVILEGED = """
import os, sys
from pathlib import Path
from kitty_status.jsonl.append import Place, append_line
folder = Path(sys.argv[1])
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    append_line(Place(folder / "feature" / "log", folder / "open" / "lock", folder / "open" / "quarantine"), b"{}\\n")
except PermissionError as error:
    print(type(error).__name__, error.filename, flush=True)
os._exit(0)
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path)


def test_a_folder_that_may_not_be_written_is_the_systems_own_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "feature").mkdir(mode=0o555)
        (folder / "open").mkdir()
        (folder / "open").chmod(0o777)
        done = subprocess.run(
            [sys.executable, "-c", _UNPRIVILEGED, name], cwd=folder, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["PermissionError", str(folder / "feature" / "log")]


def test_eight_processes_lose_nothing_tear_nothing_and_write_nothing_twice(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), f"w{number}", "2000"]) for number in range(8)
    ]
    assert [writer.wait() for writer in writers] == [0] * 8
    place = place_in(tmp_path)
    lines = place.log.read_bytes().split(b"\n")
    assert lines.pop() == b""
    ids = Counter(json.loads(line)["id"] for line in lines)
    assert len(lines) == len(ids) == 16_000
    assert set(ids) == {f"w{writer}-{number}" for writer in range(8) for number in range(2000)}
    assert not place.quarantine.exists()


def test_threads_of_one_process_lose_nothing(place: Place) -> None:
    def write(name: int) -> None:
        for number in range(100):
            append_line(place, b'{"id": "%d-%d"}\n' % (name, number))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids_in(place.log)) == sorted(f"{name}-{number}" for name in range(4) for number in range(100))


def test_forked_children_lose_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _FORKING, str(tmp_path)], check=True)
    writers = ["parent", "child0", "child1", "child2", "child3"]
    expected = sorted(f"{name}-{number}" for name in writers for number in range(50))
    assert sorted(ids_in(place_in(tmp_path).log)) == expected


def test_a_writer_that_is_killed_at_any_moment_leaves_a_log_that_goes_on(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    for name in range(12):
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), f"w{name}", "100000"]) as writer:
            goal = (place.log.stat().st_size if place.log.exists() else 0) + 500 * (name + 1)
            while not place.log.exists() or place.log.stat().st_size < goal:
                assert writer.poll() is None
            writer.kill()
    append_line(place, NEW)
    ids = ids_in(place.log)
    for name in range(12):
        numbers = [int(row.partition("-")[2]) for row in ids if row.startswith(f"w{name}-")]
        assert numbers == list(range(len(numbers)))
