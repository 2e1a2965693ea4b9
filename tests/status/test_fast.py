"""The fast reader against the strict one: the same lines, with the same meaning, and the same damage."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from events import APPROVAL, SEEDS, line, line_of, row, their_row
from kanban import own_profile
from kitty_status.jsonl import codec
from kitty_status.jsonl.codec import decode
from kitty_status.status import fast
from kitty_status.status.fast import fast_batches
from kitty_status.status.known_lanes import accept, forget
from kitty_status.status.record import StatusRecord, events_of
from mutations import INSTANTS, NEW_KEYS, NUMBERS, TEXTS, VALUES, mistreated_line, sound_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kitty_status.jsonl.damage import DamagePolicy
    from kitty_status.status.record import DecodeRow, LaneEvent

ATTRIBUTES = (
    "event_id",
    "slug",
    "wp_id",
    "from_lane",
    "to_lane",
    "at",
    "instant",
    "shown_actor",
    "force",
    "reason",
    "review_ref",
    "evidence",
    "known_parents",
    "nine_lane",
    "line",
)
DEEPEST = 32


def fast_events_of(lines: list[bytes], decode_row: DecodeRow, on_damage: DamagePolicy) -> Iterator[LaneEvent]:
    for events in fast_batches([lines] if lines else [], decode_row, on_damage):
        yield from events


def each_alone(lines: list[bytes], decode_row: DecodeRow, on_damage: DamagePolicy) -> Iterator[LaneEvent]:
    for events in fast_batches(([alone] for alone in lines), decode_row, on_damage):
        yield from events


def read(
    reader: Callable[..., Iterator[LaneEvent]], lines: list[bytes]
) -> tuple[list[tuple[Any, ...]], list[tuple[int, bytes, str, bool]]]:
    damage: list[tuple[int, bytes, str, bool]] = []
    events = [
        tuple((name, type(getattr(event, name)) is bool, getattr(event, name)) for name in ATTRIBUTES)
        for event in reader(lines, decode, lambda *found: damage.append(found))
    ]
    return events, damage


def assert_read_alike(*lines: bytes) -> None:
    # A sound line among them shows whether what was proved of a batch holds for its lines.
    together = [line(), *lines]
    strictly = read(events_of, together)
    assert read(fast_events_of, together) == strictly
    assert read(each_alone, together) == strictly


@settings(max_examples=500)
@given(SEEDS)
def test_sound_lines_are_read_alike(seed: int) -> None:
    chance = Random(seed)  # noqa: S311  nothing secret
    lines = [sound_line(chance) for _ in range(10)]
    _, damage = read(events_of, lines)
    assert damage == []
    assert_read_alike(*lines)


@settings(max_examples=3000)
@given(SEEDS)
def test_mistreated_lines_are_read_alike(seed: int) -> None:
    chance = Random(seed)  # noqa: S311  nothing secret
    assert_read_alike(*(mistreated_line(chance) for _ in range(7)))


SOUND = [row(), row(reason="r", review_ref="PR 7", evidence=APPROVAL, parents=["x"]), their_row(), {"kind": "x"}]


@pytest.mark.parametrize("content", SOUND, ids=["ours", "ours with everything", "theirs", "foreign"])
def test_every_value_in_the_place_of_every_other_is_read_alike(content: dict[str, Any]) -> None:
    for key in [*content, *NEW_KEYS]:
        lines = []
        for value in VALUES:
            pairs = {**{name: json.dumps(inner) for name, inner in content.items()}, key: value}
            text = "{" + ", ".join(f'"{name}": {inner}' for name, inner in pairs.items()) + "}\n"
            lines.append(text.encode("utf-8", "surrogatepass"))
        assert_read_alike(*lines)


@pytest.mark.parametrize("content", SOUND, ids=["ours", "ours with everything", "theirs", "foreign"])
def test_a_key_that_is_absent_leaves_no_room_for_another(content: dict[str, Any]) -> None:
    for absent in content:
        rest = {name: json.dumps(inner) for name, inner in content.items() if name != absent}
        for key in NEW_KEYS:
            for value in ("null", "false", "true", "[]", '["x"]', "[1]", "{}", '"x"', '"eA=="'):
                pairs = [*rest.items(), (key, value)]
                text = "{" + ", ".join(f'"{name}": {inner}' for name, inner in pairs) + "}\n"
                assert_read_alike(text.encode())


@pytest.mark.parametrize("content", [row(), their_row()], ids=["ours", "theirs"])
def test_every_spelling_of_an_instant_is_read_alike(content: dict[str, Any]) -> None:
    assert_read_alike(*(line_of({**content, "at": at}) for at in INSTANTS))


@pytest.mark.parametrize("number", NUMBERS)
def test_every_number_is_read_alike_wherever_it_stands(number: str) -> None:
    ours = line(evidence={"n": 12345}).replace(b"12345", number.encode())
    theirs = line_of(their_row(policy_metadata={"n": 12345})).replace(b"12345", number.encode())
    assert_read_alike(ours, theirs, b'{"kind": ' + number.encode() + b"}\n")


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_is_read_alike_in_keys_and_values(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    for content in (row(evidence={"k": "v"}), their_row(policy_metadata={"k": "v"}), {"kind": {"k": "v"}}):
        assert_read_alike(line_of(content).replace(b'"v"', raw), line_of(content).replace(b'"k"', raw))


@pytest.mark.parametrize("deeper", [0, 1, 2, 3])
def test_nesting_is_counted_alike(deeper: int) -> None:
    for opening, closing in (("[", "]"), ('{"a": ', "}")):
        depth = DEEPEST - 2 + deeper
        value = (opening * depth + "7" + closing * depth).encode()
        lines = [line(evidence={"n": 12345}), line_of(their_row(review_result={"n": 12345})), b'{"kind": 12345}\n']
        assert_read_alike(*(content.replace(b"12345", value) for content in lines))


@pytest.mark.parametrize("start", [b"", b" ", b"\t", b"\r", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"", b" \n", b"\r\n", b"\r", b"\t", b" \r", b"\r \n", b"\0\n", b"{}\n"])
def test_what_stands_around_a_line_is_read_alike(start: bytes, end: bytes) -> None:
    for content in SOUND:
        assert_read_alike(start + line_of(content)[:-1] + end)


def test_a_line_may_be_as_long_for_both() -> None:
    assert fast.MAX_LINE_BYTES == codec.MAX_LINE_BYTES
    assert fast.MAX_DEPTH == codec.MAX_DEPTH == DEEPEST
    for content in (row(reason="12345"), their_row(reason="12345"), {"kind": "12345"}):
        room = codec.MAX_LINE_BYTES - len(line_of(content)) + 1
        for size in (room, room + 1):
            long = line_of(content).replace(b"12345", b"x" * (size + 5))
            assert_read_alike(long)
        assert len(read(fast_events_of, [long])[1]) == 1


def test_blank_lines_are_passed_over() -> None:
    assert read(fast_events_of, [b"\n", b"", b" \t\n", line(), b"\n"])[0] == read(events_of, [line()])[0]
    assert_read_alike(b"\n", b"", b" \t\n", b"\r\n")


def test_the_fast_way_is_really_taken() -> None:
    ours = line(evidence=APPROVAL, reason="caf\u00e9 \u2014 ", parents=["x", "y"])
    theirs = [
        line_of(their_row(evidence=APPROVAL, policy_metadata={"q": 'a "quote"'}, review_result={"verdict": "v"})),
        line_of(their_row(actor={"tool": "claude", "role": None}, parents=["x"])),
    ]
    spoken = line(reason='say "yes"', review_ref='"\\"')
    strict = line(reason="1 \\u0022").replace(b"\\\\u0022", b"\\u0022")
    assert decode(strict.removesuffix(b"\n"))["reason"] == '1 "'
    for lines in ([line(), ours, spoken], [line(), ours, spoken, *theirs], [strict, *theirs]):
        kinds = [isinstance(event, StatusRecord) for event in fast_events_of(lines, decode, lambda *_: None)]
        assert kinds == [one is strict for one in lines]


def test_a_foreign_row_is_proved_sound_without_the_strict_reader() -> None:
    def refuse(_line: bytes) -> dict[str, Any]:
        raise AssertionError("the strict reader was asked")

    foreign = line_of({"kind": "note", "delta": {"a": [1, None, 'x "y"'], 'k"': {}}})
    assert list(fast_events_of([foreign], refuse, lambda *_: None)) == []
    with pytest.raises(AssertionError, match="was asked"):
        list(fast_events_of([line(force=1)], refuse, lambda *_: None))


@pytest.mark.parametrize(
    "lanes", [("ready", "working"), ("for_review", "in_review"), ("claimed", "ready"), ("no", "lane")]
)
@pytest.mark.parametrize("known", [True, False])
def test_lanes_that_a_repository_defines_are_read_alike(lanes: tuple[str, str], known: bool) -> None:
    if known:
        accept(own_profile().lanes)
    try:
        sound = line(from_lane=lanes[0], to_lane=lanes[1], reason='a "b"')
        twice = sound.replace(b'"reason"', b'"reason": "x", "reason"')
        assert_read_alike(sound)
        assert_read_alike(twice)
        assert_read_alike(sound, line_of({"kind": "note"}), line_of(their_row()))
    finally:
        forget()


def test_lanes_of_a_repository_take_no_line_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise AssertionError("a line was read the slow way")

    monkeypatch.setattr(fast, "event_in", slow)
    accept(own_profile().lanes)
    try:
        lines = [line(from_lane="ready", to_lane="working"), line(to_lane="in_review"), line_of({"kind": "note"})]
        assert len(list(fast_events_of(lines[:2], decode, slow))) == 2
        assert len(list(fast_events_of(lines, decode, slow))) == 2
    finally:
        forget()
