"""A feature's log as its readers see it: the lines of all its log files, in one sequence.

The one file comes first, then those of the writers by name. Of a writer's file only whole lines count: what a
writer is in the middle of, or a crash has cut short, is in flight. Line numbers run through all files, and
`locate` says where such a line stands.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, UnsafeLogError
from kitty_status.jsonl.damage import is_in_flight, strictly
from kitty_status.jsonl.reading import open_log, read_bytes
from kitty_status.status.layout import EVENTS_FILENAME, PER_WRITER, SHARDS_FOLDER, SINGLE
from kitty_status.tracker.log_files import log_files_in, shards_in

if TYPE_CHECKING:
    from typing import BinaryIO

    from kitty_status.jsonl.damage import DamagePolicy


# Readers take no lock, and `convert` or git may put other files in place of those that were there.
_ATTEMPTS = 8


class FeatureLog:
    """The log of the feature in `folder`, which need not be there."""

    __slots__ = ("_folder", "_shards", "shards", "single")

    def __init__(self, folder: Path) -> None:
        self.single = folder / EVENTS_FILENAME
        self.shards = folder / SHARDS_FOLDER
        self._folder = str(folder)
        self._shards = str(self.shards)

    def __str__(self) -> str:
        """Return the path that a person knows the log by."""
        return str(self.shards if self.layout == PER_WRITER else self.single)

    @property
    def path(self) -> Path:
        """The file or the folder that a person knows the log by."""
        return self.shards if self.layout == PER_WRITER else self.single

    @property
    def is_divided(self) -> bool:
        """Whether any writer has a file of its own here."""
        return bool(shards_in(self._shards))

    @property
    def layout(self) -> str | None:
        """Where lines go: `per-writer` as soon as a writer has a file of its own; None where there is no log yet."""
        if self.is_divided:
            return PER_WRITER
        return SINGLE if self.single.exists() else None

    def files(self) -> list[Path]:
        """Return the log files that are there, in the order in which they are read."""
        return [Path(path) for path in log_files_in(self._folder)]

    def exists(self) -> bool:
        """Say whether any log file is there."""
        return self.single.exists() or self.is_divided

    def size(self) -> int:
        """Return how many bytes its files hold; a file that cannot be asked counts as empty."""
        if not self.is_divided:
            return _size(self.single)
        return sum(_size(path) for path in self.files())

    def open(self) -> BinaryIO | None:
        """Return the lines opened for reading, None where there is no log.

        Raises:
            UnsafeLogError: a log file is no regular file, or the folder of the writers' files is a symbolic link.
            OSError: the operating system refused.
        """
        if not self.is_divided:
            self.check_is_safe()
            opened = open_log(self.single)
            if opened is not None or not self.is_divided:
                return opened
        data = self.read()
        return None if data is None else BytesIO(data)

    def read(self) -> bytes | None:
        """Return all lines, None where there is no log.

        Raises:
            UnsafeLogError, OSError: as `open`.
            BusyError: its files did not stay the same for as long as reading them takes.
        """
        for _ in range(_ATTEMPTS):
            if not self.is_divided:
                self.check_is_safe()
                data = read_bytes(self.single)
                if data is not None or not self.is_divided:
                    return data
                continue
            # A file may go while others are read: its lines are in another one, or git has taken it away.
            contents = [read_bytes(path) for path in self.files()]
            whole = [_whole_lines(data) for data in contents if data is not None]
            if whole and len(whole) == len(contents):
                return b"".join(whole)
        # A part of the log would pass for all of it.
        raise BusyError(f"the files in {self.shards} change all the time", hint="call again when git is done")

    def check_is_safe(self) -> None:
        """Refuse the folder of the writers' files where it is none of this repository.

        Raises:
            UnsafeLogError: it is a symbolic link.
        """
        if os.path.islink(self._shards):  # noqa: PTH114  a reader of many logs builds no path for each
            raise UnsafeLogError(
                f"{self._shards} is a symbolic link, and what it points to may lie outside the repository",
                hint="put a folder in its place; kitty-status does not write through or over anything else",
                path=self._shards,
            )

    def locate(self, number: int) -> tuple[Path, int]:
        """Return the file, and the number in it, of a line that `open` or `read` gave; the last file for one beyond."""
        if not self.is_divided:
            return self.single, number
        path = self.single
        for path in self.files():
            lines = _whole_lines(read_bytes(path) or b"").count(b"\n")
            if number <= lines:
                break
            number -= lines
        return path, number

    def strictly(self, *, under_lock: bool = False) -> DamagePolicy:
        """Return the policy that raises a StoreError at the first damaged line, see `jsonl.damage.strictly`."""
        if not self.is_divided:
            return strictly(self.single, under_lock=under_lock)

        def refuse(number: int, line: bytes, why: str, is_json: bool) -> None:
            path, own_number = self.locate(number)
            strictly(path, under_lock=under_lock)(own_number, line, why, is_json)

        return refuse


def _whole_lines(data: bytes) -> bytes:
    """Return the lines of one writer's file, without one that is in flight and with the LF of a last one that is whole.

    What can become no line any more is damage, and stays to be reported.
    """
    if data.endswith(b"\n") or not data:
        return data
    end = data.rfind(b"\n") + 1
    return data[:end] if is_in_flight(data[end:]) else data + b"\n"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
