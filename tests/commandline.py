"""The command, for tests: as a process of its own, or in this one where a process is not the point."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conforming import check_answer, check_document
from kitty_status.cli.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitrepo import GitRepo

SLUG = "001-feature"
FOLDER = f"kitty-specs/{SLUG}"
LOG = f"{FOLDER}/status.events.jsonl"
SNAPSHOT = f"{FOLDER}/status.json"
KITTY = str(Path(sys.executable).with_name("kitty-status"))
ENVELOPE = {"schema_version", "kind", "data", "warnings", "next"}
ERROR_KEYS = {"code", "message", "hint", "retryable", "exit_code", "context"}


@dataclass(frozen=True)
class Answer:
    """What a command printed and the code it ended with."""

    code: int
    out: str
    err: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The one document on stdout, with nothing beside it."""
        content: dict[str, Any] = json.loads(self.out)
        assert content.keys() == ENVELOPE
        assert self.out.count("\n") == 1
        return content

    @property
    def data(self) -> Any:
        """What the envelope holds."""
        return self.envelope["data"]

    @property
    def error(self) -> dict[str, Any]:
        """The one object on stderr of a command that failed with `--json`."""
        assert self.out == ""
        content: dict[str, Any] = json.loads(self.err)
        assert content.keys() == ERROR_KEYS
        assert content["exit_code"] == self.code
        return content


def answer_to(args: Sequence[str], code: int, out: str, err: str) -> Answer:
    """Return what a command printed; JSON that is not as its schema says fails the test, whatever else it looks at."""
    if "--json" in args:
        if out.startswith("{"):
            check_answer(json.loads(out))
        if err.startswith("{"):
            check_document("error", json.loads(err))
    return Answer(code, out, err)


def ask(folder: Path, *args: str, stdin: bytes = b"") -> Answer:
    """Run a command in this process, in `folder`, through the same door as the real one."""
    out, err, given = (io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (b"", b"", stdin))
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _called_with(["kitty-status", *args], given),
    ):
        code = run()
    return answer_to(args, code, _text(out), _text(err))


@contextlib.contextmanager
def _called_with(argv: list[str], stdin: io.TextIOWrapper) -> Iterator[None]:
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = argv, stdin
    try:
        yield
    finally:
        sys.argv, sys.stdin = before


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


def kitty(folder: Path, *args: str, stdin: bytes = b"", **environment: str) -> Answer:
    """Run the installed command as a process of its own."""
    done = subprocess.run(
        [KITTY, *args],
        cwd=folder,
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )
    return answer_to(args, done.returncode, done.stdout.decode(), done.stderr.decode())


def emit(folder: Path, wp: str, lane: str, *args: str, actor: str = "ada", code: int = 0) -> Answer:
    """Emit in this process for the one feature of most tests; any other code than `code` fails the test."""
    answer = ask(folder, "emit", wp, "--to", lane, "--actor", actor, "--feature", SLUG, *args)
    assert answer.code == code, answer
    return answer


def feature_in(repo: GitRepo, log: bytes | None = None) -> Path:
    """Make the feature of most tests, with this log, and return its folder."""
    folder = repo.path / FOLDER
    folder.mkdir(parents=True)
    if log is not None:
        repo.write(LOG, log)
    return folder


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every path below a folder with its bytes, None for folders; git's own and our state included."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def wait_until_it_waits(process: subprocess.Popen[str], lock: Path) -> None:
    """Return once a process has opened a lock file that this one holds, so that it waits there."""
    descriptors = Path(f"/proc/{process.pid}/fd")
    while process.poll() is None:
        with contextlib.suppress(OSError):
            if any(descriptor.readlink() == lock for descriptor in descriptors.iterdir()):
                return
        time.sleep(0.01)
    raise AssertionError(f"the process ended with {process.returncode}")
