"""The merge driver as the process that git waits for, with the very command line that `install` writes."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from bench.logs import history
from bench.measuring import BenchmarkError, cpu_of, in_turn, ratio
from bench.repository import ENVIRONMENT

from kitty_status.git.drivers import LOG, driver_command, first_way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.measuring import Figure

NOTHING = [sys.executable, "-c", "pass"]
INTERPRETER = "python -c pass"
_NEW_LINES = 200
# By this variable a driver sees that git merges branches and does not pick a commit.
_MERGING = {**ENVIRONMENT, "GITHEAD_0123456789012345678901234567890123456789": "theirs"}


def run(folder: Path) -> Iterator[Figure]:
    """Measure a base of 10,000 and of 100,000 lines, with 200 new ones on either side."""
    for count, target, rounds in ((10_000, 1.35, 41), (100_000, 2.2, 15)):
        merge = _Merge(folder / f"merge-{count}", count)
        times = in_turn(rounds, {"driver": merge, "pass": _pass})
        merge.check()
        yield ratio(f"merge driver, base {count:,}", times["driver"], times["pass"], target=target, of=INTERPRETER)


def _pass() -> float:
    return cpu_of(NOTHING, environment=ENVIRONMENT)


class _Merge:
    """One merge that can be done again: what the driver wrote behind the base is put back each time."""

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir()
        self._files = [folder / name for name in ("base", "ours", "theirs")]
        self._tails = [b""]
        for file in self._files:
            # The same seed, so the same base; then both sides go on in their own way.
            side = history(count)
            with file.open("wb") as out:
                out.writelines(side.lines(count))
                self._base_size = out.tell()
        for number, file in enumerate(self._files[1:], start=1):
            self._tails.append(b"".join(history(_NEW_LINES, seed=number).lines(_NEW_LINES)))
            with file.open("ab") as out:
                out.write(self._tails[-1])
        # What the shell runs of the configured command where everything is in its place.
        interpreter_and_bootstrap = shlex.split(first_way(driver_command(LOG)))
        self._argv = [*interpreter_and_bootstrap, *map(str, self._files), "kitty-specs/001-benchmark/log"]

    def __call__(self) -> float:
        with self._files[1].open("r+b") as ours:
            ours.truncate(self._base_size)
            ours.seek(self._base_size)
            ours.write(self._tails[1])
        return cpu_of(self._argv, environment=_MERGING)

    def check(self) -> None:
        """Make sure that what was measured was a merge."""
        added = sum(len(tail) for tail in self._tails)
        if self._files[1].stat().st_size != self._base_size + added:
            raise BenchmarkError("the merge driver did not keep the lines of both sides")
