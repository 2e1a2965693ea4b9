"""Event stores by their URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitty_status.eventstore.durability import ALWAYS, OS, Durability
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.event import NewEvent
from kitty_status.eventstore.jsonl.store import JsonlEventStore
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
    [
        "jsonl:",
        "jsonl:x?layout=weekly",
        "jsonl:x?on_damage=ask",
        "",
        "memory",
        "mysql:x",
        "sqlite:",
        "memory:x",
        "sqlite:x?layout=daily",
        "sqlite:x?durability=no",
        "/a/b",
        "jsonl:a%00b",
        "sqlite:a%00b",
    ],
)
def test_what_names_no_store_is_refused(url: str) -> None:
    with refused(StoreCode.VALIDATION_FAILED):
        open_url(url)


def test_a_url_names_a_store_in_files_of_lines(tmp_path: Path) -> None:
    url = f"jsonl:{tmp_path}/vault?layout=daily&on_damage=skip&durability=os"
    with open_url(url) as store:
        assert isinstance(store, JsonlEventStore)
        assert store.layout.name == "daily"
        assert not store.durability.flushes
        assert store.append(NewEvent(type="T")).position == 1
    assert len(list((tmp_path / "vault/events").iterdir())) == 1
    assert open_url(f"jsonl:{tmp_path}/vault?layout=daily").head() == 1
