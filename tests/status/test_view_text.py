"""The generated parts of Markdown files: found where they are plain, and only there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitty_status.errors import WorkPackageFileError
from kitty_status.status.view_text import (
    SECTION_BEGIN,
    SECTION_END,
    lane_span,
    section_span,
    with_generated_parts_of,
)
from kitty_status.tracker.work_packages import frontmatter

SECTION = SECTION_BEGIN + b"\n| WP01 | planned |\n" + SECTION_END


@pytest.mark.parametrize(
    ("block", "lane"),
    [
        (b"lane: planned\n", b"planned"),
        (b"title: x\nlane:   for_review   # set by a tool\nafter: y\n", b"for_review"),
        (b'lane: "done"\r\n', b"done"),
        (b"lane: 'in_progress'\n", b"in_progress"),
        (b"note: |\n  lane: not this one\nlane: blocked\n", b"blocked"),
        (b'title: "don\'t"\nlane: blocked\n', b"blocked"),
        (b"title: 'it''s'  # ' \nlist: [a, b] # [\n- {a: 1}\nlane: blocked\n", b"blocked"),
    ],
)
def test_a_plain_lane_is_found_without_its_quotes_and_its_comment(block: bytes, lane: bytes) -> None:
    file = b"---\n" + block + b"---\n\nlane: not this one either\n"
    span = lane_span(file)
    assert span is not None
    assert file[span[0] : span[1]] == lane


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"lane: planned\n",
        b"---\nlane: planned\n",
        b"---\ntitle: x\n---\nlane: planned\n",
        b"---\nlane: planned\nlane: done\n---\n",
        b"---\nlane:planned\n---\n",
        b"---\nlane:\n---\n",
        b"---\nlane: [planned]\n---\n",
        b"---\nlane: &a planned\n---\n",
        b'---\nlane: "planned\n---\n',
        b"---\n lane: planned\n---\n",
        b"---\na: 'text\nlane: planned\n'\n---\n",
        b'---\nlist:\n- "text\nlane: planned\n"\n---\n',
        b"---\na: [x,\nlane: planned\n]\n---\n",
        b"---\na: {x: 1, # }\nlane: planned\n}\n---\n",
    ],
)
def test_a_lane_in_any_other_form_is_not_found(file: bytes) -> None:
    assert lane_span(file) is None


@pytest.mark.parametrize(
    "file", [SECTION, b"# Tasks\n\n" + SECTION + b"\nmore\n", b"\xef\xbb\xbf" + SECTION + b"  \r\n"]
)
def test_a_section_reaches_from_marker_to_marker(file: bytes) -> None:
    span = section_span(file)
    assert span is not None
    assert file[span[0] : span[1]] == SECTION


@pytest.mark.parametrize("file", [b"", b"text\n", b"see " + SECTION_BEGIN + b"\n", b"`" + SECTION_END + b"`\n"])
def test_a_marker_inside_a_line_marks_nothing(file: bytes) -> None:
    assert section_span(file) is None


@pytest.mark.parametrize(
    "file", [SECTION_BEGIN, SECTION_END, SECTION_END + b"\n" + SECTION_BEGIN, SECTION + b"\n" + SECTION]
)
def test_markers_that_are_no_pair_are_refused(file: bytes) -> None:
    with pytest.raises(ValueError, match="one of each is expected"):
        section_span(file)


@given(before=st.binary(), after=st.binary(), lanes=st.tuples(*[st.sampled_from([b"planned", b"done"])] * 2))
def test_generated_parts_move_from_one_version_to_another_and_nothing_else_does(
    before: bytes, after: bytes, lanes: tuple[bytes, bytes]
) -> None:
    def version(lane: bytes) -> bytes:
        section = SECTION_BEGIN + b"\n" + lane + b"\n" + SECTION_END
        return b"---\nlane: " + lane + b"\n---\n" + text[0] + b"\n" + section + b"\n" + text[1]

    text = [part.replace(b"kitty-status:", b"") for part in (before, after)]
    assert with_generated_parts_of(version(lanes[0]), version(lanes[1])) == version(lanes[1])


PIECES = ["lane: done", "lane: 'claimed'", "a: x", "b: 'x", 'c: "x', "d: [x,", "e: {x: 1,", "'", '"', "]", "}", "- 'x"]
PIECES += [
    "- x",
    "# don't",
    "  f: 'g",
    "  lane: planned",
    "h: |",
    "i: 'it''s'",
    'j: "say \\"x"',
    "k: ['x', y]",
    "m: {x: 1, # }",
    "l: ''",
    "",
]


@given(st.lists(st.sampled_from(PIECES), max_size=6))
def test_a_lane_that_is_found_is_the_one_that_yaml_reads_there(pieces: list[str]) -> None:
    file = "\n".join(["---", *pieces, "---", ""]).encode()
    span = lane_span(file)
    try:
        block = frontmatter.parse(file, "a file")
    except WorkPackageFileError:
        return
    assert span is None or (block is not None and block.lane == file[span[0] : span[1]].decode())
