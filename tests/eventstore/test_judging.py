"""What decides on an append: conditions, the stage on which appends are judged, and the commits that callers share."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from kitty_status.eventstore.condition import ANY_VERSION, AppendCondition, expected_versions
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.staging import Append, Stage
from kitty_status.testing.event_store.base import MOMENT, SECONDS, event, events, positions, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.eventstore.staging import Outcome


@pytest.mark.parametrize(
    "query",
    [
        EventQuery(limit=1),
        EventQuery(offset=1),
        EventQuery(order_by="timestamp"),
        EventQuery(order_by="type"),
    ],
    ids=["limit", "offset", "timestamp", "type"],
)
def test_a_condition_takes_no_query_that_could_overlook_an_event(query: EventQuery) -> None:
    with refused(StoreCode.QUERY_ERROR, "any event"):
        AppendCondition(query)


def test_a_condition_takes_no_cursor() -> None:
    with MemoryEventStore() as store:
        cursor = EventQuery().cursor_of(store.append(event()))
    with refused(StoreCode.QUERY_ERROR, "cursor"):
        AppendCondition(EventQuery(cursor=cursor))


@pytest.mark.parametrize("after", [-1, True, "1", None, 2**62])
def test_a_condition_holds_from_a_position_on(after: object) -> None:
    with refused(StoreCode.QUERY_ERROR, "after"):
        AppendCondition(EventQuery(), after=after)  # type: ignore[arg-type]


@pytest.mark.parametrize(("begins", "after"), [(3, 1), (1, 3), (3, 0)])
def test_the_later_of_two_positions_counts_in_a_condition(begins: int, after: int) -> None:
    condition = AppendCondition(EventQuery(after=begins), after=after)
    with MemoryEventStore() as store:
        store.append_batch(events(3))
        assert store.append(event(), condition=condition).position == 4
        with refused(StoreCode.CONFLICT, "position 4"):
            store.append(event(), condition=condition)


@pytest.mark.parametrize("words", [7, None, [7], [""], ["a\0b"]])
def test_a_query_names_texts(words: object) -> None:
    with refused(StoreCode.QUERY_ERROR):
        EventQuery(types=words)  # type: ignore[arg-type]


@pytest.mark.parametrize("moment", [7, "noon", "2026-01-01T00:00:00", MOMENT.replace(tzinfo=None)])
def test_a_query_names_instants(moment: object) -> None:
    with refused(StoreCode.QUERY_ERROR):
        EventQuery(start=moment)  # type: ignore[arg-type]


def test_a_store_without_an_archive_has_nothing_in_it_and_is_told_an_instant_all_the_same() -> None:
    with MemoryEventStore() as store:
        stored = store.append_batch(events(3))
        for before in (None, "noon"):
            with refused(StoreCode.QUERY_ERROR):
                store.compact_events(before)  # type: ignore[arg-type]
        assert (store.archives(), store.restore_events("2026-01-01")) == ([], 0)
        store.check_archive("2026-01-01")
        assert store.get_events() == stored


def test_who_expects_no_version_expects_none_of_any_stream() -> None:
    assert expected_versions(ANY_VERSION, {"a", "b"}) == {}
    assert expected_versions(3, {"a"}) == {"a": 3}
    assert expected_versions({"c": 0}, {"a", "b"}) == {"c": 0}


def test_a_page_of_a_query_without_a_limit_is_its_whole_answer() -> None:
    with MemoryEventStore() as store:
        stored = store.append_batch(events(3))
        assert store.get_page(EventQuery()) == (stored, None)


def test_an_event_can_be_an_element_of_a_set() -> None:
    with MemoryEventStore() as store:
        one, two = store.append_batch(events(2))
        assert {one, two, *store.get_events()} == {one, two}


@pytest.mark.parametrize("announced", [True, False])
def test_an_append_is_judged_the_same_whether_or_not_it_was_announced(announced: bool) -> None:
    with MemoryEventStore() as store:
        store.append_batch([event(1, id="one", stream="a"), event(2, id="two", stream="b")])
        appends = [
            store.prepared([event(1, id="one", stream="a")]),
            store.prepared([event(3, id="three", stream="a")], 1),
            store.prepared([event(4, id="two", stream="b")]),
            store.prepared([event(3, id="three", stream="a"), event(5, id="five", stream="c")], {"c": 0}),
            store.prepared([event(6, id="six", stream="c")], {"b": 2}),
            store.prepared([event(7, id="seven", stream="d")], condition=AppendCondition(EventQuery(streams="c"))),
        ]
        stage = Stage(store, appends if announced else ())
        outcomes = [stage.outcome_of(append) for append in appends]
    assert [each.code if isinstance(each, EventStoreError) else positions(each) for each in outcomes] == [
        [1],
        [3],
        StoreCode.DUPLICATE_EVENT,
        [3, 4],
        StoreCode.CONFLICT,
        StoreCode.CONFLICT,
    ]
    assert [(each.id, each.position, each.version) for each in stage.events] == [("three", 3, 2), ("five", 4, 1)]


class Held(MemoryEventStore):
    """Commits nothing before it is let; notes who came together, and fails for them while it is `broken`."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.begun = threading.Event()
        self.together: list[int] = []
        self.broken = False

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        self.begun.set()
        assert self.may_go_on.wait(SECONDS)
        self.together.append(len(appends))
        if self.broken and len(appends) > 1:
            raise EventStoreError(StoreCode.STORAGE_ERROR, "the disk is gone", hint="wait", retryable=True)
        return super().commit(appends)


def _append_together(store: Held, pool: ThreadPoolExecutor) -> list[EventStoreError | int]:
    def attempt(number: int) -> EventStoreError | int:
        try:
            return store.append(event(number, id=str(number))).position
        except EventStoreError as error:
            return error

    first = pool.submit(attempt, 0)
    assert store.begun.wait(SECONDS)
    others = [pool.submit(attempt, number) for number in range(1, 6)]
    while len(store._writing._waiting) < 5:
        threading.Event().wait(0.001)
    store.may_go_on.set()
    return [each.result() for each in (first, *others)]


def test_a_commit_that_fails_is_told_to_everybody_whose_append_was_in_it() -> None:
    with Held() as store, ThreadPoolExecutor(6) as pool:
        store.broken = True
        first, *others = _append_together(store, pool)
        assert first == 1
        assert [str(each) for each in others] == ["the disk is gone"] * 5
        assert store.together == [1, 5]
        store.broken = False
        assert store.append(event(1, id="1")).position == 2


def test_who_comes_while_another_is_at_work_is_committed_with_those_who_came_as_well() -> None:
    with Held() as store, ThreadPoolExecutor(6) as pool:
        places = _append_together(store, pool)
        assert sorted(places, key=str) == [1, 2, 3, 4, 5, 6]
        assert store.together == [1, 5]


def test_what_waits_when_a_store_is_closed_is_stored_and_nothing_after_it() -> None:
    store = Held()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(store.append, event(1))
        assert store.begun.wait(SECONDS)
        told: list[object] = []
        store.append_later(store.prepared([event(2)]), told.append)
        closing = pool.submit(store.close)
        while not store._writing._closed:
            threading.Event().wait(0.001)
        with refused(StoreCode.STORAGE_ERROR, "closed"):
            store.append_later(store.prepared([event(3)]), told.append)
        store.may_go_on.set()
        closing.result()
        assert first.result().position == 1
    [outcome] = told
    assert isinstance(outcome, list)
    assert positions(outcome) == [2]
    with refused(StoreCode.STORAGE_ERROR, "closed"):
        store.append(event(3))


@pytest.mark.parametrize("way", ["append", "append_later"])
def test_who_comes_in_the_moment_in_which_a_store_is_closed_is_refused(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryEventStore()
    told: list[object] = []
    look = store._writing._refuse_if_closed

    def look_and_be_late() -> None:
        look()
        store._writing.close()

    monkeypatch.setattr(store._writing, "_refuse_if_closed", look_and_be_late)
    with refused(StoreCode.STORAGE_ERROR, "closed"):
        if way == "append":
            store.append(event())
        else:
            store.append_later(store.prepared([event()]), told.append)
    assert told == []
    assert store.head() == 0
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_is_told_to_open_a_store_of_its_own_and_may_close_this_one() -> None:
    with MemoryEventStore() as store:
        told = threading.Event()
        store.append_later(store.prepared([event()]), lambda _: told.set())
        assert told.wait(SECONDS)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store.append(event())
            except EventStoreError as error:
                store.close()
                code = 0 if "open it again" in error.hint else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.append(event()).position == 2
