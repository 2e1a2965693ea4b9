"""Commits that hold lines which a feature's log lacks, for a person to bring them back from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.git.versions import files_in_commit, places_to_look, read_files
from kitty_status.status.merging import split_lines
from kitty_status.tracker.mending.mend import rows_in

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.mending.mend import Mended


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A commit that holds lines which the log lacks, and how many of them."""

    revision: str
    commit: str
    lines: int


def places_of_lost_lines(feature: Feature, repository: Repository, mended: Mended) -> list[Elsewhere]:
    """Return commits that hold lines which the mended log lacks; each line counts for the first that has it.

    Raises:
        GitError: git could not be asked.
    """
    cwd = repository.worktree
    logs = [file.data for file in mended.files]
    have = {line for log in logs for line in split_lines(log)}
    # Files whose lines are all known; most commits hold the same ones.
    known: set[str] = set()
    found = []
    for place in places_to_look(feature.path, cwd):
        files = files_in_commit(place.commit, feature.path, cwd)
        # One commit after the other: together the versions of a large log would fill the memory.
        contents = read_files({path: oid for path, oid in files.items() if oid not in known}, cwd)
        lines: set[bytes] = set()
        for path, data in contents.items():
            lacking = set() if any(log.startswith(data) for log in logs) else set(split_lines(data)) - have
            lines |= lacking
            if not (lacking and place.base):
                known.add(files[path])
        if lines and place.base:
            passed_on = read_files(files_in_commit(place.base, feature.path, cwd), cwd)
            lines.difference_update(*map(split_lines, passed_on.values()))
        missing = rows_in(b"".join(lines)) - have if lines else set()
        if missing:
            found.append(Elsewhere(place.name, place.commit, len(missing)))
            have |= missing
    return found
