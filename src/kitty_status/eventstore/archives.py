"""What every store says of its archives."""

from __future__ import annotations

import msgspec

from kitty_status.eventstore.errors import EventStoreError, StoreCode


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """Events that were moved to the archive together, and can be brought back together.

    * `name` is what `restore_events` takes
    * `first` and `last` are the positions of the first and the last one; `events` is how many there are
    * `size` is that of their lines, `packed` that of what is kept, in bytes
    * `sha256` is the digest of the lines; of several files, of the list of their digests as `sha256sum` prints it
    """

    name: str
    first: int
    last: int
    events: int
    size: int
    packed: int
    sha256: str


def check_name(name: object) -> None:
    """Refuse to look for an archive by what is no text.

    Raises:
        EventStoreError: QUERY_ERROR.
    """
    if not isinstance(name, str):
        raise EventStoreError(
            StoreCode.QUERY_ERROR, f"{name!r:.40} is no name of an archive", hint="take it from `archives`"
        )


def damaged_archive(name: str, why: str) -> EventStoreError:
    """Return the error for an archive that does not hold what was put into it."""
    return EventStoreError(
        StoreCode.CORRUPT,
        f"archive {name}: {why}",
        hint="put the store back from a copy; the events that are not in this archive are not touched by it",
        archive=name,
    )
