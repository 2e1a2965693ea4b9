"""A file beside the store that each commit writes to, by which the operating system tells other processes of it.

The files of SQLite cannot serve: they change while a commit is being written, and nothing that is seen from outside
changes in them at the moment when it counts. What the file says are the events of that commit, if they are few: to read
them from SQLite takes twice as long as to be told that they are there. It is believed only while it follows without a
gap on what a subscriber has seen, and only what is said after the store was opened: what it said before may be of
commits that a power failure has undone.
"""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.eventstore.event import Event

Told: TypeAlias = "tuple[int, list[bytes]]"
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
_PERMISSIONS = 0o777
# Who rang, how many bytes of events follow, their checksum, and the position of the first.
_HEADER = struct.Struct("<QIIQ")
_PLACE = struct.Struct("<QQQ")
_LARGEST = 4096
_MOST = 64
_BITS = (1 << 64) - 1
_encode_lines = msgspec.json.Encoder().encode_lines


NOTHING: Told = (0, [])
"""What a bell says whose events were too many, or that nobody understands."""


class Bell:
    """Where it cannot be made, nothing rings, and other processes find by looking what was appended."""

    def __init__(self, store: Path) -> None:
        self.path = Path(f"{store}-bell")
        self._mark = int.from_bytes(os.urandom(8))
        self._file = -1
        self._before = b""
        self._store = 0
        self._tells = False
        if sys.platform.startswith("linux"):
            with suppress(OSError):
                self._file = os.open(self.path, _FLAGS, 0o666)
                self._before = os.pread(self._file, _LARGEST, 0)
                found = store.stat()
                self._store = (found.st_dev << 32 ^ found.st_ino) & _BITS
                # Nobody may read here what is not to be read there.
                if os.fstat(self._file).st_mode & _PERMISSIONS & ~found.st_mode:
                    os.fchmod(self._file, found.st_mode & _PERMISSIONS)
                self._tells = True

    def ring(self, events: Sequence[Event]) -> None:
        """Tell everybody of events that were committed, the last ones that there are."""
        if self._file >= 0:
            with suppress(OSError):
                os.pwrite(self._file, self._said_of(events), 0)

    def _said_of(self, events: Sequence[Event]) -> bytes:
        lines = _encode_lines(events) if self._tells and len(events) <= _MOST else b""
        if not lines or len(lines) > _LARGEST - _HEADER.size:
            return _HEADER.pack(self._mark, 0, 0, 0)
        first = events[0].position
        return _HEADER.pack(self._mark, len(lines), self._checksum(self._mark, first, lines), first) + lines

    def hear(self) -> Told | None:
        """Return the first position and the events that were said; None where it was this very store that rang last."""
        if self._file < 0:
            return NOTHING
        try:
            data = os.pread(self._file, _LARGEST, 0)
        except OSError:
            return NOTHING
        if len(data) < _HEADER.size or data == self._before:
            return NOTHING
        mark, length, checksum, first = _HEADER.unpack_from(data)
        if mark == self._mark:
            return None
        lines = data[_HEADER.size : _HEADER.size + length]
        is_sound = self._tells and length and self._checksum(mark, first, lines) == checksum
        return (first, lines.splitlines()) if is_sound else NOTHING

    def _checksum(self, mark: int, first: int, lines: bytes) -> int:
        """Return a sum in which everything counts that must be right: also who rang, for which store, and where."""
        return crc32(lines, crc32(_PLACE.pack(mark, first, self._store)))

    def close(self) -> None:
        """Give the file back."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
