"""Generated parts are made the same in all three versions, so that only people's text is left to merge."""

from __future__ import annotations

import pytest

from kitty_status.status.view_merging import alike, with_one_lane, with_one_section
from kitty_status.status.view_text import SECTION_BEGIN, SECTION_END

TEXT = b"# Tasks\n\nsome text\n"


def section(content: bytes, newline: bytes = b"\n") -> bytes:
    return newline.join([SECTION_BEGIN, content, SECTION_END])


def with_section(content: bytes, text: bytes = TEXT) -> bytes:
    return text + b"\n" + section(content) + b"\n"


def frontmatter(*lines: bytes, newline: bytes = b"\n") -> bytes:
    return b"".join(line + newline for line in (b"---", *lines, b"---", b"text"))


def test_all_versions_get_the_section_of_ours() -> None:
    versions = (with_section(b"base"), with_section(b"ours"), with_section(b"theirs", b"other text\n"))

    made = with_one_section(versions)

    assert made == (with_section(b"ours"), with_section(b"ours"), with_section(b"ours", b"other text\n"))


def test_the_section_of_the_merged_log_comes_before_that_of_ours() -> None:
    versions = (with_section(b"base"), with_section(b"ours"), with_section(b"theirs"))

    assert set(with_one_section(versions, section(b"merged"))) == {with_section(b"merged")}


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (TEXT, with_section(b"ours"), with_section(b"theirs")),
        (TEXT, with_section(b"ours"), TEXT),
        (TEXT, TEXT, with_section(b"ours")),
        (with_section(b"base"), with_section(b"ours"), with_section(b"theirs")),
        (TEXT.rstrip(b"\n"), with_section(b"ours"), TEXT.rstrip(b"\n")),
    ],
)
def test_a_section_that_a_side_has_added_stands_in_all(base: bytes, ours: bytes, theirs: bytes) -> None:
    assert set(with_one_section((base, ours, theirs))) == {with_section(b"ours")}


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (with_section(b"base"), TEXT, with_section(b"theirs")),
        (with_section(b"base"), with_section(b"ours"), TEXT),
        (with_section(b"base"), TEXT, TEXT),
    ],
)
def test_a_section_that_a_side_has_taken_out_stands_in_none(base: bytes, ours: bytes, theirs: bytes) -> None:
    assert set(with_one_section((base, ours, theirs))) == {TEXT}


def test_a_section_in_the_middle_is_taken_out_with_its_line_alone() -> None:
    base = b"above\n\n" + section(b"base") + b"\n\nbelow\n"

    assert with_one_section((base, b"ours\n", base)) == (b"above\n\n\nbelow\n", b"ours\n", b"above\n\n\nbelow\n")


def test_an_empty_base_of_two_added_files_gets_the_section_alone() -> None:
    base, ours, theirs = with_one_section((b"", with_section(b"ours"), with_section(b"theirs")))

    assert (base, ours, theirs) == (section(b"ours") + b"\n", with_section(b"ours"), with_section(b"ours"))


def test_every_version_keeps_its_line_ends() -> None:
    dos = with_section(b"theirs").replace(b"\n", b"\r\n")

    base, ours, theirs = with_one_section((with_section(b"base"), with_section(b"a\nb"), dos))

    assert (base, ours) == (with_section(b"a\nb"), with_section(b"a\nb"))
    assert theirs == with_section(b"a\nb").replace(b"\n", b"\r\n")
    assert with_one_section((dos, dos.replace(b"theirs", b"x"), TEXT.replace(b"\n", b"\r\n")))[0] == TEXT.replace(
        b"\n", b"\r\n"
    )


@pytest.mark.parametrize("broken", [SECTION_BEGIN + b"\n", with_section(b"x") + SECTION_END + b"\n"])
def test_markers_that_are_no_pair_leave_all_three_as_they_are(broken: bytes) -> None:
    versions = (with_section(b"base"), broken, with_section(b"theirs"))

    assert with_one_section(versions) == versions


def test_versions_without_any_generated_part_stay_as_they_are() -> None:
    versions = (b"a\n", b"b\n", b"c")

    assert alike(versions) == versions


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (b"planned", b"claimed", b"planned", b"claimed"),
        (b"planned", b"planned", b"claimed", b"claimed"),
        (b"planned", b"claimed", b"claimed", b"claimed"),
        (b"planned", b"claimed", b"blocked", b"claimed"),
    ],
)
def test_a_lane_is_the_one_that_was_changed_and_ours_if_both_were(
    base: bytes, ours: bytes, theirs: bytes, merged: bytes
) -> None:
    versions = (frontmatter(b"lane: " + base), frontmatter(b"lane: " + ours), frontmatter(b"lane: " + theirs, b"a: b"))

    made = with_one_lane(versions)

    expected = frontmatter(b"lane: " + merged)
    assert made == (expected, expected, frontmatter(b"lane: " + merged, b"a: b"))


def test_the_lane_of_the_merged_log_comes_before_both() -> None:
    versions = (frontmatter(b"lane: a"), frontmatter(b"lane: 'b'"), frontmatter(b"lane: c # why"))

    assert with_one_lane(versions, b"d") == (
        frontmatter(b"lane: d"),
        frontmatter(b"lane: 'd'"),
        frontmatter(b"lane: d # why"),
    )


def test_a_lane_that_people_wrote_is_left_to_them_where_both_have_changed_it() -> None:
    versions = (frontmatter(b"lane: a"), frontmatter(b"lane: b"), frontmatter(b"lane: c"))

    assert with_one_lane(versions, is_generated=False) == versions
    one_side = (frontmatter(b"lane: a"), frontmatter(b"lane: a"), frontmatter(b"lane: c"))
    assert set(with_one_lane(one_side, is_generated=False)) == {frontmatter(b"lane: c")}


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_lane_that_a_side_has_added_stands_at_the_end_of_all_blocks(newline: bytes) -> None:
    without = frontmatter(b"title: a", newline=newline)
    added = frontmatter(b"title: a", b"lane: claimed", newline=newline)

    assert set(with_one_lane((without, added, without))) == {added}
    assert set(with_one_lane((without, without, added))) == {added}
    assert set(with_one_lane((without, added, added.replace(b"claimed", b"blocked")))) == {added}


@pytest.mark.parametrize(
    "text", [b"text\n", b"---\nno end\n", b"", frontmatter(b"lane: [a]"), frontmatter(b"lanes: x")]
)
def test_a_lane_is_not_put_where_no_block_can_take_it(text: bytes) -> None:
    added = frontmatter(b"lane: claimed")

    assert with_one_lane((text, added, text)) == (text, added, text)


def test_a_lane_that_one_side_has_taken_out_comes_back_in_none() -> None:
    without = frontmatter(b"title: a")
    base, theirs = frontmatter(b"title: a", b"lane: a"), frontmatter(b"title: a", b"lane: c")

    assert with_one_lane((base, without, theirs)) == (theirs, without, theirs)
    assert with_one_lane((base, theirs, without)) == (theirs, theirs, without)
    assert with_one_lane((base, without, without)) == (base, without, without)


def test_a_file_may_have_both_parts() -> None:
    base, ours, theirs = (
        frontmatter(b"lane: " + name) + b"\n" + section(name) + b"\n" for name in (b"base", b"ours", b"theirs")
    )

    assert set(alike((base, ours, theirs))) == {ours}
    merged = frontmatter(b"lane: m") + b"\n" + section(b"s") + b"\n"
    assert set(alike((base, ours, theirs), section=section(b"s"), lane=b"m")) == {merged}
