"""The event store in files of lines keeps the promises of every event store, in each of its layouts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from kitty_status.eventstore.durability import OS, Durability
from kitty_status.eventstore.jsonl.store import JsonlEventStore
from kitty_status.eventstore.protocol import EventStore
from kitty_status.testing.event_store import EventStoreSuite

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)


class TestSingleFile(EventStoreSuite):
    archives = True

    def open_store(self, place: Path) -> EventStore:
        return JsonlEventStore(place / "events.jsonl")


class TestSingleFileInTheHandsOfTheOperatingSystem(EventStoreSuite):
    archives = True

    def open_store(self, place: Path) -> EventStore:
        return JsonlEventStore(place / "events.jsonl", durability=OS)


class TestSingleFileWithLingeringCommits(EventStoreSuite):
    conditional_rounds = 5

    def open_store(self, place: Path) -> EventStore:
        return JsonlEventStore(place / "events.jsonl", durability=Durability.parse("batch(1)"))


class TestDaily(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return JsonlEventStore(place / "vault", layout="daily", clock=lambda: NOON)


class TestDaysAndStreams(EventStoreSuite):
    def open_store(self, place: Path) -> EventStore:
        return JsonlEventStore(place / "events", layout="per-day-and-stream", clock=lambda: NOON)


class TestDaysAndStreamsOverManyDays(EventStoreSuite):
    """Each look at the clock is hours after the one before it."""

    def open_store(self, place: Path) -> EventStore:
        hours = count()
        return JsonlEventStore(
            place / "events", layout="per-day-and-stream", clock=lambda: NOON + timedelta(hours=7 * next(hours))
        )
