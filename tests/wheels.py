"""The project as a wheel, and environments that hold it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent


def called(*argv: str | Path, cwd: Path) -> str:
    """Run a command that has to succeed, and return what it printed."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built_wheel(place: Path) -> Path:
    """Build the wheel of the project into a folder and return it."""
    called(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT, cwd=place)
    (wheel,) = place.glob("*.whl")
    return wheel


def environment_with(wheel: Path, environment: Path, dependencies: Iterable[str]) -> Path:
    """Return the folder of commands of a new environment with the wheel, and beside it the folders `dependencies`.

    What stands in `.pth` files of those, the project's own among them, does not count there.
    """
    called(sys.executable, "-m", "venv", "--without-pip", environment, cwd=wheel.parent)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    called(*pip, cwd=wheel.parent)
    (folder,) = (environment / "lib").glob("python*/site-packages")
    (folder / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    return python.parent
