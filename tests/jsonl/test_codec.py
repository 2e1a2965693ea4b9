"""The line codec: what it writes it reads back, and what two readers could read differently it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kitty_status
from kitty_status.jsonl.codec import MAX_DEPTH, MAX_LINE_BYTES, LineDamagedError, decode, encode, preview

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
ROWS = st.dictionaries(st.text(), _VALUES, max_size=6)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@given(ROWS)
def test_a_row_that_was_written_reads_back_equal(row: dict[str, Any]) -> None:
    line = encode(row, json.dumps)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == row


@given(ROWS)
def test_a_line_is_what_json_writes_with_sorted_keys(row: dict[str, Any]) -> None:
    assert encode(row, json.dumps) == json.dumps(row, sort_keys=True).encode() + b"\n"


@given(ROWS)
def test_a_line_with_unescaped_text_reads_the_same(row: dict[str, Any]) -> None:
    assert decode(json.dumps(row, ensure_ascii=False).encode()) == row


@given(st.binary(max_size=60) | ROWS.map(lambda row: encode(row, json.dumps)[:-1] + b"}"))
def test_any_bytes_are_a_row_or_damage_and_nothing_else(line: bytes) -> None:
    try:
        row = decode(line)
    except LineDamagedError:
        return
    assert isinstance(row, dict)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x7f", "\ufeff", "\ufffd", "\U0001f408"])
def test_characters_that_other_readers_split_lines_at_stay_inside_a_string(separator: str) -> None:
    row = {"reason": f"one{separator}two"}
    assert decode(json.dumps(row, ensure_ascii=False).encode()) == row
    assert decode(encode(row, json.dumps)[:-1]) == row


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b'{"a":1,"a":1}', "'a' stands twice", id="a key twice"),
        pytest.param(b'{"a":1,"\\u0061":2}', "'a' stands twice", id="a key twice, once escaped"),
        pytest.param(b'{"x":[{"a":1,"b":2,"a":1}]}', "'a' stands twice", id="a key twice, deep inside"),
        pytest.param(b'{"a":NaN}', "NaN is not a JSON value", id="not a number"),
        pytest.param(b'{"a":Infinity}', "Infinity is not a JSON value", id="infinity"),
        pytest.param(b'{"a":-Infinity}', "-Infinity is not a JSON value", id="minus infinity"),
        pytest.param(b'{"a":1e400}', "1e400 is too large", id="a float that overflows"),
        pytest.param(b'{"a":-1e400}', "-1e400 is too large", id="a float that overflows downwards"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", "5000 digits", id="a number of 5000 digits"),
        pytest.param(b'{"a":"\\ud800"}', "half of a surrogate pair", id="a first half alone"),
        pytest.param(b'{"a":"\\uDC00"}', "half of a surrogate pair", id="a second half alone"),
        pytest.param(b'{"\\ud800":1}', "half of a surrogate pair", id="half a pair in a key"),
        pytest.param(b'{"a":[["\\udfff\\ud800"]]}', "half of a surrogate pair", id="a pair the wrong way round"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', "byte 7 is not UTF-8", id="half a pair in UTF-8"),
        pytest.param(b'{"a":"\xff"}', "byte 7 is not UTF-8", id="not UTF-8"),
        pytest.param(b'{"a":"\xc3"}', "is not UTF-8", id="half a character"),
        pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="byte order mark"),
        pytest.param(b" \xef\xbb\xbf{}", "begin with a JSON value", id="byte order mark behind a blank"),
        pytest.param(b"{}\r", "CR LF", id="CR before LF"),
        pytest.param(b"<<<<<<< HEAD", "conflict marker", id="conflict, ours"),
        pytest.param(b"||||||| base", "conflict marker", id="conflict, base"),
        pytest.param(b"=======", "conflict marker", id="conflict, middle"),
        pytest.param(b">>>>>>> side", "conflict marker", id="conflict, theirs"),
        pytest.param(b'{"a":1}{"b":2}', "glued together", id="two objects"),
        pytest.param(b'{"a":1} x', "glued together", id="something behind"),
        pytest.param(b"\0\0\0", "nothing but NUL", id="NUL bytes"),
        pytest.param(b'{"a":1}\0', "glued together", id="NUL bytes behind"),
        pytest.param(b"", "begin with a JSON value", id="nothing"),
        pytest.param(b" \t ", "begin with a JSON value", id="blanks"),
        pytest.param(b"not json at all", "begin with a JSON value", id="prose"),
        pytest.param(b'{"a": nothing}', "value is missing at character 7", id="a word for a value"),
        pytest.param(b'{"a": ', "value is missing", id="cut before a value"),
        pytest.param(b'{"this is not a valid event"}', "':'", id="a key alone"),
        pytest.param(b'{"a":"\x01"}', "control character", id="a raw control character"),
        pytest.param(b'{"a":"x\ty"}', "control character", id="a raw tab"),
        pytest.param(b"[1]", "a JSON array", id="array"),
        pytest.param(b'"a"', "a JSON string", id="string"),
        pytest.param(b"1", "a JSON number", id="integer"),
        pytest.param(b"1.5", "a JSON number", id="float"),
        pytest.param(b"true", "a JSON boolean", id="boolean"),
        pytest.param(b"null", "JSON null", id="null"),
        pytest.param(nested(MAX_DEPTH + 1), "nested deeper than 32", id="objects 33 deep"),
        pytest.param(b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "nested deeper than 32", id="arrays 33 deep"),
        pytest.param(nested(100_000), "nested deeper than 32", id="100,000 deep"),
    ],
)
def test_damage_is_refused_with_its_reason(line: bytes, reason: str) -> None:
    with pytest.raises(LineDamagedError) as caught:
        decode(line)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    "line",
    [b"{}", b' {"a":1} ', b'\t{"a":1}\t', nested(MAX_DEPTH), b'{"a":"\\ud83d\\udc08"}', b'{"a":"{{{{[[[["}', b"{ }"],
)
def test_what_every_reader_reads_alike_is_taken(line: bytes) -> None:
    assert decode(line) == json.loads(line)


def test_many_objects_side_by_side_are_not_deep() -> None:
    row = {"a": [{} for _ in range(200)], "b": "\\udead"}
    assert decode(encode(row, json.dumps)[:-1]) == row


def test_a_line_may_be_8_mib_and_not_a_byte_longer() -> None:
    longest = b'{"a":"' + b"x" * (MAX_LINE_BYTES - 8) + b'"}'
    assert len(decode(longest)["a"]) == MAX_LINE_BYTES - 8
    with pytest.raises(LineDamagedError, match="longer than 8 MiB"):
        decode(longest + b" ")


@pytest.mark.parametrize("row", [{"a": float("nan")}, {"a": float("inf")}, {"a": "\ud800"}, {"\udc00": 1}])
def test_a_row_that_could_not_be_read_back_is_not_written(row: dict[str, Any]) -> None:
    with pytest.raises(LineDamagedError):
        encode(row, json.dumps)


def test_a_row_that_is_nested_too_deep_or_in_itself_is_not_written() -> None:
    itself: dict[str, Any] = {}
    itself["a"] = itself
    for row in (json.loads(nested(MAX_DEPTH + 1)), itself):
        with pytest.raises(LineDamagedError):
            encode(row, json.dumps)


@given(st.binary(max_size=500))
def test_a_preview_is_short_and_never_fails(line: bytes) -> None:
    assert len(preview(line)) <= 80


def test_a_process_that_never_imported_json_says_what_is_damaged() -> None:
    source = str(Path(kitty_status.__file__).parent.parent)
    program = (
        f"import sys; sys.path.insert(0, {source!r})\n"
        "from kitty_status.jsonl.codec import LineDamagedError, decode\n"
        "assert 'json' not in sys.modules\n"
        'try:\n    decode(b\'{"torn": "\')\n'
        "except LineDamagedError as error:\n    print(error.reason)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Unterminated string")
