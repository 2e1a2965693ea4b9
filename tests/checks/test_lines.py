"""How lines are spelled: the quick look and the thorough one answer alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import logs, needs_corpus
from events import APPROVAL, line_of, row, their_row
from kitty_status.checks import lines
from kitty_status.checks.lines import Spelling, odd_lines
from kitty_status.checks.usual_lines import pattern
from kitty_status.jsonl.codec import LineDamagedError, decode

if TYPE_CHECKING:
    from pathlib import Path

NESTED = their_row(policy_metadata={"b": [1, 2.5, {"c": None}], "a": {}}, actor={"tool": "claude", "role": "x"})
REVIEWED = {"review_result": APPROVAL["review"]}
ROWS = [
    row(),
    row(parents=[]),
    row(parents=["a", "b"], evidence=APPROVAL, force=True),
    row(reason='say "no"\n', actor="zo\u00eb \U0001f600"),
    their_row(),
    NESTED,
    their_row(
        policy_metadata={"agent": "claude", "shell_pid": 4711}, evidence=APPROVAL, review_result=APPROVAL["review"]
    ),
    their_row(policy_metadata={"shell_pid": -0, "target_branch": "main"}, reason="a / b"),
    their_row(policy_metadata={}, reason=None, review_ref="PR 7"),
    their_row(policy_metadata={"shell_pid": 10**20}),
    their_row(policy_metadata={"shell_pid": 1.0}),
    {"kind": "annotation", "delta": {"z": 1, "a": ": ,"}},
    {"kind": "annotation", "to_lane": "done"},
    {"note": {"to_lane": "done"}, "type": "x"},
    {},
]


@pytest.fixture(params=[0, lines._Usual.FEW], ids=["by the pattern", "before it is worth it"], autouse=True)
def _usual(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = lines._Usual()
    monkeypatch.setattr(usual, "FEW", request.param)
    monkeypatch.setattr(lines, "_is_usual", usual)


def codes(tmp_path: Path, line: bytes) -> list[str]:
    file = tmp_path / "log"
    file.write_bytes(line)
    return [finding.code for finding in odd_lines(file, "log")]


def expected(line: bytes) -> list[str]:
    content: Any = json.loads(line)
    found = [] if json.dumps(content, sort_keys=True).encode() == line.removesuffix(b"\n") else ["non-canonical-line"]
    hides = {"kind", "type", "event_type", "event_name"} & content.keys() and {"from_lane", "to_lane"} & content.keys()
    return found + (["lane-in-foreign-row"] if hides else [])


def is_sound(line: bytes) -> bool:
    try:
        return bool(decode(line.removesuffix(b"\n"))) or line.startswith(b"{}")
    except LineDamagedError:
        return False


@pytest.mark.parametrize("content", ROWS)
def test_every_way_to_spell_a_row_is_judged_by_the_one_that_is_canonical(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    ways = [
        line_of(content),
        json.dumps(content).encode(),
        json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n",
        json.dumps(content, sort_keys=True, ensure_ascii=False).encode() + b"\n",
        line_of(content)[:-1] + b" \n",
        line_of(content).replace(b"/", b"\\/"),
        line_of(content).replace(b"null", b" null"),
        line_of(dict(reversed(content.items()))),
        line_of(content).replace(b": 4711", b": 04711").replace(b'"agent": ', b'"agent": "twice", "agent": '),
        line_of(content).replace(b"ada", b"\\u0061da").replace(b'"shell_pid": 0', b'"shell_pid": -0'),
    ]
    ways = [way for way in ways if is_sound(way)]
    for _ in range(2):  # the second time, the shape is known
        for way in ways:
            assert codes(tmp_path, way) == expected(way), way
            spelling = Spelling()
            assert spelling.decode(way.removesuffix(b"\n")) == json.loads(way)
            assert [code for _, code in spelling.found] == expected(way), way


VALUES = st.none() | st.text(max_size=8) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(content=st.dictionaries(st.text(max_size=5), VALUES, max_size=5), is_sorted=st.booleans())
def test_any_flat_row_is_judged_as_its_canonical_spelling_says(content: dict[str, Any], is_sorted: bool) -> None:
    spelled = json.dumps(content, sort_keys=is_sorted).encode()
    try:
        decode(spelled)
    except LineDamagedError:
        return
    found = [code for code in lines._shapes.codes(spelled) if code == "non-canonical-line"]
    assert found == ([] if spelled == json.dumps(content, sort_keys=True).encode() else ["non-canonical-line"])


def test_damaged_and_blank_lines_and_a_log_that_is_not_there_are_passed_over(tmp_path: Path) -> None:
    damaged = b'oops\n\n{"a": 1, "a": 2}\n{"a": NaN}\n[1,2]\n{"b": "\xff"}\n' + b"[" * 5000 + b"\n"
    assert codes(tmp_path, damaged) == []
    assert list(odd_lines(tmp_path / "nowhere", "nowhere")) == []


def test_shapes_without_end_are_forgotten_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_MOST_SHAPES", 3)
    many = b"".join(b'{"key%d":1}\n' % number for number in range(20))
    assert codes(tmp_path, many) == ["non-canonical-line"] * 20
    assert len(lines._shapes._codes) <= 4


@needs_corpus
def test_what_the_pattern_passes_over_in_real_logs_is_most_of_it_and_nothing_odd() -> None:
    match = pattern().fullmatch
    real = [line for log in logs() for line in log.read_bytes().splitlines(keepends=True)]
    usual = [line for line in real if match(line)]
    assert len(usual) > len(real) // 2
    assert [line for line in usual if expected(line)] == []
    assert [line for line in real if match(line) and not match(line.removesuffix(b"\n"))] == []
