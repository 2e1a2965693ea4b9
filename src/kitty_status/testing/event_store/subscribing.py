"""Promises about subscriptions and about many callers at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import SECONDS, StoreCase, event, events, numbers, positions, refused

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.eventstore.event import Event, NewEvent
    from kitty_status.eventstore.protocol import EventStore


class SubscribingPromises(StoreCase):
    """What is promised about `subscribe`."""

    def test_a_subscription_hands_out_what_is_stored_and_then_what_comes(self, tmp_path: Path) -> None:
        """In the order of positions, each event once."""
        with self.opened(tmp_path) as store, store.subscribe(after=0) as subscription:
            store.append_batch(events(3))
            assert numbers(next(subscription) for _ in range(3)) == [1, 2, 3]
            later = threading.Timer(0.05, store.append_batch, [events(2)])
            later.start()
            assert positions(next(subscription) for _ in range(2)) == [4, 5]
            later.join()
            assert subscription.next_within(0) is None
            assert subscription.position == 5

    def test_a_subscription_begins_where_it_is_told_to(self, tmp_path: Path) -> None:
        """With what comes from now on, if it is told nothing."""
        with self.opened(tmp_path) as store:
            store.append_batch(events(5))
            live, midway = store.subscribe(), store.subscribe(after=3)
            filtered = store.subscribe(EventQuery(types="Wanted"), after=0)
            store.append_batch([event(6), event(7, type="Wanted")])
            assert numbers([next(live), next(live)]) == [6, 7]
            assert numbers([next(midway), next(midway)]) == [4, 5]
            assert numbers([next(filtered)]) == [7]
            assert filtered.next_within(0) is None

    def test_a_handler_is_called_with_each_event_until_it_unsubscribes(self, tmp_path: Path) -> None:
        """One that fails gets the next event all the same."""
        seen: list[int] = []
        other: list[int] = []

        def handle(each: Event) -> None:
            seen.append(each.position)
            if each.position == 2:
                raise ValueError("a handler's own affair")

        with self.opened(tmp_path) as store:
            unsubscribe = store.subscribe(handle)
            quiet = store.subscribe(lambda each: other.append(each.position), EventQuery(types="Else"), after=0)
            store.append_batch(events(3))
            _wait(lambda: seen == [1, 2, 3])
            unsubscribe()
            store.append(event(type="Else"))
            _wait(lambda: other == [4])
            quiet()
            unsubscribe()
            assert seen == [1, 2, 3]

    def test_a_subscription_that_is_closed_ends(self, tmp_path: Path) -> None:
        """By itself, by another thread, and with its store."""
        with self.opened(tmp_path) as store:
            subscription = store.subscribe()
            closing = threading.Timer(0.05, subscription.close)
            closing.start()
            assert list(subscription) == []
            closing.join()
            unsubscribe = store.subscribe(lambda _: None)
            left = store.subscribe()
            store.close()
            assert list(left) == []
            unsubscribe()

    def test_a_subscriber_waits_as_long_as_it_said(self, tmp_path: Path) -> None:
        """Whatever else is appended meanwhile, and whoever else stops listening."""
        with self.opened(tmp_path) as store, ThreadPoolExecutor(1) as pool:
            wanted = store.subscribe(EventQuery(types="Wanted"))
            waiting = pool.submit(wanted.next_within, SECONDS)
            for number in range(80):
                store.append(event(number))
                store.subscribe().close()
            store.append(event(80, type="Wanted"))
            found = waiting.result()
            assert found is not None
            assert found.position == 81
            wanted.close()

    def test_a_subscription_takes_no_query_that_ends(self, tmp_path: Path) -> None:
        """Nor one that goes in another order."""
        with self.opened(tmp_path) as store:
            for query in (
                EventQuery(limit=1),
                EventQuery(direction="desc"),
                EventQuery(order_by="type"),
                EventQuery(before=9),
            ):
                with refused(StoreCode.QUERY_ERROR, "subscription"):
                    store.subscribe(query)

    def test_no_subscriber_skips_or_repeats_an_event_while_four_writers_write(self, tmp_path: Path) -> None:
        """Batches of mixed sizes; subscribers from the start and from the middle, of all events and of some."""
        sizes, rounds = (1, 7, 1, 40), 15
        total = sum(sizes) * rounds
        queries = EventQuery(), EventQuery(), EventQuery(types=["Of7", "Else"]), EventQuery(tags={"size": "40"})
        with self.opened(tmp_path) as store, ThreadPoolExecutor(12) as pool:
            early = [pool.submit(_collect, store, query, 0, total) for query in queries]
            writers = [pool.submit(_write, store, size, rounds) for size in sizes]
            assert store.wait_for(total // 2, SECONDS)
            # The writers may have finished by now; behind the last event nothing would come.
            middle = min(store.head(), total - 1)
            late = [pool.submit(_collect, store, query, middle, total) for query in queries]
            for writer in writers:
                writer.result()
            assert positions(store.get_events()) == list(range(1, total + 1))
            for query, whole, rest in zip(queries, early, late, strict=True):
                expected = positions(store.get_events(query))
                assert whole.result() == expected
                assert rest.result() == [each for each in expected if each > middle]


class CrowdPromises(StoreCase):
    """What is promised to many callers at once."""

    conditional_rounds = 20

    def test_events_of_many_callers_are_all_kept_and_numbered(self, tmp_path: Path) -> None:
        """Each caller gets the places of its own events."""
        with self.opened(tmp_path) as store, ThreadPoolExecutor(16) as pool:
            stored = list(pool.map(lambda number: store.append(event(number, stream=f"s{number % 5}")), range(300)))
            assert sorted(positions(stored)) == list(range(1, 301))
            assert numbers(stored) == list(range(300))
            assert store.get_events() == sorted(stored, key=lambda each: each.position)
            for stream in range(5):
                assert [each.version for each in store.get_events(f"s{stream}")] == list(range(1, 61))

    def test_of_conflicting_appends_one_wins_in_every_round(self, tmp_path: Path) -> None:
        """Sixteen callers with one condition, or one expected version."""
        with self.opened(tmp_path) as store, ThreadPoolExecutor(16) as pool:
            for number in range(self.conditional_rounds):
                tag, head = str(number), store.head()
                condition = AppendCondition(EventQuery(tags={"seat": tag}), after=head)
                expected = None if number % 2 else 0

                def attempt(
                    caller: int,
                    tag: str = tag,
                    condition: AppendCondition = condition,
                    expected: int | None = expected,
                ) -> bool:
                    try:
                        store.append(
                            event(caller, stream=f"seat-{tag}", tags={"seat": tag}),
                            condition=condition if expected is None else None,
                            expected_version=expected,
                        )
                    except EventStoreError as error:
                        assert error.code == StoreCode.CONFLICT, error  # noqa: PT017  any other one is a failure
                        return False
                    return True

                assert sum(pool.map(attempt, range(16))) == 1
            assert store.head() == self.conditional_rounds

    def test_of_many_callers_with_one_event_all_get_its_one_place(self, tmp_path: Path) -> None:
        """Sixteen at once, alone and in batches of their own."""
        with self.opened(tmp_path) as store, ThreadPoolExecutor(16) as pool:
            for number in range(10):
                one = event(number, id=f"one/{number}")
                batches = [[one], [event(number, id=f"two/{number}"), one], [one, event(number)]]
                answers = list(pool.map(store.append_batch, [batches[caller % 3] for caller in range(16)]))
                places = {each for answer in answers for each in answer if each.id == one.id}
                assert len(places) == 1
            found = store.get_events()
            assert positions(found) == list(range(1, len(found) + 1))
            assert len({each.id for each in found}) == len(found) == 10 * (2 + 5)

    def test_of_many_callers_with_other_content_under_one_id_one_wins(self, tmp_path: Path) -> None:
        """The others are told which event the id stands for, and which one was refused."""
        with self.opened(tmp_path) as store, ThreadPoolExecutor(16) as pool:
            for number in range(10):
                batches = [
                    [event(caller, type=f"T{caller}", id=f"one/{number}"), event(caller)] for caller in range(16)
                ]
                answers = list(pool.map(_refusal, [store] * 16, batches))
                stored = store.get_event(f"one/{number}")
                assert stored is not None
                assert answers[stored.data["number"]] is None
                for caller, error in enumerate(answers):
                    if caller != stored.data["number"]:
                        assert error is not None
                        assert error.code == StoreCode.DUPLICATE_EVENT, error
                        assert error.context["event_id"] == stored.id
                        assert error.context["given"] == {"type": f"T{caller}", "stream": stored.stream}
                        assert error.context["stored"] == {
                            "type": stored.type,
                            "stream": stored.stream,
                            "position": stored.position,
                        }
            assert store.head() == 2 * 10


def _write(store: EventStore, size: int, rounds: int) -> None:
    for _ in range(rounds):
        store.append_batch(events(size, type=f"Of{size}", tags={"size": str(size)}))


def _refusal(store: EventStore, batch: list[NewEvent]) -> EventStoreError | None:
    try:
        store.append_batch(batch)
    except EventStoreError as error:
        return error
    return None


def _collect(store: EventStore, query: EventQuery, after: int, last: int) -> list[int]:
    found: list[int] = []
    deadline = time.monotonic() + SECONDS
    with store.subscribe(query, after=after) as subscription:
        while subscription.position < last:
            assert time.monotonic() < deadline, f"nothing came behind {subscription.position}"
            each = subscription.next_within(0.2)
            if each is not None:
                found.append(each.position)
    return found


def _wait(until: object) -> None:
    deadline = time.monotonic() + SECONDS
    assert callable(until)
    while not until():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)
