"""Ids that stand more than once: what is the same, what is not, and what only mentions an id."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings

from events import SEEDS, line, line_of, record, row, ulid
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status import repeats
from kitty_status.status.record import StatusRecord, events_of
from kitty_status.status.repeats import find_other_content, lines_with

COMPACT = json.dumps(row(), separators=(",", ":")).encode() + b"\n"
MENTIONS = [
    line(event_id=ulid(7), parents=[ulid(1)]),
    line_of({"kind": "note", "event_id": ulid(8), "about": {"event_id": ulid(1)}}),
    line(event_id=ulid(9), reason=f"see {ulid(1)}"),
]


def numbered(*lines: bytes, first: int = 1) -> list[StatusRecord]:
    events = list(events_of(lines, decode, lambda *_: None))
    for number, event in enumerate(events, start=first):
        event.line_number = number
    return events


def found(known: bytes, *lines: bytes) -> list[tuple[str, int]]:
    events = numbered(*lines, first=known.count(b"\n") + 1)
    return [(event.event_id, number) for event, number in find_other_content(known, events, decode)]


@pytest.fixture(params=["by searching", "by reading"], autouse=True)
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Find everything a second time as it is found in logs too large to be searched for every id."""
    if request.param == "by reading":
        monkeypatch.setattr(repeats, "_SEARCH_BUDGET", -1)


def test_an_id_that_is_new_is_not_found() -> None:
    assert found(b"", line()) == []
    assert found(line(event_id=ulid(2)), line()) == []


def test_the_same_content_is_no_other_content_however_it_is_spelled() -> None:
    assert found(line(), line()) == []
    assert found(line(), COMPACT) == []
    assert found(COMPACT, line()) == []
    assert found(line(), line()[:-1]) == []


def test_other_content_is_found_with_the_line_that_has_it() -> None:
    known = line(event_id=ulid(2)) + b"\n" + line()
    assert found(known, line(actor="grace")) == [(ulid(1), 3)]
    assert found(COMPACT, line(actor="grace")) == [(ulid(1), 1)]
    assert found(line()[:-1], line(actor="grace")) == [(ulid(1), 1)]


def test_an_id_is_found_wherever_its_key_stands_in_the_line() -> None:
    rest = {key: value for key, value in row().items() if key != "event_id"}
    for content in ({**rest, "event_id": ulid(1)}, {"event_id": ulid(1), **rest}):
        assert found(json.dumps(content).encode() + b"\n", line(actor="grace")) == [(ulid(1), 1)]


def test_other_content_among_the_new_events_is_found() -> None:
    assert found(b"", line(), line(actor="grace"), line()) == [(ulid(1), 1)]
    assert found(line(event_id=ulid(2)), line(), line(actor="grace")) == [(ulid(1), 2)]


def test_an_id_that_other_lines_only_mention_is_no_repetition() -> None:
    assert found(b"".join(MENTIONS), line()) == []


def test_a_repetition_behind_mere_mentions_is_found() -> None:
    assert found(b"".join([*MENTIONS, line()]), line(actor="grace")) == [(ulid(1), 4)]


def test_a_damaged_line_that_holds_the_id_is_passed_over() -> None:
    damaged = b'{"event_id": "' + ulid(1).encode() + b'", oh no\n'
    assert found(damaged, line()) == []
    assert found(damaged + line(), line(actor="grace")) == [(ulid(1), 2)]


def test_each_event_is_named_once_though_several_lines_differ() -> None:
    known = line(actor="b") + line(actor="c")
    assert found(known, line()) == [(ulid(1), 1)]
    assert found(line() + known, line()) == [(ulid(1), 2)]


def test_every_line_that_holds_an_id_is_given_once_with_its_number() -> None:
    data = MENTIONS[0] + b"\n" + MENTIONS[2] + COMPACT + MENTIONS[1][:-1]
    needle = ulid(1)
    assert list(lines_with(data, needle)) == [(MENTIONS[0][:-1], 1), (COMPACT[:-1], 4), (MENTIONS[1][:-1], 5)]
    assert list(lines_with(b"", needle)) == []
    twice = line(parents=[ulid(1)])
    assert list(lines_with(twice, needle)) == [(twice[:-1], 1)]


@settings(max_examples=300)
@given(SEEDS)
def test_what_is_found_is_what_comparing_every_pair_finds(seed: int) -> None:
    chance = Random(seed)  # noqa: S311  nothing secret
    pool = [line(event_id=ulid(number), actor=actor) for number in range(4) for actor in "ab"]
    pool += [COMPACT, *MENTIONS]
    known = [chance.choice(pool) for _ in range(chance.randint(0, 6))]
    new = [chance.choice(pool) for _ in range(chance.randint(0, 4))]
    events = numbered(*new)
    expected = set()
    for event in events:
        first = next(other for other in events if other.event_id == event.event_id)
        if decode(first.line[:-1]) != decode(event.line[:-1]):
            expected.add(event.event_id)
        if first is event:
            rows = [decode(text[:-1]) for text in known]
            same_id = [content for content in rows if content.get("event_id") == event.event_id]
            if any(content != decode(event.line[:-1]) for content in same_id):
                expected.add(event.event_id)
    assert {event_id for event_id, _ in found(b"".join(known), *new)} == expected


def test_the_strict_reader_stays_strict() -> None:
    with pytest.raises(LineDamagedError):
        list(find_other_content(b"", [record(), StatusRecord(row(), b"not json")], decode))
