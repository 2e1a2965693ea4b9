"""Mistakes of callers, of their models, handlers and surroundings: each is told, and none does harm."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
import threading
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, model_validator

from kitty_status.errors import EXIT_BUSY, EXIT_CONFLICT, EXIT_DAMAGED, EXIT_USAGE
from kitty_status.eventstore import memory
from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import Event, NewEvent
from kitty_status.eventstore.memory import MemoryEventStore
from kitty_status.eventstore.opening import open_url
from kitty_status.eventstore.query import EventQuery
from kitty_status.eventstore.staging import Append
from kitty_status.testing.event_store.base import MOMENT, event, events, positions, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType


class Renamed(BaseModel):
    """Reads what an older program has written, by changing it."""

    count: int

    @model_validator(mode="before")
    @classmethod
    def rename(cls, value: Any) -> Any:
        value["count"] = value.pop("number")
        return value


class Failing(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def look(cls, value: Any) -> Any:
        return value["what is not there"]


def test_a_model_that_changes_what_it_reads_does_not_change_what_is_stored() -> None:
    given = {"number": 5}
    store = MemoryEventStore()
    store.payloads.register("Counted", Renamed)
    assert store.append(NewEvent(type="Counted", data=given)).data == {"number": 5} == given
    assert store.get_events()[0].data == {"number": 5}


def test_a_model_that_fails_is_the_stores_own_error() -> None:
    store = MemoryEventStore()
    store.payloads.register("Counted", Failing)
    with refused(StoreCode.VALIDATION_FAILED, "Failing", "KeyError"):
        store.append(event())
    assert store.head() == 0


@pytest.mark.parametrize("model", [None, "Failing", dict, Failing.model_construct()])
def test_what_is_no_model_is_not_registered(model: Any) -> None:
    with pytest.raises(TypeError, match="pydantic model"):
        MemoryEventStore().payloads.register("Counted", model)


def again(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301  it is our own


def test_an_error_crosses_from_one_process_to_another() -> None:
    store = MemoryEventStore()
    store.append(event(id="one"))
    with pytest.raises(EventStoreError) as caught:
        store.append(event(2, id="one"))
    for other in (again(caught.value), copy.copy(caught.value)):
        assert str(other) == str(caught.value)
        assert vars(other) == vars(caught.value)


def test_the_exit_code_says_busy_only_where_the_same_may_succeed_later() -> None:
    codes = {code: EventStoreError(code, "it failed").exit_code for code in StoreCode}
    assert codes == {
        StoreCode.DUPLICATE_EVENT: EXIT_CONFLICT,
        StoreCode.VALIDATION_FAILED: EXIT_USAGE,
        StoreCode.CONFLICT: EXIT_CONFLICT,
        StoreCode.STORAGE_ERROR: EXIT_USAGE,
        StoreCode.QUERY_ERROR: EXIT_USAGE,
        StoreCode.CORRUPT: EXIT_DAMAGED,
    }
    assert EventStoreError(StoreCode.STORAGE_ERROR, "it failed", retryable=True).exit_code == EXIT_BUSY
    assert EventStoreError(StoreCode.STORAGE_ERROR, "it failed", outcome_unknown=True).exit_code == EXIT_BUSY


class Awaited:
    async def __call__(self, _: Event) -> None:
        raise AssertionError("nobody awaits it")


async def awaited(_: Event, more: int = 0) -> None:
    raise AssertionError(f"nobody awaits it: {more}")


@pytest.mark.parametrize("handler", [awaited, partial(awaited, more=1), Awaited(), Awaited().__call__])
def test_a_handler_that_would_have_to_be_awaited_is_refused(handler: Any) -> None:
    with MemoryEventStore() as store, refused(StoreCode.QUERY_ERROR, "coroutine"):
        store.subscribe(handler, after=0)


@pytest.mark.filterwarnings("error")
def test_a_handler_that_hides_a_coroutine_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    handled = threading.Event()
    with MemoryEventStore() as store, caplog.at_level(logging.ERROR):
        store.append(event())

        def handler(each: Event) -> object:
            if each.type != "Last":
                return awaited(each)
            handled.set()
            return None

        unsubscribe = store.subscribe(handler, after=0)
        store.append(event(type="Last"))
        assert handled.wait(30)
        unsubscribe()
    assert "coroutine" in caplog.text


def test_an_append_that_cannot_be_judged_does_not_take_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryEventStore()
    broken = Append(store.prepared([event(1)]).drafts, {}, AppendCondition(EventQuery()))
    monkeypatch.setattr(type(broken.condition), "query", property(lambda _: 1 // 0))
    good = store.prepared([event(2)])
    outcomes = store.commit([good, broken, good])
    assert isinstance(outcomes[1], EventStoreError)
    assert outcomes[1].code == StoreCode.VALIDATION_FAILED
    assert isinstance(outcomes[1].__cause__, ZeroDivisionError)
    assert positions(store.get_events()) == [1, 2]


def test_two_queries_that_ask_for_the_same_are_equal() -> None:
    assert EventQuery(types="a") == EventQuery(types=["a"])
    assert hash(EventQuery(types="a")) == hash(EventQuery(types=["a", "a"]))
    assert EventQuery(types=[]) == EventQuery(ids=[]) != EventQuery()
    assert EventQuery(limit=1) != EventQuery(limit=2)
    assert EventQuery() != "query"
    assert {EventQuery(issue_ids="7"): 1}[EventQuery(tags={"issueId": "7"})] == 1
    for other in (again(EventQuery(types="a")), copy.deepcopy(EventQuery(types="a"))):
        assert other == EventQuery(types="a")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"order_by": "size"}, ["order_by", "position, timestamp, type"]),
        ({"direction": "up"}, ["direction", "asc, desc"]),
        ({"types": None}, ["types"]),
        ({"issue_ids": 5}, ["issueId"]),
        ({"tags": {"a": 5}}, ["tags.a"]),
        ({"any_of": EventQuery()}, ["any_of", "list"]),
    ],
)
def test_what_is_wrong_with_a_query_is_named(fields: dict[str, Any], words: list[str]) -> None:
    with refused(StoreCode.QUERY_ERROR, *words):
        EventQuery(**fields)


def test_the_home_of_nobody_is_no_place() -> None:
    for scheme in ("sqlite", "jsonl"):
        with refused(StoreCode.VALIDATION_FAILED, "home"):
            open_url(f"{scheme}:~no-such-user/events")


def test_an_interruption_at_any_line_leaves_a_store_in_memory_whole() -> None:
    """A person's Ctrl-C may come anywhere; the same append again finds what was stored, or stores it."""
    batch = [event(number, id=f"e{number}", stream=f"s{number % 2}") for number in range(4)]
    for lines in count(1):
        store = MemoryEventStore()
        store.append(event(id="first", stream="s0"))
        was_interrupted = interrupted(lines, lambda store=store: store.append_batch(batch))  # type: ignore[misc]
        assert positions(store.append_batch(batch)) == [2, 3, 4, 5], lines
        found = store.get_events()
        assert [each.id for each in found] == ["first", "e0", "e1", "e2", "e3"], lines
        assert [each.version for each in store.get_events("s0")] == [1, 2, 3], lines
        assert [store.get_event(each.id) for each in found] == found, lines
        if not was_interrupted:
            break
    assert lines > 10


def interrupted(lines: int, work: Callable[[], object]) -> bool:
    """Interrupt something after so many lines of the store in memory, and say whether it came to that."""
    left = count(lines - 1, -1)

    def trace(frame: FrameType, what: str, _: object) -> Any:
        if frame.f_code.co_filename != memory.__file__:
            return None
        if what == "line" and next(left) == 0:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_a_day_is_written_with_its_month_and_number() -> None:
    store = MemoryEventStore()
    store.append_batch(events(2))
    with refused(StoreCode.QUERY_ERROR, "day"):
        store.read_day("2026-W02-6")
    assert len(store.read_day(MOMENT.date())) == 2


def test_a_relative_folder_of_a_store_in_files_does_not_follow_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    with open_url("sqlite:events.db") as store:
        monkeypatch.chdir(tmp_path / "other")
        store.append(event())
        assert len(store.get_events()) == 1
    assert not list((tmp_path / "other").iterdir())
