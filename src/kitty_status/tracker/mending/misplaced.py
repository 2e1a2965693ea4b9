"""Files of writers that git has put beside the log, where nobody reads them.

Where one side has put a log together, git sees the folder of the writers' files as renamed to the feature's folder,
and moves a file that is new on the other side along: `status.events.d/ada.jsonl` becomes `ada.jsonl`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.git.folders import tracked_files
from kitty_status.git.objects import blob_ids
from kitty_status.jsonl.reading import read_bytes
from kitty_status.status.layout import SHARDS_FOLDER, feature_folder_of
from kitty_status.status.merging import split_lines
from kitty_status.tracker.log_files import file_to_restore_to
from kitty_status.tracker.mending.mend import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.git.repository import Repository
    from kitty_status.tracker.features import Feature


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A file beside the log and its content, None where only the index has it; its lines belong into `log_file`."""

    path: str
    log_file: str
    data: bytes | None

    def source(self) -> Source:
        """Return the lines that the log must hold: somebody may have written to the file since."""
        return Source(self.path, self.log_file, self.data or b"")


def misplaced_files(feature: Feature, repository: Repository, sources: Sequence[Source]) -> list[Misplaced]:
    """Return the files beside the log that are versions of writers' files, as these sources are, by name and lines.

    What somebody has committed there is meant to be there, and is left out.

    Raises:
        UnsafeLogError: one is a symbolic link or no regular file.
        GitError: git could not be asked.
        OSError: the operating system refused.
    """
    above = f"{feature.path}/" if feature.path else ""
    shards = f"{above}{SHARDS_FOLDER}/"
    known: dict[str, set[bytes]] = {}
    for source in sources:
        if source.version_of and source.version_of.startswith(shards):
            known.setdefault(above + source.version_of.removeprefix(shards), set()).update(split_lines(source.data))
    tracked = tracked_files(repository, feature.path or ".") if known else []
    candidates = [path for path in tracked if path in known and feature_folder_of(path) is None]
    committed = blob_ids([f"HEAD:{path}" for path in candidates], cwd=repository.worktree)
    found = []
    for path in (path for path, oid in zip(candidates, committed, strict=True) if oid is None):
        data = read_bytes(feature.root / path)
        if data is None or not known[path].isdisjoint(split_lines(data)):
            log_file = file_to_restore_to(repository.worktree, shards + path.removeprefix(above))
            found.append(Misplaced(path, log_file, data))
    return found
