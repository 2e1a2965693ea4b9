"""Which checkboxes are a work package's subtasks, and which are none."""

from __future__ import annotations

from kitty_status.tracker.work_packages.subtasks import Subtask, subtasks_in_file, subtasks_in_overview

OVERVIEW = """\
# Tasks

- [ ] T099 belongs to nobody

## Work Package WP01: The form (P1)

- [x] T001 Write it
* [X] **T002** Test it
1. [ ] T003 Say it

### Notes on WP01

- [ ] ask ada

## Work Package WP010: Another one

- [ ] T010 Not of WP01
"""


def texts(found: list[Subtask]) -> list[str]:
    return [each.text for each in found]


def test_boxes_below_the_heading_of_a_work_package_are_its_subtasks() -> None:
    found = subtasks_in_overview(OVERVIEW, "WP01")
    assert found == [
        Subtask(7, "T001 Write it", True),
        Subtask(8, "**T002** Test it", True),
        Subtask(9, "T003 Say it", False),
        Subtask(13, "ask ada", False),
    ]
    assert texts(subtasks_in_overview(OVERVIEW, "WP010")) == ["T010 Not of WP01"]
    assert subtasks_in_overview(OVERVIEW, "WP1") == []


def test_boxes_that_name_a_listed_subtask_belong_to_the_work_package_wherever_they_stand() -> None:
    flat = "- [ ] T001 one\n- [x] **T002** two\n- [ ] T003 after T001\n- [ ] T0011 longer\n"
    assert texts(subtasks_in_overview(flat, "WP01", ["T001", "T002"])) == ["T001 one", "**T002** two"]


def test_in_its_own_file_a_checklist_for_reviewers_is_no_subtask() -> None:
    text = "# WP01\n\n## Subtasks\n- [x] write\n### More\n- [ ] test\n## Review\n- [ ] looks good\n- [ ] T004 named\n"
    assert subtasks_in_file(text) == [
        Subtask(4, "write", True),
        Subtask(6, "test", False),
        Subtask(9, "T004 named", False),
    ]


def test_code_and_comments_hold_no_subtasks() -> None:
    text = (
        "## Subtasks\n```markdown\n- [ ] T001 example\n```\n~~~~\n- [ ] T002\n~~~\n- [ ] T003\n~~~~\n"
        "<!-- - [ ] T004 -->\n<!--\n- [ ] T005\n-->\n- [x] T006 real\n"
    )
    assert texts(subtasks_in_file(text)) == ["T006 real"]


def test_line_ends_of_windows_and_nested_lists_are_read() -> None:
    assert subtasks_in_file("- [ ] T001 a\r\n  - [x] T002 b\r\n") == [
        Subtask(1, "T001 a", False),
        Subtask(2, "T002 b", True),
    ]


def test_what_only_looks_like_a_box_is_none() -> None:
    assert subtasks_in_file("-[ ] T001\n- [] T002\n- [y] T003\n[ ] T004\n- T005 [ ]\n") == []
