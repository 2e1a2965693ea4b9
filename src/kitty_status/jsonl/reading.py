"""Opening a log for reading, without a lock and without ever writing.

A last line without LF is *in flight*: a writer may be in the middle of it, or a crash cut it short.
A reader passes over it where it can be the beginning of a line, counts it where it is whole, and
reports it as damage where it can become neither; see `tail`.
"""

from __future__ import annotations

import os

from kitty_status.jsonl.disk import DISK, open_regular
from kitty_status.jsonl.tail import TAIL_CUT, classify_tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

# Two thirds of a core's own cache on common machines: larger buffers made reading slower.
_BUFFER = 1 << 16


def open_log(path: Path) -> BinaryIO | None:
    """Return the log opened for reading by lines, or None where there is none.

    Raises:
        UnsafeLogError: it is a symbolic link or no regular file.
        OSError: the operating system refused.
    """
    try:
        descriptor = open_regular(path, os.O_RDONLY, DISK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return os.fdopen(descriptor, "rb", buffering=_BUFFER)


def is_in_flight(line: bytes) -> bool:
    """Say whether a line that could not be read is one that is still being written, or was cut short."""
    return not line.endswith(b"\n") and classify_tail(line) == TAIL_CUT
