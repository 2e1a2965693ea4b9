"""Dropping an acknowledged event on purpose, which takes its line out of the log as long as git does not hold it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.clock import now
from kitty_status.errors import BusyError, ConflictingEventError, GitError, NotFoundError, UsageError
from kitty_status.git.head import operation_in_progress, worktrees
from kitty_status.git.objects import distinct_blobs
from kitty_status.jsonl.append import append_line
from kitty_status.jsonl.codec import decode, encode
from kitty_status.jsonl.lock import exclusive
from kitty_status.jsonl.replace import replace_file
from kitty_status.status.instants import parse_instant
from kitty_status.status.layout import feature_folder_of
from kitty_status.status.rows import is_foreign, problem_with
from kitty_status.tracker.journal.entries import books, discarded_place, place_of, read_book
from kitty_status.tracker.journal.settling import open_entries
from kitty_status.tracker.log_files import lines_in, log_files_in
from kitty_status.tracker.views.materialize import materialize_folder

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository
    from kitty_status.tracker.journal.entries import Entry


_MOST_NAMED = 5


class Discarded:
    """What was dropped: an entry and those that followed it, in the order that they were written in.

    `cut_from` are the logs that lines were cut out of, `staged` those of them that are still staged with one.
    """

    __slots__ = ("cut_from", "entries", "staged")

    def __init__(self, entries: list[Entry], cut_from: list[Path], staged: list[Path]) -> None:
        self.entries = entries
        self.cut_from = cut_from
        self.staged = staged


def discard(
    repository: Repository, event_id: str, reason: str, *, with_followers: bool = False, dry_run: bool = False
) -> Discarded:
    """Drop the unsettled entry of an event, and cut its line out of the logs of the clone's work trees.

    An event that others follow (their `parents` name it) is dropped together with them or not at all: without it, they
    would say that they go on from something that nobody knows. What is dropped is written with the reason to
    `discarded.jsonl` beside the journal first.

    Raises:
        UsageError: there is no reason.
        NotFoundError: the journal has no such event.
        ConflictingEventError: git keeps the event, or a follower of it, by now; or others follow it and
            `with_followers` is not asked for.
        BusyError: the log is being written, or git is in the middle of something in its work tree.
        GitError, StoreError, OSError: git or the disk refused; the entries stay.
    """
    if not reason.strip():
        raise UsageError("an event is discarded for a reason", hint="give it with --reason")
    for name in books(repository):
        place = place_of(repository, name)
        with exclusive(place.lock):
            book = read_book(repository, name)
            found = next((entry for entry in book.entries if entry.event_id == event_id), None)
            if found is None:
                continue
            entries = _with_followers(repository, book.entries, found, may_follow=with_followers)
            logs = {entry: _logs_with(repository, entry) for entry in entries}
            touched = list(dict.fromkeys(log for each in logs.values() for log in each))
            if not dry_run:
                # The last one first: whatever stops this, nothing is left without what it follows.
                for entry in reversed(entries):
                    row = {**entry.row(), "discarded_at": now(), "reason": reason}
                    append_line(discarded_place(repository), encode(row, json.dumps))
                    _cut(entry, logs[entry])
                    book.keep([each for each in book.entries if each is not entry])
        if not dry_run:
            _materialize(logs)
        staged = [log for log in touched if any(log in logs[entry] and _is_staged(log, entry) for entry in entries)]
        return Discarded(entries, touched, staged)
    raise NotFoundError(
        f"the journal of this clone holds no event {event_id}",
        hint="`kitty-status reconcile-journal` lists what it holds; events that git keeps are not in it",
        event_id=event_id,
    )


def _materialize(logs: dict[Entry, list[Path]]) -> None:
    """Write the snapshots of the logs that entries were cut out of."""
    cut = [{str(feature_folder_of(log.as_posix())) for log in each} for each in logs.values()]
    for folder in sorted(set[str]().union(*cut)):
        materialize_folder(Path(folder), dropped=sum(folder in each for each in cut))


def _with_followers(repository: Repository, entries: list[Entry], first: Entry, *, may_follow: bool) -> list[Entry]:
    """Return an entry and those that follow it, as they were written; refuse where one of them has to stay."""
    if not open_entries(repository, [first]):
        raise _kept(f"event {first.event_id} stands in a commit", first.event_id)
    rows = {str(row["event_id"]): row for row in _rows_beside(repository, first)}
    rows.update((entry.event_id, entry.event) for entry in entries)
    followers = _followers(first.event_id, rows)
    own = [entry for entry in entries if entry.event_id in followers]
    is_open = {entry.event_id for entry in open_entries(repository, own)} if own else set()
    kept = [event_id for event_id in followers if event_id not in is_open]
    if kept:
        raise _kept(f"event {kept[0]} goes on from {first.event_id} and stands in a commit", first.event_id)
    if followers and not may_follow:
        named = [f"{each} ({rows[each].get('wp_id')} to {rows[each].get('to_lane')})" for each in followers]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        raise ConflictingEventError(
            f"other events go on from {first.event_id}: {', '.join(named[:_MOST_NAMED])}{more}",
            hint=f"discard {followers[-1]} first, or all of them at once with --with-followers",
            event_id=first.event_id,
            followers=followers,
        )
    return [first, *own]


def _kept(what: str, event_id: str) -> ConflictingEventError:
    return ConflictingEventError(
        f"{what}, and what git keeps is not taken back",
        hint="emit a further event that puts it right, with --force and a --reason",
        event_id=event_id,
    )


def _rows_beside(repository: Repository, entry: Entry) -> list[dict[str, Any]]:
    """Return the events in the logs that an entry stands in; what cannot be read there goes on from nothing."""
    logs = [lines_in(tree.worktree, entry.folder).split(b"\n") for tree in worktrees(repository)]
    return [dict(event) for lines in logs if entry.line in lines for line in lines if (event := _event(line))]


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        row = decode(line)
    except ValueError:
        return None
    return None if is_foreign(row) or problem_with(row) else row


def _followers(event_id: str, rows: dict[str, dict[str, Any]]) -> list[str]:
    """Return the events whose `parents` name an event, and those that follow them in turn, parents first."""
    found = [event_id]
    for one in found:
        found += [each for each, row in rows.items() if one in (row.get("parents") or ()) and each not in found]
    # By instant: an event is never older than what its writer had seen.
    return sorted(found[1:], key=lambda each: (parse_instant(rows[each]["at"]), each))


def _logs_with(repository: Repository, entry: Entry) -> list[Path]:
    found = []
    for tree in worktrees(repository):
        logs = [Path(path) for path in log_files_in(str(Path(tree.worktree, entry.folder)))]
        holding = [log for log in logs if _holds(log, entry.line)]
        if not holding:
            continue
        operation = operation_in_progress(tree.git_dir)
        if operation is not None:
            raise BusyError(
                f"git is in the middle of a {operation} in {tree.worktree}", hint=f"finish the {operation} first"
            )
        found += holding
    return found


def _holds(log: Path, line: bytes) -> bool:
    try:
        return line in log.read_bytes().split(b"\n")
    except OSError:
        return False


def _is_staged(log: Path, entry: Entry) -> bool:
    try:
        blobs = list(distinct_blobs([f":./{log.name}"], cwd=str(log.parent)))
    except GitError:
        # A work tree that git cannot open, such as one with a damaged HEAD; the line is gone all the same.
        return False
    return any(entry.line in blob.split(b"\n") for blob in blobs)


def _cut(entry: Entry, logs: list[Path]) -> None:
    for log in logs:
        rest = [line for line in log.read_bytes().split(b"\n") if line != entry.line]
        replace_file(log, b"\n".join(rest))
