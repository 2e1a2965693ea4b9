"""The answers of the commands for event stores."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from kitty_status.cli.answers.part import Part


class ArchivedEvents(Part):
    """Events that were moved to the archive together; `packed` bytes hold the `size` bytes of their lines."""

    name: str
    first: int = Field(ge=1)
    last: int = Field(ge=1)
    events: int = Field(ge=0)
    size: int = Field(ge=0)
    packed: int = Field(ge=0)
    sha256: str


class StoreInfo(Part):
    """What an event store holds; `archived` of its `head` events are in the archive."""

    store: str
    kind: str
    head: int = Field(ge=0)
    types: list[str]
    archived: int = Field(ge=0)
    archives: list[ArchivedEvents]


class StoredEvent(Part):
    """An event of a store."""

    position: int = Field(ge=1)
    id: str
    type: str
    stream: str
    version: int = Field(ge=1)
    ts: str
    data: Any
    tags: dict[str, str | list[str]]
    metadata: dict[str, Any]


class StoreEvents(Part):
    """The events that were asked for."""

    events: list[StoredEvent]


class StoreCompacted(Part):
    """How many events were moved to the archive, or with `dry_run` would be, and how many archives there are."""

    store: str
    before: str
    dry_run: bool
    moved: int = Field(ge=0)
    archives: int = Field(ge=0)


class RestoredArchive(Part):
    """An archive that was brought back."""

    name: str
    events: int = Field(ge=0)


class StoreRestored(Part):
    """What was brought back from the archive, or with `dry_run` would be."""

    store: str
    dry_run: bool
    restored: list[RestoredArchive]


class StoreFlaw(Part):
    """What is wrong with a store, and in which archive."""

    code: Literal["damaged", "position-gap", "version-gap"]
    message: str
    hint: str
    archive: str | None


class StoreVerified(Part):
    """How much was read, and what is wrong."""

    events: int = Field(ge=0)
    archives: int = Field(ge=0)
    findings: list[StoreFlaw]
