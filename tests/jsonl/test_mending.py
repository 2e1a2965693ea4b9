"""Taking a wrecked log apart: rows stay what they are, byte for byte, and nothing is left out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import SEEDS, shuffled
from features import event_line, log_of
from kitty_status.jsonl.mending import CLEANED, DAMAGED, KEPT, MARKER, SPLIT, is_marker, take_apart
from kitty_status.status.rows import is_foreign, problem_with
from wrecks import DAMAGE, damaged

FOREIGN = b'{"type": "note", "payload": {"type": "inner"}}\n'


def problem(row: dict[str, Any]) -> str | None:
    return None if is_foreign(row) else problem_with(row)


def kinds(data: bytes) -> list[tuple[str, bytes]]:
    return [(piece.kind, piece.line) for piece in take_apart(data, problem)]


def test_a_sound_log_is_all_kept() -> None:
    log = log_of(1, 2) + FOREIGN
    assert kinds(log) == [(KEPT, event_line(1)), (KEPT, event_line(2)), (KEPT, FOREIGN)]
    assert kinds(b"") == []
    assert kinds(b"\n  \n\t\n") == []


def test_a_whole_last_line_without_its_end_is_kept_with_one() -> None:
    assert kinds(log_of(1)[:-1]) == [(KEPT, event_line(1))]


@pytest.mark.parametrize("length", [7, 8, 15, 60])
def test_a_marker_of_any_length_and_label_is_told(length: int) -> None:
    for sign in (b"<", b"|", b"=", b">"):
        for rest in (b"", b" HEAD", b"\r", b" Updated upstream\r"):
            assert is_marker(sign * length + rest)


@pytest.mark.parametrize(
    "line", [b"<" * 6, b"<<<<<<<x", b"{}", b"", b"-------", b"<<<<<<> HEAD", b"=======[", event_line(1)[:-1]]
)
def test_what_is_no_marker_is_not_taken_for_one(line: bytes) -> None:
    assert not is_marker(line)


EXPECTED: dict[str, list[tuple[str, int | None]]] = {
    "torn": [(DAMAGED, None)],
    "glued": [(SPLIT, 1), (SPLIT, 90)],
    "glued to a piece of another": [(SPLIT, 1), (DAMAGED, None)],
    "behind a piece of another": [(DAMAGED, None), (SPLIT, 1)],
    "carriage return": [(CLEANED, 1)],
    "NUL behind": [(CLEANED, 1)],
    "NUL in front": [(CLEANED, 1)],
    "byte order mark": [(CLEANED, 1)],
    "no UTF-8 behind": [(SPLIT, 1), (DAMAGED, None)],
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_row_is_taken_out_of_what_surrounds_it_as_it_is(how: str) -> None:
    found = kinds(damaged(event_line(1), how))
    assert [kind for kind, _ in found] == [kind for kind, _ in EXPECTED[how]]
    for (_, line), (_, number) in zip(found, EXPECTED[how], strict=True):
        if number is not None:
            assert line == event_line(number)


def test_old_line_ends_of_a_mac_and_blanks_between_rows_split_them() -> None:
    data = event_line(1)[:-1] + b"\r" + event_line(2)[:-1] + b" \t\0" + event_line(3)
    assert kinds(data) == [(SPLIT, event_line(number)) for number in (1, 2, 3)]


def test_what_is_only_a_part_of_an_object_is_never_taken_for_a_row() -> None:
    for line in (
        b'{"type": "x", "payload": {"type": "inner"}\n',
        b'{"a": ' + event_line(1),
        b'{"a": [' + event_line(1),
        b'{"a": 1, ' + event_line(1),
        b'[{"type": "x"}]\n',
        b'{"reason": "{}\n',
        b'"a text"\n',
        b"\0\0\0\n",
        b"{}\n",
        b'{"a": 1, "a": 2}\n',
    ):
        assert kinds(line) == [(DAMAGED, line)]


def test_an_object_of_the_wrong_shape_is_damage_also_when_rows_are_glued_to_it() -> None:
    assert kinds(b'{"x": 1}\n') == [(DAMAGED, b'{"x": 1}\n')]
    assert kinds(b'{"x": 1}' + event_line(1)) == [(DAMAGED, b'{"x": 1}\n'), (SPLIT, event_line(1))]


def test_every_piece_knows_its_line_and_why_it_is_not_as_it_was() -> None:
    pieces = take_apart(log_of(1) + b"\n<<<<<<< HEAD\noops\n" + event_line(2)[:-1] + b"\r\n", problem)
    assert [(piece.kind, piece.number) for piece in pieces] == [(KEPT, 1), (MARKER, 3), (DAMAGED, 4), (CLEANED, 5)]
    assert pieces[2].why == "it does not begin with a JSON value"
    assert pieces[3].why.startswith("it ends in CR LF")
    assert [piece.is_row for piece in pieces] == [True, False, False, True]


@given(st.lists(st.sampled_from([*DAMAGE, "sound", "marker"]), max_size=8), SEEDS)
def test_no_event_is_lost_and_no_byte_is_left_out(accidents: list[str], seed: int) -> None:
    data, events = b"", set()
    for number, how in enumerate(shuffled(accidents, seed), start=1):
        whole = event_line(number)
        data += b"======= \n" if how == "marker" else whole if how == "sound" else damaged(whole, how)
        events |= {whole} if how not in ("torn", "marker") else set()
        events |= {event_line(90)} if how == "glued" else set()
    pieces = take_apart(data, problem)
    assert {piece.line for piece in pieces if piece.is_row} == events
    for piece in pieces:
        assert piece.line.removesuffix(b"\n") in data.split(b"\n")[piece.number - 1]
    again = take_apart(b"".join(piece.line for piece in pieces if piece.is_row), problem)
    assert all(piece.kind == KEPT for piece in again)


@given(st.binary(max_size=60))
def test_any_bytes_at_all_are_taken_apart_without_an_error(data: bytes) -> None:
    pieces = take_apart(data, lambda _row: None)
    assert all(piece.line.endswith(b"\n") for piece in pieces)
    assert bool(pieces) == any(line.strip(b" \t") for line in data.split(b"\n"))


def test_a_long_line_of_nothing_but_beginnings_takes_no_more_than_a_look_at_each() -> None:
    for part in (b"{", b'{"a":', b'{"a"', b"{ ", b'[{"a":', b'{"a": "'):
        line = part * 20_000 + b"\n"
        assert [piece.kind for piece in take_apart(line, problem)] == [DAMAGED]
