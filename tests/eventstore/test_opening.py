"""Event stores by their URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitty_status.eventstore.durability import ALWAYS, OS, Durability
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.opening import open_url
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store.base import event, refused


def test_a_url_names_a_store_in_memory() -> None:
    assert isinstance(open_url("memory:"), MemoryEventStore)


@pytest.mark.parametrize(
    ("options", "durability"),
    [("", ALWAYS), ("?durability=os", OS), ("?durability=batch(20)", Durability(linger=0.02))],
)
def test_a_url_names_a_sqlite_file_and_how_durable_its_events_are(
    tmp_path: Path, options: str, durability: Durability
) -> None:
    with open_url(f"sqlite:{tmp_path}/a%20folder/events.db{options}") as store:
        assert isinstance(store, SqliteEventStore)
        assert store.durability == durability
        store.append(event())
    assert (tmp_path / "a folder" / "events.db").is_file()


@pytest.mark.parametrize(
    "url",
    ["", "memory", "mysql:x", "sqlite:", "memory:x", "sqlite:x?layout=daily", "sqlite:x?durability=no", "/a/b"],
)
def test_what_names_no_store_is_refused(url: str) -> None:
    with refused(StoreCode.VALIDATION_FAILED):
        open_url(url)
