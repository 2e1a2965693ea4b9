"""Which events a rebase or an amended commit has left out of a branch, and how they come back.

git drops merge commits when it rebases, and with them what was committed in a merge itself. Such an event
is in a reflog and in no branch: the journal has let go of it, and nobody would hear of it.

This is loaded only where a status file differs, since git waits for it.
"""

from __future__ import annotations

import os
import shlex
import sys

from kitty_status.git.append_only import LINE_EDITED, LINE_REMOVED, LINES_REORDERED, prove
from kitty_status.git.history import History
from kitty_status.git.run import git
from kitty_status.jsonl.codec import decode
from kitty_status.status.layout import feature_folder_of
from kitty_status.status.merging import split_lines
from kitty_status.status.record import is_readable
from kitty_status.status.rows import is_safe_name
from kitty_status.status.visible import visible
from kitty_status.tracker.log_files import lines_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kitty_status.git.append_only import Loss, Proof

_FEATURES_FOLDER = "kitty-specs"
_ID_LENGTH = 12
_MOST_NAMED = 20


def left_out(old: str, new: str, worktree: str) -> dict[str, list[bytes]]:
    """Return {log: lines} of what the logs of commit `old` held and no log of `new`, nor the work tree, holds.

    The log is the one that lacks the lines: where it lies now, or where it lay if it is gone. A line that came to
    another log is not left out, nor one whose event stands there with other content, nor a damaged one.

    Raises:
        GitError: git does not know one of the commits, or failed.
    """
    history = History(worktree, inherit_repository=True)
    proof = prove(history, [history.between(old, new)])
    found: dict[str, list[bytes]] = {}
    for loss in proof.losses:
        path = _path_now(loss, proof)
        # A line may stand in the work tree that is not committed any more.
        standing = frozenset(split_lines(lines_in(worktree, _folder(path))))
        lines = [line for line in _lines_of(loss, history) if line not in standing]
        if lines:
            found.setdefault(path, []).extend(lines)
    return found


def tell(what: str, old: str, lines: dict[str, list[bytes]]) -> None:
    """Say on stderr which events `what` has left out that commit `old` had, and which commands bring them back.

    Raises:
        GitError: git does not know the commit.
    """
    named = [f"{_words(line)} of {_folder(path)}" for path, each in lines.items() for line in each]
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED:] = [f"and {len(named) - _MOST_NAMED} more"]
    _say(f"{what} left out what the logs of this branch held before:", named)
    names = dict.fromkeys(shlex.quote(_name(_folder(path))) for path in lines)
    # ORIG_HEAD is soon another commit.
    short = git(["rev-parse", f"--short={_ID_LENGTH}", old], cwd=os.curdir, inherit_repository=True).decode().strip()
    commands = [f"kitty-status resolve {name} --from {short}" for name in names]
    _say("if that was meant, nothing is to be done; this brings it back:", commands)


def _lines_of(loss: Loss, history: History) -> list[bytes]:
    if loss.code == LINE_REMOVED:
        return [loss.line]
    if loss.line or loss.code in (LINE_EDITED, LINES_REORDERED):
        return []
    [(_, data)] = history.blobs([loss.change.old])
    return [line for line in dict.fromkeys(split_lines(data or b"")) if is_readable(line, decode)]


def _path_now(loss: Loss, proof: Proof) -> str:
    if not loss.change.is_deleted:
        return loss.path
    return next((new for old, new in sorted(proof.moves) if old == loss.path), loss.path)


def _folder(path: str) -> str:
    return feature_folder_of(path) or os.curdir


def _name(folder: str) -> str:
    """Return how a command finds a feature: by its slug from anywhere, by its folder where that is gone or unusual."""
    parent, _, slug = folder.rpartition("/")
    is_found = parent == _FEATURES_FOLDER and is_safe_name(slug) and os.path.isdir(folder)  # noqa: PTH112
    return slug if is_found else folder


def _words(line: bytes) -> str:
    row = decode(line.removesuffix(b"\n"))
    if {"event_id", "wp_id", "to_lane"} <= row.keys():
        return f"{row['event_id']} ({row['wp_id']} to {row['to_lane']})"
    return "a line that is no event"


def _say(what: str, lines: list[str]) -> None:
    print(*map(visible, (f"kitty-status: {what}", *lines)), sep="\n  ", file=sys.stderr)  # noqa: T201  as hooks speak
