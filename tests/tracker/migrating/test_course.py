"""A course is what a frontmatter tells of lanes and times, the same wherever it is read."""

from __future__ import annotations

import pytest

from kanban import own_profile
from kitty_status.errors import WorkPackageFileError
from kitty_status.status.instants import format_instant, parse_instant
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE, LaneProfile
from kitty_status.tracker.migrating.activity import ACTIVITY_LOG
from kitty_status.tracker.migrating.course import BOOTSTRAP, Course, Told, course_of
from kitty_status.tracker.migrating.history import HISTORY
from kitty_status.tracker.work_packages.frontmatter import parse

WHERE = "kitty-specs/001-feature/tasks/WP01.md"
EPOCH = "1970-01-01T00:00:00.000000+00:00"


def course(block: str, profile: LaneProfile = SEVEN_LANE, begun: str | None = None, text: str = "") -> Course:
    found = parse(f"---\n{block}---\n".encode(), WHERE)
    assert found is not None
    lines_before = block.count("\n") + 2
    return course_of(
        Told(WHERE, found.values, text.encode(), lines_before), profile, parse_instant(begun) if begun else None
    )


def activity(*told: str) -> str:
    """Return a section; each item is told as `time lane agent`."""
    items = [each.split() for each in told]
    return "## Activity Log\n\n" + "".join(
        f"- {time} \u2013 {agent} \u2013 lane={lane} \u2013 x\n" for time, lane, agent in items
    )


def entries(*told: str) -> str:
    """Return a history; each entry is told as `time lane agent`, with `-` for what is not said."""
    lines = ["history:"]
    for each in told:
        words = zip(("timestamp", "lane", "agent"), each.split(), strict=False)
        said = ", ".join(f"{key}: '{word}'" for key, word in words if word != "-")
        lines.append(f"- {{{said}}}")
    return "\n".join(lines) + "\n"


def moves(found: Course) -> list[tuple[str, str]]:
    return [(step.lane, format_instant(step.at)) for step in found.steps]


def day(number: int, microseconds: int = 0) -> str:
    return f"2026-02-{number:02}T00:00:00.{microseconds:06}+00:00"


def test_a_history_with_times_lanes_and_agents_becomes_the_moves_that_it_tells() -> None:
    history = entries(
        "2026-02-01 planned system",
        "2026-02-02 claimed ada",
        "2026-02-03 in_progress ada",
        "2026-02-04 for_review ada",
        "2026-02-05 done ben",
    )
    found = course(f"lane: done\n{history}")
    assert (found.lane, found.origin, found.remarks) == ("done", HISTORY, ())
    assert moves(found) == [("claimed", day(2)), ("in_progress", day(3)), ("for_review", day(4)), ("done", day(5))]
    assert [step.why for step in found.steps] == [
        "its history, by ada",
        "its history, by ada",
        "its history, by ada",
        "its history, by ben",
    ]


def test_repetitions_collapse_aliases_are_resolved_and_gaps_are_filled_by_the_legal_way() -> None:
    history = entries("2026-02-02 planned", "2026-02-03 doing ada", "2026-02-04 In-Progress", "2026-02-05 done")
    found = course(f"lane: done\n{history}")
    assert moves(found) == [
        ("claimed", day(3)),
        ("in_progress", day(3, 1)),
        ("for_review", day(5)),
        ("done", day(5, 1)),
    ]
    assert found.steps[0].why == "filled in; its history goes from planned to in_progress"


def test_a_gap_without_a_legal_way_forward_is_one_move() -> None:
    history = entries("2026-02-02 done", "2026-02-03 planned", "2026-02-04 blocked", "2026-02-05 claimed")
    found = course(f"lane: claimed\n{history}")
    assert [step.lane for step in found.steps][-3:] == ["planned", "blocked", "claimed"]


def test_a_history_that_is_out_of_order_is_put_in_the_order_of_its_times() -> None:
    history = entries("2026-02-03 for_review", "2026-02-01 claimed", "2026-02-02 in_progress", "2026-02-03 done")
    found = course(f"lane: done\n{history}")
    assert moves(found) == [("claimed", day(1)), ("in_progress", day(2)), ("for_review", day(3)), ("done", day(3, 1))]


@pytest.mark.parametrize(("last", "expected"), [("for_review", ["done"]), ("planned", ["claimed", "in_progress"])])
def test_the_lane_has_the_last_word_whatever_the_history_says(last: str, expected: list[str]) -> None:
    found = course(f"lane: done\n{entries('2026-02-01 done', f'2026-02-02 {last}')}")
    assert found.lane == "done"
    assert found.steps[-1].lane == "done"
    assert found.steps[-1].why == "its lane, to which its history does not lead"
    assert [step.lane for step in found.steps[4:]][1 : 1 + len(expected)] == expected


def test_without_a_lane_the_end_of_the_history_counts() -> None:
    found = course(entries("2026-02-01 planned", "2026-02-02 claimed"))
    assert (found.lane, moves(found)) == ("claimed", [("claimed", day(2))])


@pytest.mark.parametrize(
    "block",
    [
        "lane: planned\n",
        "title: x\n",
        "lane:\n",
        "lane: ''\n",
        "lane: planned\nhistory: []\n",
        f"lane: planned\n{entries('2026-02-01 planned', '2026-02-02 planned')}",
        "history:\n- just a note\n- {timestamp: 2026-02-01, action: created}\n- {lane: ''}\n",
    ],
)
def test_a_work_package_that_never_left_the_initial_lane_has_no_moves(block: str) -> None:
    found = course(block)
    assert (found.steps, found.origin, found.remarks) == ((), None, ())


@pytest.mark.parametrize("begun", [None, day(9)])
def test_a_lane_without_a_history_is_one_move_at_the_time_of_the_file_else_of_the_feature(begun: str | None) -> None:
    found = course("lane: doing\ncreated_at: '2026-02-08T01:00:00+01:00'\n", begun=begun)
    assert (moves(found), found.origin, found.remarks) == ([("in_progress", day(8))], BOOTSTRAP, ())
    assert moves(course("lane: doing\n", begun=day(9))) == [("in_progress", day(9))]


def test_where_nothing_says_when_the_time_is_one_that_is_plainly_none() -> None:
    found = course("lane: doing\n")
    assert moves(found) == [("in_progress", EPOCH)]
    assert found.remarks == (f"{WHERE}: nothing says when it was moved, so the events are dated 1970-01-01",)
    assert moves(course(f"lane: doing\n{entries('- claimed', '- doing')}"))[0] == ("claimed", EPOCH)


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (entries("2026-02-01 claimed", "2026-02-02 shipped"), "'shipped' is no lane of seven-lane"),
        (entries("2026-02-02 claimed", "yesterday done"), "'yesterday' is no time"),
        ("history: everything went well\n", "it is no list of entries"),
        ("history:\n- {lane: [done]}\n", "['done'] is no lane of seven-lane"),
        ("history:\n- {timestamp: [2026-02-02], lane: done}\n", "['2026-02-02'] is no time"),
    ],
)
def test_a_history_that_cannot_be_reconstructed_leaves_one_move_and_says_why(history: str, why: str) -> None:
    found = course(f"lane: done\ncreated_at: 2026-02-02\n{history}")
    assert (moves(found), found.origin) == ([("done", day(2))], BOOTSTRAP)
    assert found.remarks == (f"{WHERE}: the history was not migrated: {why}",)


def test_an_entry_without_a_time_has_that_of_the_one_before_it() -> None:
    found = course(f"lane: for_review\n{entries('- claimed', '2026-02-02 doing', '- for_review')}")
    assert moves(found) == [("claimed", day(2)), ("in_progress", day(2, 1)), ("for_review", day(2, 2))]
    earlier = course(f"lane: doing\ncreated_at: 2026-02-01\n{entries('- claimed', '2026-02-02 doing')}")
    assert moves(earlier) == [("claimed", day(1)), ("in_progress", day(2))]


@pytest.mark.parametrize(
    ("spelling", "instant"),
    [
        ("2026-02-08T14:07:18Z", "2026-02-08T14:07:18.000000+00:00"),
        ("2026-02-08T14:07:18", "2026-02-08T14:07:18.000000+00:00"),
        ("2026-02-08 14:07:18.5", "2026-02-08T14:07:18.500000+00:00"),
        ("2026-02-08T16:07:18+02:00", "2026-02-08T14:07:18.000000+00:00"),
        ("2026-02-08", "2026-02-08T00:00:00.000000+00:00"),
        ("0001-01-01T00:00:00+05:00", EPOCH),
        ("", EPOCH),
        ("soon", EPOCH),
    ],
)
def test_a_time_without_a_zone_is_one_of_utc(spelling: str, instant: str) -> None:
    assert moves(course(f"lane: claimed\ncreated_at: '{spelling}'\n")) == [("claimed", instant)]


@pytest.mark.parametrize("lane", ["shipped", "approved", "in progress"])
def test_a_current_lane_that_the_profile_does_not_have_is_an_error(lane: str) -> None:
    with pytest.raises(WorkPackageFileError, match=f"{lane}' is no lane of seven-lane"):
        course(f"lane: {lane}\n")


def test_the_nine_lanes_and_those_of_a_repository_have_their_own_ways() -> None:
    nine = course(f"lane: approved\n{entries('2026-02-02 in_review')}", NINE_LANE)
    assert [step.lane for step in nine.steps] == ["claimed", "in_progress", "for_review", "in_review", "approved"]
    own = course(f"lane: review\n{entries('2026-02-02 doing')}", own_profile())
    assert [step.lane for step in own.steps] == ["ready", "working", "review"]


def test_a_history_at_the_end_of_the_calendar_is_an_error() -> None:
    end = "9999-12-31T23:59:59.999999+00:00"
    with pytest.raises(WorkPackageFileError, match="is the last time there is"):
        course(f"lane: done\n{entries(f'{end} claimed')}")


def test_a_name_is_one_line_and_not_longer_than_a_name() -> None:
    agent = "a\\n" + "b" * 999
    found = course(f'lane: claimed\nhistory:\n- {{timestamp: 2026-02-02, lane: claimed, agent: "{agent}"}}\n')
    assert found.steps[0].why == f"its history, by a {'b' * 198}"


def test_a_profile_with_very_many_ways_is_no_trouble() -> None:
    lanes = (*(f"lane{number}" for number in range(60)), "away")
    moves = {(one, two): "" for at, one in enumerate(lanes[:-1]) for two in lanes[at + 1 : -1]}
    profile = LaneProfile("many", lanes=lanes, initial="lane0", moves=moves, rollbacks=[], terminal=[])
    found = course(f"lane: away\n{entries('2026-02-02 lane3')}", profile)
    assert [step.lane for step in found.steps] == ["lane3", "away"]


def test_an_activity_log_tells_a_course_as_a_history_does() -> None:
    text = activity("2026-02-01 planned system", "2026-02-02 doing ada", "2026-02-03 for_review ada")
    found = course(f"lane: for_review\n{entries('2026-02-01 planned system')}", text=text)
    assert (found.lane, found.origin, found.remarks) == ("for_review", ACTIVITY_LOG, ())
    assert moves(found) == [("claimed", day(2)), ("in_progress", day(2, 1)), ("for_review", day(3))]
    assert found.steps[1].why == "its Activity Log, by ada"


def test_what_both_parts_tell_is_told_once_and_what_one_of_them_tells_is_kept() -> None:
    history = entries("2026-02-01 planned", "2026-02-02 claimed ada", "2026-02-04 for_review ada")
    text = activity(
        "2026-02-02 claimed ada", "2026-02-03 doing ada", "2026-02-04 for_review ada", "2026-02-05 done ben"
    )
    found = course(f"lane: done\n{history}", text=text)
    assert moves(found) == [("claimed", day(2)), ("in_progress", day(3)), ("for_review", day(4)), ("done", day(5))]
    assert found.origin == f"{HISTORY}+{ACTIVITY_LOG}"
    contrary = course(
        f"lane: done\n{entries('2026-02-02 claimed', '2026-02-04 blocked')}", text=activity("2026-02-03 doing x")
    )
    assert [step.lane for step in contrary.steps] == [
        "claimed",
        "in_progress",
        "blocked",
        "done",
    ]


def test_a_part_that_cannot_be_understood_leaves_the_other() -> None:
    text = activity("2026-02-02 claimed ada", "2026-02-03 shipped ada")
    found = course(f"lane: claimed\n{entries('2026-02-04 claimed')}", text=text)
    assert (moves(found), found.origin) == ([("claimed", day(4))], HISTORY)
    assert found.remarks == (f"{WHERE}: the Activity Log was not migrated: line 9: 'shipped' is no lane of seven-lane",)
    other = course(f"lane: claimed\n{entries('2026-02-04 shipped')}", text=activity("2026-02-02 claimed ada"))
    assert (moves(other), other.origin) == ([("claimed", day(2))], ACTIVITY_LOG)
    assert other.remarks == (f"{WHERE}: the history was not migrated: 'shipped' is no lane of seven-lane",)


def test_notes_of_the_activity_log_date_a_lane_that_nothing_leads_to() -> None:
    found = course("lane: doing\n", text="## Activity Log\n- 2026-02-02 \u2013 ada \u2013 began\n")
    assert (moves(found), found.origin) == ([("in_progress", day(2))], BOOTSTRAP)


APPROVED = "review_status: approved\nreviewed_by: Stijn Dejongh\n"
EVIDENCE = {"review": {"reviewer": "Stijn Dejongh", "verdict": "approved", "reference": "tasks/WP01.md"}}


def with_evidence(found: Course) -> list[str]:
    return [step.lane for step in found.steps if step.evidence is not None]


@pytest.mark.parametrize(
    "block",
    [
        APPROVED,
        "review_status: 'Approved without  changes'\nreviewed_by: Stijn Dejongh\n",
        "reviewed_by: Stijn Dejongh\napproved_by: ben\n",
        "approved_by: Stijn Dejongh\n",
    ],
)
def test_an_approval_that_the_file_names_is_the_evidence_of_the_move_to_done(block: str) -> None:
    found = course(f"lane: done\n{block}{entries('2026-02-02 for_review', '2026-02-03 done')}")
    assert with_evidence(found) == ["done"]
    assert found.steps[-1].evidence == EVIDENCE
    assert course(f"lane: done\n{block}").steps[0].evidence == EVIDENCE


def test_only_the_last_time_that_it_was_done_has_the_approval() -> None:
    history = entries("2026-02-02 done", "2026-02-03 planned", "2026-02-04 done", "2026-02-05 blocked")
    found = course(f"lane: blocked\n{APPROVED}{history}")
    assert [step.evidence is not None for step in found.steps if step.lane == "done"] == [False, True]
    nine = course(f"lane: done\n{APPROVED}{entries('2026-02-02 approved', '2026-02-03 done')}", NINE_LANE)
    assert with_evidence(nine) == ["approved", "done"]


@pytest.mark.parametrize(
    ("block", "remark"),
    [
        ("reviewed_by: ada\n", None),
        ("review_status: ''\nreviewed_by: ''\n", None),
        ("review_status: has_feedback\nreviewed_by: ada\n", None),
        ("review_status: [approved]\nreviewed_by: ada\n", None),
        ("review_status: approved\n", "reviewed_by does not say by whom"),
        ("review_status: approved\nreviewed_by: [ada]\n", "reviewed_by does not say by whom"),
        ("review_status: approved once it is faster\nreviewed_by: ada\n", "is more than an approval"),
    ],
)
def test_an_approval_that_is_not_said_is_not_guessed(block: str, remark: str | None) -> None:
    found = course(f"lane: done\n{block}{entries('2026-02-03 done ada')}")
    assert with_evidence(found) == []
    assert len(found.remarks) == (remark is not None)
    assert (remark or "") in "".join(found.remarks)
    assert course(f"lane: doing\ncreated_at: 2026-02-02\n{block}").remarks == ()


@pytest.mark.parametrize(
    ("block", "name"), [("assignee: ada\nagent: bot\n", "ada"), ("assignee: ''\nagent: bot\n", "bot")]
)
def test_a_lane_without_a_past_names_who_works_on_it(block: str, name: str) -> None:
    found = course(f"lane: doing\ncreated_at: 2026-02-02\n{block}")
    assert found.steps[0].why == f"its lane; there is no history; the file names {name}"
