"""Indexes as text, for people and other programs: which events are of a type, which files are of a stream.

* `by-type/TYPE.idx`: a line for each event of the type, in order: its position, its file and the offset of its line
* `by-stream.idx`: a line for each stream: `{"files": [...], "stream": "...", "version": 7}`

They say what the index says. A file that is missing, or does not end as the index says that it should, is made anew.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from kitty_status.eventstore.jsonl.names import name_among, taken_in
from kitty_status.jsonl.disk import DISK, close_quietly, open_regular, write_all
from kitty_status.jsonl.replace import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kitty_status.eventstore.jsonl.index import Index
    from kitty_status.jsonl.disk import Disk

_PAGE = 5_000
_LONGEST = 1 << 10
_encode = msgspec.json.Encoder(order="sorted").encode


class IndexFiles:
    """The text files in a folder that say what an index says."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self._folder = folder
        self._disk = disk

    @property
    def are_missing(self) -> bool:
        """Whether the files are not there."""
        return not (self._folder / "by-stream.idx").exists() or not (self._folder / "by-type").exists()

    def update(self, index: Index) -> None:
        """Bring the files up to what the index covers.

        Raises:
            OSError, UnsafeLogError: they cannot be written.
        """
        head = index.reached()
        self._disk.makedirs(self._folder / "by-type")
        folder = self._folder / "by-type"
        taken = taken_in(each.name for each in folder.iterdir())
        for event_type in index.starting_with("type:"):
            self._extend(folder / name_among(taken, event_type, ".idx"), index, event_type, head)
        streams = index.streams()
        lines = [_encode({"files": files, "stream": name, "version": version}) for name, version, files in streams]
        replace_file(self._folder / "by-stream.idx", b"".join(line + b"\n" for line in lines), disk=self._disk)

    def _extend(self, path: Path, index: Index, event_type: str, head: int) -> None:
        fd = open_regular(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, self._disk)
        try:
            last = self._last_line(fd)
            position = int(last.split(b"\t")[0]) if last[:1].isdigit() else 0
            if last != b"".join(_lines(index, [position])):
                self._disk.ftruncate(fd, 0)
                position = 0
            while page := index.page(f"type:{event_type}", (position, head + 1), _PAGE, backwards=False):
                write_all(fd, b"".join(_lines(index, page)), self._disk)
                position = page[-1]
        finally:
            close_quietly(fd, self._disk)

    def _last_line(self, fd: int) -> bytes:
        size = self._disk.fstat(fd).st_size
        start = max(0, size - _LONGEST)
        data = self._disk.pread(fd, size - start, start)
        return data[data.rfind(b"\n", 0, len(data) - 1) + 1 :]


def _lines(index: Index, positions: list[int]) -> Iterator[bytes]:
    for place in index.places(positions):
        yield f"{place.position}\t{place.segment}\t{place.start}\n".encode()
