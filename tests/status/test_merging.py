"""The union of two histories: no line is lost, every byte is kept, and who merges into whom does not matter."""

from __future__ import annotations

import json
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import SEEDS, instant, line, line_of, row, shuffled, ulid
from kitty_status.jsonl.codec import decode
from kitty_status.status.merging import NewLine, common_part, merge_logs, merge_tails, split_lines


def foreign(number: int, minute: int) -> bytes:
    return line_of({"event_type": "WPCreated", "event_id": ulid(number), "timestamp": instant(minute), "payload": {}})


# Lines of every kind: events, tied ones, other spellings, foreign rows, rows without a time, damage, one id twice.
POOL = [
    *(line(event_id=ulid(number), at=instant(number // 2)) for number in range(8)),
    line(event_id=ulid(3), at=instant(1), actor="grace"),
    line(event_id=ulid(20), at="2026-01-01T01:00:00+01:00"),
    json.dumps(row(event_id=ulid(4), at=instant(2)), separators=(",", ":")).encode() + b"\n",
    foreign(30, 1),
    foreign(31, 90),
    b'{"kind": "note", "n": 1}\n',
    b'{"kind": "note", "n": 2}\n',
    b'{"kind": "note", "at": "some day"}\n',
    b'{"kind": "note", "at": 7, "event_id": 7}\n',
    b'{"reason": "line\xe2\x80\xa8break", "kind": "note"}\n',
    b"not json\n",
    b"<<<<<<< HEAD\n",
    b"\xff\xfe\n",
    b'{"event_id": "a", "kind": "note"}\r\n',
    b"\r\n",
]


@st.composite
def logs(draw: st.DrawFn, *, is_sorted: bool = False) -> tuple[bytes, bytes, bytes]:
    """Draw three logs that begin with the same lines and go on as they like."""
    chance = Random(draw(SEEDS))  # noqa: S311  nothing secret
    pool = shuffled(POOL, chance.randrange(1 << 60))
    start = b"" if is_sorted else b"".join(pool[: chance.randint(0, 4)])
    found = []
    for _ in range(3):
        tail = chance.sample(POOL, chance.randint(0, 6))
        if is_sorted:
            found.append(merge_tails(b"".join(tail), b"", decode).tail())
        else:
            log = start + b"".join(tail)
            found.append(log[:-1] if chance.random() < 0.2 else log)
    return found[0], found[1], found[2]


def merged(ours: bytes, theirs: bytes, base: bytes | None = None) -> bytes:
    return merge_logs(ours, theirs, decode, base=base)[0]


def lines_of(log: bytes) -> set[bytes]:
    return set(split_lines(log))


@settings(max_examples=3000)
@given(logs())
def test_merging_is_the_same_for_both_directions_and_loses_no_line(three: tuple[bytes, bytes, bytes]) -> None:
    ours, theirs, _ = three
    result = merged(ours, theirs)
    assert result == merged(theirs, ours)
    assert lines_of(result) == lines_of(ours) | lines_of(theirs)
    shared = common_part(ours, theirs)
    assert result.startswith(ours[:shared])
    new = split_lines(result[shared:])
    assert len(new) == len(set(new))
    assert b"".join(new) == result[shared:]


@settings(max_examples=2000)
@given(logs())
def test_merging_again_changes_nothing(three: tuple[bytes, bytes, bytes]) -> None:
    ours, theirs, _ = three
    assert merged(ours, ours).removesuffix(b"\n") == ours.removesuffix(b"\n")
    result = merged(ours, theirs)
    assert merged(result, result) == result
    assert lines_of(merged(result, ours)) == lines_of(result)
    assert lines_of(merged(theirs, result)) == lines_of(result)


@settings(max_examples=2000)
@given(logs())
def test_merging_is_associative_as_a_set_of_lines(three: tuple[bytes, bytes, bytes]) -> None:
    one, two, three_ = three
    assert lines_of(merged(merged(one, two), three_)) == lines_of(merged(one, merged(two, three_)))


@settings(max_examples=1000)
@given(logs(is_sorted=True))
def test_merging_sorted_logs_is_associative_byte_for_byte(three: tuple[bytes, bytes, bytes]) -> None:
    results = {merged(merged(one, two), three_) for one, two, three_ in permutations(three)}
    results |= {merged(one, merged(two, three_)) for one, two, three_ in permutations(three)}
    assert len(results) == 1


@settings(max_examples=2000)
@given(logs())
def test_picking_a_commit_adds_what_it_adds_over_its_base(three: tuple[bytes, bytes, bytes]) -> None:
    ours, theirs, base = three
    result = lines_of(merged(ours, theirs, base))
    assert result == lines_of(ours) | (lines_of(theirs) - lines_of(base))


def test_picking_a_commit_does_not_drag_the_earlier_ones_along() -> None:
    earlier, picked, own = POOL[1], POOL[2], POOL[5]
    assert merged(POOL[0] + own, POOL[0] + earlier + picked, POOL[0] + earlier) == POOL[0] + picked + own
    assert merged(POOL[0] + own, POOL[0] + earlier + picked) == POOL[0] + earlier + picked + own


def test_reverting_a_commit_takes_no_line_away() -> None:
    log = POOL[0] + POOL[1]
    assert merged(log, POOL[0], log) == log


def test_new_lines_stand_in_the_order_of_their_instants_then_ids() -> None:
    late, early = line(event_id="a", at="2026-01-01T00:00:01.5+00:00"), line(event_id="b", at="2026-01-01T00:00:01Z")
    tied = line(event_id="c", at="2026-01-01T01:00:01+01:00")
    for order in permutations([late, early, tied]):
        assert merge_tails(order[0] + order[1], order[2], decode).tail() == early + tied + late


def test_a_row_without_at_counts_by_its_timestamp_and_without_either_comes_first() -> None:
    first, second = POOL[13], POOL[14]
    between = foreign(30, 1)
    expected = [first, second, line(event_id="a", at=instant(0)), between, line(event_id="b", at=instant(2))]
    for seed in range(20):
        order = shuffled(expected, seed)
        assert merge_tails(b"".join(order[:2]), b"".join(order[2:]), decode).tail() == b"".join(expected)


def test_at_counts_before_timestamp() -> None:
    both = line_of({"kind": "note", "at": instant(5), "timestamp": instant(1)})
    assert merge_tails(both, line(at=instant(3)), decode).tail() == line(at=instant(3)) + both


@pytest.mark.parametrize(
    "damage", [b"not json\n", b"<<<<<<< HEAD\n", b"\xff\n", b'{"a": 1, "a": 2}\n', line()[:-1] + b"\r\n"]
)
def test_a_damaged_line_is_kept_and_reported(damage: bytes) -> None:
    for ours, theirs in ((damage, line()), (line(), damage)):
        result, merge = merge_logs(ours, theirs, decode)
        assert result == damage + line()
        assert [(found.line, (found.problem or "")[:14]) for found in merge.damaged] == [(damage, "invalid JSON: ")]
        assert not merge.is_clean
        assert merge.conflicts == []


def test_damage_in_the_common_part_is_left_to_others() -> None:
    result, merge = merge_logs(b"not json\n" + POOL[0], b"not json\n" + POOL[1], decode)
    assert result == b"not json\n" + POOL[0] + POOL[1]
    assert merge.is_clean


def test_one_id_with_two_contents_is_kept_twice_and_reported() -> None:
    one, other = line(actor="ada"), line(actor="grace")
    for ours, theirs in ((one, other), (other, one)):
        result, merge = merge_logs(ours, theirs, decode)
        assert result == one + other
        assert [(first.line, second.line) for first, second in merge.conflicts] == [(one, other)]
        assert not merge.is_clean


def test_one_event_in_two_spellings_is_kept_twice_and_is_no_conflict() -> None:
    one, other = line(), json.dumps(row(), separators=(",", ":")).encode() + b"\n"
    result, merge = merge_logs(one, other, decode)
    assert lines_of(result) == {one, other}
    assert merge.is_clean


def test_rows_without_an_id_do_not_conflict() -> None:
    _, merge = merge_logs(POOL[13], POOL[14] + b'{"event_id": 7, "kind": "x"}\n{"event_id": 7, "kind": "y"}\n', decode)
    assert len(merge.lines) == 4
    assert merge.is_clean


@pytest.mark.parametrize(("ours", "theirs"), [(POOL[0][:-1], POOL[1]), (POOL[0], POOL[1][:-1]), (POOL[0][:-1], b"")])
def test_a_missing_final_newline_never_glues_two_lines(ours: bytes, theirs: bytes) -> None:
    result = merged(ours, theirs)
    assert lines_of(result) == lines_of(ours) | lines_of(theirs)
    assert all(decode(text) for text in result[:-1].split(b"\n"))
    assert result.endswith(b"}\n")


def test_a_line_that_one_side_had_not_finished_stands_once() -> None:
    assert merged(POOL[0] + POOL[1][:-1], POOL[0] + POOL[1]) == POOL[0] + POOL[1]
    assert merged(POOL[0][:-1], POOL[0] + POOL[1]) == POOL[0] + POOL[1]


def test_only_the_line_feed_ends_a_line() -> None:
    assert split_lines(b"a\rb\x0bc\x0cd\x1ee\xc2\x85f\xe2\x80\xa8g\r\n") == [
        b"a\rb\x0bc\x0cd\x1ee\xc2\x85f\xe2\x80\xa8g\r\n"
    ]
    assert split_lines(b"a\n\n \t\nb") == [b"a\n", b"b\n"]
    assert split_lines(b"") == []


def test_a_line_with_crlf_and_one_without_are_two_lines() -> None:
    crlf = line()[:-1] + b"\r\n"
    result, merge = merge_logs(line(), crlf, decode)
    assert result == crlf + line()
    assert [found.line for found in merge.damaged] == [crlf]


@settings(max_examples=1000)
@given(
    st.lists(st.sampled_from([b"a", b"b", b"\n"]), max_size=12),
    st.lists(st.sampled_from([b"a", b"b", b"\n"]), max_size=12),
)
def test_the_common_part_is_the_longest_start_of_whole_lines(one: list[bytes], other: list[bytes]) -> None:
    ours, theirs = b"".join(one), b"".join(other)
    candidates = [size for size in range(len(ours) + 1) if ours[:size] == theirs[:size] and ours[:size][-1:] in b"\n"]
    assert common_part(ours, theirs) == max(candidates)


def test_a_line_knows_no_more_than_merging_needs() -> None:
    found = NewLine(line(), decode)
    assert (found.event_id, found.problem, found.row) == (ulid(1), None, row())
    assert NewLine(b"x\n", decode).problem == "invalid JSON: it does not begin with a JSON value"
