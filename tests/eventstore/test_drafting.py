"""A batch is checked a field at a time, and comes to what its events come to one by one."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitty_status.eventstore import drafting
from kitty_status.eventstore.drafting import drafted
from kitty_status.eventstore.errors import EventStoreError, StoreCode
from kitty_status.eventstore.event import Draft, NewEvent
from kitty_status.eventstore.values import MAX_DEPTH, all_copied, copied
from kitty_status.testing.event_store.base import MOMENT, event, events

texts = st.text(st.characters(codec="utf-8"), max_size=6)
keepable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
odd = st.sampled_from(
    [float("nan"), 2**63, -(2**63) - 1, "a\0b", "\ud800", {1: 2}, {"a": {1}}, (1, 2), {"a": (1,)}, MOMENT, 10**40]
)


def outcome(work: Any) -> Any:
    try:
        return repr(work())
    except ValueError as error:
        return str(error)


@given(st.lists(keepable | odd, max_size=8))
def test_many_values_are_copied_as_each_of_them_is(values: list[Any]) -> None:
    assert outcome(lambda: all_copied(values)) == outcome(lambda: [copied(value) for value in values])


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}, lambda inner: ["[{", inner]])
def test_a_value_that_is_too_deep_is_found_among_flat_ones(depth: int, wrap: Any) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = wrap(deep)
    values = [{"a": 1}, [2], 3, deep, {"b": [4]}, {}]
    if depth == MAX_DEPTH:
        assert all_copied(values) == values
    else:
        with pytest.raises(ValueError, match="deep"):
            all_copied(values)


class Kind(StrEnum):
    ONE = "one"


GOOD: list[dict[str, Any]] = [
    {"type": "a|b", "stream": "a / b"},
    {"type": "|", "stream": "||"},
    {"type": Kind.ONE},
    {"tags": {"labels": ["a", "b"]}},
    {"tags": {"a": "b", "c": "d|"}},
    {"tags": MappingProxyType({"a": "b"})},
    {"tags": OrderedDict(a="b")},
    {"tags": {"kind": Kind.ONE}},
    {"metadata": MappingProxyType({"n": 1})},
    {"data": (1, 2)},
    {"data": {"deep": [[[[[[]]]]]]}},
    {"at": datetime(2026, 3, 4, tzinfo=timezone(timedelta(hours=5)))},
    {"version": 3},
    {"id": "one's own"},
]
BAD: list[dict[str, Any]] = [
    {"id": ""},
    {"id": 7},
    {"id": "x" * 129},
    {"id": "a\nb"},
    {"type": None},
    {"type": []},
    {"type": " a"},
    {"type": "a "},
    {"type": ""},
    {"type": "\ud800"},
    {"stream": "a\tb"},
    {"stream": "x" * 256},
    {"data": {"a": {1}}},
    {"data": float("nan")},
    {"tags": {"a": 1}},
    {"tags": {"a": []}},
    {"tags": {"a": ["b", "b"]}},
    {"tags": {"": "b"}},
    {"tags": {"a": ""}},
    {"tags": {"a": "b\n"}},
    {"tags": {1: "b"}},
    {"tags": [("a", "b")]},
    {"tags": None},
    {"metadata": None},
    {"metadata": {"a\0": 1}},
    {"at": datetime(2026, 1, 1)},  # noqa: DTZ001  it has no zone
    {"at": "2026-01-01"},
    {"at": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))},
    {"version": 0},
    {"version": True},
]


def batch_with(fields: dict[str, Any], size: int) -> list[NewEvent]:
    good = [event(number, id=f"e{number}", tags={"n": str(number)}) for number in range(size)]
    return [*good[: size // 2], event(**({"id": "odd"} | fields)), *good[size // 2 :]]


@pytest.mark.parametrize("size", [0, 2, 20])
@pytest.mark.parametrize("fields", GOOD, ids=str)
def test_a_good_event_is_the_same_in_any_company(fields: dict[str, Any], size: int) -> None:
    def facts(draft: Draft) -> dict[str, Any]:
        return msgspec.structs.asdict(draft)

    drafting._names.clear()
    found = drafted(batch_with(fields, size))
    assert [draft.id for draft in found].count(fields.get("id", "odd")) == 1
    assert [facts(draft) for draft in found] == [facts(drafted([each])[0]) for each in batch_with(fields, size)]
    assert all(type(draft.tags) is dict and type(draft.metadata) is dict for draft in found)


@pytest.mark.parametrize("size", [0, 2, 20])
@pytest.mark.parametrize("fields", BAD, ids=ascii)
def test_a_bad_event_is_refused_in_any_company(fields: dict[str, Any], size: int) -> None:
    with pytest.raises(EventStoreError) as caught:
        drafted(batch_with(fields, size))
    assert caught.value.code is StoreCode.VALIDATION_FAILED
    assert str(caught.value.context["field"]).startswith(next(iter(fields)))


def test_what_was_given_can_be_changed_without_harm() -> None:
    tags, data = {"a": "b"}, {"n": [1]}
    found = drafted([event(tags=tags, data=data), *events(9)])
    tags["a"], data["n"][0] = "c", 2
    assert (found[0].tags, found[0].data) == ({"a": "b"}, {"n": [1]})


def test_only_so_many_names_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "_MOST_NAMES", 3)
    drafting._names.clear()
    for number in range(10):
        drafted([NewEvent(type=f"T{number}")])
    assert 0 < len(drafting._names) <= 3


def test_events_that_state_no_time_happen_together() -> None:
    assert len({draft.at for draft in drafted([NewEvent(type="T") for _ in range(10)])}) == 1
