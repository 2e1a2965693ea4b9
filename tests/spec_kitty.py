"""The released spec-kitty, for the tests of `make interop`: one process of its interpreter that answers many calls."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from commandline import FOLDER, SLUG

if TYPE_CHECKING:
    from types import TracebackType

    from gitrepo import GitRepo

PYTHON = os.environ.get("KITTY_STATUS_INTEROP", "")
MISSION_ID = "01KN2371WNZX28ME4MN97B67PK"
META = {
    "created_at": "2026-01-01T00:00:00Z",
    "friendly_name": "A feature",
    "mission_id": MISSION_ID,
    "mission_number": 1,
    "mission_slug": SLUG,
    "mission_type": "software-dev",
    "slug": SLUG,
    "target_branch": "main",
    "topology": "single_branch",
}
_THEIR_SIDE = Path(__file__).parent / "interop" / "their_side.py"


def needs_spec_kitty() -> None:
    """Skip the test module that calls this where there is no spec-kitty: only `make interop` installs it."""
    if not PYTHON:
        pytest.skip("needs the released spec-kitty: `make interop` installs it", allow_module_level=True)


class Theirs:
    """spec-kitty in a process that lives as long as the `with` block, at home in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "KITTY_STATUS_"))},
            "HOME": str(home),
            "PATH": f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{role}_{part}": "Ada" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")},
        }
        self._process = subprocess.Popen(
            [PYTHON, str(_THEIR_SIDE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=home,
            env=self.environment,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)

    def answer(self, **request: Any) -> dict[str, Any]:
        """Return what spec-kitty answers to a request; `interop/their_side.py` says which there are."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "spec-kitty ended"
        answered: dict[str, Any] = json.loads(line)
        return answered

    def call(self, cwd: Path, *argv: str, code: int = 0) -> str:
        """Run a command of spec-kitty's that has to end with `code`, and return what it printed."""
        done = self.answer(call=list(argv), cwd=str(cwd))
        assert done["code"] == code, (argv, done)
        printed: str = done["out"]
        return printed

    def status(self, repo: GitRepo, *argv: str, code: int = 0) -> dict[str, Any]:
        """Run `spec-kitty agent status ... --json` for the one mission there is."""
        printed = self.call(repo.path, "agent", "status", *argv, "--mission", SLUG, "--json", code=code)
        answered: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
        return answered

    def emit(self, repo: GitRepo, wp_id: str, to: str, *more: str, code: int = 0) -> dict[str, Any]:
        """Move a work package with spec-kitty."""
        return self.status(repo, "emit", wp_id, "--to", to, "--actor", "claude", *more, code=code)

    def task(self, repo: GitRepo, *argv: str) -> str:
        """Run `spec-kitty agent tasks ...` for the one mission there is; nothing is committed."""
        return self.call(repo.path, "agent", "tasks", *argv, "--mission", SLUG, "--no-auto-commit", "--json")

    def snapshot(self, repo: GitRepo) -> bytes:
        """Return the bytes of the snapshot that their reducer gives for the log as it is."""
        return self.snapshot_of(repo.path / FOLDER)

    def snapshot_of(self, folder: Path) -> bytes:
        """Return the bytes of the snapshot that their reducer gives for the log in a folder."""
        text: str = self.answer(snapshot=str(folder))["text"]
        return text.encode()
