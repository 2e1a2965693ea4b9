"""What a trial merge left behind, held to what it should have left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.git.drivers import LOG, RESCUED, SNAPSHOT, VIEW
from kitty_status.git.runnable import broken_driver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kitty_status.git.repository import Repository

PASSED = "passed"
DEGRADED = "degraded"
FAILED = "failed"

_OURS = {LOG: "kitty-status-log", SNAPSHOT: "kitty-status-snapshot", VIEW: "kitty-status-view"}
_NO_DRIVER = ("unspecified", "set", "unset")
_MARKER = b"<<<<<<<"
_CONFLICT = 1


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that went wrong, in a sentence; `outcome` says whether lines would be lost (`failed`) or not."""

    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What `git merge` answered, what it left, and what it should have left."""

    code: int
    words: str
    log: bytes
    snapshot: bytes
    view: bytes
    log_driver: str
    snapshot_driver: str
    view_driver: str
    log_unmerged: bool
    snapshot_unmerged: bool
    view_unmerged: bool
    expected_log: bytes
    expected_snapshot: bytes
    expected_view: bytes


def troubles_with(repository: Repository, merged: Merged, *, snapshots: bool) -> Iterator[Trouble]:
    """Yield everything that is wrong with the outcome of a trial merge.

    Raises:
        GitError: git could not be started.
    """
    if merged.code not in (0, _CONFLICT):
        yield Trouble(FAILED, f"git merged nothing: it ended with {merged.code} and said: {merged.words or 'nothing'}")
        return
    yield from _log_troubles(repository, merged)
    if snapshots:
        yield from _snapshot_troubles(repository, merged)
        yield from _view_troubles(repository, merged)


def _log_troubles(repository: Repository, merged: Merged) -> Iterator[Trouble]:
    if merged.log == merged.expected_log and not merged.log_unmerged and merged.log_driver == _OURS[LOG]:
        # With the blank it was said; the shell may have shown the command, in which a quote follows.
        if f"{RESCUED[LOG]} " in merged.words:
            yield Trouble(DEGRADED, _with_cause(repository, LOG, "git kept the lines of both sides by itself"))
        return
    lines = merged.expected_log.splitlines()
    held = merged.log.splitlines()
    missing = [line for line in lines if line not in held]
    if _MARKER in merged.log:
        what = f"git wrote conflict markers into the log: {_assigned(merged.log_driver)}, and git has no such driver"
        yield Trouble(FAILED, what if merged.log_driver not in _NO_DRIVER else _markers(merged.log_driver))
    elif missing:
        what = f"the merged log holds {len(lines) - len(missing)} of {len(lines)} lines"
        yield Trouble(FAILED, _with_cause(repository, LOG, what))
    elif merged.log_driver != _OURS[LOG]:
        yield Trouble(
            DEGRADED, f"no line is lost, but kitty-status does not merge logs: {_assigned(merged.log_driver)}"
        )
    else:
        conflict = "git reports a conflict" if merged.log_unmerged else "its lines stand in another order"
        yield Trouble(DEGRADED, _with_cause(repository, LOG, f"the merged log holds every line, but {conflict}"))


def _snapshot_troubles(repository: Repository, merged: Merged) -> Iterator[Trouble]:
    if merged.snapshot == merged.expected_snapshot and not merged.snapshot_unmerged:
        return
    if _MARKER in merged.snapshot:
        yield Trouble(FAILED, f"git wrote conflict markers into the snapshot: {_assigned(merged.snapshot_driver)}")
    elif not merged.snapshot_unmerged:
        what = "the merged snapshot is not what the merged log says, and git reports no conflict"
        yield Trouble(FAILED, _with_cause(repository, SNAPSHOT, what))
    elif merged.snapshot_driver != _OURS[SNAPSHOT]:
        what = f"snapshots are left as a conflict: {_assigned(merged.snapshot_driver)}"
        yield Trouble(DEGRADED, what)
    else:
        what = "our snapshot was kept, and a conflict"
        yield Trouble(DEGRADED, _with_cause(repository, SNAPSHOT, what))


def _view_troubles(repository: Repository, merged: Merged) -> Iterator[Trouble]:
    if merged.view == merged.expected_view and not merged.view_unmerged:
        return
    if merged.view_driver != _OURS[VIEW]:
        what = f"the status in `tasks.md` conflicts in every merge: {_assigned(merged.view_driver)}"
        yield Trouble(DEGRADED, what)
    elif merged.view_unmerged:
        what = "the status in `tasks.md` was left as a conflict"
        yield Trouble(DEGRADED, _with_cause(repository, VIEW, what))
    else:
        what = "the merged `tasks.md` is not the text of both sides with the status of the merged log"
        yield Trouble(DEGRADED, _with_cause(repository, VIEW, what))


def _markers(driver: str) -> str:
    return f"git wrote conflict markers into the log: {_assigned(driver)}, so it is merged as text"


def _assigned(driver: str) -> str:
    return "no attribute assigns a merge driver" if driver in _NO_DRIVER else f"the attributes say merge={driver}"


def _with_cause(repository: Repository, kind: str, what: str) -> str:
    broken = broken_driver(repository, kind)
    return f"{what}, because the driver does not run: {broken}" if broken else what
