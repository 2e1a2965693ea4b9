"""A whole `git merge` with our drivers, against the same merge by git's own union."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.logs import history
from bench.measuring import BenchmarkError, in_turn, ratio
from bench.repository import LOG, SNAPSHOT, Repository, snapshot_of

from kitty_status.git.attributes import LOCAL, LOCAL_LOGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.measuring import Figure

_LINES = 10_000
_NEW_LINES = 200
_SLUG = "001-benchmark"
# What `init` commits for clones without the drivers.
_UNION = ("kitty-specs/** merge=union -text", f"**/{SNAPSHOT} merge=binary")


def run(folder: Path) -> Iterator[Figure]:
    """Measure a log of 10,000 lines alone, then with its snapshot."""
    alone = _Merge(folder / "log-alone", snapshot=False)
    times = in_turn(11, {"drivers": lambda: alone(LOCAL_LOGS), "union": lambda: alone(_UNION)})
    yield ratio("git merge, log", times["drivers"], times["union"], target=1.2, of="git merge with merge=union")
    both = _Merge(folder / "log-and-snapshot", snapshot=True)
    # git can only call the snapshot a conflict, and ends with 1.
    times = in_turn(9, {"drivers": lambda: both(LOCAL), "union": lambda: both(_UNION, exit_codes=(1,))})
    both.check()
    yield ratio(
        "git merge, log and snapshot", times["drivers"], times["union"], target=2.5, of="git merge with merge=union"
    )


class _Merge:
    """A merge of two branches that can be done again, each time with every object still to be written."""

    def __init__(self, folder: Path, *, snapshot: bool) -> None:
        self._repository = repository = Repository(folder)
        base = b"".join(history(_LINES, _SLUG).lines(_LINES))
        repository.write_feature(_SLUG, base, snapshot=snapshot)
        repository.commit("base")
        for number, branch in enumerate(("ours", "theirs"), start=1):
            tail = self._new_lines(number)
            repository.git("checkout", "-q", "-b", branch, "main")
            repository.write_feature(_SLUG, base + tail, snapshot=snapshot)
            repository.commit(branch)
        repository.install()
        repository.pack()

    @staticmethod
    def _new_lines(seed: int) -> bytes:
        going_on = history(_LINES, _SLUG)
        for _ in going_on.lines(_LINES):
            pass
        return b"".join(going_on.lines(_NEW_LINES, seed=seed))

    def __call__(self, attributes: tuple[str, ...], *, exit_codes: tuple[int, ...] = (0,)) -> float:
        repository = self._repository
        repository.git("reset", "-q", "--hard")
        repository.git("checkout", "-q", "-f", "--detach", "ours")
        repository.forget_loose_objects()
        repository.attributes(*attributes)
        return repository.measured_git(
            "-c", f"core.hooksPath={os.devnull}", "merge", "-q", "--no-edit", "theirs", exit_codes=exit_codes
        )

    def check(self) -> None:
        """Make sure that what was measured gives the right log and snapshot."""
        self(LOCAL)
        feature = self._repository.path / "kitty-specs" / _SLUG
        log = (feature / LOG).read_bytes()
        if log.count(b"\n") != _LINES + 2 * _NEW_LINES or (feature / SNAPSHOT).read_bytes() != snapshot_of(log):
            raise BenchmarkError("git merge did not give the merged log and its snapshot")
