"""Connections to one SQLite file: one that writes, and as many as are needed at the same time that read."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kitty_status.eventstore.errors import EventStoreError, StoreCode, closed
from kitty_status.eventstore.owning import Connection, Owner
from kitty_status.eventstore.sqlite import unwritable
from kitty_status.eventstore.sqlite.schema import FIXED_WAL_RESET, check_readable, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_log = logging.getLogger(__name__)
_PATIENCE = 10.0
# So often it is asked for the right to write, before that patience ends.
_ATTEMPTS = 10
_CACHE = -16_000  # KiB
_PAGES_IN_LOG = 4000
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_warned: set[str] = set()


class Connections:
    """Opens a file, which is made with its folder if need be, and gives it its tables.

    A file that may only be read is read. `retried` is called whenever a lock has to be asked for again.

    Raises:
        EventStoreError: STORAGE_ERROR or CORRUPT: it cannot be opened, or is something else.
    """

    def __init__(self, path: Path, *, flushes: bool, retried: Callable[[], object] = lambda: None) -> None:
        self._path = str(path)
        self._place = path
        self._retried = retried
        self._owner = Owner()
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        self._is_unwritable = False
        self._has_begun = False
        with failures(self._path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise EventStoreError(
                    StoreCode.STORAGE_ERROR, f"{path.parent}: {error.strerror}", hint="name another file"
                ) from error
            self.writer = self._writer(flushes=flushes)
        self._file = self._identity()

    def _opened_to_write(self, *, flushes: bool) -> sqlite3.Connection:
        writer: sqlite3.Connection = Connection(
            self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute(f"PRAGMA synchronous = {'FULL' if flushes else 'NORMAL'}")
            # Each batch touches the same pages of the indexes: they are kept, and copied from the log to the file less
            # often than SQLite would by itself.
            writer.execute(f"PRAGMA cache_size = {_CACHE}")
            writer.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_IN_LOG}")
            prepare(writer, self._path)
            writer.execute(f"PRAGMA busy_timeout = {round(1000 * _PATIENCE / _ATTEMPTS)}")
        except BaseException:
            writer.close()
            raise
        return writer

    def _writer(self, *, flushes: bool) -> sqlite3.Connection:
        """Return the connection that writes; where none can, one that says so itself when it is to write."""
        try:
            return self._opened_to_write(flushes=flushes)
        except sqlite3.Error as error:
            if not unwritable.may_only_be_read(error, self._place):
                raise
        reader = unwritable.open_to_read(self._place, _PATIENCE)
        check_readable(reader, self._path)
        self._is_unwritable = True
        return reader

    def begin(self) -> None:
        """Begin a transaction that writes.

        Raises:
            sqlite3.Error: SQLite refused, or others have kept the file locked.
        """
        if not self._has_begun:
            # Only whoever writes may do the damage.
            warn_of_wal_reset(sqlite3.sqlite_version_info)
            self._has_begun = True
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if attempt == _ATTEMPTS or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                self._retried()
            else:
                return

    def check_place(self) -> None:
        """Refuse to use another file than the one that was opened: nobody would find again what is written there.

        Raises:
            EventStoreError: STORAGE_ERROR: the file was removed, moved or replaced after it was opened.
        """
        if self._identity() != self._file:
            raise EventStoreError(
                StoreCode.STORAGE_ERROR,
                f"{self._path} was removed, moved or replaced since it was opened",
                hint="open the store again",
                path=self._path,
            )

    def set_back(self, known: int, found: int) -> EventStoreError:
        """Return the error for a file that holds less than was read of it."""
        return EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"{self._path} ends at position {found} and went on to {known}: it was set back since it was opened",
            hint="open the store again, and look in another copy for what came behind it",
            path=self._path,
        )

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._place.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _opened_to_read(self) -> sqlite3.Connection:
        # Without `rw`, an empty file would be made in the place of one that was removed.
        place = f"{self._place.as_uri()}?mode=rw"
        try:
            reader = Connection(place, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        except sqlite3.OperationalError:
            self.check_place()
            raise
        try:
            self.check_place()
            reader.execute("PRAGMA query_only = ON")
        except BaseException:
            reader.close()
            raise
        return reader

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that cannot write."""
        self._owner.refuse_others()
        with self._lock:
            if self._closed:
                raise closed()
            connection = self._idle.pop() if self._idle else None
        with failures(self._path):
            if self._is_unwritable:
                self.check_place()
                with unwritable.reading(self._place, _PATIENCE) as connection:
                    yield connection
                return
            if connection is None:
                connection = self._opened_to_read()
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
