"""Which lanes an event may name, and who is asked about those that are not known."""

from __future__ import annotations

from functools import partial

from events import row
from kitty_status.status import known_lanes
from kitty_status.status.lanes import ALL_LANES
from kitty_status.status.rows import problem_with


def test_the_lanes_of_the_shipped_profiles_are_known_and_no_others() -> None:
    assert known_lanes.known() == sorted(ALL_LANES)
    assert all(known_lanes.is_lane(lane) for lane in ALL_LANES)
    others: list[object] = ["doing", "", "Planned", None, 5, ["planned"], {}]
    assert not any(map(known_lanes.is_lane, others))


def test_a_lane_that_was_accepted_may_stand_in_an_event_and_others_may_not() -> None:
    event = row(from_lane="planned", to_lane="testing")
    problem = problem_with(event)
    assert problem is not None
    assert problem.startswith("to_lane must be one of the lanes approved, blocked")
    known_lanes.accept(["testing"])
    assert problem_with(event) is None
    assert problem_with({**event, "from_lane": "tested"}) is not None


def test_sources_are_asked_once_and_only_for_a_lane_that_is_not_known() -> None:
    asked: list[str] = []

    def source(name: str) -> list[str]:
        asked.append(name)
        return [f"{name}_lane"]

    known_lanes.ask_if_unknown("one", partial(source, "one"))
    known_lanes.ask_if_unknown("two", partial(source, "two"))
    known_lanes.ask_if_unknown("two", partial(source, "two"))
    assert known_lanes.is_lane("done")
    assert asked == []
    assert known_lanes.is_lane("two_lane")
    assert asked == ["two"]
    assert not known_lanes.is_lane("nowhere")
    assert not known_lanes.is_lane("nowhere")
    assert asked == ["two", "one"]
    assert known_lanes.is_lane("one_lane")
