"""A trial merge: two branches, an event on each, and the configuration of a real clone.

That a driver is configured does not say that git can run it, and a driver that fails leaves one
side's lines only, which nobody notices. So git is made to merge, in a repository that is thrown away.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.git.attributes_in_force import copy_attributes
from kitty_status.git.blobs import blob_oid
from kitty_status.git.run import git, run_git
from kitty_status.git.trial_verdict import FAILED, PASSED, Merged, Trouble, troubles_with
from kitty_status.jsonl.codec import decode, encode
from kitty_status.status.layout import EVENTS_FILENAME, OVERVIEW_FILENAME, SNAPSHOT_FILENAME
from kitty_status.status.merging import merge_logs
from kitty_status.status.record import events_of
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.snapshot import to_bytes
from kitty_status.status.view_section import with_section

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository
    from kitty_status.status.snapshot import Snapshot

_FEATURE = "kitty-status-trial"
_FOLDER = f"kitty-specs/{_FEATURE}"
_LOG = f"{_FOLDER}/{EVENTS_FILENAME}"
_SNAPSHOT = f"{_FOLDER}/{SNAPSHOT_FILENAME}"
_VIEW = f"{_FOLDER}/{OVERVIEW_FILENAME}"
# What of a clone's configuration decides how a log is merged; the person's and the machine's own holds there as well.
_COPIED = r"^(merge\.kitty-status-(log|snapshot|view)\.|merge\.renormalize$|core\.(autocrlf|eol|attributesfile)$)"
# An overview in which each side has changed a line, far enough from the other's for git.
_BASE_TEXT = ("# Work packages", "one", "two", "three", "four", "five", "six")
_THEIR_LINE, _OUR_LINE = "one, says theirs", "six, says ours"
_TEXTS = {
    "base": _BASE_TEXT,
    "ours": (*_BASE_TEXT[:-1], _OUR_LINE),
    "theirs": (*_BASE_TEXT[:1], _THEIR_LINE, *_BASE_TEXT[2:]),
    "merged": (*_BASE_TEXT[:1], _THEIR_LINE, *_BASE_TEXT[2:-1], _OUR_LINE),
}
_PERSON = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "kitty-status"), ("EMAIL", "trial@example.org"), ("DATE", "2000-01-01T00:00:00Z"))
}
# Nothing of the person's own may run in the trial, nothing may be left running, and no switch may turn it off.
_QUIET = ("core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false", "commit.gpgSign=false", "merge.log=false")
_ENVIRONMENT = {**_PERSON, "KITTY_STATUS": "1"}


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a trial merge: nothing but what went wrong is in `troubles`."""

    troubles: tuple[Trouble, ...] = ()

    @property
    def outcome(self) -> str:
        """`passed`, `degraded` (no line is lost, but kitty-status did not merge) or `failed`."""
        outcomes = [trouble.outcome for trouble in self.troubles]
        return FAILED if FAILED in outcomes else outcomes[0] if outcomes else PASSED


def try_merge(repository: Repository, *, snapshots: bool = True) -> Trial:
    """Merge two branches with an event each, as this clone would, and say what came of it.

    It happens in a temporary repository with the clone's drivers and attributes. Nothing of it
    remains, nothing is written to the clone, no hook runs and no clock is read.

    Args:
        repository: the clone.
        snapshots: whether snapshots and views are merged by our drivers, too. Pass False where another tool writes
            them.

    Raises:
        GitError: git could not be started, or could not make the temporary repository.
        OSError: the temporary folder could not be written to.
    """
    # git may still hold a file open on Windows; a temporary folder that stays is no failed trial.
    with tempfile.TemporaryDirectory(prefix="kitty-status-", ignore_cleanup_errors=True) as folder:
        here = str(Path(folder, "trial"))
        _prepare(repository, here)
        sides = _Sides(repository.object_format)
        git(["fast-import", "--quiet"], cwd=here, stdin=sides.history())
        git(["checkout", "--quiet", "ours"], cwd=here, environment=_ENVIRONMENT)
        return Trial(tuple(troubles_with(repository, _merge(here, sides), snapshots=snapshots)))


def _prepare(repository: Repository, here: str) -> None:
    arguments = ["init", "--quiet", "--template=", f"--object-format={repository.object_format}", here]
    git(arguments, cwd=repository.worktree)
    settings = [setting.partition("=")[::2] for setting in _QUIET]
    # A folder that is not there: a person's own hooks, set for all their repositories, do not run.
    settings.append(("core.hooksPath", str(Path(here, ".git", "no-hooks"))))
    listed = run_git(["config", "--null", "--get-regexp", _COPIED], cwd=repository.worktree)
    settings += [entry.partition("\n")[::2] for entry in os.fsdecode(listed.out).split("\0")[:-1]]
    for key, value in settings:
        git(["config", "--local", "--replace-all", key, value], cwd=here)
    copy_attributes(repository, here, folders=("", "kitty-specs"), local=True)


def _merge(here: str, sides: _Sides) -> Merged:
    # Hooks, signatures and fast-forwarding are a matter of commits; here only the merge is on trial.
    options = ["--no-edit", "--no-ff", "--no-verify", "--no-verify-signatures", "--no-gpg-sign"]
    result = run_git(["merge", *options, "theirs"], cwd=here, environment=_ENVIRONMENT)
    assigned = os.fsdecode(git(["check-attr", "-z", "merge", "--", _LOG, _SNAPSHOT, _VIEW], cwd=here)).split("\0")
    unmerged = os.fsdecode(git(["ls-files", "--unmerged", "-z"], cwd=here))
    return Merged(
        code=result.code,
        # git's own words go to either.
        words=os.fsdecode(result.err + result.out).strip(),
        log=_content(here, _LOG, in_commit=not result.code),
        snapshot=_content(here, _SNAPSHOT, in_commit=not result.code),
        view=_content(here, _VIEW, in_commit=not result.code),
        log_driver=assigned[2],
        snapshot_driver=assigned[5],
        view_driver=assigned[8],
        log_unmerged=f"\t{_LOG}\0" in unmerged,
        snapshot_unmerged=f"\t{_SNAPSHOT}\0" in unmerged,
        view_unmerged=f"\t{_VIEW}\0" in unmerged,
        expected_log=sides.merged,
        expected_snapshot=sides.snapshot(sides.merged),
        expected_view=sides.view(sides.merged, _TEXTS["merged"]),
    )


def _content(here: str, path: str, *, in_commit: bool) -> bytes:
    """Return a file as it was committed, or as it stands in the work tree where the merge stopped."""
    if in_commit:
        return git(["cat-file", "blob", f"HEAD:{path}"], cwd=here)
    return Path(here, path).read_bytes()


class _Sides:
    """The log before the branches part, the logs of both, and what their merge has to be."""

    def __init__(self, object_format: str) -> None:
        self._object_format = object_format
        first = _line(1, "WP01", "planned", "claimed", ())
        self._logs = {
            "base": first,
            "ours": first + _line(2, "WP01", "claimed", "in_progress", (1,)),
            "theirs": first + _line(3, "WP02", "planned", "claimed", ()),
        }
        self.merged = merge_logs(self._logs["ours"], self._logs["theirs"], decode)[0]

    def snapshot(self, log: bytes) -> bytes:
        """Return the snapshot of a log."""
        return to_bytes(_reduced(log), blob_oid(log, self._object_format))

    def view(self, log: bytes, lines: tuple[str, ...]) -> bytes:
        """Return an overview with these lines and the status of a log."""
        return with_section("".join(f"{line}\n" for line in lines).encode(), _reduced(log))

    def history(self) -> bytes:
        """Return the three commits as `git fast-import` reads them."""
        return b"".join(self._commit(name) for name in self._logs)

    def _commit(self, name: str) -> bytes:
        parent = "" if name == "base" else "from refs/heads/base\n"
        head = f"commit refs/heads/{name}\ncommitter kitty-status <trial@example.org> 946684800 +0000\ndata 0\n{parent}"
        log = self._logs[name]
        files = {_LOG: log, _SNAPSHOT: self.snapshot(log), _VIEW: self.view(log, _TEXTS[name])}
        return head.encode() + b"".join(_file(path, content) for path, content in files.items()) + b"\n"


def _reduced(log: bytes) -> Snapshot:
    return reduce_events(unique_events(events_of(log.split(b"\n"), decode, _impossible)))


def _file(path: str, content: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)


def _line(number: int, wp_id: str, from_lane: str, to_lane: str, parents: tuple[int, ...]) -> bytes:
    row = {
        "event_id": f"{number:026}",
        "feature_slug": _FEATURE,
        "wp_id": wp_id,
        "from_lane": from_lane,
        "to_lane": to_lane,
        "at": f"2000-01-01T00:00:0{number}.000000+00:00",
        "actor": "kitty-status",
        "force": False,
        "reason": None,
        "execution_mode": "worktree",
        "review_ref": None,
        "evidence": None,
        "parents": [f"{parent:026}" for parent in parents],
    }
    return encode(row, json.dumps)


def _impossible(number: int, _line: bytes, why: str, _is_json: bool) -> None:
    raise AssertionError(f"line {number} of the trial's own log: {why}")
