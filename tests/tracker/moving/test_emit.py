"""Emit: what it reports is in the log, what it refuses leaves no trace, and a retry is harmless."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ulid import ULID

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, feature_in, tree
from events import APPROVAL, KEYS, instant, line, row, ulid
from gitrepo import GitRepo
from kitty_status.errors import KittyStatusError
from kitty_status.status.instants import parse_instant
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest, Emitted


def ask_for(root: Path, wp: str = "WP01", lane: str = "claimed", actor: str = "ada", **more: object) -> Emitted:
    request = {"wp_id": wp, "to_lane": lane, "actor": actor, "feature": SLUG, **more}
    return emit(Project(root), Config(), EmitRequest(**request))  # type: ignore[arg-type]


def refused(repo: GitRepo, **more: object) -> KittyStatusError:
    before = tree(repo.path / "kitty-specs")
    with pytest.raises(KittyStatusError) as caught:
        ask_for(repo.path, **more)  # type: ignore[arg-type]
    assert tree(repo.path / "kitty-specs") == before
    return caught.value


def at(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def test_an_event_has_all_keys_sorted_and_the_newest_of_its_work_package_as_parents(repo: GitRepo) -> None:
    feature_in(repo)
    first = ask_for(repo.path).event
    ask_for(repo.path, "WP02")
    second = ask_for(repo.path, lane="in_progress").event
    assert (first["parents"], second["parents"]) == ([], [first["event_id"]])
    lines = repo.read(LOG).splitlines()
    assert sorted(json.loads(lines[0])) == list(json.loads(lines[0])) == sorted([*KEYS, "parents"])
    assert [json.loads(each) for each in (lines[0], lines[2])] == [first, second]
    assert first["event_id"] < second["event_id"]


def test_a_dry_run_says_the_event_and_writes_nothing_at_all(repo: GitRepo) -> None:
    feature_in(repo)
    before = tree(repo.path)
    emitted = ask_for(repo.path, dry_run=True)
    assert emitted.dry_run
    assert emitted.state["lane"] == "claimed"
    assert tree(repo.path) == before


def test_in_a_linked_work_tree_work_is_done_in_a_worktree(repo: GitRepo, tmp_path: Path) -> None:
    feature_in(repo, b"")
    repo.commit()
    linked = repo.worktree(tmp_path / "linked", "ada")
    assert ask_for(repo.path).event["execution_mode"] == "direct_repo"
    assert ask_for(linked.path).event["execution_mode"] == "worktree"
    assert ask_for(linked.path, lane="in_progress", execution_mode="direct_repo").event["execution_mode"] == (
        "direct_repo"
    )


def test_a_call_repeated_with_its_event_id_does_nothing(repo: GitRepo) -> None:
    feature_in(repo, line(from_lane="planned", to_lane="for_review", actor="ada"))
    evidence = {"lane": "done", "evidence": APPROVAL, "event_id": ulid(2)}
    first = ask_for(repo.path, **evidence)  # type: ignore[arg-type]
    before = tree(repo.path)
    for dry_run in (False, True):
        again = ask_for(repo.path, **evidence, dry_run=dry_run)  # type: ignore[arg-type]
        assert (again.event, again.replayed) == (first.event, True)
        assert again.state["lane"] == "done"
    assert tree(repo.path) == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"wp": "WP02"}, "wp_id"),
        ({"lane": "blocked"}, "to_lane"),
        ({"actor": "grace"}, "actor"),
        ({"reason": "x"}, "reason"),
        ({"force": True, "reason": "x"}, "force, reason"),
        ({"evidence": APPROVAL, "review_ref": "PR 7"}, "review_ref, evidence"),
    ],
)
def test_an_event_id_that_stands_for_something_else_is_refused(
    repo: GitRepo, change: dict[str, object], named: str
) -> None:
    feature_in(repo)
    ask_for(repo.path, event_id=ulid(5))
    error = refused(repo, event_id=ulid(5), **change)
    assert (error.exit_code, error.code) == (5, "conflicting-event")
    assert f"with another {named}" in error.message
    assert LOG in error.message


@pytest.mark.parametrize("name", ["..", "a/b", "a\nb", "-WP01", "WP" * 150, "", "WP 1", "\x1b[31m"])
def test_an_unsafe_id_is_refused_by_name(repo: GitRepo, name: str) -> None:
    feature_in(repo)
    for error in (refused(repo, wp=name), refused(repo, event_id=name)):
        assert (error.exit_code, error.code) == (2, "invalid-name")
        assert error.message.isprintable()
        assert len(error.message) < 300


@pytest.mark.parametrize(
    "change",
    [{"actor": "\udcff"}, {"reason": "half \ud83d"}, {"evidence": {"review": None, "deep": [[[[]]] * 40]}, "n": 40}],
    ids=["actor", "reason", "evidence"],
)
def test_what_could_not_be_read_back_is_refused_before_it_is_written(repo: GitRepo, change: dict[str, object]) -> None:
    feature_in(repo)
    if change.pop("n", None):
        deep: object = 1
        for _ in range(31):
            deep = [deep]
        change = {"evidence": {"deep": deep}}
    error = refused(repo, **change)
    assert (error.exit_code, error.code) == (2, "usage")
    assert "could not be read back" in error.message


def test_time_never_runs_backwards_within_a_log(repo: GitRepo) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    feature_in(repo, line(event_id=ulid(1), at=at(soon), wp_id="WP02"))
    event = ask_for(repo.path).event
    assert parse_instant(event["at"]) - soon == timedelta(microseconds=1)
    again = ask_for(repo.path, lane="in_progress").event
    assert parse_instant(again["at"]) - soon == timedelta(microseconds=2)


def test_behind_an_event_of_the_past_the_clock_counts(repo: GitRepo) -> None:
    feature_in(repo, line(at=instant(1)))
    before = datetime.now(UTC)
    event = ask_for(repo.path, lane="in_progress").event
    assert before <= parse_instant(event["at"]) <= datetime.now(UTC)


def test_a_log_that_is_more_than_a_day_ahead_is_not_followed(repo: GitRepo) -> None:
    ahead = at(datetime.now(UTC) + timedelta(hours=24, minutes=5))
    feature_in(repo, line(event_id=ulid(1), wp_id="WP02", at=ahead))
    error = refused(repo)
    assert (error.exit_code, error.code) == (3, "clock-ahead")
    assert ulid(1) in error.message
    assert ahead in error.message


def test_a_log_that_is_not_quite_a_day_ahead_is_followed(repo: GitRepo) -> None:
    feature_in(repo, line(wp_id="WP02", at=at(datetime.now(UTC) + timedelta(hours=23, minutes=55))))
    assert ask_for(repo.path).state["lane"] == "claimed"


def competing(repo: GitRepo) -> None:
    """Two who did not see each other: ada started, grace gave it up."""
    start = line(event_id=ulid(1), at=instant(1), parents=[])
    one = line(event_id=ulid(2), at=instant(2), from_lane="claimed", to_lane="in_progress", parents=[ulid(1)])
    other = line(
        event_id=ulid(3), at=instant(3), from_lane="claimed", to_lane="canceled", actor="grace", parents=[ulid(1)]
    )
    feature_in(repo, start + one + other)


def test_the_next_event_names_all_heads_and_so_decides_between_them(repo: GitRepo) -> None:
    competing(repo)
    emitted = ask_for(repo.path, lane="in_progress", force=True, reason="it goes on")
    assert sorted(emitted.event["parents"]) == [ulid(2), ulid(3)]
    assert emitted.event["from_lane"] == "canceled"
    assert "conflict" not in emitted.state
    snapshot = json.loads(repo.read(SNAPSHOT))
    assert snapshot["work_packages"]["WP01"] == emitted.state
    assert ask_for(repo.path, lane="for_review").event["parents"] == [emitted.event["event_id"]]


def test_a_move_that_the_reducer_would_not_let_stand_is_refused(repo: GitRepo) -> None:
    # The rollback claims to come after the event that is only about to be written, and so after itself.
    begun = line(event_id=ulid(1), at=instant(1), to_lane="for_review", parents=[])
    review = {"from_lane": "for_review", "review_ref": "PR 7"}
    done = line(event_id=ulid(2), at=instant(2), to_lane="canceled", parents=[ulid(1)], **review)
    back = line(event_id=ulid(3), at=instant(3), to_lane="in_progress", parents=[ulid(4)], **review)
    feature_in(repo, begun + done + back)
    error = refused(repo, lane="blocked", event_id=ulid(4))
    assert error.exit_code == 3
    assert "WP01 would not be in blocked after this event but in in_progress" in error.message
    assert f"kitty-status validate {SLUG}" in error.hint


def test_a_work_package_nobody_has_heard_of_is_a_warning_with_the_nearest_ids(repo: GitRepo) -> None:
    feature_in(repo, line(wp_id="WP01"))
    repo.write(f"{FOLDER}/tasks/WP02-form.md", "")
    emitted = ask_for(repo.path, "WP03")
    assert len(emitted.warnings) == 1
    assert "WP03 has neither a file nor an earlier event" in emitted.warnings[0]
    assert "did you mean WP0" in emitted.warnings[0]
    assert ask_for(repo.path, "WP02", strict_wp=True).warnings == []
    assert "first event" in ask_for(repo.path, "zzz").warnings[0]


def test_strictly_it_is_refused(repo: GitRepo) -> None:
    feature_in(repo, line(wp_id="WP01"))
    error = refused(repo, wp="WP10", strict_wp=True)
    assert (error.exit_code, error.context["nearest"]) == (4, ["WP01"])


@pytest.mark.parametrize(
    "damage",
    [
        b"oops\n",
        b"{}\n",
        b'{"a": 1, "a": 2}\n',
        line().replace(b"\n", b"\r\n"),
        b"<<<<<<< HEAD\n",
        line()[:-1] + line(),
    ],
)
def test_nothing_is_written_to_a_damaged_log(repo: GitRepo, damage: bytes) -> None:
    feature_in(repo, line(event_id=ulid(9)) + damage + line(event_id=ulid(8)))
    repo.write(SNAPSHOT, "as it was")
    error = refused(repo, wp="WP02")
    assert (error.exit_code, error.code) == (7, "damaged")
    assert error.message.startswith("Line 2: invalid ")


def test_a_torn_last_line_is_set_aside_and_a_whole_one_is_ended(repo: GitRepo) -> None:
    whole = line(event_id=ulid(1), at=instant(1))
    feature_in(repo, whole + whole[:50])
    first = ask_for(repo.path, lane="in_progress").event
    repo.write(LOG, repo.read(LOG).removesuffix(b"\n"))
    second = ask_for(repo.path, lane="for_review").event
    written = [json.loads(each) for each in repo.read(LOG).splitlines()]
    assert written == [row(event_id=ulid(1), at=instant(1)), first, second]
    (kept,) = (repo.path / ".git" / "kitty-status" / "quarantine").iterdir()
    assert kept.read_bytes() == whole[:50]


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_an_event_stays_even_if_the_snapshot_cannot_be_written(repo: GitRepo, kind: str) -> None:
    feature_in(repo)
    if kind == "folder":
        (repo.path / SNAPSHOT).mkdir()
    else:
        (repo.path / SNAPSHOT).symlink_to(repo.path / "elsewhere")
    emitted = ask_for(repo.path)
    assert json.loads(repo.read(LOG)) == emitted.event
    assert [f"kitty-status materialize {SLUG}" in warning for warning in emitted.warnings].count(True) == 1
    assert not (repo.path / "elsewhere").exists()


def test_evidence_of_the_wrong_shape_is_refused_where_nothing_asks_for_it_either(repo: GitRepo) -> None:
    feature_in(repo)
    error = refused(repo, evidence={"review": "fine"})
    assert (error.exit_code, error.message) == (
        2,
        "the event would not be valid: evidence.review must be an object",
    )


def test_where_a_newer_version_is_asked_for_nothing_is_written(repo: GitRepo) -> None:
    feature_in(repo)
    request = EmitRequest(wp_id="WP01", to_lane="claimed", actor="ada", feature=SLUG)
    with pytest.raises(KittyStatusError, match="asks for kitty-status >=99"):
        emit(Project(repo.path), Config({"requires": ">=99"}), request)
    assert tree(repo.path / "kitty-specs") == {SLUG: None}


def id_at(hours: float, bits: int = 7) -> str:
    """Return a ULID whose time lies so many hours ahead of this clock."""
    milliseconds = int((time.time() + hours * 3600) * 1000)
    return str(ULID.from_int((milliseconds << 80) | bits))


def test_a_new_id_is_greater_than_every_id_of_the_log_though_the_clock_was_set_back(repo: GitRepo) -> None:
    newest = id_at(1)
    feature_in(repo, line(event_id=newest, wp_id="WP02", at=at(datetime.now(UTC) - timedelta(hours=1))))
    for wp in ("WP01", "WP03"):
        event_id = str(ask_for(repo.path, wp).event["event_id"])
        assert event_id > newest
        newest = event_id


def test_an_id_from_the_far_future_in_a_log_does_not_push_new_ids_there(repo: GitRepo) -> None:
    feature_in(repo, line(event_id=id_at(48), wp_id="WP02", at=at(datetime.now(UTC) - timedelta(hours=1))))
    assert str(ask_for(repo.path).event["event_id"]) < id_at(2)


def test_an_event_id_that_lies_more_than_a_day_ahead_is_refused_with_the_reason(repo: GitRepo) -> None:
    feature_in(repo, b"")
    error = refused(repo, event_id=id_at(25.5))
    assert (error.exit_code, error.code) == (3, "clock-ahead")
    assert "hours ahead of this clock, and at most 24 are taken" in error.message
    soon = id_at(23)
    assert ask_for(repo.path, event_id=soon).event["event_id"] == soon
