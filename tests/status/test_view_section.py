"""The status section of `tasks.md`: what it says, and that nothing outside it changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import row
from kitty_status import StatusEvent, reduce
from kitty_status.status.snapshot import Snapshot
from kitty_status.status.view_section import escaped, section_lines, with_section
from kitty_status.status.view_text import SECTION_BEGIN, SECTION_END, section_span

TITLE = "# Work packages\n"


def snapshot_of(*contents: dict[str, Any]) -> Snapshot:
    return reduce(StatusEvent.from_dict(row(**content)) for content in contents)


MOVED = snapshot_of({"actor": "ada", "at": "2026-03-04T05:06:07.000008+00:00"})


def test_the_section_is_a_table_of_where_every_work_package_stands() -> None:
    assert with_section(TITLE.encode(), MOVED).decode() == (
        "# Work packages\n"
        "\n"
        "<!-- kitty-status:begin -->\n"
        "<!-- made by kitty-status from the log beside this file; edits up to the next such line are overwritten -->\n"
        "\n"
        "## Status\n"
        "\n"
        "| work package | lane | actor | since |\n"
        "| --- | --- | --- | --- |\n"
        "| WP01 | claimed | ada | 2026-03-04 05:06 UTC |\n"
        "\n"
        "1 work package: 1 claimed\n"
        "\n"
        "<!-- kitty-status:end -->\n"
    )


def test_a_section_that_is_there_is_replaced_where_it_stands() -> None:
    first = with_section(TITLE.encode(), MOVED)
    other = snapshot_of({"wp_id": "WP02", "actor": "ben"})
    changed = with_section(b"above\n" + first + b"below\n", other)
    assert changed.startswith(b"above\n# Work packages\n\n<!-- kitty-status:begin -->\n")
    assert changed.endswith(b"<!-- kitty-status:end -->\nbelow\n")
    assert b"| WP02 | claimed | ben |" in changed
    assert b"WP01" not in changed


@pytest.mark.parametrize(
    "text", [b"", b"no line end", b"one\n", b"one\n\n", b"one\r\n", b"one\r\n\r\n", b"\xef\xbb\xbf"]
)
def test_a_new_section_stands_behind_an_empty_line_in_the_line_ends_of_the_file(text: bytes) -> None:
    found = with_section(text, MOVED)
    newline = b"\r\n" if b"\r" in text else b"\n"
    span = section_span(found)
    assert span is not None
    above = found[: span[0]]
    assert above.startswith(text)
    assert above in (text, text + newline, text + newline * 2)
    assert text in (b"", b"\xef\xbb\xbf") or above.endswith(newline * 2)
    assert found[span[0] :].count(b"\r") == (found[span[0] :].count(b"\n") if newline == b"\r\n" else 0)
    assert with_section(found, MOVED) == found


def test_a_feature_in_which_nothing_has_moved_gets_no_section_and_keeps_one_that_it_has() -> None:
    empty = snapshot_of()
    assert with_section(TITLE.encode(), empty) == TITLE.encode()
    emptied = with_section(with_section(TITLE.encode(), MOVED), empty).decode()
    assert "## Status\n\n0 work packages\n\n<!--" in emptied


def test_competing_moves_have_a_column_of_their_own() -> None:
    moves = [
        {"event_id": "01AAAAAAAAAAAAAAAAAAAAAAAA", "to_lane": "claimed", "actor": "ada", "parents": []},
        {"event_id": "01BBBBBBBBBBBBBBBBBBBBBBBB", "to_lane": "blocked", "actor": "ben", "parents": []},
        {"event_id": "01CCCCCCCCCCCCCCCCCCCCCCCC", "wp_id": "WP02", "actor": "eve", "parents": []},
    ]
    lines = section_lines(snapshot_of(*moves))
    assert "| work package | lane | actor | since | conflict |" in lines
    assert next(line for line in lines if "WP01" in line).endswith("| newest: blocked by ben, claimed by ada |")
    assert next(line for line in lines if "WP02" in line).endswith("UTC |  |")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ada", "ada"),
        ("claude_code", "claude_code"),
        ("_ada_", "\\_ada\\_"),
        ("a|b", "a\\|b"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("a&lt;", "a&amp;lt;"),
        ("[x](y) `z` *w*", "\\[x\\](y) \\`z\\` \\*w\\*"),
        ("two\nlines", "two\\\\nlines"),
        ("\x1b[2J", "\\\\x1b\\[2J"),
        ("x" * 101, "x" * 99 + "…"),
    ],
)
def test_what_events_say_is_no_markup(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-03-04T05:06:07Z", "2026-03-04 05:06 UTC"),
        ("2026-03-04T05:06:07+02:00", "2026-03-04 03:06 UTC"),
        ("20260304T050607+00:00", "2026-03-04 05:06 UTC"),
        ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
    ],
)
def test_instants_are_shown_in_one_spelling(at: str, shown: str) -> None:
    assert any(f"| {shown} |" in line for line in section_lines(snapshot_of({"at": at})))


@given(st.text().filter(bool), st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_whatever_an_actor_calls_itself_the_section_is_found_again_and_the_rest_survives(actor: str, text: str) -> None:
    snapshot = Snapshot(MOVED.profile)
    snapshot.work_packages = {"WP01": {**MOVED.work_packages["WP01"], "actor": actor}}
    file = text.encode()
    if SECTION_BEGIN in file or SECTION_END in file:
        return
    found = with_section(file, snapshot)
    span = section_span(found)
    assert span is not None
    assert found.startswith(file)
    assert with_section(found, snapshot) == found
    assert found[span[0] :].decode().count("\n") == len(section_lines(snapshot))
