"""What a process remembers of logs: never anything but what reading the whole log would say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import SEEDS, histories, instant, line, line_of, their_row, ulid
from folds import whole
from kitty_status.errors import StoreError
from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.damage import strictly
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE, LaneProfile
from kitty_status.status.record import events_of
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.tracker import recent
from kitty_status.tracker.recent import understand

LOG = "kitty-specs/001-feature/status.events.jsonl"
ONE = line(event_id=ulid(1), at=instant(1))
TWO = line(event_id=ulid(2), at=instant(2), wp_id="WP02")


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    recent._lately.clear()
    yield
    recent._lately.clear()


def agrees(data: bytes, profile: LaneProfile | None = None, log: str = LOG) -> None:
    """Hold what is remembered to what the whole log says."""
    events, snapshot = understand(log, data, profile, strictly(Path(LOG)))
    anew = unique_events(events_of(data.splitlines(keepends=True), decode, strictly(Path(LOG))))
    assert [event.line for event in events] == [event.line for event in anew]
    assert whole(snapshot) == whole(reduce_events(anew, profile))


@settings(max_examples=400)
@given(histories(), histories(), SEEDS, st.sampled_from([None, NINE_LANE]))
def test_a_log_that_grows_in_any_steps_or_is_another_one_says_what_it_says_read_anew(
    rows: list[dict[str, Any]], others: list[dict[str, Any]], seed: int, profile: LaneProfile | None
) -> None:
    recent._lately.clear()
    lines, other = [line_of(row) for row in rows], b"".join(line_of(row) for row in others)
    data, step = b"", seed % 4 + 1
    for start in range(0, len(lines), step):
        data += b"".join(lines[start : start + step])
        agrees(data, profile)
        if seed >> start & 1:
            agrees(other, profile)
    # An id that stands twice, with the same content and with another.
    agrees(data + b"".join(lines[:1]), profile)
    agrees(data + other + data, profile)
    agrees(data)


def test_what_was_remembered_by_one_profile_is_not_given_for_another() -> None:
    for profile in (None, NINE_LANE, SEVEN_LANE, None):
        agrees(ONE, profile)
        agrees(ONE + TWO, profile)


def test_an_event_that_shows_another_profile_changes_the_whole_snapshot() -> None:
    agrees(ONE)
    agrees(ONE + line_of(their_row(event_id=ulid(2), at=instant(2), wp_id="WP02")))


def test_damage_behind_what_is_known_is_reported_where_it_stands() -> None:
    agrees(ONE + TWO)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"^Line 3: invalid JSON: oops"):
            understand(LOG, ONE + TWO + b"oops\n" + ONE, None, strictly(Path(LOG)))
    agrees(ONE + TWO)


def test_a_line_that_is_still_being_written_is_not_remembered() -> None:
    torn = ONE + TWO[:20]
    for _ in range(2):
        events, _ = understand(LOG, torn, None, strictly(Path(LOG)))
        assert [event.event_id for event in events] == [ulid(1)]
    agrees(ONE + TWO)


def test_damage_that_is_passed_over_is_passed_over_every_time() -> None:
    heard: list[int] = []
    for _ in range(2):
        understand(LOG, ONE + b"oops\n" + TWO, None, lambda number, *_: heard.append(number))
    assert heard == [2, 2]


def test_so_many_logs_are_remembered_and_large_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2 * recent._MOST_LOGS):
        agrees(ONE, log=f"{number}/{LOG}")
        agrees(ONE + TWO, log=f"{number}/{LOG}")
    assert 0 < len(recent._lately) <= recent._MOST_LOGS
    recent._lately.clear()
    monkeypatch.setattr(recent, "_MOST_BYTES", len(ONE))
    agrees(ONE + TWO)
    recent.remember(LOG, ONE + TWO, [], reduce_events([]), None)
    assert not recent._lately
