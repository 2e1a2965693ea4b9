"""The states of streams, each in a file of its own: `snapshots/STREAM/VERSION.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kitty_status.eventstore.jsonl.names import name_among, taken_in
from kitty_status.eventstore.snapshots import StateSnapshot
from kitty_status.jsonl.disk import DISK
from kitty_status.jsonl.reading import read_bytes
from kitty_status.jsonl.replace import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.jsonl.disk import Disk

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(StateSnapshot).decode
_EXTENSION = ".json"


class SnapshotFiles:
    """Keeps states in a folder."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self._folder = folder
        self._disk = disk

    def save(self, snapshot: StateSnapshot) -> None:
        """Keep a state in place of the one of the same version."""
        folder = self._folder_of(snapshot.stream)
        self._disk.makedirs(folder)
        data = msgspec.json.format(_encode(snapshot), indent=2) + b"\n"
        replace_file(folder / f"{snapshot.version}{_EXTENSION}", data, disk=self._disk)

    def newest(self, stream: str, max_version: int | None) -> StateSnapshot | None:
        """Return the newest state of a stream up to a version; one that is damaged or another's is as good as none."""
        folder = self._folder_of(stream)
        try:
            names = [each.name for each in folder.iterdir()]
        except FileNotFoundError:
            return None
        stems = [name.removesuffix(_EXTENSION) for name in names if name.endswith(_EXTENSION)]
        versions = sorted((int(stem) for stem in stems if stem.isascii() and stem.isdigit()), reverse=True)
        for version in versions:
            if max_version is None or version <= max_version:
                snapshot = _read(folder / f"{version}{_EXTENSION}")
                if snapshot is not None and (snapshot.stream, snapshot.version) == (stream, version):
                    return snapshot
        return None

    def _folder_of(self, stream: str) -> Path:
        try:
            taken = taken_in(each.name for each in self._folder.iterdir())
        except FileNotFoundError:
            taken = {}
        return self._folder / name_among(taken, stream)


def _read(path: Path) -> StateSnapshot | None:
    data = read_bytes(path)
    try:
        return None if data is None else _decode(data)
    except ValueError:
        return None
