"""The snapshot of a mission, by spec-kitty's rules: what it notes of work packages, and where moves compete.

`make interop` holds the same rules against spec-kitty itself.
"""

from __future__ import annotations

from typing import Any

import pytest

from events import APPROVAL, instant, row, their_row, ulid
from kitty_status.status.mission import UNINITIALIZED, snapshot_of_mission, written_by_spec_kitty

META = {"mission_slug": "001-feature", "mission_number": "007", "mission_type": " software-dev "}
THEIRS: dict[str, Any] = {"mission_slug": ""}
CHANGES = {**APPROVAL["review"], "verdict": "changes_requested"}


def snapshot(*rows: dict[str, Any], existing: dict[str, Any] = THEIRS) -> dict[str, Any]:
    return snapshot_of_mission(rows, META, existing)


def state(*rows: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = snapshot(*rows)["work_packages"]["WP01"]
    return found


def event(number: int, from_lane: str, to_lane: str, **more: Any) -> dict[str, Any]:
    usual = {"event_id": ulid(number), "at": instant(number), "from_lane": from_lane, "to_lane": to_lane}
    return their_row(**{**usual, **more})


def note(number: int, **delta: Any) -> dict[str, Any]:
    head = {"kind": "annotation", "event_id": ulid(number), "at": instant(number), "wp_id": "WP01", "actor": "ada"}
    return {**head, "delta": delta}


def test_a_snapshot_names_the_mission_and_counts_its_lanes() -> None:
    content = snapshot(event(1, "planned", "claimed"))
    assert (content["mission_slug"], content["mission_number"], content["mission_type"]) == (
        "001-feature",
        "7",
        "software-dev",
    )
    assert (content["event_count"], content["last_event_id"]) == (1, ulid(1))
    assert content["materialized_at"] == instant(1)
    assert content["summary"]["claimed"] == sum(content["summary"].values()) == 1
    assert content.keys().isdisjoint({"feature_slug", "log_oid", "retrospective"})


def test_a_log_without_events_names_no_mission_and_is_no_error() -> None:
    content = snapshot()
    assert (content["mission_slug"], content["materialized_at"], content["work_packages"]) == ("", "", {})
    assert len(content["summary"]) == 9


@pytest.mark.parametrize(("number", "shown"), [(None, "1"), (True, "1"), ("pending", "1"), ("", "1"), (34, "34")])
def test_a_mission_without_a_number_has_that_of_its_slug(number: Any, shown: str) -> None:
    content = snapshot_of_mission([event(1, "planned", "claimed")], {**META, "mission_number": number}, THEIRS)
    assert content["mission_number"] == shown


def test_without_a_readable_meta_json_the_identity_is_kept() -> None:
    existing = {"mission_slug": "x", "mission_number": "34", "mission_type": "research"}
    content = snapshot_of_mission([event(1, "planned", "claimed")], None, existing)
    assert (content["mission_slug"], content["mission_number"], content["mission_type"]) == (
        "001-feature",
        "34",
        "research",
    )


def test_keys_of_a_later_spec_kitty_are_kept_and_derived_ones_are_not() -> None:
    packages = {"WP01": {"later": 1, "agent": "gone", "conflict": {}}, "WP02": {"lane": "done"}}
    content = snapshot(
        event(1, "planned", "claimed"),
        existing={"mission_slug": "x", "log_oid": "a", "new": [1], "work_packages": packages},
    )
    assert content["new"] == [1]
    assert "log_oid" not in content
    assert content["work_packages"].keys() == {"WP01"}
    assert content["work_packages"]["WP01"]["later"] == 1
    assert content["work_packages"]["WP01"].keys().isdisjoint({"agent", "conflict"})


@pytest.mark.parametrize("packages", [None, [], "x", {}, {"WP01": None}, {"WP01": []}, {"WP01": "claimed"}])
def test_a_mangled_snapshot_is_written_anew(packages: object) -> None:
    content = snapshot(event(1, "planned", "claimed"), existing={"mission_slug": "", "work_packages": packages})
    assert content["work_packages"]["WP01"]["lane"] == "claimed"


def test_a_claim_names_its_process_and_what_is_noted_goes_on_to_hold() -> None:
    claim = event(1, "planned", "claimed", policy_metadata={"agent": "claude", "shell_pid": 7, "other": 1})
    assert state(claim, event(2, "claimed", "in_progress"))["shell_pid"] == 7
    later = event(3, "planned", "claimed", policy_metadata={"agent": "", "shell_pid_created_at": "x"})
    stood = state(claim, event(2, "claimed", "planned", force=True, reason="r"), later)
    assert (stood["agent"], stood["shell_pid"], stood["shell_pid_created_at"]) == ("claude", 7, "x")
    assert stood["force_count"] == 1


def test_a_verdict_is_kept_until_the_next_review_and_leaving_one_without_it_says_so() -> None:
    assert "review_result" not in state(event(1, "planned", "claimed"))
    back = event(2, "in_review", "in_progress", review_result=CHANGES)
    assert state(back)["review_result"] == CHANGES
    assert state(back, event(3, "in_progress", "for_review"))["review_result"] == CHANGES
    assert state(back, event(3, "in_review", "approved", force=True))["review_result"] is None
    single_step = event(3, "in_progress", "approved", review_result={**APPROVAL["review"], "feedback_path": "f.md"})
    assert state(back, single_step)["review_result"] == {**APPROVAL["review"], "feedback_path": "f.md"}
    assert state(event(1, "in_review", "approved", review_result={"reviewer": "b"}))["review_result"] is None


@pytest.mark.parametrize(
    ("reason", "given", "source"),
    [
        ("not needed", None, "operator"),
        (None, None, "synthetic"),
        (" ", None, "synthetic"),
        ("Force move to canceled", None, "synthetic"),
        ("move-task: planned -> canceled", None, "synthetic"),
        ("move-task: planned -> canceled", "operator", "operator"),
    ],
)
def test_a_cancellation_says_why_and_who_said_so(reason: str | None, given: str | None, source: str) -> None:
    stood = state(event(1, "planned", "canceled", reason=reason, reason_source=given))
    assert (stood["cancellation_reason"], stood["reason_source"]) == (reason, source)
    assert "reason_source" not in state(event(1, "planned", "blocked", reason=reason, reason_source=given))


def test_of_two_moves_at_one_instant_a_rollback_stands() -> None:
    back = event(1, "in_review", "in_progress", review_result=CHANGES)
    forward = event(2, "in_review", "approved", at=instant(1), review_result=APPROVAL["review"])
    assert state(back, forward)["lane"] == "in_progress"
    assert state(back, {**forward, "at": instant(2)})["lane"] == "approved"
    old = event(1, "for_review", "in_progress", review_ref="PR 7")
    assert state(old, forward)["lane"] == "in_progress"
    assert state({**old, "review_ref": None}, forward)["lane"] == "approved"


def test_an_event_that_stands_twice_counts_once_and_broken_ones_do_not() -> None:
    first = event(1, "planned", "claimed")
    content = snapshot(first, {**first, "to_lane": "blocked"}, {"event_id": ulid(2)}, {"event_type": "WPCreated"})
    assert (content["event_count"], content["work_packages"]["WP01"]["lane"]) == (1, "claimed")


def test_our_own_events_count_as_theirs() -> None:
    content = snapshot(row(event_id=ulid(1), actor={"role": "reviewer", "tool": None}))
    assert content["work_packages"]["WP01"]["actor"] == "reviewer"
    assert content["mission_slug"] == "001-feature"


def test_a_slug_that_is_no_safe_name_is_left_out() -> None:
    assert snapshot(event(1, "planned", "claimed", mission_slug="../x"))["mission_slug"] == ""


def test_notes_are_put_in_after_all_events_in_the_order_of_their_instants() -> None:
    stood = state(
        note(4, note="second", agent="codex", subtasks={"T001": "done"}, tracker_refs=["B", "A"]),
        note(2, note="first", agent="claude", subtasks={"T001": "planned", "T002": "planned"}, tracker_refs=["A"]),
        event(3, "planned", "claimed"),
    )
    assert stood["notes"] == ["first", "second"]
    assert stood["agent"] == "codex"
    assert stood["subtasks"] == {"T001": "done", "T002": "planned"}
    assert stood["tracker_refs"] == ["A", "B"]
    assert state(note(1, tracker_refs=["A"]), note(2, tracker_refs_replace=["C", "C"]))["tracker_refs"] == ["C"]


def test_a_claim_can_be_given_back_and_an_empty_text_changes_nothing() -> None:
    noted = note(1, agent="claude", shell_pid="12", model="m")
    assert (state(noted)["agent"], state(noted)["shell_pid"]) == ("claude", 12)
    assert state(noted, note(2, agent="", model=""))["agent"] == "claude"
    released = state(noted, note(2, release_runtime_claim=True))
    assert (released["agent"], released["shell_pid"], released["model"]) == (None, None, "m")


def test_an_override_of_a_review_is_noted_and_taken_back() -> None:
    said = {"at": "x", "actor": "ada", "wp_id": "WP01", "reason": "fine"}
    assert state(note(1, review=said))["review"] == said
    assert state(note(1, review=said), note(2, review=dict.fromkeys(said, "")))["review"] is None


def test_a_work_package_with_notes_alone_stands_in_no_lane_and_is_not_counted() -> None:
    content = snapshot(note(1, note="hello"))
    assert content["work_packages"]["WP01"] == {
        "lane": UNINITIALIZED,
        "actor": "ada",
        "last_transition_at": None,
        "last_event_id": None,
        "force_count": 0,
        "notes": ["hello"],
    }
    assert set(content["summary"].values()) == {0}


@pytest.mark.parametrize(
    "broken",
    [
        {**note(1), "delta": None},
        {**note(1), "event_id": "x"},
        {**note(1), "event_id": None},
        {**note(1), "wp_id": None},
        {key: value for key, value in note(1).items() if key != "actor"},
        {**note(1), "actor": {"tool": "claude"}},
        note(1, subtasks={"T001": "finished"}),
        note(1, subtasks=["T001"]),
        note(1, review={"at": "x"}),
        note(1, shell_pid="x"),
        note(1, shell_pid=[]),
        note(1, tracker_refs="A"),
    ],
)
def test_a_note_that_spec_kitty_cannot_read_is_passed_over(broken: dict[str, Any]) -> None:
    assert snapshot(broken)["work_packages"] == {}


def happening(number: int, name: str, **payload: Any) -> dict[str, Any]:
    return {"event_name": f"retrospective.{name}", "event_id": ulid(number), "at": instant(number), "payload": payload}


def test_a_retrospective_is_told_by_its_last_end_and_its_proposals() -> None:
    mode = {"value": "autonomous", "source_signal": {"kind": "environment", "evidence": "CI"}}
    pending = snapshot(happening(1, "requested", mode=mode), happening(2, "started"))["retrospective"]
    assert (pending["status"], pending["mode"], pending["record_path"]) == ("pending", mode, None)
    proposals = [happening(number, "proposal.generated") for number in (3, 4, 5)]
    ended = [happening(8, "completed", record_path="r.md"), happening(7, "failed"), happening(6, "proposal.applied")]
    content = snapshot(*ended, *proposals, {"event_name": "other"})["retrospective"]
    assert (content["status"], content["mode"], content["record_path"]) == ("completed", None, "r.md")
    assert [content[f"proposals_{name}"] for name in ("total", "applied", "rejected", "pending")] == [3, 1, 0, 2]
    assert "retrospective" not in snapshot({"event_name": "other"})


@pytest.mark.parametrize(
    "mode",
    [
        None,
        "autonomous",
        {"value": "autonomous"},
        {"value": "x", "source_signal": {"kind": "environment", "evidence": ""}},
        {"value": "autonomous", "source_signal": {"kind": "x", "evidence": ""}},
        {"value": "autonomous", "source_signal": {"kind": "environment"}},
        {"value": "autonomous", "source_signal": {"kind": "environment", "evidence": 1}},
    ],
)
def test_a_mode_that_spec_kitty_does_not_know_is_none(mode: object) -> None:
    assert snapshot(happening(1, "requested", mode=mode))["retrospective"]["mode"] is None
    assert snapshot({**happening(1, "requested"), "payload": None})["retrospective"]["mode"] is None


def test_a_snapshot_of_spec_kitty_names_a_mission() -> None:
    assert written_by_spec_kitty(THEIRS)
    assert not written_by_spec_kitty({"feature_slug": "x"})
    assert not written_by_spec_kitty(None)
