"""Reconciling: drop what git keeps by now, bring back what has vanished, and report what waits."""

# ruff: noqa: PTH118

from __future__ import annotations

import os
from importlib import import_module

from kitty_status.errors import BusyError, KittyStatusError
from kitty_status.git.head import operation_in_progress, position_of, positions
from kitty_status.git.repository import read_file
from kitty_status.jsonl.lock import exclusive
from kitty_status.status.layout import SHARDS_FOLDER, SNAPSHOT_FILENAME
from kitty_status.tracker.journal.entries import books, place_of, read_book
from kitty_status.tracker.journal.restoring import restore
from kitty_status.tracker.journal.settling import has_moved, movements, note_position, open_entries
from kitty_status.tracker.log_files import shards_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.journal.entries import Entry
    from kitty_status.tracker.journal.restoring import Fate

_PATIENCE = 10.0


class Reconciled:
    """What became of the entries: settled, or a fate each.

    `busy` names features whose logs were being written, `passed_over` work trees whose HEAD cannot be read.
    """

    __slots__ = ("busy", "fates", "passed_over", "settled", "unreadable")

    def __init__(self) -> None:
        self.settled: list[Entry] = []
        self.fates: list[Fate] = []
        self.busy: list[str] = []
        self.unreadable: list[str] = []
        self.passed_over: list[str] = []

    @property
    def restored(self) -> list[Fate]:
        """The entries whose lines were brought back."""
        return [fate for fate in self.fates if fate.restored]

    @property
    def waiting(self) -> list[Fate]:
        """The entries whose lines are in no log that they could be in."""
        return [fate for fate in self.fates if fate.why is not None]


def reconcile(repository: Repository, *, dry_run: bool = False, timeout: float = _PATIENCE) -> Reconciled:
    """Reconcile every entry of the clone's journal, and materialize the features that lines came back to.

    Raises:
        GitError: git could not be asked.
        StoreError, OSError: a log or the journal cannot be read or written; no entry is lost.
    """
    found = Reconciled()
    names = books(repository)
    if not names:
        return found
    found.passed_over = [tree.worktree for tree, position in positions(repository) if position is None]
    seen = movements(repository)
    settle = has_moved(repository)
    for name in names:
        try:
            if dry_run:  # who only looks needs no lock, and would leave a name in it
                reconcile_book(repository, name, found, settle=settle, dry_run=True)
                continue
            with exclusive(place_of(repository, name).lock, timeout=timeout):
                reconcile_book(repository, name, found, settle=settle)
        except BusyError:
            found.busy.append(name)
    if settle and not (found.busy or dry_run):
        note_position(repository, seen)
    if not dry_run:
        materialize_restored(found.restored)
        _materialize_behind(found.fates)
    return found


def reconcile_book(
    repository: Repository, name: str, found: Reconciled, *, settle: bool = True, dry_run: bool = False
) -> None:
    """Reconcile the entries of one feature while the caller holds its lock, and add what became of them to `found`.

    Raises:
        GitError, StoreError, OSError: as `reconcile`.
    """
    book = read_book(repository, name)
    if book.unreadable:
        found.unreadable.append(book.path)
    rest = open_entries(repository, book.entries) if settle and book.entries else book.entries
    if len(rest) < len(book.entries):
        found.settled += [entry for entry in book.entries if entry not in rest]
        if not dry_run:
            book.keep(rest)
    found.fates += restore(repository, rest, name, dry_run=dry_run)


def materialize_restored(fates: Iterable[Fate]) -> None:
    """Materialize the features that lines came back to, in whichever work tree; the caller holds none of their locks.

    Raises:
        StoreError, OSError: a log or a snapshot cannot be read or written.
        BusyError: another process held a log for too long.
    """
    folders = dict.fromkeys(os.path.join(fate.tree.worktree, fate.entry.folder) for fate in fates if fate.tree)
    if folders:
        # Loaded by name: nearly every run of the hooks has nothing to bring back.
        module: Any = import_module("kitty_status.tracker.views.materialize")
        for folder in folders:
            module.materialize_folder(module.Path(folder))


def _materialize_behind(fates: Iterable[Fate]) -> None:
    """Materialize the divided logs of which git has put back an older snapshot.

    It leaves a writer's file alone that it does not track yet, but not the snapshot beside it.
    """
    standing = [fate for fate in fates if fate.tree is not None and fate.why is None and not fate.restored]
    newest = {(fate.tree.worktree, fate.entry.folder): fate for fate in standing if fate.tree is not None}
    for fate in newest.values():
        try:
            if _is_behind(fate):
                materialize_restored([fate])
        except (OSError, KittyStatusError):
            # What is derived can be derived again, and `validate` says what is in the way.
            continue


def _is_behind(fate: Fate) -> bool:
    tree, branch = fate.tree, fate.entry.branch
    # A snapshot that is changed on another branch would keep git from leaving it.
    if tree is None or operation_in_progress(tree.git_dir) is not None or position_of(tree).branch != branch:
        return False
    folder = os.path.join(tree.worktree, fate.entry.folder)
    # Of the newest event every snapshot says the id. One that is not there is nobody's to make here.
    is_told = fate.entry.event_id.encode() in read_file(os.path.join(folder, SNAPSHOT_FILENAME))
    return not is_told and bool(shards_in(os.path.join(folder, SHARDS_FOLDER)))
