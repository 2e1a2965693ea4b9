"""The lock: one holder at a time, among processes and threads, and never a dead one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kitty_status.errors import BusyError, UnsafeLogError
from kitty_status.jsonl import lock
from kitty_status.jsonl.lock import KeptHold, exclusive
from places import open_descriptors

_HOLD = """
import sys
from kitty_status.jsonl.lock import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""
_FORK_AND_DIE = """
import os, signal, sys, time
from kitty_status.jsonl.lock import exclusive
with exclusive(sys.argv[1]):
    if os.fork() == 0:
        print("forked", flush=True)
        time.sleep(600)
    sys.stdin.read()
"""
_FORK_IN_THE_BODY = """
import os, sys
from kitty_status.errors import BusyError
from kitty_status.jsonl.lock import exclusive

def body(path):
    with exclusive(path):
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            try:
                with exclusive(path, timeout=0):
                    print("the child released its parent's lock")
            except BusyError:
                print("kept")
    return child

if not body(sys.argv[1]):
    os._exit(0)
with exclusive(sys.argv[1], timeout=0):
    print("free")
"""
_COUNT = """
import sys
from pathlib import Path
from kitty_status.jsonl.lock import exclusive
counter = Path(sys.argv[2])
for _ in range(200):
    with exclusive(sys.argv[1]):
        counter.write_text(str(int(counter.read_text()) + 1))
"""


def _start(script: str, *arguments: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_holder_that_is_killed_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with _start(_HOLD, path) as holder:
        assert _wait_for_line(holder) == "held"
        with pytest.raises(BusyError), exclusive(path, timeout=0):
            pass
        holder.kill()
        holder.wait()
        with exclusive(path, timeout=0):
            assert path.read_text().startswith(f"{os.getpid()} ")


def test_a_timeout_names_the_holder_and_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with _start(_HOLD, path) as holder:
        assert _wait_for_line(holder) == "held"
        with pytest.raises(BusyError) as caught, exclusive(path, timeout=0.05):
            pass
        holder.communicate()
    error = caught.value
    assert error.context["pid"] == holder.pid
    assert error.context["lock"] == str(path)
    assert f"process {holder.pid} on {error.context['host']} since 2" in error.message
    assert str(path) in error.message
    assert error.hint
    assert error.retryable


def test_a_waiting_process_gets_the_lock_when_it_becomes_free(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with _start(_HOLD, path) as holder:
        assert _wait_for_line(holder) == "held"
        release = threading.Timer(0.1, holder.communicate)
        release.start()
        with exclusive(path):
            assert holder.poll() is not None or path.read_text().startswith(str(os.getpid()))
        release.join()


@pytest.mark.parametrize("signature", ["", "nonsense", "x host 2026", "\udc80 \udc81 \udc82"])
def test_a_holder_that_left_no_name_is_reported_as_such(tmp_path: Path, signature: str) -> None:
    path = tmp_path / "a.lock"
    with exclusive(path):
        path.write_bytes(signature.encode("utf-8", "surrogateescape"))
        with pytest.raises(BusyError, match="left no name") as caught, exclusive(path, timeout=0):
            pass
    assert caught.value.context["pid"] is None


def test_a_shorter_name_hides_a_longer_one(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    path.write_text("999999999 a-host-with-a-very-long-name-indeed.example.org 2026-01-01T00:00:00Z\n")
    with exclusive(path), pytest.raises(BusyError) as caught, exclusive(path, timeout=0):
        pass
    assert caught.value.context["pid"] == os.getpid()


def test_threads_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(100):
            with exclusive(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 400
    assert max(most) == 1


def test_processes_exclude_each_other(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    workers = [_start(_COUNT, tmp_path / "a.lock", counter) for _ in range(4)]
    for worker in workers:
        worker.communicate()
        assert worker.returncode == 0
    assert counter.read_text() == "800"


def test_the_lock_file_stays_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with exclusive(path):
        before = path.stat()
    with pytest.raises(ZeroDivisionError), exclusive(path):
        raise ZeroDivisionError
    with exclusive(path, timeout=0):
        after = path.stat()
    assert (before.st_ino, before.st_dev) == (after.st_ino, after.st_dev)
    assert after.st_mode & 0o777 == 0o600
    assert after.st_nlink == 1


def test_folders_are_created_for_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "deep" / "a.lock"
    with exclusive(path):
        assert path.is_file()


@pytest.mark.parametrize("target", ["exists", "does-not"])
def test_a_symbolic_link_is_refused_and_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "exists").write_text("precious")
    path = tmp_path / "a.lock"
    path.symlink_to(tmp_path / target)
    with pytest.raises(UnsafeLogError, match=r"a\.lock is a symbolic link"), exclusive(path):
        pass
    assert (tmp_path / "exists").read_text() == "precious"
    assert not (tmp_path / "does-not").exists()


def test_a_folder_in_place_of_the_lock_is_the_systems_own_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), exclusive(tmp_path):
        pass


def test_a_file_system_without_locks_is_reported_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(37, f"No locks available ({fd}, {operation})")

    monkeypatch.setattr("fcntl.flock", refuse)
    before = open_descriptors()
    with pytest.raises(OSError, match="No locks available"), exclusive(tmp_path / "a.lock"):
        pass
    assert open_descriptors() == before


def test_a_full_disk_does_not_keep_the_lock_from_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, data: bytes) -> int:
        raise OSError(28, f"No space left on device ({fd}, {data!r})")

    path = tmp_path / "a.lock"
    monkeypatch.setattr("os.write", refuse)
    with exclusive(path), pytest.raises(BusyError), exclusive(path, timeout=0):
        pass


def test_a_forked_child_does_not_prolong_the_lock_of_its_dead_parent(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with _start(_FORK_AND_DIE, path) as parent:
        try:
            assert _wait_for_line(parent) == "forked"
            os.kill(parent.pid, signal.SIGKILL)
            os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
            with exclusive(path, timeout=0):
                pass
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


def test_a_forked_child_that_leaves_the_body_does_not_release_its_parents_lock(tmp_path: Path) -> None:
    with _start(_FORK_IN_THE_BODY, tmp_path / "a.lock") as process:
        assert process.communicate()[0].split() == ["kept", "free"]


def test_a_child_forgets_every_lock_of_its_parent(tmp_path: Path) -> None:
    forks = lock._Forks.__new__(lock._Forks)
    forks.gate, forks.open = threading.RLock(), set()
    path = tmp_path / "a.lock"
    held = exclusive(path)
    with held:
        forks.open = {held, exclusive(path)}
        forks._before()
        forks._in_parent()
        forks._in_child()
        assert not forks.open
        assert held._fd == -1
        with exclusive(path, timeout=0):  # nothing else shared the descriptor here, so closing it was releasing it
            pass


def test_a_kept_lock_excludes_others_each_time_it_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    kept, other = KeptHold(path, 0), KeptHold(path, 0)
    for _ in range(3):
        with kept:
            with pytest.raises(BusyError):
                other.__enter__()
            with pytest.raises(BusyError), exclusive(path, timeout=0):
                pass
        with other, pytest.raises(BusyError):
            kept.__enter__()
    assert path.read_text(encoding="utf-8").startswith(f"{os.getpid()} ")
    path.unlink()
    with kept:
        assert path.exists()
        with pytest.raises(BusyError), exclusive(path, timeout=0):
            pass
    kept.close()
    with kept:
        pass
    kept.close()
    kept.close()
    other.close()
