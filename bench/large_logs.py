"""Read, validate strictly, check legality and reduce: large logs, against decoding alone."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.logs import write_log
from bench.measuring import Worker, in_turn, peak, ratio
from bench.places import BENCH, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.logs import Ids
    from bench.measuring import Figure

_DECODING = "decoding each line into its type"
_MANY = 1_000_000
_CROWD = 200_000


def run(folder: Path) -> Iterator[Figure]:
    """Measure 100,000 and 1,000,000 events in order, and crowds that share one instant."""
    yield _against_decoding(folder, 100_000, "increasing", target=2.8, rounds=15)
    yield _against_decoding(folder, 100_000, "hashes", target=2.8, rounds=9)
    yield from _a_million(folder)
    yield from _crowds(folder)


def worker(task: str, path: Path) -> Worker:
    """Return a process that does `task` of `work.py` with `path`."""
    return Worker([sys.executable, str(BENCH / "work.py"), task, str(path)], cwd=ROOT)


def _against_decoding(folder: Path, count: int, ids: Ids, *, target: float, rounds: int) -> Figure:
    log = write_log(folder, count, ids=ids)
    with worker("reduce", log) as reducing, worker("decode", log) as decoding:
        # A million events take long enough for a cold start not to show.
        times = in_turn(rounds, {"reduce": reducing, "decode": decoding}, warm_up=count < _MANY)
    name = f"reduce {count:,}, ids {'increase' if ids == 'increasing' else 'are hashes'}"
    return ratio(name, times["reduce"], times["decode"], target=target, of=_DECODING)


def _a_million(folder: Path) -> Iterator[Figure]:
    memory: tuple[tuple[Ids, float], ...] = (("hashes", 150), ("increasing", 40))
    for ids, megabytes in memory:
        log = write_log(folder, _MANY, ids=ids)
        if ids == "hashes":
            yield _against_decoding(folder, _MANY, ids, target=3.3, rounds=7)
        with worker("reduce", log) as once:
            once()
        how = "increase" if ids == "increasing" else "are hashes"
        yield peak(f"memory of reducing {_MANY:,}, ids {how}", once.peak_megabytes, target=megabytes)
        log.unlink()


def _crowds(folder: Path) -> Iterator[Figure]:
    kinds: tuple[tuple[Ids, str], ...] = (("increasing", "in order"), ("hashes", "in no order"))
    for ids, how in kinds:
        kinds_of_log = {"crowd": (_CROWD, True), "half": (_CROWD // 2, True)}
        if ids == "increasing":
            kinds_of_log["spread"] = (_CROWD, False)
        with ExitStack() as stack:
            contestants = {
                name: stack.enter_context(worker("reduce", write_log(folder, count, ids=ids, same_instant=same)))
                for name, (count, same) in kinds_of_log.items()
            }
            times = in_turn(7, contestants)
        name = f"{_CROWD:,} of one instant, {how}"
        yield ratio(f"{name}: growth", times["crowd"], times["half"], target=2.3, of="half as many of one instant")
        if "spread" in times:
            yield ratio(f"{name}: cost", times["crowd"], times["spread"], target=1.2, of="as many, each of its own")
