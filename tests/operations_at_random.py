"""Random operations on event stores, and what becomes of them, so that two backends can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from kitty_status.eventstore import ANY, AppendCondition, EventQuery, EventStore, EventStoreError, NewEvent
from kitty_status.testing.event_store.base import MOMENT

_types = st.sampled_from(["A", "B", "C"])
_streams = st.sampled_from(["s", "t", "ü/%?"])
_tags = st.dictionaries(
    st.sampled_from(["k", "issueId"]),
    st.sampled_from(["1", "2"]) | st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, max_size=3, unique=True),
    max_size=2,
)
_moments = st.integers(0, 5).map(lambda days: MOMENT + timedelta(days=days, microseconds=days))
_words = st.lists(_types, max_size=2)

new_events = st.builds(
    NewEvent,
    type=_types,
    stream=_streams,
    data=st.none() | st.integers(0, 3) | st.dictionaries(st.sampled_from(["a", "ü"]), st.floats(-1e9, 1e9), max_size=2),
    tags=_tags,
    metadata=st.just({}) | st.just({"user_id": "ann"}),
    id=st.integers(0, 12).map(lambda number: f"e{number}"),
    at=_moments,
)

criteria = st.fixed_dictionaries(
    {},
    optional={
        "types": _words,
        "streams": st.lists(_streams, max_size=2),
        "ids": st.lists(st.sampled_from(["e1", "e2", "nobody"]), max_size=2),
        "tags": _tags,
        "issue_ids": st.lists(st.sampled_from(["1", "2"]), max_size=2),
    },
)

queries = st.builds(
    lambda own, others, rest: EventQuery(
        **own, any_of=ANY if others is None else tuple(EventQuery(**other) for other in others), **rest
    ),
    criteria,
    st.none() | st.lists(criteria, max_size=2),
    st.fixed_dictionaries(
        {},
        optional={
            "start": _moments,
            "end": _moments,
            "after": st.integers(0, 12),
            "before": st.integers(0, 12),
            "after_version": st.integers(0, 3),
            "order_by": st.sampled_from(["position", "timestamp", "type"]),
            "direction": st.sampled_from(["asc", "desc"]),
            "limit": st.integers(0, 5),
            "offset": st.integers(0, 3),
        },
    ),
)

conditions = st.none() | st.builds(
    lambda own, after: AppendCondition(EventQuery(**own), after=after), criteria, st.integers(0, 12)
)
versions = st.none() | st.dictionaries(_streams, st.integers(0, 4), max_size=2)


@dataclass
class Appending:
    """An append."""

    events: list[NewEvent]
    condition: AppendCondition | None
    versions: dict[str, int] | None


@dataclass
class Asking:
    """A query."""

    query: EventQuery


@dataclass
class Keeping:
    """A snapshot, kept and asked for."""

    stream: str
    version: int
    state: int


@dataclass
class Archiving:
    """Moving what happened before an instant to the archive; what is moved differs from backend to backend."""

    before: datetime


@dataclass
class Restoring:
    """Bringing one of the archives back, if there is any."""

    which: int


@dataclass
class Turning:
    """The end of a month, for stores that archive months."""


operations = st.lists(
    st.builds(Appending, st.lists(new_events, min_size=1, max_size=4), conditions, versions)
    | st.builds(Asking, queries)
    | st.builds(Keeping, _streams, st.integers(0, 4), st.integers())
    | st.builds(Archiving, _moments)
    | st.builds(Restoring, st.integers(0, 5))
    | st.builds(Turning),
    max_size=25,
)


def outcome(store: EventStore, operation: object, turn: Callable[[], None] = lambda: None) -> Any:
    """Return what an operation gives, or the code of the error that it raises; `turn` ends a month."""
    try:
        if isinstance(operation, Appending):
            return store.append_batch(
                operation.events, condition=operation.condition, expected_version=operation.versions
            )
        if isinstance(operation, Asking):
            return store.get_events(operation.query), store.count_events(operation.query)
        if isinstance(operation, Archiving):
            return _archived(store, operation.before)
        if isinstance(operation, Restoring):
            return _restored(store, operation.which)
        return _kept(store, operation) if isinstance(operation, Keeping) else turn()
    except EventStoreError as error:
        return error.code


def _archived(store: EventStore, before: datetime) -> None:
    known = sum(each.events for each in store.archives())
    expected = store.compact_events(before, dry_run=True)
    assert store.compact_events(before) == expected
    archives = store.archives()
    assert sum(each.events for each in archives) == known + expected
    for each in archives:
        assert each.events <= each.last - each.first + 1
        store.check_archive(each.name)


def _restored(store: EventStore, which: int) -> None:
    archives = store.archives()
    if archives:
        chosen = archives[which % len(archives)]
        behind = [each.events for each in archives if each.first >= chosen.first]
        assert store.restore_events(chosen.name) in (chosen.events, sum(behind))
        assert chosen.name not in [each.name for each in store.archives()]


def _kept(store: EventStore, operation: Keeping) -> object:
    kept = store.create_snapshot(operation.stream, operation.version, operation.state % 100)
    found = store.get_snapshot(operation.stream)
    return kept.position, found and (found.version, found.state)


def everything(store: EventStore) -> Any:
    """Return all that a store can be asked for without a query."""
    return (
        store.get_events(),
        store.head(),
        store.get_event_types(),
        store.get_tags(),
        store.get_event_files(),
        store.read_day("2026-01-12"),
    )
