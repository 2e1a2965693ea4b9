"""What a write does with the journal: compare it with the log, record the event, take the record back if refused.

All of it happens under the feature's lock, and none of it starts git unless something has vanished.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from kitty_status.errors import KittyStatusError, OutcomeUnknownError
from kitty_status.git.head import names_of_branch, position_of
from kitty_status.git.run import run_git
from kitty_status.jsonl.append import append_locked, take_back
from kitty_status.jsonl.codec import encode
from kitty_status.tracker.journal.entries import Entry, place_of, read_book
from kitty_status.tracker.journal.reconcile import Reconciled, materialize_restored, reconcile_book
from kitty_status.tracker.journal.restoring import all_stand

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository
    from kitty_status.jsonl.append import Place
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.journal.restoring import Fate

# So many bytes of entries mean that no hook settles them here; then a write does, now and then.
_MANY = 256 * 1024
_AGAIN = "kitty-status materialize --all"


class Journal:
    """The journal as one write to the log of the feature in `folder`, from the top of the work tree, sees it.

    `restored` is what it has brought back so far, to that log or to those of the clone's other work trees.
    """

    def __init__(self, repository: Repository, name: str, folder: str) -> None:
        self._repository = repository
        self._name = name
        self._folder = folder
        self._above = f"{folder}/" if folder else ""
        self._top = os.path.join(repository.worktree, self._above)  # noqa: PTH118  a hook must not load pathlib
        self._place: Place = place_of(repository, name)
        self.restored: list[Fate] = []

    def bring_back(self) -> list[Fate]:
        """Bring back what has vanished from the log since it was acknowledged.

        Raises:
            GitError: something has vanished, and git could not be asked about it.
            StoreError, OSError: the log or the journal cannot be read or written.
        """
        book = read_book(self._repository, self._name)
        position = position_of(self._repository)
        logged = [entry for entry in book.entries if entry.folder == self._folder]
        branches = {entry.branch for entry in logged} - {None, position.branch}
        here = {position.branch}
        if branches and position.branch is not None:
            here |= names_of_branch(self._repository, position.branch)
        own = [entry for entry in logged if entry.branch in here]
        if all_stand(self._repository, self._folder, own) and _size(self._place) < _MANY:
            return []
        return self.settle()

    def settle(self) -> list[Fate]:
        """Drop what git keeps by now, as after a commit that fired no hook of ours; return what was brought back.

        Raises:
            GitError, StoreError, OSError: as `bring_back`; no entry is lost.
        """
        found = Reconciled()
        reconcile_book(self._repository, self._name, found)
        self.restored += found.restored
        return found.restored

    def refresh_snapshots(self) -> str | None:
        """Materialize what lines were brought back to, once the lock is given back; return what went wrong, if so."""
        try:
            materialize_restored(self.restored)
        except (OSError, KittyStatusError) as error:
            return f"events were brought back, but not every snapshot was written ({error}); run `{_AGAIN}`"
        return None

    def append(self, place: Place, *lines: bytes) -> None:
        """Append the lines of events to the journal and then to their log, where `place` says.

        After a crash that leaves only a part of several in the log, the next write brings back the rest.

        Raises:
            BusyError, UnsafeLogError, OSError: the lines were refused, and are certainly absent from both.
            OutcomeUnknownError: the lines may or may not stay, here or there.
        """
        position = position_of(self._repository)
        file = os.fspath(place.log)[len(self._top) :].replace(os.sep, "/")
        records = []
        for line in lines:
            entry = Entry(self._above + file, line.removesuffix(b"\n"), position.branch, position.commit)
            records.append(encode(entry.row(), json.dumps))
        append_locked(self._place, *records)
        try:
            append_locked(place, *lines)
        except OutcomeUnknownError:
            raise
        except BaseException:
            take_back(self._place, b"".join(records))
            raise


def journal_of(feature: Feature) -> Journal | None:
    """Return the journal for a feature's log; None outside git, and where git ignores the log."""
    repository = feature.repository
    if repository is None:
        return None
    name = os.path.basename(feature.lock).removesuffix(".lock")  # noqa: PTH119  a path of either kind
    has_one = os.path.exists(place_of(repository, name).log)  # noqa: PTH110  as above
    if not has_one:
        log = feature.relative(next(iter(feature.log.files()), feature.log.single))
        if run_git(["check-ignore", "--quiet", "--", log], cwd=repository.worktree).code == 0:
            return None
    return Journal(repository, name, feature.path)


def _size(place: Place) -> int:
    try:
        return os.path.getsize(place.log)  # noqa: PTH202  a path of either kind
    except FileNotFoundError:
        return 0
