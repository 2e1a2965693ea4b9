"""Logs that a merge or a crash left in ruins, made by the real git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features import LOG, declare, log_of, record
from gitrepo import GitRepo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAILING = "failing"
STYLES = ("merge", "diff3", "zdiff3")
HOWS = (FAILING, *STYLES)


def merged_how(repo: GitRepo, how: str) -> None:
    """Have logs merged by a driver that fails, or as text in a conflict style."""
    folder = repo.git("rev-parse", "--git-common-dir")
    kind = "failing" if how == FAILING else "text"
    repo.write(f"{folder}/info/attributes", f"status.events.jsonl merge={kind}\nstatus.json merge=binary\n")
    if how == FAILING:
        repo.git("config", "merge.failing.driver", "false")
    else:
        repo.git("config", "merge.conflictStyle", how)


def two_branches(folder: Path, how: str, *, shared: tuple[int, ...] = (1, 2)) -> GitRepo:
    """Return a repository with 3 and 5 on `theirs`, 4 and 6 on `ours`, where it stands, and logs merged so."""
    repo = GitRepo.init(folder)
    declare(repo)
    if shared:
        record(repo, *shared)
    for name, numbers in (("theirs", (3, 5)), ("ours", (4, 6))):
        repo.git("checkout", "-q", "-b", name, "main")
        for number in numbers:
            record(repo, number)
    merged_how(repo, how)
    return repo


def conflict(repo: GitRepo, *command: str) -> None:
    """Run a git command that must end in a conflict about the log."""
    assert repo.run(*command).returncode
    assert repo.git("ls-files", "--unmerged", "--", LOG)


def damaged(line: bytes, how: str) -> bytes:
    """Return a whole line as an accident leaves it; only `torn` loses the event."""
    return DAMAGE[how](line)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "torn": lambda line: line[: len(line) // 2] + b"\n",
    "glued": lambda line: line[:-1] + log_of(90),
    "glued to a piece of another": lambda line: line[:-1] + b'{"actor": "ad\n',
    "behind a piece of another": lambda line: b'{"actor": "ad' + line,
    "carriage return": lambda line: line[:-1] + b"\r\n",
    "NUL behind": lambda line: line[:-1] + b"\0\0\0\n",
    "NUL in front": lambda line: b"\0\0" + line,
    "byte order mark": lambda line: b"\xef\xbb\xbf" + line,
    "no UTF-8 behind": lambda line: line[:-1] + b"\xff\xfe\n",
}
