"""Reading and reducing a log: two readers and two reducers behind one door, which always agree."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from events import APPROVAL, line_of, row, their_row, ulid
from kitty_status.errors import StoreError, UnsafeLogError
from kitty_status.jsonl.damage import skipping, strictly
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.layout import EVENTS_FILENAME
from kitty_status.status.validation import Judge
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.log import read_log, reduce_log

if TYPE_CHECKING:
    from kitty_status.status.snapshot import Snapshot

SMALL, LARGE = 0, 2_000_000


def generated(seed: int, count: int, *, padding: int = 0) -> list[bytes]:
    """Return the lines of a log with repetitions, concurrent moves, odd spellings, foreign and blank lines."""
    chance = random.Random(seed)  # noqa: S311  a test's dice
    lines: list[bytes] = []
    lanes = SEVEN_LANE.lanes if seed % 2 else NINE_LANE.lanes
    for number in range(1, count):
        reason = chance.choice([None, "", "because"])
        clock = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
        content: dict[str, Any] = {
            "event_id": ulid(number if chance.random() > 0.02 else chance.randint(1, number)),
            "wp_id": f"WP{chance.randint(1, 4):02}",
            "from_lane": chance.choice(lanes),
            "to_lane": chance.choice(lanes),
            "at": f"2026-01-01T{clock}{chance.choice(['Z', '+00:00', '.5+00:00'])}",
            "actor": chance.choice(["ada", "Zoë", 'with "quotes"']),
            "force": chance.random() < 0.1,
            "reason": "x" * padding if padding else reason,
            "review_ref": chance.choice([None, "PR 7"]),
            "evidence": chance.choice([None, APPROVAL]),
        }
        if chance.random() < 0.3:
            content["parents"] = [ulid(chance.randint(1, number)) for _ in range(chance.randint(0, 2))]
        lines.append(line_of(row(**content) if seed % 2 else their_row(**content)))
        if chance.random() < 0.05:
            lines.append(chance.choice([b"\n", b'{"kind": "annotation", "note": 1}\n', lines[0]]))
    return lines


def outcome(path: Path, bytes_to_read: int) -> tuple[Snapshot, list[str], list[str]]:
    damage: list[str] = []
    judge = Judge(SEVEN_LANE, "001-feature")
    snapshot = reduce_log(
        FeatureLog(path.parent), None, skipping(path, damage.append), bytes_to_read=bytes_to_read, judge=judge
    )
    found = [f"{finding.code} {finding.event_id} {finding.message}" for finding in judge.found.values()]
    return snapshot, sorted(set(damage)), sorted(found)


@pytest.mark.parametrize("seed", range(20))
def test_the_fast_reader_and_the_plain_one_give_one_answer(tmp_path: Path, seed: int) -> None:
    path = tmp_path / EVENTS_FILENAME
    lines = generated(seed, 60)
    if seed % 3 == 0:
        lines[10:10] = [b"oops\n", b'{"a": 1, "a": 2}\n', b"{}\n", lines[0].replace(b"\n", b"\r\n"), b"\xff\n"]
    path.write_bytes(b"".join(lines) + (b'{"torn": ' if seed % 4 == 0 else b""))
    assert outcome(path, SMALL) == outcome(path, LARGE)
    assert outcome(path, SMALL)[0].event_count > 30


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_log_over_the_threshold_is_reduced_like_a_small_one(tmp_path: Path, *, shuffled: bool) -> None:
    small, large = (tmp_path / name / EVENTS_FILENAME for name in ("small", "large"))
    for path in (small, large):
        path.parent.mkdir()
    short, long = generated(7, 300), generated(7, 300, padding=6000)
    if shuffled:
        short, long = short[100:] + short[:100], long[100:] + long[:100]
    small.write_bytes(b"".join(short))
    large.write_bytes(b"".join(long))
    assert small.stat().st_size < 1_500_000 < large.stat().st_size
    states = [outcome(path, path.stat().st_size)[0].work_packages for path in (small, large)]
    assert states[0] == states[1]
    assert len(states[0]) == 4


def test_a_large_log_in_order_is_folded_to_the_same(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_FILENAME
    rows = [
        row(event_id=ulid(number), wp_id=f"WP{number % 9}", at=f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z")
        for number in range(1, 3000)
    ]
    path.write_bytes(b"".join(line_of({**content, "reason": "x" * 400}) for content in rows))
    assert path.stat().st_size > 1_500_000
    folded = reduce_log(FeatureLog(path.parent), None, strictly(path))
    path.write_bytes(b"".join(line_of({**content, "reason": "x" * 400}) for content in reversed(rows)))
    assert reduce_log(FeatureLog(path.parent), None, strictly(path)) == folded
    assert folded.event_count == 2999


def test_the_strict_policy_raises_at_the_first_damaged_line_of_either_reader(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_FILENAME
    path.write_bytes(line_of(row(event_id=ulid(1))) + b"\n{\n" + b"oops\n")
    for size in (SMALL, LARGE):
        with pytest.raises(StoreError, match=r"^Line 3: invalid JSON: {: ") as caught:
            list(read_log(FeatureLog(path.parent), strictly(path), bytes_to_read=size))
        assert caught.value.context["line"] == 3
        assert f"kitty-status validate {path}" in caught.value.hint


def test_the_skipping_policy_has_one_sentence_for_each_damaged_line(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_FILENAME
    good = line_of(row(event_id=ulid(1)))
    path.write_bytes(b"oops\n" + good + b"{}\n" + json.dumps(row(to_lane="x")).encode() + b"\n" + b'{"torn')
    for size in (SMALL, LARGE):
        warnings: list[str] = []
        events = list(read_log(FeatureLog(path.parent), skipping(path, warnings.append), bytes_to_read=size))
        assert [event.event_id for event in events] == [ulid(1)]
        assert [warning.split(": ")[:2] for warning in warnings] == [
            [f"{path}:1", "invalid JSON"],
            [f"{path}:3", "invalid event structure"],
            [f"{path}:4", "invalid event structure"],
        ]


def test_a_last_line_that_no_line_could_begin_with_is_damage_and_one_that_could_is_not(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_FILENAME
    path.write_bytes(b'{"event_id": "01')
    assert list(read_log(FeatureLog(path.parent), strictly(path))) == []
    path.write_bytes(b"not json")
    with pytest.raises(StoreError):
        list(read_log(FeatureLog(path.parent), strictly(path)))


def test_where_there_is_no_log_there_are_no_events(tmp_path: Path) -> None:
    log = FeatureLog(tmp_path)
    assert list(read_log(log, log.strictly())) == []
    assert (log.exists(), log.size(), log.read(), log.layout) == (False, 0, None, None)
    assert reduce_log(log, None, log.strictly()).event_count == 0


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / EVENTS_FILENAME).symlink_to(tmp_path / "log")
    (tmp_path / "other" / EVENTS_FILENAME).mkdir(parents=True)
    for log in (FeatureLog(tmp_path / "one"), FeatureLog(tmp_path / "other")):
        with pytest.raises(UnsafeLogError):
            list(read_log(log, log.strictly()))
