"""Reading a log by lines, without a lock and without ever writing.

A last line without LF is *in flight*: a writer may be in the middle of it, or a crash cut it short.
A reader passes over it where it can be the beginning of a line, counts it where it is whole, and
takes it for damage where it can become neither; see `tail`.
"""

from __future__ import annotations

import os

from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.jsonl.disk import DISK, open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any, BinaryIO

    from kitty_status.jsonl.damage import DamagePolicy

# Fits into a core's own cache on common machines: larger buffers made reading slower.
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


def read_bytes(path: Path) -> bytes | None:
    """Return everything that a log holds, or None where there is none.

    Raises:
        UnsafeLogError, OSError: as `open_log`.
    """
    try:
        descriptor = open_regular(path, os.O_RDONLY, DISK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return file.readall()


def batches_of(log: BinaryIO) -> Iterator[list[bytes]]:
    """Yield the lines of an open log in batches of about 64 KiB, a longer line in a batch that it ends."""
    while lines := log.readlines(_BUFFER):
        yield lines


def rows_in(log: Iterable[bytes], policy: DamagePolicy) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """Yield (line number, row, line) for each line of an open log that is not blank.

    Raises:
        Whatever `policy` raises.
    """
    for number, line in enumerate(log, start=1):
        bare = line.removesuffix(b"\n")
        if not bare.strip(b" \t"):
            continue
        try:
            row = decode(bare)
        except LineDamagedError as error:
            policy(number, line, error.reason, False)
        else:
            yield number, row, line
