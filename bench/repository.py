"""Repositories to measure git in, none of whose settings come from the person who measures."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench.measuring import BenchmarkError, cpu_of

from kitty_status.git.blobs import blob_oid
from kitty_status.git.installation import apply
from kitty_status.git.repository import find_repository
from kitty_status.jsonl.codec import decode
from kitty_status.status.record import events_of
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.snapshot import to_bytes

if TYPE_CHECKING:
    from pathlib import Path

_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "bench"), ("EMAIL", "bench@example.org"))
}
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "KITTY_STATUS_"))},
    **_IDENTITY,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
LOG = "status.events.jsonl"
SNAPSHOT = "status.json"


class Repository:
    """A work tree at `path`, made anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.git("config", "gc.auto", "0")
        self.git("config", "maintenance.auto", "false")

    def git(self, *arguments: str) -> str:
        """Run git, unmeasured, and return what it printed.

        Raises:
            BenchmarkError: git failed.
        """
        done = subprocess.run(["git", *arguments], cwd=self.path, env=ENVIRONMENT, capture_output=True, check=False)
        if done.returncode:
            raise BenchmarkError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode().strip()

    def measured_git(self, *arguments: str, exit_codes: tuple[int, ...] = (0,)) -> float:
        """Run git and return the CPU seconds that it and everything it started took."""
        return cpu_of(["git", *arguments], cwd=self.path, environment=ENVIRONMENT, exit_codes=exit_codes)

    def write_feature(self, slug: str, log: bytes, *, snapshot: bool = True) -> None:
        """Write a feature's log and the snapshot that belongs to it."""
        folder = self.path / "kitty-specs" / slug
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG).write_bytes(log)
        if snapshot:
            (folder / SNAPSHOT).write_bytes(snapshot_of(log))

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", message)

    def pack(self) -> None:
        """Put all objects into one pack, as in a clone, so that loose ones are those that come after."""
        self.git("repack", "-adq")

    def forget_loose_objects(self) -> None:
        """Take back what was added since `pack`: git would skip writing what it has."""
        for folder in (self.path / ".git" / "objects").glob("[0-9a-f][0-9a-f]"):
            shutil.rmtree(folder)

    def install(self) -> None:
        """Do what `kitty-status install` does."""
        repository = find_repository(str(self.path))
        if repository is None:
            raise BenchmarkError(f"{self.path} is no repository")
        apply(repository)

    def attributes(self, *lines: str) -> None:
        """Replace this clone's own attributes."""
        info = self.path / ".git" / "info"
        info.mkdir(exist_ok=True)
        (info / "attributes").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def snapshot_of(log: bytes) -> bytes:
    """Return the snapshot of a sound log's bytes."""
    events = unique_events(events_of(log.splitlines(keepends=True), decode, _refuse))
    return to_bytes(reduce_events(events), blob_oid(log, "sha1"))


def _refuse(number: int, _line: bytes, why: str, _is_json: bool) -> None:
    raise BenchmarkError(f"line {number} of a benchmark's own log is damaged: {why}")
