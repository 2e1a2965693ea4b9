"""The log files that are staged for each feature that a commit is about, whatever the layout of its log.

The commit hook uses this, and git waits for it: where a commit is about a few features whose logs are
one file each, a single git reads everything.
"""

from __future__ import annotations

import os

from kitty_status.git.log_paths import LOG_PATHSPECS, feature_of, is_log_path
from kitty_status.git.run import git, read_blobs
from kitty_status.git.trees import tree_content
from kitty_status.status.layout import EVENTS_FILENAME, SHARDS_FOLDER, SNAPSHOT_FILENAME
from kitty_status.status.merging import split_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kitty_status.git.staged import Change, Source


# To look for the shards of this many features in HEAD takes as long as to start a git that lists all there are.
_FEW = 20


class StagedLogs:
    """What is staged: `content` by the names that git was asked for, and `logs`, {feature: {path: blob id}}.

    Raises:
        GitError: git could not be asked.
        ValueError: a path holds a line break, so git cannot be asked.
    """

    def __init__(self, cwd: str, changes: Sequence[Change], sources: Iterable[Source]) -> None:
        self._cwd = cwd
        self._lines: dict[str, frozenset[bytes]] = {}
        self.content: dict[str, bytes | None] = {}
        self.logs: dict[str, dict[str, str]] = {}
        self.changed = {change.path for change in changes}
        self.features = dict.fromkeys(feature_of(change.path) for change in changes)
        needs = [path for source in sources for path, _, _ in source.needs]
        folders = self.features | dict.fromkeys(map(feature_of, needs))
        names = [name for source in sources for name in source.blobs()]
        names += [f":{change.path}" for change in changes if change.is_log and not change.is_deleted]
        names += [f":{folder}/{name}" for folder in folders for name in (EVENTS_FILENAME, SNAPSHOT_FILENAME)]
        # By its id a blob is found without a look at the index.
        ids = {f":{change.path}": change.new for change in changes if not change.is_deleted}
        looks_in_head = len(folders) <= _FEW
        names += [_shards_of(folder) for folder in folders if looks_in_head]
        oids = self._read(dict.fromkeys(names), ids)
        for folder in folders:
            path = f"{folder}/{EVENTS_FILENAME}"
            self.logs[folder] = {path: oids[f":{path}"]} if f":{path}" in oids else {}
        divided = {feature_of(path) for path in [*needs, *(each.path for each in changes)] if _is_shard(path)}
        divided.update(folder for folder in folders if not looks_in_head or _shards_of(folder) in oids)
        if divided:
            self._add_shards(divided)

    def beside(self, path: str) -> list[str]:
        """Return the other log files of the feature that a log file is part of."""
        return [other for other in self.logs[feature_of(path)] if other != path]

    def lines_at(self, name: str) -> frozenset[bytes]:
        """Return the lines under one of the names that git was asked for."""
        if name not in self._lines:
            self._lines[name] = frozenset(split_lines(self.content[name] or b""))
        return self._lines[name]

    def log_oid(self, feature: str) -> str | None:
        """Return what a snapshot names as the log that is staged for a feature: a blob, or the tree of the shards.

        None where there is no log, or one in both layouts, which no object holds.

        Raises:
            GitError: git could not be asked.
        """
        logs = self.logs[feature]
        shards = {path.rpartition("/")[2]: oid for path, oid in logs.items() if _is_shard(path)}
        if not shards:
            return next(iter(logs.values()), None)
        if len(shards) < len(logs):
            return None
        # git hashes it, since to load hashlib takes longer than to start a git.
        command = ["hash-object", "-t", "tree", "--stdin"]
        named = git(command, cwd=self._cwd, stdin=tree_content(shards), inherit_repository=True)
        return named.decode("ascii").strip()

    def _add_shards(self, features: set[str]) -> None:
        command = ["ls-files", "--stage", "--full-name", "-z", "--", *LOG_PATHSPECS[1:]]
        listed = os.fsdecode(git(command, cwd=self._cwd, inherit_repository=True))
        ids: dict[str, str] = {}
        for entry in listed.split("\0")[:-1]:
            meta, _, path = entry.partition("\t")
            mode, oid, stage = meta.split(" ")
            if mode.startswith("100") and stage == "0" and is_log_path(path) and feature_of(path) in features:
                self.logs[feature_of(path)][path] = oid
                ids[f":{path}"] = oid
        self._read([name for name in ids if name not in self.content], ids)

    def _read(self, names: Iterable[str], ids: dict[str, str]) -> dict[str, str]:
        """Read what is not known yet, and return the ids of what is there."""
        names = list(names)
        asked = [ids.get(name, name) for name in names]
        found = read_blobs(asked, cwd=self._cwd, inherit_repository=True, trees=True) if names else []
        self.content.update((name, each and each[1]) for name, each in zip(names, found, strict=True))
        return {name: each[0] for name, each in zip(names, found, strict=True) if each}


def _shards_of(feature: str) -> str:
    return f"HEAD:{feature}/{SHARDS_FOLDER}"


def _is_shard(path: str) -> bool:
    return is_log_path(path) and not path.endswith(f"/{EVENTS_FILENAME}")
