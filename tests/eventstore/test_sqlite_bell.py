"""The file by which a SQLite store tells other processes of what it has committed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kitty_status.eventstore.recent import decode
from kitty_status.eventstore.sqlite.bell import NOTHING, Bell
from kitty_status.eventstore.sqlite.store import SqliteEventStore
from kitty_status.testing.event_store.base import SECONDS, event, events, positions

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "events.db"
    SqliteEventStore(path).close()
    return path


def test_a_bell_says_what_was_committed(place: Path) -> None:
    listening = Bell(place)
    with SqliteEventStore(place) as store:
        stored = store.append_batch(events(3))
        told = listening.hear()
        assert told is not None
        assert (told[0], [decode(line) for line in told[1]]) == (1, stored)
    listening.close()
    assert listening.hear() == NOTHING


@pytest.mark.parametrize("commit", [[event(data={"text": "long" * 2000})], events(65)])
def test_of_what_is_too_much_a_bell_says_only_that_it_is_there(place: Path, commit: list[object]) -> None:
    with SqliteEventStore(place) as store, SqliteEventStore(place) as other:
        subscription = other.subscribe()
        store.append(event(0))
        store.append_batch(commit)  # type: ignore[arg-type]  # events
        assert other._bell.hear() == NOTHING
        found = [subscription.next_within(SECONDS) for _ in range(len(commit) + 1)]
        assert positions(filter(None, found)) == list(range(1, len(commit) + 2))
        subscription.close()


def test_what_a_bell_said_before_is_not_believed(place: Path) -> None:
    with SqliteEventStore(place) as store:
        store.append(event())
    assert Bell(place).hear() == NOTHING


@pytest.mark.parametrize("offset", range(0, 60, 7))
def test_what_a_bell_says_is_not_believed_where_a_byte_is_wrong(place: Path, offset: int) -> None:
    with SqliteEventStore(place) as store, SqliteEventStore(place) as other:
        store.append(event())
        path = other._bell.path
        data = bytearray(path.read_bytes())
        data[offset] ^= 1
        path.write_bytes(data)
        assert other._bell.hear() == NOTHING
        path.write_bytes(data[: offset + 1])
        assert other._bell.hear() == NOTHING


def test_what_is_said_of_another_file_of_the_same_name_is_not_believed(place: Path) -> None:
    with SqliteEventStore(place) as before:
        subscription = before.subscribe()
        place.rename(place.with_name("kept.db"))
        with SqliteEventStore(place) as after:
            after.append(event())
        assert before._bell.hear() == NOTHING
        assert subscription.next_within(0.1) is None
        subscription.close()


def test_nobody_may_read_a_bell_who_may_not_read_the_store(place: Path) -> None:
    place.chmod(0o600)
    place.with_name("events.db-bell").chmod(0o666)
    with SqliteEventStore(place):
        assert place.with_name("events.db-bell").stat().st_mode & 0o777 == 0o600


def test_a_bell_whose_permissions_cannot_be_changed_says_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    place.chmod(0o600)
    place.with_name("events.db-bell").chmod(0o666)
    monkeypatch.setattr(os, "fchmod", refuse)
    with SqliteEventStore(place) as store, SqliteEventStore(place) as other:
        subscription = other.subscribe()
        store.append(event())
        assert other._bell.hear() == NOTHING
        found = subscription.next_within(SECONDS)
        assert found is not None
        subscription.close()


def test_a_commit_whose_bell_rings_late_is_not_missed(place: Path) -> None:
    with SqliteEventStore(place) as store, SqliteEventStore(place) as other:
        subscription = other.subscribe()
        assert subscription.next_within(0.01) is None
        first = store.append(event(1))
        store.append(event(2))
        # As if the bell of the first commit had rung after that of the second.
        store._bell.ring([first])
        found = [subscription.next_within(SECONDS) for _ in range(2)]
        assert positions(filter(None, found)) == [1, 2]
        subscription.close()
