"""`audit` of a whole history, against `git log --raw` over the same commits."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.logs import history
from bench.measuring import BenchmarkError, cpu_of, in_turn, ratio
from bench.repository import ENVIRONMENT, LOG, SNAPSHOT, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.logs import History
    from bench.measuring import Figure

_COMMITS = 5_000
_LOGS = 400
# Each log begins with 20 to 79 events, some 10 to 40 KB.
_FEWEST_LINES = 20
_SPREAD = 60
_MOST_NEW_LINES = 3
# After so many commits on the main branch comes a branch of so many, which is merged.
_BETWEEN_BRANCHES = 40
_ON_A_BRANCH = 5
_OWN = [sys.executable, "-c", "import sys; from kitty_status.__main__ import main; sys.exit(main())", "audit"]


def run(folder: Path) -> Iterator[Figure]:
    """Measure the audit of a sound history, and see that it finds a line that was removed."""
    repository = Repository(folder / "project")
    made = _Commits()
    subprocess.run(
        ["git", "fast-import", "--quiet"],
        cwd=repository.path,
        env=ENVIRONMENT,
        input=b"".join(made.all()),
        check=True,
    )
    repository.pack()
    times = in_turn(
        11,
        {
            "audit": lambda: cpu_of(_OWN, cwd=repository.path, environment=ENVIRONMENT),
            "git log": lambda: repository.measured_git("log", "--raw", "main"),
        },
    )
    name = f"audit, {_COMMITS} commits, {_LOGS} logs"
    yield ratio(name, times["audit"], times["git log"], target=10, of="git log --raw over the same commits")
    _tamper(repository)


def _tamper(repository: Repository) -> None:
    """Remove a line and see that it is found: an audit that sees nothing was not measured at work."""
    repository.git("reset", "-q", "--hard", "main")
    log = repository.path / _path(_LOGS // 2)
    log.write_bytes(log.read_bytes().partition(b"\n")[2])
    repository.commit("tamper")
    if cpu_of(_OWN, cwd=repository.path, environment=ENVIRONMENT, exit_codes=(1,)) <= 0:
        raise BenchmarkError("the audit took no time")


def _slug(number: int) -> str:
    return f"{number:03d}-benchmark"


def _path(number: int) -> str:
    return f"kitty-specs/{_slug(number)}/{LOG}"


class _Commits:
    """Makes commits as `git fast-import` reads them: each moves one feature on, and changes a source file."""

    def __init__(self) -> None:
        self._random = random.Random(7)  # noqa: S311  nothing is secret here
        self._made: list[History] = [history(_FEWEST_LINES, _slug(number), seed=number) for number in range(_LOGS)]
        self._logs = [b"".join(self._made[n].lines(_FEWEST_LINES + n % _SPREAD)) for n in range(_LOGS)]
        self._count = 0

    def all(self) -> Iterator[bytes]:
        """Yield the commands that make the whole history."""
        yield self._commit("main")
        for number in range(_LOGS):
            yield from self._files(number)
        while self._count < _COMMITS:
            is_time = self._count % _BETWEEN_BRANCHES == 0 and self._count + _ON_A_BRANCH + 2 < _COMMITS
            yield from self._branch() if is_time else self._step("main")

    def _branch(self) -> Iterator[bytes]:
        """Move one feature on upon a branch, another one on main meanwhile, and merge."""
        feature, other = self._random.sample(range(_LOGS), 2)
        for number in range(_ON_A_BRANCH):
            yield from self._step("side", feature, start="main" if number == 0 else "")
        yield from self._step("main", other)
        yield self._commit("main", merged="side")
        yield from self._files(feature)

    def _step(self, branch: str, feature: int | None = None, start: str = "") -> Iterator[bytes]:
        chosen = self._random.randrange(_LOGS) if feature is None else feature
        self._logs[chosen] += b"".join(self._made[chosen].lines(self._random.randint(1, _MOST_NEW_LINES)))
        yield self._commit(branch, start=start)
        yield from self._files(chosen)

    def _commit(self, branch: str, *, start: str = "", merged: str = "") -> bytes:
        self._count += 1
        lines = [
            f"commit refs/heads/{branch}",
            f"committer bench <bench@example.org> {1_700_000_000 + 60 * self._count} +0000",
            f"data <<END\ncommit {self._count}\nEND",
        ]
        lines += [f"from refs/heads/{start}"] if start else []
        lines += [f"merge refs/heads/{merged}"] if merged else []
        return "\n".join(lines).encode() + b"\n"

    def _files(self, number: int) -> Iterator[bytes]:
        log = self._logs[number]
        yield _file(_path(number), log)
        yield _file(f"kitty-specs/{_slug(number)}/{SNAPSHOT}", b'{\n  "events": %d\n}\n' % log.count(b"\n"))
        yield _file(f"src/part{number % 20}/module{number}.py", b"version = %d\n" % self._count)


def _file(path: str, content: bytes) -> bytes:
    return f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"
