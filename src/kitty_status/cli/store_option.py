"""What the commands for event stores have in common: which store it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.errors import UsageError
from kitty_status.eventstore.days import instants_of
from kitty_status.eventstore.errors import EventStoreError
from kitty_status.eventstore.opening import open_existing
from kitty_status.eventstore.query import instant_of
from kitty_status.tracker.default_store import store_url

if TYPE_CHECKING:
    from datetime import datetime

    from kitty_status.eventstore.protocol import EventStore

StoreOption = Annotated[str | None, typer.Option("--store", metavar="URL", help="The URL of the event store.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be moved, and write nothing.")]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def instant(text: str) -> datetime:
    """Return an instant as people write it: a day stands for its beginning, in UTC.

    Raises:
        UsageError: it is neither an instant with a time zone nor a day.
    """
    try:
        return instants_of(text, text)[0] if _DAY.fullmatch(text) else instant_of(text)
    except EventStoreError as error:
        hint = "write a day or an instant with its time zone: 2026-01-10 or 2026-01-10T09:00:00Z"
        raise UsageError(error.message, hint=hint) from error


def opened(url: str | None) -> EventStore:
    """Open the event store at a URL, or the one that belongs here.

    Raises:
        NotFoundError: there is none; none is made.
        EventStoreError: it cannot be opened.
    """
    return open_existing(store_url(url))
