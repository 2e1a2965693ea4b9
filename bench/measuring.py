"""Ratios of CPU time between things that run in turn.

Absolute times mean little on a shared machine: the same work takes almost twice as long an hour
later. So whatever is measured runs side by side with a floor, one round after the other and in
alternating order; each round gives a ratio, and their median is the figure.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

FEWEST_ROUNDS = 7


class BenchmarkError(Exception):
    """A benchmark could not be run, which says nothing about speed."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure beside its target; `low` and `high` are the quartiles of the rounds."""

    name: str
    value: float
    target: float
    floor: str
    low: float
    high: float
    unit: str = "x"
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.target if self.at_least else self.value <= self.target


def ratio(
    name: str, measured: Sequence[float], floor: Sequence[float], *, target: float, of: str, at_least: bool = False
) -> Figure:
    """Return the median of what each round measured over the floor of the same round.

    Args:
        name: what was measured.
        measured: the seconds it took in each round.
        floor: the seconds that its floor took in each round.
        target: what the ratio should be at most.
        of: what the floor is, in words.
        at_least: the target is a lower bound instead.
    """
    if len(measured) < FEWEST_ROUNDS:
        raise BenchmarkError(f"{name}: {len(measured)} rounds are too few to tell")
    ratios = [mine / base for mine, base in zip(measured, floor, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Figure(name, middle, target, of, low, high, at_least=at_least)


def peak(name: str, megabytes: float, *, target: float) -> Figure:
    """Return the peak memory of a process as a figure."""
    return Figure(name, megabytes, target, "nothing: the whole process", megabytes, megabytes, unit="MB")


def in_turn(
    rounds: int, contestants: Mapping[str, Callable[[], float]], *, warm_up: bool = True
) -> dict[str, list[float]]:
    """Run every contestant once a round, in alternating order, and return what each gave per round.

    With `warm_up`, one round before the first is thrown away: it fills caches.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(0 if warm_up else 1, rounds + 1):
        for name in names if number % 2 else reversed(names):
            seconds = contestants[name]()
            if number:
                times[name].append(seconds)
    return times


def cpu_of(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    exit_codes: Sequence[int] = (0,),
) -> float:
    """Run a process and return the CPU seconds that it and its children took.

    Raises:
        BenchmarkError: it ended with a code that is not among `exit_codes`.
    """
    with subprocess.Popen(
        argv,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in exit_codes:
        raise BenchmarkError(f"{' '.join(argv)[:200]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


class Worker:
    """A process that does one piece of work as often as it is asked; starting up is not part of the time."""

    def __init__(self, argv: Sequence[str], *, cwd: Path) -> None:
        self._what = " ".join(argv)
        self._process = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.peak_megabytes = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def __call__(self) -> float:
        """Have the work done once and return the CPU seconds that it took.

        Raises:
            BenchmarkError: the worker ended instead of answering; it has said why on stderr.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise BenchmarkError(f"{self._what} has no pipes")
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"{self._what} ended with {self._process.wait()}")
        answer = json.loads(line)
        self.peak_megabytes = answer["peak"]
        return float(answer["cpu"])
