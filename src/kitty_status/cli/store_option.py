"""What the commands for event stores have in common: which store it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.eventstore.opening import open_existing
from kitty_status.tracker.default_store import store_url

if TYPE_CHECKING:
    from kitty_status.eventstore.protocol import EventStore

StoreOption = Annotated[str | None, typer.Option("--store", metavar="URL", help="The URL of the event store.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be moved, and write nothing.")]


def opened(url: str | None) -> EventStore:
    """Open the event store at a URL, or the one that belongs here.

    Raises:
        NotFoundError: there is none; none is made.
        EventStoreError: it cannot be opened.
    """
    return open_existing(store_url(url))
