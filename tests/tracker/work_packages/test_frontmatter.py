"""Frontmatter is read as it stands, changed in its lane only, and refused where it could mean more than it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitty_status.errors import WorkPackageFileError
from kitty_status.tracker.work_packages.frontmatter import MAX_BYTES, Frontmatter, parse

WHERE = "kitty-specs/034-login/tasks/WP01-form.md"
REAL = b"""\
---
work_package_id: WP02
title: "Event Store (JSONL I/O)"   # the title
lane: "for_review"  # where it stands
dependencies:
- WP01
created_at: '2026-02-08T14:31:33.820128+00:00'
subtasks: [T006, T007]
assignee: ''
phase: Phase 0 - Foundation

history:
- timestamp: '2026-02-08T14:07:18Z'
  lane: planned
  agent: system
---

# lane: none of this is frontmatter
---
lane: planned
"""


def read(file: bytes) -> Frontmatter:
    found = parse(file, WHERE)
    assert found is not None
    return found


def block(text: str) -> bytes:
    return f"---\n{text}---\nbody\n".encode()


def test_every_scalar_is_the_text_that_stands_there() -> None:
    found = read(REAL)
    assert found.lane == "for_review"
    assert found.values["created_at"] == "2026-02-08T14:31:33.820128+00:00"
    assert found.values["subtasks"] == ["T006", "T007"]
    assert found.values["history"] == [{"timestamp": "2026-02-08T14:07:18Z", "lane": "planned", "agent": "system"}]
    assert found.values["assignee"] == ""
    assert read(block("at: 2026-02-08T14:07:18Z\nnumber: 007\non: yes\nnothing:\nempty: {}\n")).values == {
        "at": "2026-02-08T14:07:18Z",
        "number": "007",
        "on": "yes",
        "nothing": None,
        "empty": {},
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'lane: "for_review"  # where', b'lane: "done"  # where'),
        (b"lane: for_review\n", b"lane: done\n"),
        (b"lane:    'for_review' \n", b"lane:    'done' \n"),
        (b"lane:\n", b"lane: done\n"),
        (b"lane: \n", b"lane: done \n"),
        (b"lane: ~\n", b"lane: done\n"),
        (b"lane: # none yet\n", b"lane: done # none yet\n"),
        (b'"lane": for_review\n', b'"lane": done\n'),
        (b"lane : for_review\n", b"lane : done\n"),
    ],
)
def test_only_the_word_of_the_lane_changes_whatever_stands_around_it(before: bytes, after: bytes) -> None:
    for newline in (b"\n", b"\r\n"):
        for beginning in (b"", b"\xef\xbb\xbf"):
            whole = beginning + REAL.replace(b'lane: "for_review"  # where it stands\n', before.rstrip(b"\n") + b"\n")
            wanted = whole.replace(before, after)
            whole, wanted = whole.replace(b"\n", newline), wanted.replace(b"\n", newline)
            assert read(whole).with_lane("done") == wanted
            assert read(wanted).lane == "done"


def test_a_block_without_a_lane_gets_one_as_its_last_key_with_the_line_ends_of_the_file() -> None:
    assert read(b"---\ntitle: x\n---\nbody").with_lane("planned") == b"---\ntitle: x\nlane: planned\n---\nbody"
    assert read(b"---\r\ntitle: x\r\n---\r\n").with_lane("planned") == b"---\r\ntitle: x\r\nlane: planned\r\n---\r\n"
    assert read(b"---\n---\n").with_lane("planned") == b"---\nlane: planned\n---\n"
    assert read(b"---\n# only a comment\n---\n").with_lane("done") == b"---\n# only a comment\nlane: done\n---\n"


@pytest.mark.parametrize("file", [b"", b"# Title\n", b"---", b"text\n---\nlane: done\n---\n", b"----\nlane: x\n----\n"])
def test_a_file_may_have_no_block(file: bytes) -> None:
    assert parse(file, WHERE) is None


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: &x 1\nb: *x\n", 2, r"an anchor \(`&`\)"),
        ("a: 1\nb: *x\n", 3, r"an alias \(`\*`\)"),
        ("a: !!python/object:os.system x\n", 2, r"a tag \(`!`\)"),
        ("lane: !mine done\n", 2, r"a tag \(`!`\)"),
        ("%YAML 1.1\n", 2, r"a directive \(`%`\)"),
        ("a: 1\nlane: x\nlane: y\n", 4, "the key lane stands there twice"),
        ("history:\n- lane: a\n  lane: b\n", 4, "the key lane stands there twice"),
        ("<<: {lane: done}\n", 2, r"a merge key \(`<<`\)"),
        ("- lane: done\n", 2, "no mapping"),
        ("a: [1\n", 3, "no YAML"),
        ("a: 1\n b: 2\n", 3, "no YAML"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", 2, "nested too deeply"),
        ("a: " + "[" * 5000 + "\n", 2, "no YAML"),
        ("? [a]\n: 1\n", 2, "a key is no plain text"),
        ("lane: [done]\n", 2, "the lane is no plain word"),
        ("lane: >\n  done\n", 2, "the lane is no plain word"),
        ("lane: fo\n  ur\n", 2, "the lane is no plain word"),
        ("{a: 1}\n", 2, "in braces"),
    ],
)
def test_what_could_mean_more_than_it_says_is_refused_with_its_line(text: str, line: int, why: str) -> None:
    with pytest.raises(WorkPackageFileError, match=rf"^{WHERE}:{line}: .*{why}") as caught:
        parse(block(text), WHERE)
    assert caught.value.hint


def test_a_block_that_does_not_end_and_one_that_is_too_large_are_refused() -> None:
    with pytest.raises(WorkPackageFileError, match=f"^{WHERE}:1: the frontmatter has no end"):
        parse(b"---\nlane: done\n", WHERE)
    filling = "".join(f"key{number}: {'x' * 50}\n" for number in range(1000))
    assert len(filling) < MAX_BYTES
    assert len(read(block(filling)).values) == 1000
    assert read(block(filling)).with_lane("done").endswith(b"\nlane: done\n---\nbody\n")
    with pytest.raises(WorkPackageFileError, match=r":1: the frontmatter has \d+ bytes"):
        parse(block(filling + "x" * 20_000 + ": 1\n"), WHERE)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(WorkPackageFileError, match="is not UTF-8"):
        parse(b"---\na: \xff\n---\n", WHERE)


def test_a_lane_inside_braces_is_replaced_there() -> None:
    assert read(b"---\n{lane: planned, a: 1}\n---\n").with_lane("done") == b"---\n{lane: done, a: 1}\n---\n"


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="&*!%|>?@`\"'{}[],#:-<"), min_size=1
)


@given(
    before=st.dictionaries(WORDS, WORDS, max_size=5),
    after=st.dictionaries(WORDS, WORDS, max_size=5),
    lanes=st.tuples(st.sampled_from(["planned", "in_progress", '"done"', "'claimed'"]), st.sampled_from(["done", "x"])),
    crlf=st.booleans(),
)
def test_whatever_stands_around_the_lane_survives_byte_for_byte(
    before: dict[str, str], after: dict[str, str], lanes: tuple[str, str], crlf: bool
) -> None:
    names = {"lane", *before}
    after = {key: value for key, value in after.items() if key not in names}
    before.pop("lane", None)
    top = "".join(f"{key}: {value}  # note\n" for key, value in before.items())
    rest = "".join(f"{key}: '{value}'\n" for key, value in after.items())
    text = f"---\n{top}lane: {lanes[0]}\n{rest}---\nlane: planned\n"
    file = (text.replace("\n", "\r\n") if crlf else text).encode()
    quote = lanes[0][0] if lanes[0][0] in "\"'" else ""
    wanted = file.replace(f"lane: {lanes[0]}".encode(), f"lane: {quote}{lanes[1]}{quote}".encode(), 1)
    try:
        found = read(file)
    except WorkPackageFileError:
        return  # a word that YAML takes for something else
    assert found.with_lane(lanes[1]) == wanted
