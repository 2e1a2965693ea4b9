"""Connections to one SQLite file: one that writes, and as many as are needed at the same time that read."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import EventStoreError, StoreCode, closed
from kitty_status.eventstore.owning import Connection, Owner
from kitty_status.eventstore.sqlite.schema import FIXED_WAL_RESET, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_log = logging.getLogger(__name__)
_PATIENCE = 10.0
_CACHE = -16_000  # KiB
_PAGES_IN_LOG = 4000
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_warned: set[str] = set()


class Connections:
    """Opens a file, which is made with its folder if need be, and gives it its tables.

    Raises:
        EventStoreError: STORAGE_ERROR or CORRUPT: it cannot be opened, or is something else.
    """

    def __init__(self, path: Path, *, flushes: bool) -> None:
        self._path = str(path)
        self._place = path
        self._owner = Owner()
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        with failures(self._path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise EventStoreError(
                    StoreCode.STORAGE_ERROR, f"{path.parent}: {error.strerror}", hint="name another file"
                ) from error
            self.writer = self._open()
            self.writer.execute("PRAGMA journal_mode = WAL")
            self.writer.execute(f"PRAGMA synchronous = {'FULL' if flushes else 'NORMAL'}")
            # Each batch touches the same pages of the indexes: they are kept, and copied from the log to the file less
            # often than SQLite would by itself.
            self.writer.execute(f"PRAGMA cache_size = {_CACHE}")
            self.writer.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_IN_LOG}")
            prepare(self.writer, self._path)
        self._file = self._identity()
        warn_of_wal_reset(sqlite3.sqlite_version_info)

    def check_place(self) -> None:
        """Refuse to write to a file that nobody would find again.

        Raises:
            EventStoreError: STORAGE_ERROR: the file was removed, moved or replaced after it was opened.
        """
        if self._identity() != self._file:
            raise EventStoreError(
                StoreCode.STORAGE_ERROR,
                f"{self._path} was removed, moved or replaced since it was opened",
                hint="open the store again; nothing was appended",
                path=self._path,
            )

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._place.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _open(self) -> sqlite3.Connection:
        return Connection(self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that cannot write."""
        self._owner.refuse_others()
        with self._lock:
            if self._closed:
                raise closed()
            connection = self._idle.pop() if self._idle else None
        with failures(self._path):
            if connection is None:
                connection = self._open()
                connection.execute("PRAGMA query_only = ON")
            try:
                yield connection
            finally:
                self._take_back(connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that cannot write, and for which nothing changes meanwhile."""
        with self.reading() as reader:
            reader.execute("BEGIN")
            try:
                yield reader
            finally:
                roll_back(reader)

    def _take_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every connection that is not lent; those that are, when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in (*idle, self.writer):
            connection.close()


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction that has failed, unless SQLite has done so itself."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def may_be_stored(error: sqlite3.Error) -> bool:
    """Say whether a COMMIT that failed may have stored something: everything was written, and not confirmed."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_IOERR and code != sqlite3.SQLITE_IOERR_WRITE


@contextmanager
def failures(path: str) -> Iterator[None]:
    """Raise what SQLite raises as the event store's error."""
    try:
        yield
    except (OverflowError, UnicodeEncodeError) as error:
        # A number beyond 64 bits or half a character: nothing that is stored has it.
        raise EventStoreError(StoreCode.QUERY_ERROR, f"{path}: {error}", hint="correct what is asked for") from error
    except sqlite3.Error as error:
        raise store_error(error, path) from error


def store_error(error: sqlite3.Error, path: str, *, outcome_unknown: bool = False) -> EventStoreError:
    """Return the event store's error for one of SQLite's."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary in _CORRUPT:
        return EventStoreError(
            StoreCode.CORRUPT,
            f"{path}: {error}",
            hint="keep a copy of the file, then see what `sqlite3 FILE .recover` brings back",
            path=path,
        )
    kept = f", and others have kept it so for {_PATIENCE:g} s" if primary == sqlite3.SQLITE_BUSY else ""
    return EventStoreError(
        StoreCode.STORAGE_ERROR,
        f"{path}: {error}{kept}",
        hint="try again, with the same event ids" if primary in _PASSING else "see whether the file can be written",
        retryable=primary in _PASSING,
        outcome_unknown=outcome_unknown,
        path=path,
        sqlite_error=getattr(error, "sqlite_errorname", ""),
    )


def warn_of_wal_reset(version: tuple[int, ...]) -> None:
    """Warn, once in a process, where the SQLite of this Python has the WAL-reset bug."""
    name = ".".join(map(str, version))
    if version < FIXED_WAL_RESET and name not in _warned:
        _warned.add(name)
        _log.warning(
            "this Python is linked with SQLite %s; before %s, a rare race of two processes at a checkpoint can damage "
            "the file: let one process write, or use a newer SQLite",
            name,
            ".".join(map(str, FIXED_WAL_RESET)),
        )
