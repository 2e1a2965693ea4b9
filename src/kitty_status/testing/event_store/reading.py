"""Promises about reading: every part of a query, on its own and together, against what plain Python says."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

from kitty_status.eventstore.answering import answer
from kitty_status.eventstore.condition import AppendCondition
from kitty_status.eventstore.cursor import written_cursor
from kitty_status.eventstore.errors import StoreCode
from kitty_status.eventstore.query import EVERYTHING, EventQuery
from kitty_status.testing.event_store.base import MOMENT, StoreCase, event, events, numbers, positions, refused

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.eventstore.event import NewEvent
    from kitty_status.eventstore.protocol import EventStore

FILTERS: list[dict[str, Any]] = [
    {},
    {"types": "B"},
    {"types": ["A", "C"]},
    {"streams": ["s1", "s2"]},
    {"ids": ["e3", "e7", "nobody"]},
    {"tags": {"kind": "odd"}},
    {"tags": {"kind": "odd", "third": "yes"}},
    {"tags": {"label": ["l0", "l1"]}},
    {"tags": {"kind": "nothing"}},
    {"types": "A", "streams": "s1", "tags": {"kind": "even"}},
    {"issue_ids": ["0", "2"]},
    {"pr_ids": "1", "user_ids": "ann"},
    {"providers": "github", "platforms": ["linux", "mac"]},
    {"any_of": (EventQuery(types="A", tags={"kind": "odd"}), EventQuery(ids="e4"))},
    {"types": "C", "any_of": (EventQuery(streams="s0"),)},
    {"start": MOMENT + timedelta(minutes=5), "end": "2026-01-10T10:15:00+01:00"},
    {"after": 4, "before": 11},
    {"streams": "s1", "after_version": 2},
    {"after": 100},
    {"before": 0},
]
"""What a query may ask for, over the events of `varied`."""


def varied() -> list[NewEvent]:
    """Return twenty events of three types and streams with tags of all kinds, not in the order of their times."""
    found = []
    for number in range(20):
        tags: dict[str, Any] = {"kind": "odd" if number % 2 else "even", "label": [f"l{number % 3}", f"l{number % 2}x"]}
        tags["label"] = ["l0", "l1"] if number % 5 == 0 else tags["label"]
        tags |= {"third": "yes"} if number % 3 == 0 else {}
        tags |= {"issueId": str(number % 4), "prId": str(number % 2), "userId": "ann" if number % 3 else "bob"}
        tags |= {"provider": "github", "platform": ("linux", "mac", "windows")[number % 3]}
        at = MOMENT + timedelta(minutes=number * 7 % 20)
        found.append(event(number, id=f"e{number}", type="ABC"[number % 3], stream=f"s{number % 4}", tags=tags, at=at))
    return found


class ReadingPromises(StoreCase):
    """What is promised about queries."""

    def test_every_filter_finds_what_it_says_in_every_order(self, tmp_path: Path) -> None:
        """Compared with an answer that is computed from all events, one by one."""
        with self.opened(tmp_path) as store:
            everything = store.append_batch(varied())
            for filters, order, direction in product(FILTERS, ("position", "timestamp", "type"), ("asc", "desc")):
                query = EventQuery(**filters, order_by=order, direction=direction)
                expected = list(answer(query, everything, newest_first=everything[::-1]))
                assert store.get_events(query) == expected, query
                assert list(store.stream_events(query)) == expected, query
                assert store.count_events(query) == len(expected), query

    def test_limit_and_offset_cut_the_answer(self, tmp_path: Path) -> None:
        """In both directions, also beyond the end."""
        with self.opened(tmp_path) as store:
            store.append_batch(varied())
            everything = {way: store.get_events(EventQuery(direction=way)) for way in ("asc", "desc")}
            for way, limit, offset in product(everything, (None, 0, 1, 7, 100), (0, 1, 19, 20, 100)):
                query = EventQuery(direction=way, limit=limit, offset=offset)
                end = None if limit is None else offset + limit
                assert store.get_events(query) == everything[way][offset:end]
                assert store.count_events(query) == len(everything[way][offset:end])

    def test_an_answer_of_many_thousands_of_events_is_whole(self, tmp_path: Path) -> None:
        """In every order, with and without a filter, in full and cut: a backend reads such an answer piece by piece."""
        parts: list[dict[str, Any]] = [
            {},
            {"types": "B"},
            {"offset": 700},
            {"limit": 4500, "offset": 3},
            {"after": 450},
        ]
        with self.opened(tmp_path) as store:
            everything = store.append_batch(
                [
                    event(number, type="AB"[number % 2], at=MOMENT + timedelta(minutes=number * 7 % 5001))
                    for number in range(5001)
                ]
            )
            orders = [(more, "position") for more in parts] + [({}, "timestamp"), (parts[1], "type")]
            for (more, order), way in product(orders, ("asc", "desc")):
                query = EventQuery(**more, order_by=order, direction=way)
                expected = list(answer(query, everything, newest_first=everything[::-1]))
                assert store.get_events(query) == expected, query

    def test_a_cursor_goes_on_behind_the_last_event_of_a_page(self, tmp_path: Path) -> None:
        """Page by page, in every order, each event comes once, whatever is appended meanwhile."""
        for order, way in product(("position", "timestamp", "type"), ("asc", "desc")):
            with self.opened(tmp_path / f"{order}-{way}") as store:
                expected = store.append_batch(varied())
                query = EventQuery(order_by=order, direction=way, limit=6, before=len(expected) + 1)
                pages = []
                page, cursor = store.get_page(query)
                while cursor is not None:
                    pages.append(page)
                    store.append(event(type="ABC"[len(pages) % 3]))
                    page, cursor = store.get_page(query.narrowed(cursor=cursor))
                found = [each for page in [*pages, page] for each in page]
                assert found == store.get_events(query.narrowed(limit=None))
                assert len(found) == len(expected)

    def test_a_cursor_and_a_position_hold_both(self, tmp_path: Path) -> None:
        """The answer begins behind whichever lies further on."""
        with self.opened(tmp_path) as store:
            stored = store.append_batch(events(6))
            for after, behind in ((3, 1), (1, 3)):
                query = EventQuery(after=after, limit=2)
                found = store.get_events(query.narrowed(cursor=query.cursor_of(stored[behind - 1])))
                assert positions(found) == [4, 5], (after, behind)

    def test_a_query_that_makes_no_sense_is_refused(self, tmp_path: Path) -> None:
        """When it is made, or when it meets a cursor of another order."""
        bad: list[dict[str, Any]] = [
            {"limit": -1},
            {"offset": -1},
            {"after": None},
            {"offset": None},
            {"after_version": None},
            {"types": None},
            {"order_by": None},
            {"any_of": EventQuery()},
            {"after": "1"},
            {"order_by": "size"},
            {"direction": "up"},
            {"start": "yesterday"},
            {"end": "2026-01-10T09:00:00"},
            {"types": [""]},
            {"ids": 7},
            {"tags": {"a": 1}},
            {"cursor": "nonsense"},
            {"any_of": (EventQuery(limit=1),)},
            {"any_of": ("A",)},
            {"after": 2**63},
            {"limit": 2**64},
            {"offset": 2**63},
            {"start": 7},
            {"start": MOMENT.date()},
            {"start": "0001-01-01T00:00:00+14:00"},
            {"tags": [("a", "b")]},
            {"types": "\ud800"},
            {"ids": ["a\0"]},
            {"cursor": written_cursor("position", 2**70, 2**70)},
            {"cursor": written_cursor("type", "a\0", 1), "order_by": "type"},
        ]
        for fields in bad:
            with refused(StoreCode.QUERY_ERROR):
                EventQuery(**fields)
        with self.opened(tmp_path) as store:
            store.append_batch(events(3))
            _, cursor = store.get_page(EventQuery(limit=1))
            with refused(StoreCode.QUERY_ERROR, "position", "type"):
                store.get_events(EventQuery(order_by="type", cursor=cursor))
            with refused(StoreCode.QUERY_ERROR, "character"):
                store.get_event("\ud800")
            with refused(StoreCode.QUERY_ERROR):
                AppendCondition(EventQuery(), after=2**63)

    def test_a_query_may_name_as_much_as_it_likes(self, tmp_path: Path) -> None:
        """Thousands of words, of alternatives and of tags at once, and words that mean something elsewhere."""
        many = [str(number) for number in range(2000)]
        odd = ["%", "_", "' OR 1=1 --", 'a"; DROP TABLE events; --', "x" * 1_000_000, "*", "\\", "$1", "?", "{}", "%s"]
        with self.opened(tmp_path) as store:
            store.append_batch([event(1, tags={"issueId": "7", "prId": "7"}), event(2, id="7", type="%", stream="'")])
            for number, query in (
                (2, EventQuery(ids=many)),
                (1, EventQuery(issue_ids=many, pr_ids=many)),
                (1, EventQuery(any_of=tuple(EventQuery(types="Counted", tags={"issueId": each}) for each in many))),
                (2, EventQuery(types=odd, streams=["'", *odd])),
            ):
                assert numbers(store.get_events(query)) == [number]
                assert store.count_events(query) == 1
                assert numbers(store.get_events(query.narrowed(order_by="type", direction="desc"))) == [number]
            assert store.get_events(EventQuery(tags=dict.fromkeys(many, "v"))) == []
            assert store.get_events(EventQuery(start="2027-01-01T00:00:00Z", end="2026-01-01T00:00:00Z")) == []

    def test_what_was_handed_out_can_be_changed_without_harm(self, tmp_path: Path) -> None:
        """Nor does what was given to an append belong to the store."""
        data, tags = {"number": 1, "list": [1]}, {"a": ["b"]}
        with self.opened(tmp_path) as store:
            stored = store.append(event(data=data, tags=tags))
            data["list"] = tags["a"] = []
            stored.data["number"] = 2
            stored.tags["a"] = "c"
            found = store.get_event(stored.id)
            assert found is not None
            found.data["list"].append(2)
            again = store.get_event(stored.id)
            assert again is not None
            assert again.data == {"number": 1, "list": [1]}
            assert again.tags == {"a": ["b"]}

    def test_an_empty_store_answers_every_question(self, tmp_path: Path) -> None:
        """With nothing, not with an error."""
        with self.opened(tmp_path) as store:
            assert store.get_events() == []
            assert store.get_event("nobody") is None
            assert store.get_event("") is None
            assert store.count_events() == 0
            assert store.get_event_types() == []
            assert store.get_tags() == {}
            assert store.get_event_files() == []
            assert store.get_events("nowhere") == []
            assert store.read_day("2026-01-10") == []

    def test_the_named_questions_have_the_answers_of_their_queries(self, tmp_path: Path) -> None:
        """By stream, version, type, issue, time."""
        with self.opened(tmp_path) as store:
            store.append_batch(varied())
            assert numbers(store.get_events("s1")) == [1, 5, 9, 13, 17]
            assert numbers(store.get_events("s1", 3)) == [13, 17]
            assert numbers(store.get_events("s1", from_version=5)) == []
            assert numbers(store.get_events_by_issue_id("3")) == [3, 7, 11, 15, 19]
            since = MOMENT + timedelta(minutes=15)
            assert numbers(store.get_events_by_type("A", since)) == [
                each.data["number"] for each in store.get_events(EventQuery(types="A")) if each.at >= since
            ]
            found = store.get_events_by_time_range(MOMENT + timedelta(minutes=2), MOMENT + timedelta(minutes=5))
            assert [each.at - MOMENT for each in found] == [timedelta(minutes=minutes) for minutes in (2, 3, 4)]
            assert store.get_event_types() == ["A", "B", "C"]
            assert store.get_tags()["platform"] == ["linux", "mac", "windows"]
            assert store.get_tags()["label"] == ["l0", "l0x", "l1", "l1x", "l2"]

    def test_days_are_those_on_which_events_happened_in_utc(self, tmp_path: Path) -> None:
        """The first and the last microsecond belong to them."""
        midnight = MOMENT.replace(hour=0)
        moments = [midnight - timedelta(microseconds=1), midnight, midnight + timedelta(days=1), midnight]
        with self.opened(tmp_path) as store:
            store.append_batch([event(number, at=at) for number, at in enumerate(moments)])
            assert numbers(store.read_day("2026-01-10")) == [1, 3]
            assert numbers(store.read_day(midnight.date())) == [1, 3]
            assert numbers(store.read_range("2026-01-09", "2026-01-10")) == [0, 1, 3]
            assert numbers(store.read_range("2026-01-11", "9999-12-31")) == [2]
            assert store.get_event_files() == ["2026-01-09", "2026-01-10", "2026-01-11"]
            odd: Any = None
            for bad in ("2026-1-1", "2026-02-30", "2026-W02-6", "\u0662026-01-10", "today", MOMENT, odd):
                with refused(StoreCode.QUERY_ERROR, "day"):
                    store.read_day(bad)

    def test_a_stream_is_of_the_moment_in_which_its_first_event_was_asked_for(self, tmp_path: Path) -> None:
        """What comes meanwhile does not lengthen it, and what came before does."""
        with self.opened(tmp_path) as store:
            store.append_batch(events(9))
            for number, order in enumerate(("position", "timestamp", "type")):
                stream = store.stream_events(EventQuery(order_by=order))
                store.append(event(20))
                seen = [next(stream)]
                store.append(event(20))
                seen += stream
                assert positions(seen) == list(range(1, 11 + 2 * number)), order
            assert store.count_events(EVERYTHING) == 15

    def test_a_store_that_is_opened_again_has_everything(self, tmp_path: Path) -> None:
        """And goes on where it was."""
        store: EventStore = self.open_store(tmp_path)
        stored = store.append_batch(varied())
        store.close()
        store.close()
        if not self.persists:
            return
        with self.opened(tmp_path) as again:
            assert again.get_events() == stored
            assert again.append(event(stream="s1")).position == len(stored) + 1
            assert again.append(varied()[3]) == stored[3]
