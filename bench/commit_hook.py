"""The commit hook: the process that the hook's stub turns into, with 1, 20 and 377 staged logs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from bench.logs import history
from bench.measuring import BenchmarkError, cpu_of, in_turn, ratio
from bench.merge_driver import INTERPRETER, NOTHING
from bench.repository import ENVIRONMENT, LOG, Repository

from kitty_status.git.drivers import python_command
from kitty_status.git.hooks import HOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.measuring import Figure

_LOGS = 377
# 30 to 45 KB, as the logs of real projects.
_FEWEST_LINES = 62
_SPREAD = 26
_NEW_LINES = 3
# git runs hooks at the top of the work tree and names the index.
_IN_A_HOOK = {**ENVIRONMENT, "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""}


def run(folder: Path) -> Iterator[Figure]:
    """Measure commits of 1, 20 and 377 logs that were added to, each with its snapshot."""
    project = _Project(folder / "project")
    argv = shlex.split(python_command(HOOKS["pre-commit"]))
    contestants = {
        "hook": lambda: cpu_of(argv, cwd=project.path, environment=_IN_A_HOOK),
        "pass": lambda: cpu_of(NOTHING, environment=ENVIRONMENT),
    }
    for count, target, rounds in ((1, 1.75, 41), (20, 1.9, 31), (_LOGS, 20, 11)):
        project.stage(count)
        times = in_turn(rounds, contestants)
        yield ratio(f"commit hook, {count} staged", times["hook"], times["pass"], target=target, of=INTERPRETER)
    project.damage()
    cpu_of(argv, cwd=project.path, environment=_IN_A_HOOK, exit_codes=(1,))


class _Project:
    """A repository of many features, each with a little that is new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._repository = Repository(path)
        self._new: dict[str, bytes] = {}
        for number in range(_LOGS):
            slug = f"{number:03d}-benchmark"
            made = history(_FEWEST_LINES, slug, seed=number)
            log = b"".join(made.lines(_FEWEST_LINES + number % _SPREAD))
            self._repository.write_feature(slug, log)
            self._new[slug] = log + b"".join(made.lines(_NEW_LINES))
        self._repository.commit("all features")
        self._repository.pack()

    def stage(self, count: int) -> None:
        """Stage the new lines of the first `count` features, with the snapshots that belong to them."""
        for slug in list(self._new)[:count]:
            self._repository.write_feature(slug, self._new[slug])
        self._repository.git("add", "-A")
        staged = self._repository.git("diff", "--cached", "--name-only").split()
        if len(staged) != 2 * count:
            raise BenchmarkError(f"{len(staged)} files are staged, not {2 * count}")

    def damage(self) -> None:
        """Stage a damaged line: a hook that finds nothing wrong with it was not measured at work."""
        slug, log = next(iter(self._new.items()))
        (self.path / "kitty-specs" / slug / LOG).write_bytes(log + b'{"event_id": \n')
        self._repository.git("add", "-A")
