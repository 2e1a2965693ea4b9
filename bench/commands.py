"""`show` and `emit` as processes, against a typer command that does nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.logs import history
from bench.measuring import BenchmarkError, cpu_of, in_turn, ratio
from bench.places import BENCH
from bench.repository import ENVIRONMENT, LOG, SNAPSHOT, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.measuring import Figure

_SLUG = "001-benchmark"
_LINES = 62
_NEW = "WP99"
_NOTHING = "a typer command that does nothing"
_NOOP = [sys.executable, str(BENCH / "noop_typer.py")]
_OWN = [sys.executable, "-c", "import sys; from kitty_status.__main__ import main; sys.exit(main())"]


def run(folder: Path) -> Iterator[Figure]:
    """Measure both commands on a feature of the usual size."""
    project = _Project(folder / "project")
    times = in_turn(
        21,
        {
            "show": lambda: project.run("show", _SLUG),
            "emit": project.emit,
            "nothing": lambda: cpu_of(_NOOP, environment=ENVIRONMENT),
        },
    )
    yield ratio("show", times["show"], times["nothing"], target=1.15, of=_NOTHING)
    yield ratio("emit", times["emit"], times["nothing"], target=1.35, of=_NOTHING)


class _Project:
    """A repository with one feature, which is as it was after every command."""

    def __init__(self, path: Path) -> None:
        self._path = path
        repository = Repository(path)
        repository.write_feature(_SLUG, b"".join(history(_LINES, _SLUG).lines(_LINES)))
        repository.commit("a feature")
        feature = path / "kitty-specs" / _SLUG
        self._log = feature / LOG
        self._journal = path / ".git" / "kitty-status" / "journal"
        self._before = {file: file.read_bytes() for file in (self._log, feature / SNAPSHOT)}

    def run(self, *arguments: str) -> float:
        """Run a command of ours and return its CPU seconds."""
        return cpu_of([*_OWN, *arguments], cwd=self._path, environment=ENVIRONMENT)

    def emit(self) -> float:
        """Move a work package, and take the move back unmeasured."""
        seconds = self.run("emit", _NEW, "--to", "claimed", "--actor", "ada", "--feature", _SLUG)
        if self._log.read_bytes().count(b"\n") != _LINES + 1:
            raise BenchmarkError("emit did not write one line")
        for file, content in self._before.items():
            file.write_bytes(content)
        # The journal would bring the event back.
        shutil.rmtree(self._journal, ignore_errors=True)
        return seconds
