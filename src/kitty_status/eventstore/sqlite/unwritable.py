"""Reading a file that may not be written, in a folder that may not be either.

SQLite reads a file in WAL mode through a log and an index beside it, and would make those that are not there. Where it
may not, a file without a log is read as one that does not change. Whether that was true is looked at afterwards.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.owning import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def may_only_be_read(error: sqlite3.Error, path: Path) -> bool:
    """Say whether SQLite could not open a file because it may not write there, though it may read."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _REFUSED and path.is_file() and os.access(path, os.R_OK)


def open_to_read(path: Path, patience: float) -> sqlite3.Connection:
    """Open a file without writing anything anywhere."""
    way = "mode=ro" if _has_log(path) else "mode=ro&immutable=1"
    return Connection(
        f"{path.as_uri()}?{way}", uri=True, timeout=patience, isolation_level=None, check_same_thread=False
    )


@contextmanager
def reading(path: Path, patience: float) -> Iterator[sqlite3.Connection]:
    """Lend a connection of this moment: what is taken for unchanging is looked at anew each time.

    Raises:
        EventStoreError: STORAGE_ERROR: somebody who may has written to the file meanwhile.
    """
    before = _state(path)
    connection = open_to_read(path, patience)
    try:
        yield connection
    finally:
        connection.close()
    if not before[0] and _state(path) != before:
        raise EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"{path} was written while it was read, without the rights that would keep the two apart",
            hint="try again",
            retryable=True,
            path=str(path),
        )


def _state(path: Path) -> tuple[bool, int, int, int]:
    found = path.stat()
    return _has_log(path), found.st_ino, found.st_size, found.st_mtime_ns


def _has_log(path: Path) -> bool:
    try:
        return Path(f"{path}-wal").stat().st_size > 0
    except OSError:
        return False
