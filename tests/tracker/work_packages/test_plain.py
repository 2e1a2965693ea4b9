"""Plain blocks are read without a library, and never otherwise than the library reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kitty_status.errors import WorkPackageFileError
from kitty_status.status.view_text import lane_span
from kitty_status.tracker.work_packages.files import WorkPackageFile
from kitty_status.tracker.work_packages.frontmatter import parse
from kitty_status.tracker.work_packages.plain import keys_of_plain_block

WHERE = "tasks/WP01.md"
REAL = """\
# what it is
work_package_id: "WP01"
title: 'Event Store (JSONL I/O)'   # the title
lane: "planned"  # where it stands
subtasks:
  - "T001"
  - T002
dependencies: []
requirement_refs: [FR-001, "FR-002"]
assignee: ''
agent: ""
phase: Phase 0 - Žofie 🐈

history:
- timestamp: '2026-02-08T14:07:18Z'
  lane: planned
  agent: system
  action: Prompt generated via /spec-kitty.tasks
"""


def test_what_tools_and_people_write_is_plain() -> None:
    assert keys_of_plain_block(REAL.encode()) == {
        "work_package_id": "WP01",
        "title": "Event Store (JSONL I/O)",
        "lane": "planned",
        "subtasks": "",
        "dependencies": "[]",
        "requirement_refs": '[FR-001, "FR-002"]',
        "assignee": "",
        "agent": "",
        "phase": "Phase 0 - Žofie 🐈",
        "history": "",
    }
    assert keys_of_plain_block(REAL.replace("\n", "\r\n").encode()) == keys_of_plain_block(REAL.encode())
    assert keys_of_plain_block(b"") == {}


@pytest.mark.parametrize(
    "block",
    [
        "a: &x b",
        "a: *x",
        "a: !!str b",
        "a: !b c",
        "<<: b",
        "a: |\n  text",
        "a: >\n  text",
        "a: 'b\n  c'",
        'a: "b\\n"',
        'a: "b" c',
        "a: 'it''s'",
        "a: b\n  c",
        "a: b: c",
        "a: b:",
        "a: {b: c}",
        "a: [b: c]",
        "a: [b, [c]]",
        "a: [b",
        "a: [b,, c]",
        "a: %b",
        "a: @b",
        "a: -b",
        "a: ? b",
        "a: b\na: c",
        "a:\n- b: c\n  b: d",
        "a:\n- b\n - c",
        "a:\n- b: c\n   d: e",
        "a:\n- b:\n    c: d",
        "a:\n  b: c",
        "a: b\n- c",
        "a: 'b'\n- c",
        "a: ''\n- c",
        "- a",
        "a:\n-",
        "a:\n- # c",
        "a:\n-  b",
        "a:\n- some thing: b",
        "a:\tb",
        "a: b\u2028c: d",
        "a: b\x85c: d",
        "null: a",
        "a b: c",
        "a",
        "a:b",
        "? a",
        "--- a",
        "%YAML 1.1",
        "é: a",
        f"{'a' * 129}: b",
        b"a: \xff",
    ],
)
def test_whatever_goes_beyond_is_left_to_the_library(block: str | bytes) -> None:
    assert keys_of_plain_block(block if isinstance(block, bytes) else block.encode()) is None


TEXTS = st.sampled_from(
    [
        *("planned", "a b", "'q'", '"q"', "''", "[]", "[a, b]", "x:y", "a#b", "a #c", "&a", "*a", "!a", "|", "12"),
        *("null", "a: b", "a:", "-", "?", "~", "é", "'", '"', "[", "{}", "1.5e3", "2026-01-01", "T1 # 'c", "/x", "..."),
        *("a\tb", "Yes", "0x1", "a,b", "a]", "(x)", "=", "<<", ". ", "_", "10:30", "a  b", "é: x"),
    ]
)
LINES = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "  ", "- ", "  - ", "    ", "- - "]),
        st.sampled_from(["a:", "b:", "c-d:", "", "lane:", "work_package_id:", "null:", "<<:"]),
        st.sampled_from([" ", "", "  "]),
        TEXTS,
    ),
    st.sampled_from(["# c", "", "  # c", "a:", "lane: planned", "- x", "  - y", "  b: c", "- a: b", "  - a:"]),
    st.text(alphabet="ab:-# '\"[]&\r", max_size=12),
)


@given(st.lists(LINES, max_size=8).map("\n".join), st.sampled_from(["claimed", "in_progress", "null"]))
@example("a:\n- b: c\n  d: e\n- f", "claimed")
@example("a: ''\nlane: 'planned' # c", "claimed")
def test_a_plain_block_is_one_that_the_library_reads_alike(block: str, lane: str) -> None:
    text = f"{block}\n".encode()
    keys = keys_of_plain_block(text)
    if keys is None:
        return
    file = b"---\n" + text + b"---\nbody\n"
    found = parse(file, WHERE)
    assert found is not None
    if found.values or keys:
        assert list(found.values) == list(keys)
    for name, value in found.values.items():
        if isinstance(value, str):
            assert keys[name] == value
        else:
            assert keys[name] in ("", "null") or keys[name].startswith("[")
    if lane_span(file) is not None:
        by_library = _or_refusal(lambda: found.with_lane(lane))
        one = WorkPackageFile("WP01", Path(WHERE), WHERE, file)
        if keys.get("work_package_id", "WP01") == "WP01":
            assert _or_refusal(lambda: one.with_lane_in(lane, file)) == by_library


def _or_refusal(make: object) -> object:
    try:
        return make()  # type: ignore[operator]
    except WorkPackageFileError:
        return "refused"
