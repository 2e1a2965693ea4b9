"""Other event stores, each in an environment of its own, and at work in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_INSTALLATION = 300


class CannotInstallError(Exception):
    """The environment could not be made, or the peer does not run in it; says why."""


def python_of(place: Path, release: str) -> Path:
    """Return the interpreter of an environment that holds a release, and make the environment if need be.

    Raises:
        CannotInstallError: it cannot be made here.
    """
    python, installed = place / "bin" / "python", place / ".installed"
    if installed.exists():
        return python
    steps = (
        [sys.executable, "-m", "venv", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", release],
    )
    try:
        for step in steps:
            subprocess.run(step, check=True, capture_output=True, text=True, timeout=_LONGEST_INSTALLATION)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotInstallError(f"{release} could not be installed in {place}: {error}") from error
    installed.touch()
    return python


class Peer:
    """A script that reads lines, what to do and how often, and answers each with the seconds that it took."""

    def __init__(self, python: Path, script: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [str(python), str(script), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, what: str, times: int = 1) -> float:
        """Have something done so many times and return the seconds that it took.

        Raises:
            CannotInstallError: it has ended instead, and has said why on stderr.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise CannotInstallError("the peer has no pipes")
        self._process.stdin.write(f"{what} {times}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise CannotInstallError(f"the peer ended with {self._process.wait()}")
        return float(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()
