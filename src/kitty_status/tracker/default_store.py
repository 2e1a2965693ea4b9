"""The event store of whoever names none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from kitty_status.errors import GitError
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.opening import open_url
from kitty_status.git.bare import bare_repository
from kitty_status.git.repository import find_repository

if TYPE_CHECKING:
    from kitty_status.eventstore.protocol import EventStore
    from kitty_status.git.repository import Repository

VARIABLE = "KITTY_STATUS_STORE"
"""The environment variable that holds the URL of the store."""

FILENAME = "events.db"


def open_store(url: str | None = None) -> EventStore:
    """Open the event store at `url`, or else the one that belongs here.

    * the URL in the environment variable `KITTY_STATUS_STORE`
    * in a git repository, bare or not: the SQLite file `kitty-status/events.db` in its common directory, shared by
      all work trees
    * elsewhere: the SQLite file `events.db` in the user's data folder for kitty-status

    Raises:
        EventStoreError: VALIDATION_FAILED: the URL names no store. STORAGE_ERROR, CORRUPT: it cannot be opened,
            or the repository here is broken.
    """
    try:
        return open_url(store_url(url))
    except GitError as error:
        raise EventStoreError(StoreCode.STORAGE_ERROR, error.message, hint=error.hint) from error


def store_url(url: str | None = None) -> str:
    """Return the URL of the event store that `open_store` opens."""
    return url or os.environ.get(VARIABLE) or f"sqlite:{_quoted(default_path(Path.cwd()))}"


def default_path(start: Path) -> Path:
    """Return the file of the store of whoever works in a folder and names none."""
    repository = find_repository(str(start)) or _bare_repository(str(start))
    if repository is not None:
        return Path(repository.state_dir) / FILENAME
    return user_data_path("kitty-status", appauthor=False) / FILENAME


def _bare_repository(start: str) -> Repository | None:
    try:
        return bare_repository(start)
    except GitError:
        # Without git, nobody works in one.
        return None


def _quoted(path: Path) -> str:
    """Return a path as it stands in a URL, where a question mark begins the options."""
    return str(path).replace("%", "%25").replace("?", "%3F")
