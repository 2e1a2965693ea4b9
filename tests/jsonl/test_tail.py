"""What stands behind the last LF: a line in flight, the rest of a crash, or damage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitty_status.jsonl.codec import MAX_DEPTH, MAX_LINE_BYTES, LineDamagedError, decode, encode
from kitty_status.jsonl.tail import TAIL_COMPLETE, TAIL_CUT, TAIL_DAMAGED, TAIL_NONE, classify_tail

_TEXTS = st.text(st.sampled_from('a"\\\n\t/é\u2028\U0001f408\0{}[],:') | st.characters(codec="utf-8"), max_size=6)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
_ROWS = st.dictionaries(_TEXTS, _VALUES, max_size=4)
_EVENT = {
    "event_id": "01JZ0000000000000000000000",
    "evidence": {"review": {"verdict": "approved", "reviewer": "Zoë \U0001f408"}, "verification": [{}, [], [[1]]]},
    "force": False,
    "number": [0, -1, 1.5, -2.5e-30, 1e300, 10**30],
    "really": True,
    "reason": 'she said "\\u0041\\\\" \u2028\u0085\x00 and left\n',
    "": None,
}


def _forms(row: dict[str, Any]) -> list[bytes]:
    return [
        encode(row, json.dumps)[:-1],
        json.dumps(row, ensure_ascii=False).encode(),
        json.dumps(row, separators=(",", ":")).encode(),
        b" " + json.dumps(row, separators=(" ,\t", "\r: ")).encode() + b" ",
    ]


def test_every_beginning_of_an_event_is_cut_and_the_whole_is_complete() -> None:
    for line in _forms(_EVENT):
        assert classify_tail(line.strip(b" ")) == TAIL_COMPLETE
        for end in range(2, len(line.rstrip(b" "))):
            assert classify_tail(line[:end]) == TAIL_CUT, line[:end]


@settings(max_examples=30)
@given(_ROWS)
def test_every_beginning_of_any_row_is_cut(row: dict[str, Any]) -> None:
    for line in _forms(row)[:3]:
        assert classify_tail(line) == TAIL_COMPLETE
        for end in range(1, len(line)):
            assert classify_tail(line[:end]) == TAIL_CUT, line[:end]


@given(_ROWS, st.data())
def test_nul_bytes_behind_a_beginning_are_what_a_crash_leaves(row: dict[str, Any], data: st.DataObject) -> None:
    line = encode(row, json.dumps)[:-1]
    end = data.draw(st.integers(0, len(line)))
    assert classify_tail(line[:end] + bytes(data.draw(st.integers(1, 5000)))) == TAIL_CUT


@given(st.binary(max_size=40) | st.text('{}[]",:\\u0d8aetrfalsn1.-+ \t\r', max_size=30).map(str.encode))
def test_any_bytes_get_one_of_the_four_names(tail: bytes) -> None:
    kind = classify_tail(tail)
    assert kind in (TAIL_NONE, TAIL_COMPLETE, TAIL_CUT, TAIL_DAMAGED)
    try:
        decode(tail)
    except LineDamagedError:
        assert kind != TAIL_COMPLETE
    else:
        assert kind == TAIL_COMPLETE


@pytest.mark.parametrize("tail", [b"", b" ", b"\t \t", b"\r"])
def test_nothing_and_blanks_are_no_tail(tail: bytes) -> None:
    assert classify_tail(tail) == TAIL_NONE


@pytest.mark.parametrize(
    "tail",
    [
        b"{",
        b"  {",
        b"\0",
        b" \0\0",
        b'{"a":1,"a',
        b'{"a":1,',
        b'{"a":1 , ',
        b'{"a":[1,',
        b'{"a":"\\',
        b'{"a":"\\\\',
        b'{"a":"\\u',
        b'{"a":"\\ud83d',
        b'{"a":"\\ud83d\\',
        b'{"a":"\\ud83d\\udc0',
        b'{"a":"\xf0\x9f\x90',
        b'{"\xc3',
        b'{"a":t',
        b'{"a":-',
        b'{"a":1e-',
        b'{"a":' * MAX_DEPTH,
        b'{"a":"' + b"x" * (MAX_LINE_BYTES - 8),
        b'{"' + b"x" * (MAX_LINE_BYTES - 6) + b'"',
    ],
)
def test_what_can_go_on_is_cut(tail: bytes) -> None:
    assert classify_tail(tail) == TAIL_CUT


@pytest.mark.parametrize(
    "tail",
    [
        b"not json at all",
        b'{"this is not a valid event"}',
        b"<<<<<<< HEAD",
        b"=======",
        b">>>>>>> side",
        b"[1",
        b"1",
        b"tru",
        b'"a',
        b"\xef\xbb",
        b"{\xc3",
        b'{"\xff',
        b'{"a":"\xc3\x28',
        b'{"a":"\x01',
        b'{"a":"\\x',
        b'{"a":"\\uz',
        b'{"a":"\\ud83dx',
        b'{"a":1,"a"',
        b'{"a":1e400',
        b'{"a":N',
        b'{"a":}',
        b'{"a":truf',
        b'{"a":01',
        b'{"a":1.2.',
        b'{"a":+',
        b'{"a" 1',
        b'{"a":1]',
        b'{"a":[1}',
        b'{"a":"x" "',
        b'{"a":1}{"b":2',
        b'{"a":1} x',
        b'{"a":1}}',
        b"}",
        b"{,",
        b"{ ,",
        b'{"a":1,,',
        b'{"a":[,',
        b"{1",
        b'\0{"a":1',
        b"{" * 100,
        b'{"a":' * (MAX_DEPTH + 1),
        b'{"a":"' + b"x" * (MAX_LINE_BYTES - 6) + b"y",
        b'{"a":"' + b"x" * MAX_LINE_BYTES,
    ],
)
def test_what_no_line_begins_with_is_damaged(tail: bytes) -> None:
    assert classify_tail(tail) == TAIL_DAMAGED
