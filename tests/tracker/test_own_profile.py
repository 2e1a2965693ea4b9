"""The library in a repository that keeps its work by lanes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, feature_in
from events import instant, line, row, ulid
from kanban import KANBAN
from kitty_status import (
    Lane,
    StatusEvent,
    StoreError,
    append_event,
    lane_profile,
    materialize,
    read_events,
    reduce,
)
from kitty_status.errors import ConfigurationError

if TYPE_CHECKING:
    from gitrepo import GitRepo

CONFIG = ".kittify/config.yaml"
READY = {"event_id": ulid(1), "at": instant(1), "from_lane": "backlog", "to_lane": "ready"}


@pytest.fixture
def own(repo: GitRepo) -> GitRepo:
    """A repository with a profile of its own, and a feature."""
    repo.write(CONFIG, KANBAN)
    feature_in(repo)
    return repo


def test_an_event_may_name_the_lanes_of_a_profile_that_was_asked_for(own: GitRepo) -> None:
    with pytest.raises(ValueError, match="from_lane must be one of the lanes"):
        StatusEvent.from_dict(row(**READY))
    profile = lane_profile(own.path / FOLDER)
    assert profile is not None
    event = StatusEvent.from_dict(row(**READY))
    assert (event.from_lane, event.to_lane) == ("backlog", "ready")
    assert event.to_dict()["to_lane"] == "ready"
    append_event(own.path / FOLDER, event)
    assert read_events(own.path / FOLDER) == [event]
    assert reduce([event], profile).summary["ready"] == 1
    assert materialize(own.path / FOLDER).profile is profile or materialize(own.path / FOLDER).profile.name == "kanban"


def test_reading_a_log_asks_for_the_lanes_by_itself(own: GitRepo) -> None:
    own.write(LOG, line(**READY))
    (event,) = read_events(own.path / FOLDER)
    assert event.to_lane == "ready"


def test_lanes_of_no_profile_are_refused_with_their_line(own: GitRepo) -> None:
    own.write(LOG, line(**READY) + line(**{**READY, "event_id": ulid(2), "to_lane": "testing"}))
    with pytest.raises(StoreError, match="Line 2: invalid event structure: to_lane must be one of"):
        read_events(own.path / FOLDER)


def test_a_mistake_in_the_profile_is_the_answer_where_a_lane_asks_for_it(own: GitRepo) -> None:
    own.write(LOG, line(**READY))
    own.write(CONFIG, KANBAN.replace("initial: backlog", "initial: begin"))
    with pytest.raises(ConfigurationError, match="initial: 'begin' is no lane"):
        read_events(own.path / FOLDER)


def test_where_nothing_is_pinned_there_is_no_profile(repo: GitRepo) -> None:
    feature_in(repo)
    assert lane_profile(repo.path / FOLDER) is None


def test_a_lane_that_ships_is_still_the_lane(own: GitRepo) -> None:
    lane_profile(own.path / FOLDER)
    event = StatusEvent.from_dict(row())
    assert event.to_lane is Lane.CLAIMED
    assert type(StatusEvent.from_dict(row(**READY)).to_lane) is str
