"""The rules a log is held to: each one kept, and each one broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from events import APPROVAL, instant, line, line_of, their_row, ulid
from kitty_status.jsonl.damage import strictly
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.status.layout import EVENTS_FILENAME
from kitty_status.status.validation import ERROR, WARNING, Finding, Judge
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.log import read_log, reduce_log

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.status.lanes import LaneProfile

SLUG = "001-feature"


def judged(folder: Path, *lines: bytes, profile: LaneProfile = SEVEN_LANE) -> list[Finding]:
    """Return what is found in a log of these lines, as `validate` asks for it."""
    log = folder / EVENTS_FILENAME
    log.write_bytes(b"".join(lines))
    judge = Judge(profile, SLUG)
    snapshot = reduce_log(FeatureLog(folder), profile, strictly(log), judge=judge)
    of_all = judge.whole_log(snapshot, read_log(FeatureLog(folder), strictly(log)))
    return [*judge.found.values(), *of_all]


def codes(folder: Path, *lines: bytes, profile: LaneProfile = SEVEN_LANE) -> list[str]:
    return [finding.code for finding in judged(folder, *lines, profile=profile)]


CLAIM = line()
START = line(event_id=ulid(2), from_lane="claimed", to_lane="in_progress", at=instant(1))
READY = line(event_id=ulid(3), from_lane="in_progress", to_lane="for_review", at=instant(2))
DONE = line(event_id=ulid(4), from_lane="for_review", to_lane="done", at=instant(3), evidence=APPROVAL)


def test_a_log_in_order_gives_no_finding(tmp_path: Path) -> None:
    assert codes(tmp_path, CLAIM, START, READY, DONE) == []
    assert codes(tmp_path) == []


def review(verdict: str, **changes: str) -> dict[str, Any]:
    return {"review": {"reviewer": "grace", "verdict": verdict, "reference": "PR 7", **changes}}


REFUSED = [
    ({"to_lane": "done"}, ["illegal-move"]),
    ({"from_lane": "done", "to_lane": "planned"}, ["illegal-move"]),
    ({"to_lane": "done", "force": True, "reason": "released"}, []),
    ({"to_lane": "done", "force": True}, ["force-without-reason"]),
    ({"force": True}, ["force-without-reason"]),
    ({"to_lane": "done", "force": True, "reason": "r", "actor": " "}, ["force-without-actor"]),
    ({"from_lane": "for_review", "to_lane": "done"}, ["missing-evidence"]),
    ({"from_lane": "for_review", "to_lane": "done", "evidence": {"note": "trust me"}}, ["missing-evidence"]),
    ({"from_lane": "for_review", "to_lane": "done", "evidence": review("changes_requested")}, ["missing-evidence"]),
    ({"from_lane": "for_review", "to_lane": "done", "evidence": review("approved", reviewer="")}, ["missing-evidence"]),
    ({"from_lane": "for_review", "to_lane": "done", "evidence": review("approved")}, []),
    ({"from_lane": "for_review", "to_lane": "in_progress"}, ["missing-review-ref"]),
    ({"from_lane": "for_review", "to_lane": "in_progress", "review_ref": " "}, ["missing-review-ref"]),
    ({"from_lane": "for_review", "to_lane": "in_progress", "review_ref": "PR 7"}, []),
    ({"from_lane": "for_review", "to_lane": "in_progress", "force": True, "reason": "r"}, []),
    (
        {"from_lane": "for_review", "to_lane": "in_progress", "force": True, "review_ref": "PR 7"},
        ["force-without-reason"],
    ),
    ({"from_lane": "in_progress", "to_lane": "planned"}, ["missing-reason"]),
    ({"from_lane": "in_progress", "to_lane": "planned", "reason": "r"}, []),
    ({"from_lane": "claimed", "to_lane": "in_progress"}, []),
    ({"from_lane": "blocked", "to_lane": "in_progress"}, []),
]


@pytest.mark.parametrize(("changes", "expected"), REFUSED)
def test_each_rule_about_a_move(tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(tmp_path, line(**changes)) == expected


NINE = [
    ({"from_lane": "in_review", "to_lane": "approved"}, ["missing-evidence"]),
    ({"from_lane": "in_review", "to_lane": "approved", "evidence": APPROVAL}, []),
    ({"from_lane": "in_review", "to_lane": "approved", "review_result": APPROVAL["review"]}, []),
    ({"from_lane": "in_review", "to_lane": "planned"}, ["missing-review-result"]),
    ({"from_lane": "in_review", "to_lane": "blocked"}, ["missing-review-result"]),
    ({"from_lane": "in_review", "to_lane": "planned", "review_result": {"reviewer": "b"}}, ["missing-review-result"]),
    ({"from_lane": "in_review", "to_lane": "planned", "review_result": APPROVAL["review"]}, []),
    ({"from_lane": "approved", "to_lane": "planned"}, ["missing-review-ref"]),
    ({"from_lane": "in_review", "to_lane": "planned", "review_ref": "PR 7"}, []),
    ({"from_lane": "for_review", "to_lane": "done", "evidence": APPROVAL}, ["illegal-move"]),
    ({"from_lane": "genesis", "to_lane": "planned"}, []),
]


@pytest.mark.parametrize(("changes", "expected"), NINE)
def test_each_rule_about_a_move_between_nine_lanes(
    tmp_path: Path, changes: dict[str, Any], expected: list[str]
) -> None:
    assert codes(tmp_path, line_of(their_row(**changes)), profile=NINE_LANE) == expected


def test_every_lane_that_the_profile_has_not_is_named(tmp_path: Path) -> None:
    found = judged(tmp_path, line(from_lane="in_review", to_lane="approved", force=True, reason="r"))
    assert [(finding.code, finding.message) for finding in found] == [
        ("unknown-lane", "WP01: in_review is no lane of seven-lane"),
        ("unknown-lane", "WP01: approved is no lane of seven-lane"),
    ]
    assert codes(tmp_path, line(from_lane="approved", to_lane="approved", force=True, reason="r")) == ["unknown-lane"]
    assert codes(tmp_path, line(to_lane="blocked", force=True, reason="r")) == []


def test_an_event_of_another_feature_is_a_warning(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, CLAIM, line(event_id=ulid(2), wp_id="WP02", feature_slug="002-other"))
    assert (finding.code, finding.severity, finding.event_id) == ("other-feature", WARNING, ulid(2))
    assert "002-other" in finding.message
    assert SLUG in finding.message


@pytest.mark.parametrize("event_id", ["x", ulid(1)[:-1], "8" + ulid(1)[1:], ulid(1).replace("1", "l")])
def test_an_id_that_is_no_ulid_is_found(tmp_path: Path, event_id: str) -> None:
    (finding,) = judged(tmp_path, line(event_id=event_id))
    assert (finding.code, finding.severity, finding.event_id) == ("id-not-ulid", WARNING, event_id)


def test_an_event_that_stands_twice_is_a_warning(tmp_path: Path) -> None:
    compact = CLAIM.replace(b": ", b":")
    for again in (CLAIM, compact, CLAIM[:-1]):
        (finding,) = judged(tmp_path, CLAIM, again)
        assert (finding.code, finding.severity) == ("repeated-event", WARNING)


def test_an_id_that_stands_for_two_events_is_an_error(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, CLAIM, line(actor="grace"))
    assert (finding.code, finding.severity, finding.event_id) == ("conflicting-event", ERROR, ulid(1))


def test_a_parent_that_was_passed_over_is_a_warning(tmp_path: Path) -> None:
    event = line(event_id=ulid(2), from_lane="claimed", to_lane="in_progress", parents=[ulid(1), ulid(7), ulid(8)])
    found = judged(tmp_path, CLAIM, event)
    assert [(finding.code, finding.severity, finding.event_id) for finding in found] == [
        ("ignored-parent", WARNING, ulid(2))
    ] * 2
    assert ulid(7) in found[0].message
    assert ulid(8) in found[1].message
    child = line(event_id=ulid(2), from_lane="claimed", to_lane="blocked", parents=[ulid(1)])
    assert codes(tmp_path, CLAIM, child) == []


def test_moves_that_compete_are_a_warning_until_one_settles_them(tmp_path: Path) -> None:
    one, other = line(parents=[]), line(event_id=ulid(2), actor="grace", at=instant(1), parents=[])
    (finding,) = judged(tmp_path, one, other)
    assert (finding.code, finding.severity, finding.event_id) == ("competing-moves", WARNING, ulid(2))
    assert finding.message.startswith("WP01: 2 moves compete, claimed stands by double_claim: claimed by grace")
    settle = line(event_id=ulid(3), from_lane="claimed", to_lane="blocked", parents=[ulid(1), ulid(2)])
    assert codes(tmp_path, one, other, settle) == []


def test_a_finding_is_plain_data() -> None:
    finding = Finding("some-code", "what", hint="then", path="a/b", line=7, event_id="x")
    assert finding.to_dict() == {
        "code": "some-code",
        "severity": "error",
        "path": "a/b",
        "line": 7,
        "event_id": "x",
        "message": "what",
        "hint": "then",
    }


@pytest.mark.parametrize("odd", [False, True])
def test_a_large_log_is_judged_as_a_small_one_is(tmp_path: Path, odd: bool) -> None:
    broken = [
        line(event_id=ulid(10_000), wp_id="WP9", to_lane="done", at=instant(900)),
        line(event_id=ulid(10_001), wp_id="WP9", feature_slug="002", parents=["lost"], at=instant(901)),
        line(event_id="x" if odd else ulid(10_002), wp_id="WP8", force=True, at=instant(902)),
    ]
    expected = [(finding.code, finding.event_id) for finding in judged(tmp_path, *broken)]
    many = [line(event_id=ulid(number), wp_id=f"WP1{number:04}") for number in range(6000)]
    found = [(finding.code, finding.event_id) for finding in judged(tmp_path, *many, *broken)]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert len(found) == 5 + odd
