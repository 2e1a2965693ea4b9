"""What files and locks raise, as the event store's error."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kitty_status.errors import BusyError, KittyStatusError, OutcomeUnknownError, UnsafeLogError
from kitty_status.eventstore.errors import EventStoreError, StoreCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_PASSING = (*NO_ROOM, errno.EIO, errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EBUSY)


@contextmanager
def failures(path: Path) -> Iterator[None]:
    """Raise whatever goes wrong with files as an EventStoreError."""
    try:
        yield
    except EventStoreError:
        raise
    except (OSError, KittyStatusError, sqlite3.Error) as error:
        raise store_error(error, path) from error


def store_error(error: OSError | KittyStatusError | sqlite3.Error, path: Path) -> EventStoreError:
    """Return the event store's error for another one."""
    if isinstance(error, UnsafeLogError) and os.path.islink(where := str(error.context.get("path", path))):  # noqa: PTH114
        return EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"{where} is a symbolic link, and a store keeps everything in regular files",
            hint="open the store where the link leads to, or put the file itself in the place of the link",
            path=where,
        )
    if isinstance(error, KittyStatusError):
        unknown = isinstance(error, OutcomeUnknownError)
        passes = unknown or isinstance(error, BusyError)
        return EventStoreError(
            StoreCode.STORAGE_ERROR, error.message, hint=error.hint, retryable=passes, outcome_unknown=unknown
        )
    if isinstance(error, sqlite3.Error):
        return EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"the index of {path}: {error}",
            hint="make the folder `indexes` beside the store writable; what is in it can be removed at any time",
            retryable=True,
        )
    if error.errno in NO_ROOM:
        return EventStoreError(
            StoreCode.STORAGE_ERROR,
            f"{path}: the disk is full; nothing was appended",
            hint="make room and append again, with the same event ids",
            retryable=True,
            disk_full=True,
        )
    return EventStoreError(
        StoreCode.STORAGE_ERROR,
        f"{path}: {error.strerror or error}",
        hint="append again, with the same event ids" if error.errno in _PASSING else "see whether it can be written",
        retryable=error.errno in _PASSING,
        errno=error.errno,
    )
