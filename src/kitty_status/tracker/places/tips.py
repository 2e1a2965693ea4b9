"""The logs at the tips of a clone's branches, as far as they differ from those of the commit that is stood on here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.git.differences import differences
from kitty_status.git.log_paths import log_pathspecs_in
from kitty_status.git.run import read_blobs
from kitty_status.git.trees import files_in_tree
from kitty_status.status.layout import EVENTS_FILENAME, SHARD_SUFFIX, SHARDS_FOLDER, feature_folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from kitty_status.git.repository import Repository

    # {path: blob id} of a log's files, None for one that is not there.
    Files: TypeAlias = dict[str, str | None]

_AT_ONCE = 32


class Tips:
    """The branches that stand elsewhere than `here`, looked up once for any number of features.

    `commits` are {branch: commit}. `warnings` say which of them this clone does not have.
    """

    def __init__(self, repository: Repository, here: str | None, commits: dict[str, str]) -> None:
        self._repository = repository
        self._here = here
        self._commits = {branch: commit for branch, commit in commits.items() if commit != here}
        self.warnings: list[str] = []
        # By feature folder, then by branch, the files that are not as they are here.
        self._changed: dict[str, dict[str, Files]] = {}
        self._asked_for: set[str] = set()

    def folders_in(self, parent: str) -> set[str]:
        """Return the feature folders right below `parent` whose logs differ at any tip; nothing else asks git again.

        Raises:
            GitError: git could not be asked.
        """
        below = f"{_literally(parent)}/*/"
        shards = f":(top,glob){below}{SHARDS_FOLDER}/*{SHARD_SUFFIX}"
        self._ask([f":(top,glob){below}{EVENTS_FILENAME}", shards])
        self._asked_for.add(parent)
        return {folder for folder, tips in self._changed.items() if any(map(_holds_any, tips.values()))}

    def logs(self, folder: str, *, is_divided: bool) -> Iterator[tuple[list[str], dict[str, bytes | None]]]:
        """Yield the branches that have the same log of a feature, and {path: content} of its files there.

        A content is None where this clone does not have it. `is_divided` says that the log here has a file for
        each writer, so that the files that do not differ have to be looked for, too.

        Raises:
            GitError: git could not be asked.
        """
        if folder.rpartition("/")[0] not in self._asked_for:
            self._ask(log_pathspecs_in(folder))
        changed = self._changed.get(folder, {})
        is_divided = is_divided or any(path != _single(folder) for files in changed.values() for path in files)
        alike = self._files_here(folder) if is_divided and changed else {}
        alike_at: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for branch, files in changed.items():
            held = {**alike, **files}
            key = tuple((path, oid) for path, oid in sorted(held.items()) if oid is not None)
            if key:
                alike_at.setdefault(key, []).append(branch)
        contents = self._contents([oid for key in alike_at for _, oid in key])
        for key, branches in alike_at.items():
            yield branches, {path: contents[oid] for path, oid in key}

    def _files_here(self, folder: str) -> Files:
        if self._here is None:
            return {}
        names = [f"{self._here}:{_single(folder)}", f"{self._here}:{_above(folder)}{SHARDS_FOLDER}"]
        single, shards = read_blobs(names, cwd=self._repository.worktree, trees=True)
        files: Files = {_single(folder): single[0]} if single else {}
        if shards:
            inside = files_in_tree(shards[1], self._repository.object_format)
            files.update((f"{_above(folder)}{SHARDS_FOLDER}/{name}", oid) for name, oid in inside.items())
        return {path: oid for path, oid in files.items() if feature_folder_of(path) == folder}

    def _contents(self, oids: Sequence[str]) -> dict[str, bytes | None]:
        wanted = list(dict.fromkeys(oids))
        found: dict[str, bytes | None] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            blobs = read_blobs(part, cwd=self._repository.worktree)
            found.update((oid, blob and blob[1]) for oid, blob in zip(part, blobs, strict=True))
        return found

    def _ask(self, pathspecs: Sequence[str]) -> None:
        if not self._commits:
            return
        changed = differences(
            self._here,
            dict.fromkeys(self._commits.values()),
            pathspecs,
            cwd=self._repository.worktree,
            object_format=self._repository.object_format,
        )
        for branch, commit in self._commits.items():
            if commit not in changed:
                self.warnings.append(f"branch {branch} stands at {commit}, which this clone does not have")
            for path, _, oid in changed.get(commit, ()):
                self._changed.setdefault(feature_folder_of(path) or "", {}).setdefault(branch, {})[path] = oid


def _holds_any(files: Files) -> bool:
    return any(oid is not None for oid in files.values())


def _above(folder: str) -> str:
    return f"{folder}/" if folder else ""


def _single(folder: str) -> str:
    return _above(folder) + EVENTS_FILENAME


def _literally(path: str) -> str:
    return "".join(f"\\{char}" if char in "*?[\\" else char for char in path)
