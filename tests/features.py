"""A feature in a real repository: events written by the library, and what git has made of its log."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from events import instant, line, row, ulid
from gitrepo import GitRepo
from kitty_status import EVENTS_FILENAME, SNAPSHOT_FILENAME, StatusEvent, append_event, materialize
from kitty_status.git import installation
from kitty_status.git.attributes import COMMITTED
from kitty_status.git.pre_commit import check_index
from kitty_status.git.repository import find_repository
from kitty_status.jsonl.codec import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

# A place that needs quoting wherever a path passes through a shell.
FEATURE = "kitty-specs/034 it's déjà vu"
LOG = f"{FEATURE}/{EVENTS_FILENAME}"
SNAPSHOT = f"{FEATURE}/{SNAPSHOT_FILENAME}"


def content_of(number: int) -> dict[str, object]:
    """Return the fields in which the event `number` differs from others; few work packages, so that moves compete."""
    lane = ("claimed", "blocked", "canceled")[number % 3]
    return {
        "event_id": ulid(number),
        "wp_id": f"WP{number % 4:02}",
        "to_lane": lane,
        "at": instant(number),
        "actor": f"actor {number}",
    }


def event_line(number: int) -> bytes:
    """Return the line that a log holds for the event `number`."""
    return line(**content_of(number))


def log_of(*numbers: int) -> bytes:
    """Return a log that holds these events."""
    return b"".join(event_line(number) for number in numbers)


def emit(repo: GitRepo, *numbers: int, feature: str = FEATURE) -> None:
    """Append events to a feature's log and materialize, as the command does."""
    for number in numbers:
        append_event(repo.path / feature, StatusEvent.from_dict(row(**content_of(number))))
    materialize(repo.path / feature)


def record(repo: GitRepo, *numbers: int, feature: str = FEATURE) -> str:
    """Append events, materialize and commit; return the commit's id."""
    emit(repo, *numbers, feature=feature)
    return repo.commit(f"events {numbers}")


def numbers_in(log: bytes) -> list[int]:
    """Return which events a log holds, in its order. Every one must still be what was written, byte for byte."""
    assert log.endswith(b"\n") or not log
    numbers = []
    for each in log.split(b"\n")[:-1]:
        number = int(decode(each)["event_id"].removeprefix("01"))
        assert each + b"\n" == event_line(number)
        numbers.append(number)
    return numbers


def blob(repo: GitRepo, path: str, revision: str = "HEAD") -> bytes:
    """Return the bytes of a committed file (of a staged one where `revision` is empty)."""
    done = repo.run("cat-file", "blob", f"{revision}:{path}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def paths_of_logs(repo: GitRepo, revision: str) -> list[str]:
    """Return where the logs of a commit lie."""
    paths = repo.git("ls-tree", "-rz", "--name-only", revision).split("\0")
    return [path for path in paths if path.endswith(EVENTS_FILENAME)]


def lines_of_commit(repo: GitRepo, revision: str) -> set[bytes]:
    """Return the lines of all logs of a commit."""
    logs = [blob(repo, path, revision) for path in paths_of_logs(repo, revision)]
    return {each for log in logs for each in log.splitlines(keepends=True)}


def reduction(log: bytes, folder: Path, object_format: str = "sha1") -> bytes:
    """Return what `materialize` writes for a log, in a repository at `folder` made for it."""
    repo = GitRepo(folder) if folder.exists() else GitRepo.init(folder, object_format=object_format)
    repo.write(LOG, log)
    materialize(repo.path / FEATURE)
    return repo.read(SNAPSHOT)


def assert_merged(repo: GitRepo, folder: Path, revision: str = "HEAD", path: str = LOG) -> list[int]:
    """Hold a commit to the promise: each event once, and the exact snapshot of that log. Return the events, sorted."""
    log = blob(repo, path, revision)
    numbers = sorted(numbers_in(log))
    assert len(numbers) == len(set(numbers))
    snapshot = blob(repo, path.replace(EVENTS_FILENAME, SNAPSHOT_FILENAME), revision)
    assert snapshot == reduction(log, folder, repo.git("rev-parse", "--show-object-format"))
    return numbers


def declare(repo: GitRepo) -> None:
    """Write and commit the attributes that travel with a repository, as `init` does."""
    repo.write(".gitattributes", "".join(f"{rule}\n" for rule in COMMITTED))
    repo.commit("attributes")


def install(repo: GitRepo) -> None:
    """Install the drivers and the hook in this clone."""
    repository = find_repository(str(repo.path))
    assert repository
    installation.apply(repository)


def uninstall(repo: GitRepo) -> None:
    """Take the drivers and the hook away again: a clone as everybody gets it."""
    repository = find_repository(str(repo.path))
    assert repository
    installation.remove(repository)


def install_and_lose(repo: GitRepo) -> None:
    """Install with an interpreter that is no longer there, as after its virtual environment was removed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", "/no longer/here/python")
        install(repo)


@contextmanager
def no_tool_on_path() -> Iterator[None]:
    """Take every folder off PATH in which a kitty-status lies."""
    folders = os.environ["PATH"].split(os.pathsep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join(each for each in folders if not Path(each, "kitty-status").exists()))
        assert shutil.which("git")
        assert not shutil.which("kitty-status")
        yield


def stopped(repo: GitRepo, *options: str) -> str:
    """Stage everything and commit it: the hook must stop that. Return what it said."""
    repo.git("add", "-A")
    before = repo.run("rev-parse", "HEAD").stdout
    report = check_index(str(repo.path))
    done = repo.run("commit", "-q", "-m", "refused", *options)
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 1, said
    assert repo.run("rev-parse", "HEAD").stdout == before
    assert said.endswith("kitty-status: the commit was stopped; nothing was changed\n")
    assert all(f"error: {problem}\n" in said for problem in report.problems[:20])
    return said


def passes(repo: GitRepo, *options: str) -> str:
    """Stage everything and commit it: the hook must let that pass. Return what it said."""
    repo.git("add", "-A")
    assert check_index(str(repo.path)).problems == []
    done = repo.run("commit", "-q", "-m", "accepted", *options)
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, said
    assert "error: " not in said
    return said


def feature_repo(folder: Path, *numbers: int, object_format: str = "sha1") -> GitRepo:
    """Return a repository with its attributes committed, the tool installed and one commit of these events."""
    repo = GitRepo.init(folder, object_format=object_format)
    declare(repo)
    install(repo)
    if numbers:
        record(repo, *numbers)
    return repo


def diverge(repo: GitRepo) -> None:
    """Record 3 and 5 on `theirs`, 4 and 6 on `ours` in two commits each, and stay on `ours`."""
    for name, numbers in (("theirs", (3, 5)), ("ours", (4, 6))):
        repo.git("checkout", "-q", "-b", name, "main")
        for number in numbers:
            record(repo, number)
