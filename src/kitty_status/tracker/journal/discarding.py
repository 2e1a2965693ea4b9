"""Dropping an acknowledged event on purpose, which takes its line out of the log as long as git does not hold it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.clock import now
from kitty_status.errors import BusyError, ConflictingEventError, NotFoundError, UsageError
from kitty_status.git.head import operation_in_progress, worktrees
from kitty_status.git.objects import distinct_blobs
from kitty_status.jsonl.append import append_line
from kitty_status.jsonl.codec import encode
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.replace import replace_file
from kitty_status.tracker.journal.entries import books, discarded_place, place_of, read_book
from kitty_status.tracker.journal.settling import open_entries
from kitty_status.tracker.log_files import log_files_in
from kitty_status.tracker.materialize import materialize_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.journal.entries import Entry


class Discarded:
    """A dropped entry, the logs that its line was cut out of, and those of them that are still staged with it."""

    __slots__ = ("cut_from", "entry", "staged")

    def __init__(self, entry: Entry, cut_from: list[Path], staged: list[Path]) -> None:
        self.entry = entry
        self.cut_from = cut_from
        self.staged = staged


def discard(repository: Repository, event_id: str, reason: str, *, dry_run: bool = False) -> Discarded:
    """Drop the unsettled entry of an event, and cut its line out of the logs of the clone's work trees.

    What is dropped is written with the reason to `discarded.jsonl` beside the journal first.

    Raises:
        UsageError: there is no reason.
        NotFoundError: the journal has no such event.
        ConflictingEventError: git keeps the event by now.
        BusyError: the log is being written, or git is in the middle of something in its work tree.
        GitError, StoreError, OSError: git or the disk refused; the entry stays.
    """
    if not reason.strip():
        raise UsageError("an event is discarded for a reason", hint="give it with --reason")
    for name in books(repository):
        place = place_of(repository, name)
        with exclusive(place.lock):
            book = read_book(repository, name)
            found = [entry for entry in book.entries if entry.event_id == event_id]
            if not found:
                continue
            if not open_entries(repository, found):
                raise ConflictingEventError(
                    f"event {event_id} stands in a commit, and what git keeps is not taken back",
                    hint="emit a further event that puts it right, with --force and a --reason",
                    event_id=event_id,
                )
            logs = _logs_with(repository, found[0])
            if not dry_run:
                row = {**found[0].row(), "discarded_at": now(), "reason": reason}
                append_line(discarded_place(repository), encode(row, json.dumps))
                _cut(found[0], logs)
                book.keep([entry for entry in book.entries if entry.event_id != event_id])
        if not dry_run:
            for tree in dict.fromkeys(logs.values()):
                materialize_folder(Path(tree, found[0].folder))
        return Discarded(found[0], list(logs), [log for log, tree in logs.items() if _is_staged(log, tree, found[0])])
    raise NotFoundError(
        f"the journal of this clone holds no event {event_id}",
        hint="`kitty-status reconcile-journal` lists what it holds; events that git keeps are not in it",
        event_id=event_id,
    )


def _logs_with(repository: Repository, entry: Entry) -> dict[Path, str]:
    """Return {log file: work tree} of all that hold an entry's line; a conversion may have put it in another file."""
    found: dict[Path, str] = {}
    for tree in worktrees(repository):
        files = [Path(file) for file in log_files_in(os.path.join(tree.worktree, entry.folder))]  # noqa: PTH118  text
        logs = [file for file in files if _holds(file, entry.line)]
        if not logs:
            continue
        operation = operation_in_progress(tree.git_dir)
        if operation is not None:
            raise BusyError(
                f"git is in the middle of a {operation} in {tree.worktree}", hint=f"finish the {operation} first"
            )
        found.update((log, tree.worktree) for log in logs)
    return found


def _holds(log: Path, line: bytes) -> bool:
    try:
        return line in log.read_bytes().split(b"\n")
    except OSError:
        return False


def _is_staged(log: Path, worktree: str, entry: Entry) -> bool:
    blobs = distinct_blobs([f":{log.relative_to(worktree).as_posix()}"], cwd=worktree)
    return any(entry.line in blob.split(b"\n") for blob in blobs)


def _cut(entry: Entry, logs: Iterable[Path]) -> None:
    for log in logs:
        rest = [line for line in log.read_bytes().split(b"\n") if line != entry.line]
        replace_file(log, b"\n".join(rest))
