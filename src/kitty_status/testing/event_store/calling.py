"""Promises about calls that make no sense, that come too late, or that come from many threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import MOMENT, StoreCase, event, events, numbers, positions, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EMPTY: list[dict[str, Any]] = [
    *({name: []} for name in ("types", "streams", "ids", "issue_ids", "pr_ids", "user_ids", "providers", "platforms")),
    {"any_of": []},
    {"any_of": [EventQuery(types=[])]},
    {"tags": {"kind": []}},
    {"types": "A", "streams": ()},
    {"types": [], "order_by": "type"},
    {"ids": set(), "direction": "desc", "limit": 3},
]
"""Queries with an empty list."""


class CallingPromises(StoreCase):
    """What is promised to whoever calls a store wrongly, and to those beside."""

    def test_a_closed_store_refuses_everything(self, tmp_path: Path) -> None:
        """But to be closed once more."""
        store: Any = self.open_store(tmp_path)
        store.append_batch(events(3, stream="a"))
        store.close()
        store.close()
        calls: list[Callable[[], object]] = [
            lambda: store.append(event()),
            lambda: store.append_batch([]),
            store.head,
            store.get_events,
            lambda: store.get_event("x"),
            lambda: next(store.stream_events()),
            lambda: next(store.stream_events(EventQuery(order_by="type"))),
            lambda: store.get_page(EventQuery(limit=1)),
            store.count_events,
            store.get_event_types,
            store.get_tags,
            store.get_event_files,
            lambda: store.read_day("2026-01-10"),
            lambda: store.create_snapshot("a", 1, {}),
            lambda: store.get_snapshot("a"),
            lambda: store.compact_events(MOMENT),
            lambda: store.compact_events(MOMENT, dry_run=True),
            store.archives,
            lambda: store.restore_events("x"),
            lambda: store.check_archive("x"),
            store.subscribe,
            lambda: store.subscribe(after=0),
            lambda: store.subscribe(print, after=0),
            lambda: store.wait_for(9, 0.01),
        ]
        for number, call in enumerate(calls):
            with refused(StoreCode.STORAGE_ERROR, "closed"):
                raise AssertionError(f"call {number} answered {call()!r}")

    def test_an_empty_list_finds_nothing(self, tmp_path: Path) -> None:
        """Wherever it stands: who is allowed nothing is not given the whole log."""
        with self.opened(tmp_path) as store:
            store.append_batch([event(number, id=f"e{number}", type="A", tags={"kind": "x"}) for number in range(5)])
            for fields in EMPTY:
                query = EventQuery(**fields)
                assert store.get_events(query) == [], fields
                assert list(store.stream_events(query)) == [], fields
                assert store.count_events(query) == 0, fields
                assert store.get_page(query.narrowed(limit=2)) == ([], None), fields
                assert store.get_events(query.narrowed(before=9, after=2)) == [], fields
                assert query == query.narrowed(order_by=query.order_by), fields
            nothing: Any = []
            assert store.get_events_by_issue_id(nothing) == []
            assert numbers(store.get_events(EventQuery(types=[], any_of=[EventQuery(ids="e4")]))) == [4]
            assert numbers(store.get_events(EventQuery(ids="e4", any_of=[]))) == [4]
            assert store.append(event(), condition=AppendCondition(EventQuery(types=[]))).position == 6
            with store.subscribe(EventQuery(streams=[]), after=0) as subscription:
                assert subscription.next_within(0.01) is None

    def test_a_call_that_makes_no_sense_is_refused_in_the_stores_own_words(self, tmp_path: Path) -> None:
        """Nothing of it is done, and the next call is as good as ever."""
        with self.opened(tmp_path) as opened:
            store: Any = opened
            store.append(event(stream="s"))
            for batch in ("text", b"bytes", None, 7, event(), {"type": "T"}, ["x"], [None], [event(), {"type": "T"}]):
                with refused(StoreCode.VALIDATION_FAILED, "expected"):
                    store.append_batch(batch)
            for one in ("x", None, {"type": "T"}):
                with refused(StoreCode.VALIDATION_FAILED, "NewEvent"):
                    store.append(one)
            for condition in (EventQuery(), "x", lambda: None):
                with refused(StoreCode.VALIDATION_FAILED, "AppendCondition"):
                    store.append(event(), condition=condition)
            for after in (-1, True, 1.5, "x", 2**70):
                with refused(StoreCode.QUERY_ERROR, "after"):
                    store.subscribe(after=after)
                with refused(StoreCode.QUERY_ERROR, "after"):
                    store.subscribe(print, after=after)
            for place in (("s", None), ("s", "1"), ("s", True), (None, 1)):
                with refused(StoreCode.QUERY_ERROR):
                    store.create_snapshot(*place, {})
            for name in (None, 7):
                with refused(StoreCode.QUERY_ERROR, "archive"):
                    store.restore_events(name)
                with refused(StoreCode.QUERY_ERROR, "archive"):
                    store.check_archive(name)
            assert store.append(event()).position == 2

    def test_what_is_no_query_is_refused(self, tmp_path: Path) -> None:
        """Wherever one is expected."""
        with self.opened(tmp_path) as opened:
            store: Any = opened
            store.append(event())
            calls: list[Callable[[Any], object]] = [
                store.get_page,
                store.count_events,
                lambda value: list(store.stream_events(value)),
                lambda value: store.get_events(None if value == "x" else value),
                AppendCondition,
                store.subscribe,
            ]
            for call in calls:
                for value in (5, None, "x"):
                    with refused(StoreCode.QUERY_ERROR):
                        call(value)

    def test_a_batch_is_whatever_can_be_gone_through_once(self, tmp_path: Path) -> None:
        """A list, a tuple, a generator; one of nothing does nothing."""
        with self.opened(tmp_path) as store:
            assert positions(store.append_batch(event(number) for number in range(3))) == [1, 2, 3]
            assert positions(store.append_batch((event(4),))) == [4]
            assert store.append_batch(event() for _ in ()) == []
            assert store.append_batch((), expected_version=7) == []

    def test_a_caller_who_is_wrong_disturbs_nobody_else(self, tmp_path: Path) -> None:
        """Though their appends are written together."""
        rounds = 40
        with self.opened(tmp_path) as store, ThreadPoolExecutor(8) as pool:
            wrong: list[Any] = [EventQuery(), "condition", 7]

            def err(number: int) -> str:
                try:
                    store.append(event(), condition=wrong[number % len(wrong)])
                except EventStoreError as error:
                    return str(error.code)
                return "stored"

            good = [pool.submit(store.append, event(number)) for number in range(rounds)]
            bad = [pool.submit(err, number) for number in range(rounds)]
            good += [pool.submit(store.append, event(number)) for number in range(rounds)]
            assert {each.result() for each in bad} == {StoreCode.VALIDATION_FAILED}
            assert sorted(each.result().position for each in good) == list(range(1, 2 * rounds + 1))

    def test_threads_that_share_a_subscription_get_each_event_once(self, tmp_path: Path) -> None:
        """They take turns."""
        count = 1500
        with self.opened(tmp_path) as store:
            store.append_batch(events(count))
            subscription = store.subscribe(after=0)
            begin = threading.Barrier(3)

            def take() -> list[int]:
                found = []
                begin.wait()
                while (each := subscription.next_within(0.5)) is not None:
                    found.append(each.position)
                return found

            with ThreadPoolExecutor(3) as pool:
                taken = [pool.submit(take) for _ in range(3)]
                found = [each.result() for each in taken]
            subscription.close()
            assert sorted(position for each in found for position in each) == list(range(1, count + 1))
            assert all(each == sorted(each) for each in found)
