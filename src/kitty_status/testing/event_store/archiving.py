"""Promises about the archive."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import MOMENT, SECONDS, StoreCase, event, events, positions, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kitty_status.eventstore.event import Event, NewEvent
    from kitty_status.eventstore.protocol import EventStore

LATER = MOMENT + timedelta(days=10_000)
"""When all events of these tests have happened."""


def days(count: int) -> list[NewEvent]:
    """Return so many events, a day apart, of four streams, three types and a tag of five values."""
    return [
        event(
            day,
            id=f"e{day}",
            at=MOMENT + timedelta(days=day * 7 % count),
            stream=f"s{day % 4}",
            type=f"T{day % 3}",
            tags={"issueId": str(day % 5), "labels": ["all", f"l{day % 2}"]},
        )
        for day in range(count)
    ]


def fill(store: EventStore, wanted: list[NewEvent], ends: Callable[[], object] = lambda: None) -> list[Event]:
    """Append events in some batches, the last one alone, and return them; `ends` is called before each."""
    size = len(wanted) // 10
    batches = [wanted[at : min(at + size, len(wanted) - 1)] for at in range(0, len(wanted) - 1, size)]
    found = []
    for batch in (*batches, wanted[-1:]):
        ends()
        found += store.append_batch(batch)
    return found


def answers(store: EventStore) -> list[Any]:
    """Return what a store answers to questions of every kind."""
    queries = [
        EventQuery(**asked, order_by=order, direction=direction, limit=limit, offset=offset)
        for order in ("position", "timestamp", "type")
        for direction in ("asc", "desc")
        for limit, offset in ((None, 0), (7, 5))
        for asked in QUESTIONS
    ]
    return [
        *((store.get_events(query), store.count_events(query)) for query in queries),
        [page for order in ("position", "timestamp", "type") for page in _pages(store, order)],
        [store.get_event(event_id) for event_id in ("e0", "e3", "e59", "nobody")],
        (store.get_events("s1"), store.get_events("s1", 7), store.get_events("nobody")),
        (store.head(), store.get_event_types(), store.get_tags(), store.get_event_files()),
        (store.read_day("2026-01-12"), store.read_range("2026-01-12", "2026-02-20")),
        store.get_events_by_time_range(MOMENT, MOMENT + timedelta(days=31)),
    ]


QUESTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"types": ["T1", "T2"]},
    {"streams": "s2", "after_version": 3},
    {"issue_ids": ["1", "4"], "tags": {"labels": ["all", "l1"]}},
    {"tags": {"labels": "nobody"}},
    {"start": MOMENT + timedelta(days=5), "end": MOMENT + timedelta(days=33)},
    {"after": 11, "before": 51, "types": "T0"},
    {"ids": ["e7", "e41"]},
)


def _pages(store: EventStore, order: str) -> list[list[Event]]:
    found = []
    query = EventQuery(order_by=order, limit=11)
    while True:
        page, cursor = store.get_page(query)
        found.append(page)
        if cursor is None:
            return found
        query = EventQuery(order_by=order, limit=11, cursor=cursor)


class ArchivingPromises(StoreCase):
    """What is promised about `compact_events`, `archives`, `restore_events` and `check_archive`.

    They hold also where nothing can be moved; `archives` of the case says that this store moves its first events.
    """

    def fill(self, place: Path, store: EventStore, wanted: list[NewEvent]) -> list[Event]:
        """Append events in some batches, with something being over before each."""
        return fill(store, wanted, lambda: self.period_ends(place))

    def test_what_is_archived_reads_as_before(self, tmp_path: Path) -> None:
        """However much of it the backend moves, and however often; also for a store that is opened later."""
        with self.opened(tmp_path) as store:
            self.fill(tmp_path, store, days(60))
            expected = answers(store)
            for before in (MOMENT, MOMENT + timedelta(days=40), "2026-02-20T00:00:00Z", LATER):
                known = sum(each.events for each in store.archives())
                movable = store.compact_events(before, dry_run=True)
                assert sum(each.events for each in store.archives()) == known
                assert store.compact_events(before) == movable
                assert sum(each.events for each in store.archives()) == known + movable
                assert answers(store) == expected
            with refused(StoreCode.QUERY_ERROR):
                store.compact_events("yesterday")
            assert not self.archives or sum(each.events for each in store.archives()) == 59
        if self.persists:
            with self.opened(tmp_path) as store:
                assert answers(store) == expected

    def test_what_is_archived_still_decides_about_appends(self, tmp_path: Path) -> None:
        """Its ids, the versions of its streams, and conditions that it meets."""
        with self.opened(tmp_path) as store:
            old = self.fill(tmp_path, store, [*days(60), event(stream="other")])
            store.compact_events(LATER)
        with self.opened(tmp_path) if self.persists else self.opened(tmp_path / "again") as store:
            if not self.persists:
                self.fill(tmp_path / "again", store, [*days(60), event(stream="other")])
            assert store.append(days(60)[3]).position == 4
            assert positions(store.append_batch(days(60)[10:20])) == list(range(11, 21))
            with refused(StoreCode.DUPLICATE_EVENT, "e3", "position 4"):
                store.append(event(99, id="e3"))
            with refused(StoreCode.CONFLICT, "s1", "15"):
                store.append(event(stream="s1"), expected_version=3)
            met = EventQuery(types="T1", issue_ids="4")
            with refused(StoreCode.CONFLICT, "e4"):
                store.append(event(), condition=AppendCondition(met))
            last = max(each.position for each in old if met.matches(each))
            with refused(StoreCode.CONFLICT, f"position {last}"):
                store.append(event(), condition=AppendCondition(met, after=last - 1))
            assert store.append(event(stream="s2"), condition=AppendCondition(met, after=last)).version == 16
            new = store.append_batch([*events(2, stream="s1"), days(60)[0]], expected_version={"s1": 15})
            assert [(each.position, each.version) for each in new] == [(63, 16), (64, 17), (1, 1)]
            kept = store.create_snapshot("s3", 2, "state")
            assert (kept.position, store.get_snapshot("s3")) == (8, kept)
            with refused(StoreCode.VALIDATION_FAILED, "s3", "15"):
                store.create_snapshot("s3", 16, "state")

    def test_what_was_archived_comes_back(self, tmp_path: Path) -> None:
        """By its name, and once; it can be archived again."""
        with self.opened(tmp_path) as store:
            self.fill(tmp_path, store, days(30))
            expected = answers(store)
            store.compact_events(LATER)
            archives = store.archives()
            assert bool(archives) >= self.archives
            assert [each.first for each in archives] == sorted(each.first for each in archives)
            for each in reversed(archives):
                assert len(each.sha256) == 64
                assert min(each.size, each.packed, each.events) > 0
                store.check_archive(each.name)
                assert store.restore_events(each.name) == each.events
                assert store.restore_events(each.name) == 0
                assert answers(store) == expected
            assert store.archives() == []
            assert store.restore_events("nobody") == 0
            store.compact_events(LATER)
            assert [(each.name, each.sha256) for each in store.archives()] == [
                (each.name, each.sha256) for each in archives
            ]
            assert answers(store) == expected

    def test_who_reads_while_events_are_moved_misses_nothing(self, tmp_path: Path) -> None:
        """In either direction, in any order, and subscribed."""
        with self.opened(tmp_path) as store:
            old = self.fill(tmp_path, store, days(3000))
            by_time = store.get_events(EventQuery(order_by="timestamp"))
            stop = threading.Event()

            def move() -> None:
                while not stop.is_set():
                    store.compact_events(LATER)
                    for each in store.archives():
                        store.restore_events(each.name)

            moving = threading.Thread(target=move)
            moving.start()
            try:
                for _ in range(2):
                    assert list(store.stream_events()) == old
                    assert list(store.stream_events(EventQuery(direction="desc"))) == old[::-1]
                    assert store.get_events(EventQuery(order_by="timestamp")) == by_time
                    assert store.count_events(EventQuery(types="T1")) == len(old) // 3
                with store.subscribe(after=0) as subscription:
                    assert [subscription.next_within(SECONDS) for _ in old] == old
                    new = store.append(event())
                    assert subscription.next_within(SECONDS) == new
            finally:
                stop.set()
                moving.join()
