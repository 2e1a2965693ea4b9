"""Real logs: they read strictly, they give what their own tool committed, and merging keeps their every byte."""

from __future__ import annotations

import json
import sys
from random import Random
from typing import TYPE_CHECKING

import pytest

import corpus
from events import records_in, shuffled
from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.damage import strictly
from kitty_status.status.fast import fast_batches
from kitty_status.status.lanes import NINE_LANE
from kitty_status.status.merging import merge_logs, merge_tails, split_lines
from kitty_status.status.reducer import reduce_events
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.log import reduce_log

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = corpus.needs_corpus

FIELDS = ("lane", "actor", "last_transition_at", "last_event_id", "force_count")
# Written by hand once and removed from the log since; "uninitialized", and no event ever moved them.
PHANTOMS = {("rc3-lane-allocation-single-seam-01M0GGX8", f"WP{number}") for number in range(1, 6)}
# Two moves that left one lane for two others, without anything that settled it afterwards.
CONFLICTS = {
    ("feature-alias-removal-01KW0N87", "WP06"): "newest",
    ("single-authority-resolution-gates-01KW1P0F", "WP08"): "newest",
}


_LOGS: list[Path | None] = [*corpus.logs()] or [None]


@pytest.fixture(params=_LOGS, ids=lambda path: path.parent.name if path else "none")
def log(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_real_log_is_there() -> None:
    assert len(corpus.logs()) == 67
    assert sum(path.with_name("status.json").exists() for path in corpus.logs()) == 66
    assert sum(path.stat().st_size == 0 for path in corpus.logs()) == 1


def test_a_real_log_reads_strictly_and_gives_what_was_committed(log: Path) -> None:
    snapshot = reduce_log(FeatureLog(log.parent), None, strictly(log))
    committed_at = log.with_name("status.json")
    slug = log.parent.name
    conflicts = {
        (slug, wp_id): state["conflict"]["rule"]
        for wp_id, state in snapshot.work_packages.items()
        if "conflict" in state
    }
    assert conflicts == {place: rule for place, rule in CONFLICTS.items() if place[0] == slug}
    if not committed_at.exists():
        assert slug == "rc3-wp-terminal-state-01M0GGWV"
        return
    committed = json.loads(committed_at.read_bytes())
    assert snapshot.event_count == committed["event_count"]
    assert {(slug, wp_id) for wp_id in committed["work_packages"].keys() ^ snapshot.work_packages.keys()} == {
        place for place in PHANTOMS if place[0] == slug
    }
    for wp_id, state in snapshot.work_packages.items():
        theirs = committed["work_packages"][wp_id]
        assert {field: state[field] for field in FIELDS} == {field: theirs[field] for field in FIELDS}


def test_the_phantoms_have_no_lane_event() -> None:
    for slug, wp_id in PHANTOMS:
        log = corpus.FOLDER / slug / "status.events.jsonl"
        committed = json.loads(log.with_name("status.json").read_bytes())["work_packages"][wp_id]
        assert committed["lane"] == "uninitialized"
        assert wp_id not in {event.wp_id for event in records_in(log.read_bytes())}


def test_both_readers_read_a_real_log_alike(log: Path) -> None:
    names = ("event_id", "wp_id", "instant", "at", "shown_actor", "slug", "nine_lane", "evidence", "reason", "line")
    lines = log.read_bytes().splitlines(keepends=True)
    damage: list[object] = []
    fast = [
        [getattr(event, name) for name in names]
        for batch in fast_batches([lines[:7], lines[7:]], decode, lambda *found: damage.append(found))
        for event in batch
    ]
    assert fast == [[getattr(event, name) for name in names] for event in records_in(log.read_bytes())]
    assert damage == []


def test_two_random_halves_of_a_real_log_merge_to_all_of_its_lines(log: Path) -> None:
    chance = Random(log.parent.name)  # noqa: S311  nothing secret
    lines = split_lines(log.read_bytes())
    shared = lines[: chance.randint(0, len(lines))]
    halves: tuple[list[bytes], list[bytes]] = ([], [])
    for line in lines[len(shared) :]:
        halves[chance.randrange(2)].append(line)
    ours, theirs = (b"".join([*shared, *half]) for half in halves)
    result, merge = merge_logs(ours, theirs, decode)
    assert merge.is_clean
    assert sorted(split_lines(result)) == sorted(lines)
    assert result == merge_logs(theirs, ours, decode)[0]
    assert result == b"".join(shared) + merge_tails(b"".join(lines[len(shared) :]), b"", decode).tail()
    assert reduce_events(records_in(result)) == reduce_events(records_in(log.read_bytes()))


def test_a_real_log_gives_the_same_snapshot_backwards_and_shuffled(log: Path) -> None:
    events = records_in(log.read_bytes())
    expected = reduce_events(events)
    assert reduce_events(events[::-1]) == expected
    for seed in range(3):
        assert reduce_events(shuffled(events, seed)) == expected


def test_real_logs_are_kept_by_nine_lanes(log: Path) -> None:
    snapshot = reduce_log(FeatureLog(log.parent), None, strictly(log), bytes_to_read=sys.maxsize)
    assert (snapshot.profile is NINE_LANE) == (snapshot.event_count > 0)
