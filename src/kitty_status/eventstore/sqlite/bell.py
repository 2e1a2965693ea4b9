"""A file beside the store that each commit touches, so that other processes can be told of it by the operating system.

The files of SQLite cannot serve: they change while a commit is being written, and nothing that is seen from outside
changes in them at the moment when it counts.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
_MARK = 8  # bytes


class Bell:
    """Where it cannot be made, nothing rings, and other processes find by looking what was appended."""

    def __init__(self, store: Path) -> None:
        self.path = Path(f"{store}-bell")
        self._mark = os.urandom(_MARK)
        self._file = -1
        if sys.platform.startswith("linux"):
            with suppress(OSError):
                self._file = os.open(self.path, _FLAGS, 0o666)

    def ring(self) -> None:
        """Tell everybody that something was committed."""
        if self._file >= 0:
            with suppress(OSError):
                os.pwrite(self._file, self._mark, 0)

    def was_rung_here(self) -> bool:
        """Say whether it was this very store that rang last."""
        with suppress(OSError):
            return self._file >= 0 and os.pread(self._file, _MARK, 0) == self._mark
        return False

    def close(self) -> None:
        """Give the file back."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
