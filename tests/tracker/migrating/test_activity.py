"""The section `## Activity Log` tells of moves, and nothing that only shows how one is written does."""

from __future__ import annotations

import pytest

from kitty_status.status.instants import format_instant
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.tracker.migrating.activity import activity_entries, activity_lanes, activity_times
from kitty_status.tracker.migrating.history import CannotReconstructError

TIME = "2025-11-10T12:00:00Z"
ITEM = f"- {TIME} \u2013 ada \u2013 lane=doing \u2013 Started"


def told(text: str) -> list[tuple[str, str]]:
    return [(entry.lane, entry.agent) for entry in activity_entries(text.encode(), SEVEN_LANE)]


def section(*lines: str) -> str:
    return "\n".join(["# WP01", "", "## Activity Log", "", *lines, ""])


def test_the_items_are_entries_with_a_time_a_lane_and_a_name() -> None:
    text = section(
        "- 2026-02-08T14:07:18Z -- system -- lane=planned -- Prompt created.",
        "- 2026-02-08T14:31:35Z \u2013 claude-wp02 \u2013 shell_pid=42565 \u2013 lane=doing \u2013 Assigned",
        "- 2026-02-08T14:46:37Z \u2013 claude-wp02 \u2013 shell_pid=42565 \u2013 lane=for_review \u2013 Moved",
    )
    entries = activity_entries(text.encode(), SEVEN_LANE)
    assert [(each.lane, each.agent, format_instant(each.at)[:19]) for each in entries] == [
        ("planned", "system", "2026-02-08T14:07:18"),
        ("in_progress", "claude-wp02", "2026-02-08T14:31:35"),
        ("for_review", "claude-wp02", "2026-02-08T14:46:37"),
    ]


@pytest.mark.parametrize(
    ("item", "agent"),
    [
        (ITEM, "ada"),
        (f"- {TIME} - ada - lane=doing - Started", "ada"),
        (f"- {TIME} -- ada-b -- lane=doing", "ada-b"),
        (f"* {TIME} — Ada Lovelace — lane=doing — 1 - 2", "Ada Lovelace"),
        (f"  + {TIME}\u2013ada\u2013lane=doing\u2013Started", "ada"),
        (f"- {TIME} \u2013 shell_pid=7 \u2013 lane=`doing` \u2013 Started", ""),
        (f"- {TIME} \u2013 lane=In-Progress", ""),
        (f"-\t{TIME}\t\u2013\tŽofie 🐈\t\u2013\tlane=doing\r", "Žofie 🐈"),
        (f"- {TIME} \u2013 ada \u2013 lane=doing \u2013 lane=done was too early", "ada"),
    ],
)
def test_any_dash_and_any_marker_of_a_list_will_do(item: str, agent: str) -> None:
    assert told(section(item)) == [("in_progress", agent)]


@pytest.mark.parametrize(
    "note",
    [
        f"- {TIME} \u2013 ada \u2013 Started",
        "- YYYY-MM-DDTHH:MM:SSZ \u2013 <agent_id> \u2013 lane=<lane> \u2013 <brief action description>",
        "- {{TIMESTAMP}} \u2013 system \u2013 lane=planned \u2013 Prompt created",
        f"> {ITEM}",
        f"{TIME} \u2013 ada \u2013 lane=doing \u2013 no item",
        f"- ada moved it to lane=doing at {TIME}",
        f"- {TIME}",
    ],
)
def test_everything_else_is_a_note(note: str) -> None:
    assert told(section(note)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"# WP01\n\n{ITEM}\n",
        section("```", ITEM, "```"),
        section("````markdown", "```", ITEM, "````"),
        section("~~~", ITEM),
        section("<!--", ITEM, "-->"),
        section("## Notes", ITEM),
        section("# Another title", ITEM),
        f"```\n## Activity Log\n```\n{ITEM}\n",
        "",
    ],
)
def test_outside_the_section_and_in_what_is_only_shown_nothing_is_told(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"## activity log:\n{ITEM}\n",
        f"  ### Activity  Log ###\n{ITEM}",
        f"\ufeff\r\n## Activity Log\r\n\r\n{ITEM}\r\n",
        section("### How to add an entry", "```", ITEM, "```", "", ITEM),
        section("<!-- oldest first -->", ITEM),
        f"## Activity Log\n## Notes\n## Activity Log\n{ITEM}",
        section("#hashtag", ITEM),
    ],
)
def test_the_section_goes_on_below_its_own_subtitles_and_after_examples(text: str) -> None:
    assert told(text) == [("in_progress", "ada")]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (f"- {TIME} \u2013 ada \u2013 lane=shipped \u2013 x", "line 15: 'shipped' is no lane of seven-lane"),
        ("- 2025-13-40 \u2013 ada \u2013 lane=done \u2013 x", "line 15: '2025-13-40' is no time"),
        (f"- 2025-11-10{'x' * 99} - lane=done", f"line 15: '2025-11-10{'x' * 69}... is no time"),
        (f"- {TIME} \u2013 ada \u2013 lane= \u2013 x", "line 15: '' is no lane of seven-lane"),
    ],
)
def test_an_entry_that_cannot_be_understood_is_named_with_its_line_in_the_file(item: str, why: str) -> None:
    with pytest.raises(CannotReconstructError) as caught:
        activity_entries(section(item).encode(), SEVEN_LANE, 10)
    assert str(caught.value) == why


def test_lanes_and_times_are_found_as_they_are_spelled() -> None:
    text = section(f"- {TIME} \u2013 ada \u2013 lane=In_Review", "- 2025-11-11 \u2013 ada \u2013 a note").encode()
    assert activity_lanes(text) == ["In_Review"]
    assert [format_instant(time)[:10] for time in activity_times(text)] == ["2025-11-10", "2025-11-11"]
    assert [entry.lane for entry in activity_entries(text, NINE_LANE)] == ["in_review"]


def test_a_text_that_is_not_utf_8_is_read_all_the_same() -> None:
    text = section(ITEM).encode() + b"\xff\xfe\n- 2025-11-11 \xff lane=done\n"
    assert [entry.lane for entry in activity_entries(text, SEVEN_LANE)] == ["in_progress"]


def test_lines_that_are_all_blanks_or_all_dashes_are_no_trouble() -> None:
    blanks, dashes = " " * 500_000, " - " * 200_000
    assert told(section(f"- 2025-11-10{blanks}x", f"#{blanks}x", f"- 2025-11-10{dashes}", ITEM)) == []
    assert told(section(f"- 2025-11-10{blanks}x", f"- 2025-11-10{dashes}", ITEM)) == [("in_progress", "ada")]
