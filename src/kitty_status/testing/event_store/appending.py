"""Promises about appending: numbered, whole, idempotent, guarded, checked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from kitty_status.eventstore.condition import NO_STREAM, AppendCondition
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.event import MAX_ID_LENGTH, NewEvent
from kitty_status.eventstore.query import EventQuery
from kitty_status.testing.event_store.base import MOMENT, StoreCase, event, events, positions, refused

if TYPE_CHECKING:
    from pathlib import Path

ROUND_TRIPS: list[Any] = [
    {},
    [],
    None,
    "",
    "text",
    0,
    -1,
    1.0,
    1.5e-300,
    1e16,
    [1e300, {"a": -1.7976931348623157e308}, -0.0, 5e-324, 0.1],
    "1e16 and -0.0 are numbers elsewhere",
    2**63 - 1,
    -(2**63),
    True,
    False,
    {"a": [1, {"b": None}], "ü": '\u2028\U0001f600 \\u0000 " \\ /'},
    {"z": 1, "a": 2},
    {"tab\t": "line\n\r", "back\\": "\\N", "1e9": "\\."},
    {"": ""},
    "a" * 100_000,
]
"""Data that every backend gives back as it was."""


class Kind(str, Enum):  # noqa: UP042  whose text, as opposed to a StrEnum's, is not its value
    """The type of an event, as many programs write it."""

    OPENED = "Opened"


class Title(BaseModel):
    """The data of a `Titled` event."""

    title: str
    pages: int = 1


class AppendingPromises(StoreCase):
    """What is promised about `append` and `append_batch`."""

    def test_positions_begin_with_one_and_have_no_gap(self, tmp_path: Path) -> None:
        """Position 1 is the first."""
        with self.opened(tmp_path) as store:
            assert store.head() == 0
            assert store.append(event()).position == 1
            assert positions(store.append_batch(events(3))) == [2, 3, 4]
            assert store.head() == 4

    def test_versions_count_in_each_stream_from_one(self, tmp_path: Path) -> None:
        """The versions of one stream know nothing of another one's."""
        with self.opened(tmp_path) as store:
            batch = [event(stream=stream) for stream in ("a", "b", "a", "a", "b")]
            assert [each.version for each in store.append_batch(batch)] == [1, 1, 2, 3, 2]
            assert store.append(event(stream="b")).version == 3

    def test_what_is_appended_is_what_is_read(self, tmp_path: Path) -> None:
        """The returned event is the stored one, field for field."""
        given = event(
            id="an id of one's own/7",
            stream="task-AUTH-001",
            tags={"issueId": "7", "labels": ["a", "b"]},
            metadata={"user_id": "ann", "causation_id": None, "n": 1},
        )
        with self.opened(tmp_path) as store:
            stored = store.append(given)
            assert store.get_event("an id of one's own/7") == stored
            assert (stored.id, stored.type, stored.stream, stored.data) == (
                given.id,
                "Counted",
                given.stream,
                given.data,
            )
            assert (stored.tags, stored.metadata, stored.at) == (given.tags, given.metadata, given.at)

    def test_every_json_value_comes_back_as_it_was(self, tmp_path: Path) -> None:
        """Types, too: 1.0 stays a float."""
        with self.opened(tmp_path) as store:
            stored = store.append_batch([event(data=value) for value in ROUND_TRIPS])
            for given, returned, read in zip(ROUND_TRIPS, stored, store.get_events(), strict=True):
                assert returned.data == read.data == given
                assert repr(read.data) == repr(given) or isinstance(given, dict)
            nested = store.append(event(data={"a": (1, (2.0, True))}))
            assert nested.data == {"a": [1, [2.0, True]]}

    def test_times_are_kept_in_utc_to_the_microsecond(self, tmp_path: Path) -> None:
        """Whatever zone they were given in."""
        moment = datetime(2026, 3, 4, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=-5)))
        with self.opened(tmp_path) as store:
            for at in (moment, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
                stored = store.append(event(at=at))
                found = store.get_event(stored.id)
                assert found is not None
                assert found.at == stored.at == at
                assert found.at.utcoffset() == timedelta(0)

    def test_an_event_that_states_no_time_happens_now(self, tmp_path: Path) -> None:
        """And one that has no id gets one."""
        before = datetime.now(UTC)
        with self.opened(tmp_path) as store:
            first, second = store.append_batch([NewEvent(type="Began"), NewEvent(type="Began")])
            assert before <= first.at <= datetime.now(UTC)
            assert first.id != second.id
            assert first.data == {}

    def test_an_empty_batch_does_nothing(self, tmp_path: Path) -> None:
        """No event, no error."""
        with self.opened(tmp_path) as store:
            assert store.append_batch([]) == []
            assert store.head() == 0

    def test_the_same_event_again_gets_the_place_it_has(self, tmp_path: Path) -> None:
        """However often, alone or among new ones, also twice in one batch."""
        with self.opened(tmp_path) as store:
            one, two = event(id="one"), event(2, id="two", data={"b": 1, "a": {"d": 1, "c": 2}})
            stored = store.append_batch([one, two])
            assert store.append_batch([one, two]) == stored
            assert store.append(event(2, id="two", data={"a": {"c": 2, "d": 1}, "b": 1})) == stored[1]
            mixed = store.append_batch([two, event(3, id="three"), event(3, id="three")])
            assert positions(mixed) == [2, 3, 3]
            assert store.head() == 3

    def test_a_repetition_that_states_no_time_is_the_same_event(self, tmp_path: Path) -> None:
        """The time was minted by the first append."""
        with self.opened(tmp_path) as store:
            stored = store.append(NewEvent(type="Began", id="one"))
            assert store.append(NewEvent(type="Began", id="one")) == stored

    def test_an_id_that_stands_for_another_event_is_refused(self, tmp_path: Path) -> None:
        """The error names both, and of the batch nothing is stored."""
        with self.opened(tmp_path) as store:
            store.append(event(id="one"))
            for other in ({"data": 2}, {"type": "Else"}, {"stream": "else"}, {"tags": {"a": "b"}}, {"at": MOMENT}):
                with refused(StoreCode.DUPLICATE_EVENT, "one", next(iter(other)), "position 1"):
                    store.append_batch([event(2), event(**({"id": "one"} | other))])
            with refused(StoreCode.DUPLICATE_EVENT, "two"):
                store.append_batch([event(id="two"), event(id="two", data=2)])
            assert store.head() == 1

    def test_an_expected_version_that_does_not_hold_is_a_conflict(self, tmp_path: Path) -> None:
        """A number, none, any; one for the batch or one for each stream."""
        with self.opened(tmp_path) as store:
            store.append(event(stream="a"), expected_version=NO_STREAM)
            store.append(event(stream="a"), expected_version=1)
            for wrong in (NO_STREAM, 1, 3):
                with refused(StoreCode.CONFLICT, "a", str(wrong), "2"):
                    store.append_batch([event(stream="a"), event(stream="a")], expected_version=wrong)
            store.append(event(stream="a"))
            both = [event(stream="a"), event(stream="b")]
            with refused(StoreCode.CONFLICT, "b"):
                store.append_batch(both, expected_version={"a": 3, "b": 1})
            with refused(StoreCode.CONFLICT, "c"):
                store.append_batch(both, expected_version={"a": 3, "c": 1})
            assert len(store.append_batch(both, expected_version={"a": 3, "b": NO_STREAM})) == 2
            with refused(StoreCode.VALIDATION_FAILED, "2 streams"):
                store.append_batch(both, expected_version=4)
            with refused(StoreCode.VALIDATION_FAILED):
                store.append(event(), expected_version=-1)
            for name in ("a\ud800", 7):
                with refused(StoreCode.VALIDATION_FAILED, "stream"):
                    store.append(event(), expected_version={name: 0})  # type: ignore[dict-item]
            assert store.head() == 5

    def test_an_event_may_say_which_version_it_must_get(self, tmp_path: Path) -> None:
        """As a writer says that counts the versions itself."""
        with self.opened(tmp_path) as store:
            assert store.append_batch([event(stream="a", version=1), event(stream="a", version=2)])[1].version == 2
            for wrong in (2, 4):
                with refused(StoreCode.CONFLICT, "a"):
                    store.append(event(stream="a", version=wrong))
            assert store.head() == 2

    def test_an_append_whose_condition_is_met_by_an_event_is_a_conflict(self, tmp_path: Path) -> None:
        """Only events behind the position count."""
        seat = EventQuery(types="SeatTaken", tags={"seat": "7"})
        taken = event(type="SeatTaken", tags={"seat": "7"})
        with self.opened(tmp_path) as store:
            store.append(event(type="SeatTaken", tags={"seat": "8"}), condition=AppendCondition(seat))
            store.append(taken, condition=AppendCondition(seat))
            for condition in (AppendCondition(seat), AppendCondition(seat, after=1), AppendCondition(EventQuery())):
                with refused(StoreCode.CONFLICT, "position"):
                    store.append(taken, condition=condition)
            assert store.append(taken, condition=AppendCondition(seat, after=2)).position == 3
            assert store.append(event(), condition=AppendCondition(EventQuery(types="Other"))).position == 4

    def test_a_condition_that_no_event_can_meet_never_stops_an_append(self, tmp_path: Path) -> None:
        """Nothing lies before the first position."""
        with self.opened(tmp_path) as store:
            store.append(event())
            assert store.append(event(), condition=AppendCondition(EventQuery(before=0))).position == 2

    def test_a_repeated_append_meets_its_own_condition(self, tmp_path: Path) -> None:
        """What it guards against has not happened: it was this very append."""
        condition = AppendCondition(EventQuery(tags={"name": "ann"}))
        batch = [event(id="one", tags={"name": "ann"}), event(2, id="two")]
        with self.opened(tmp_path) as store:
            stored = store.append_batch(batch, condition=condition, expected_version=NO_STREAM)
            assert store.append_batch(batch, condition=condition, expected_version=NO_STREAM) == stored
            with refused(StoreCode.CONFLICT):
                store.append_batch([*batch, event(3)], condition=condition)
            assert store.head() == 2

    def test_an_event_that_no_backend_could_keep_is_refused(self, tmp_path: Path) -> None:
        """Before anything is stored, with the field."""
        deep: Any = 1
        for _ in range(40):
            deep = [deep]
        bad: dict[str, list[Any]] = {
            "id": ["", "x" * (MAX_ID_LENGTH + 1), "a\nb", " a", 7],
            "type": ["", "x" * 256, "a\0b", "\ud800", None],
            "stream": ["", "a\tb", 7],
            "data": [
                float("nan"),
                float("inf"),
                {1: 2},
                {"a": {1}},
                "a\0b",
                "\udfff",
                2**63,
                -(2**63) - 1,
                deep,
                MOMENT,
            ],
            "tags": [{"a": 1}, {"a": []}, {"": "b"}, {"a": "b\n"}, {"a": ["b", "b"]}, [("a", "b")], {"a": ""}],
            "metadata": [[], {"a": float("nan")}, "text", {"a\0": 1}],
            "at": [datetime(2026, 1, 1), "2026-01-01T00:00:00Z"],  # noqa: DTZ001  it has no zone
            "version": [0, -1, True, "1"],
        }
        with self.opened(tmp_path) as store:
            for field, values in bad.items():
                for value in values:
                    with refused(StoreCode.VALIDATION_FAILED, field):
                        store.append_batch([event(), event(**{field: value})])
            assert store.head() == 0

    def test_data_is_checked_by_the_model_of_its_type(self, tmp_path: Path) -> None:
        """What is stored is what was given."""
        with self.opened(tmp_path) as store:
            store.payloads.register("Titled", Title)
            stored = store.append(event(type="Titled", data={"title": "One", "more": 1}))
            assert stored.data == {"title": "One", "more": 1}
            with refused(StoreCode.VALIDATION_FAILED, "Titled", "data.title", "data.pages"):
                store.append_batch([event(), event(type="Titled", data={"pages": "many"})])
            assert store.head() == 1

    def test_a_name_may_be_a_member_of_an_enumeration(self, tmp_path: Path) -> None:
        """It is stored, and looked for, as the text that it is."""
        with self.opened(tmp_path) as store:
            stored = store.append(event(type=Kind.OPENED, stream=Kind.OPENED, tags={"kind": Kind.OPENED}))
            query = EventQuery(types=Kind.OPENED, streams=[Kind.OPENED], tags={"kind": Kind.OPENED})
            assert store.get_events(query) == [stored] == store.get_events("Opened")
            assert type(stored.type) is str
            assert store.get_event_types() == ["Opened"]

    def test_an_event_of_another_store_keeps_its_id_and_its_time(self, tmp_path: Path) -> None:
        """So events can be copied, as often as one likes."""
        with self.opened(tmp_path / "a") as one, self.opened(tmp_path / "b") as other:
            other.append(event())
            original = one.append(event(7, tags={"a": "b"}))
            copy = other.append(original)
            assert other.append(original) == copy
            assert (copy.id, copy.at, copy.data, copy.tags) == (original.id, original.at, original.data, original.tags)
            assert (copy.position, copy.version) == (2, 2)
