"""The released spec-kitty in an environment of its own: `python bench/spec_kitty.py` makes it and says where it is.

Benchmarks and the tests of `make interop` both use the one that this makes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.places import SPEC_KITTY

RELEASE = "spec-kitty-cli==3.2.7"
_INSTALLED = SPEC_KITTY / ".installed"
_LONGEST_INSTALLATION = 300


class CannotInstallError(Exception):
    """The environment could not be made; says why."""


def spec_kitty_python() -> Path:
    """Return the interpreter of an environment that holds spec-kitty, and make the environment if need be.

    Raises:
        CannotInstallError: it cannot be made here.
    """
    python = SPEC_KITTY / "bin" / "python"
    if _INSTALLED.exists():
        return python
    steps = (
        [sys.executable, "-m", "venv", str(SPEC_KITTY)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", RELEASE],
    )
    try:
        for step in steps:
            subprocess.run(step, check=True, capture_output=True, text=True, timeout=_LONGEST_INSTALLATION)
    except subprocess.CalledProcessError as error:
        raise CannotInstallError(f"{RELEASE} could not be installed in {SPEC_KITTY}: {error.stderr}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotInstallError(f"{RELEASE} could not be installed in {SPEC_KITTY}: {error}") from error
    _INSTALLED.touch()
    return python


def main() -> int:
    """Make the environment and print its interpreter."""
    try:
        print(spec_kitty_python())
    except CannotInstallError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
