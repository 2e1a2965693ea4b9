"""Emit beside git, which takes no lock of ours and may put another file in a log's place at any moment."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, feature_in
from events import instant, line, ulid
from features import install
from gitrepo import GitRepo
from kitty_status.errors import OutcomeUnknownError
from kitty_status.git.blobs import blob_oid
from kitty_status.jsonl.append import Place, append_locked
from kitty_status.jsonl.codec import decode
from kitty_status.jsonl.damage import strictly
from kitty_status.status.record import events_of
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.snapshot import to_bytes
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Project
from kitty_status.tracker.journal import writing
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest, Emitted

if TYPE_CHECKING:
    from collections.abc import Callable

EARLIER = line(event_id=ulid(80), at=instant(80), wp_id="WP02", to_lane="claimed", from_lane="planned")
OTHER = line(event_id=ulid(90), at=instant(90), wp_id="WP02", to_lane="claimed", from_lane="planned")


def claim(root: Path, wp: str = "WP01", event_id: str | None = None) -> Emitted:
    request = EmitRequest(wp_id=wp, to_lane="claimed", actor="ada", feature=SLUG, event_id=event_id)
    return emit(Project(root), Config(), request)


def swap(log: Path, data: bytes) -> None:
    """Do what git does to a file of the work tree: a new file, of the same name."""
    log.unlink()
    log.write_bytes(data)


def git_beside(monkeypatch: pytest.MonkeyPatch, *, before: bool) -> None:
    """Let git put another file in the log's place at the moment that an event is appended to it."""

    def append(place: Place, data: bytes) -> None:
        is_log = Path(place.log).name == Path(LOG).name
        if before and is_log:
            swap(place.log, OTHER)
        append_locked(place, data)
        if not before and is_log:
            swap(place.log, OTHER)

    monkeypatch.setattr(writing, "append_locked", append)


def test_a_log_that_git_replaced_before_the_append_gives_the_snapshot_of_what_stands_there(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature_in(repo, b"")
    git_beside(monkeypatch, before=True)
    emitted = claim(repo.path)
    snapshot = json.loads(repo.read(SNAPSHOT))
    assert snapshot["event_count"] == 2
    assert snapshot["log_oid"] == blob_oid(repo.read(LOG), "sha1")
    assert snapshot["work_packages"]["WP01"]["lane"] == emitted.state["lane"] == "claimed"


def between(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]) -> None:
    """Change the log after the event's line stands in it, before anybody has looked whether it does."""

    def append(place: Place, data: bytes) -> None:
        append_locked(place, data)
        if Path(place.log).name == Path(LOG).name:
            change(Path(place.log))

    monkeypatch.setattr(writing, "append_locked", append)


@pytest.mark.parametrize(
    "change",
    [
        lambda log: swap(log, log.read_bytes() + OTHER),
        lambda log: swap(log, OTHER + log.read_bytes()),
        lambda log: append_locked(Place(log, log, log), OTHER),
        lambda log: swap(log, log.read_bytes().replace(EARLIER, OTHER)),
        lambda log: swap(log, log.read_bytes().replace(EARLIER, EARLIER + b'{"kind": "note"}\n')),
    ],
    ids=["git brings a line behind", "git brings a line before", "another writer", "git exchanges a line", "a note"],
)
def test_a_log_that_is_not_what_was_foreseen_gives_the_snapshot_of_what_stands_there(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    feature_in(repo, EARLIER)
    claim(repo.path, "WP03")
    between(monkeypatch, change)
    emitted = claim(repo.path)
    stood = repo.read(LOG)
    anew = reduce_events(unique_events(events_of(stood.splitlines(keepends=True), decode, strictly(Path(LOG)))))
    assert repo.read(SNAPSHOT) == to_bytes(anew, blob_oid(stood, "sha1"))
    assert emitted.state == anew.work_packages["WP01"]
    assert emitted.event["event_id"].encode() in stood
    # Nor does what was foreseen come back with the next event.
    monkeypatch.undo()
    claim(repo.path, "WP04")
    assert json.loads(repo.read(SNAPSHOT))["event_count"] == anew.event_count + 1


def test_a_log_of_another_branch_is_not_taken_for_the_one_that_was_read_before(repo: GitRepo) -> None:
    feature_in(repo, EARLIER)
    repo.commit()
    first = claim(repo.path).event
    repo.commit()
    repo.git("checkout", "-q", "-b", "other", "HEAD~1")
    second = claim(repo.path)
    assert second.event["from_lane"] == first["from_lane"] == "planned"
    assert second.event["parents"] == []
    assert json.loads(repo.read(SNAPSHOT))["log_oid"] == blob_oid(repo.read(LOG), "sha1")
    assert json.loads(repo.read(SNAPSHOT))["event_count"] == 2


def test_what_a_caller_does_to_a_reply_changes_no_later_one(repo: GitRepo) -> None:
    feature_in(repo, EARLIER)
    claim(repo.path).state.clear()
    claim(repo.path, "WP03")
    assert json.loads(repo.read(SNAPSHOT))["work_packages"]["WP01"]["lane"] == "claimed"


def test_a_torn_last_line_is_mended_and_the_snapshot_is_that_of_the_mended_log(repo: GitRepo) -> None:
    feature_in(repo, EARLIER + OTHER[:30])
    claim(repo.path)
    repo.write(LOG, repo.read(LOG) + OTHER[:-1])
    claim(repo.path, "WP05")
    snapshot = json.loads(repo.read(SNAPSHOT))
    assert (snapshot["event_count"], snapshot["log_oid"]) == (4, blob_oid(repo.read(LOG), "sha1"))


def test_an_event_that_git_took_away_at_once_is_brought_back_before_it_is_acknowledged(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature_in(repo, b"")
    git_beside(monkeypatch, before=False)
    emitted = claim(repo.path)
    assert emitted.event["event_id"].encode() in repo.read(LOG)
    assert emitted.state["lane"] == "claimed"


def test_an_event_that_git_took_away_while_nothing_may_be_restored_is_not_acknowledged(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature_in(repo, b"")
    git_beside(monkeypatch, before=False)
    (repo.path / ".git/MERGE_HEAD").write_text("0" * 40 + "\n")
    with pytest.raises(OutcomeUnknownError) as unknown:
        claim(repo.path)
    assert str(unknown.value.context["event_id"]) in unknown.value.hint


def test_a_repeated_call_writes_the_snapshot_that_the_first_one_did_not_get_to(repo: GitRepo) -> None:
    feature_in(repo)
    claim(repo.path, event_id=ulid(1))
    right = repo.read(SNAPSHOT)
    (repo.path / SNAPSHOT).unlink()
    assert claim(repo.path, event_id=ulid(1)).replayed
    assert repo.read(SNAPSHOT) == right


def test_what_a_killed_process_left_behind_is_removed(repo: GitRepo) -> None:
    feature_in(repo)
    leftover = repo.write(f"{FOLDER}/.status.json.4711.abcdef.tmp", "half")
    claim(repo.path)
    assert not leftover.exists()


def test_a_foreign_row_of_the_same_id_is_a_conflict(repo: GitRepo) -> None:
    stored = json.loads(line(event_id=ulid(1), at=instant(1), actor="ada", to_lane="claimed", reason=None))
    feature_in(repo, json.dumps({**stored, "kind": "note"}, sort_keys=True).encode() + b"\n")
    call = ("emit", "WP01", "--to", "claimed", "--actor", "ada", "-f", SLUG, "--event-id", ulid(1), "--json")
    answer = ask(repo.path, *call)
    assert (answer.code, answer.error["code"]) == (5, "conflicting-event")


def test_commits_of_one_clone_wait_for_each_other(repo: GitRepo) -> None:
    feature_in(repo)
    repo.commit_empty()
    kitty = str(Path(sys.executable).with_name("kitty-status"))
    processes = [
        subprocess.Popen(
            [kitty, "emit", f"WP0{number}", "--to", "claimed", "--actor", "ada", "-f", SLUG, "--commit"], cwd=repo.path
        )
        for number in range(1, 5)
    ]
    assert [process.wait(120) for process in processes] == [0, 0, 0, 0]
    assert repo.git("status", "--porcelain", "--", FOLDER) == ""
    assert len(repo.read(LOG).splitlines()) == 4
    named = json.loads(repo.read(SNAPSHOT))["log_oid"]
    assert named == repo.git("rev-parse", f"HEAD:{LOG}")


def in_a_conflict(repo: GitRepo, command: str) -> None:
    """Stop git in the middle of a merge or a pick which has brought lines into the log, and staged them."""
    feature_in(repo, line())
    install(repo)
    repo.commit("the feature")
    for branch, number in (("side", 1), ("main", 2)):
        repo.git("checkout", "-q", "-B", branch, "HEAD" if branch == "side" else "main")
        repo.append(LOG, line(event_id=ulid(10 + number), at=instant(number), wp_id=f"WP0{number + 1}"))
        repo.write("other", branch)
        repo.commit(branch)
    assert repo.run(*shlex.split(command)).returncode == 1
    assert repo.git("status", "--porcelain", "--", LOG) == f"M  {LOG}"


@pytest.mark.parametrize("command", ["merge side", "cherry-pick side", "rebase side"])
def test_an_event_in_the_middle_of_a_merge_survives_its_end_by_what_the_warning_says(
    repo: GitRepo, command: str
) -> None:
    in_a_conflict(repo, command)
    operation = command.split(" ", maxsplit=1)[0]
    aborted = operation, "--abort"

    answer = ask(repo.path, *f"emit WP09 --to claimed --actor ada --feature {SLUG} --json".split())

    [warning] = [each for each in answer.envelope["warnings"] if "in the middle" in each]
    stage, bring_back = warning.split("`")[1::2]
    assert f"a {operation}:" in warning
    if operation != "rebase":
        assert b"not uptodate" in repo.run(*aborted).stderr
        assert answer.envelope["next"] == [stage]
    repo.git(*shlex.split(stage)[1:])
    repo.git(*aborted)
    assert b"WP09" not in repo.read(LOG)
    assert ask(repo.path, *shlex.split(bring_back)[1:]).code == 0
    assert (b"WP09" in repo.read(LOG), repo.read(LOG).count(b"\n")) == (True, 3)


def test_what_is_to_be_done_next_in_a_merge_concludes_it(repo: GitRepo) -> None:
    in_a_conflict(repo, "merge side")

    [stage] = ask(repo.path, *f"emit WP09 --to claimed --actor ada --feature {SLUG} --json".split()).envelope["next"]

    repo.git(*shlex.split(stage)[1:])
    repo.git("add", "other")
    repo.git("commit", "-q", "-m", "merged")
    assert repo.git("status", "--porcelain") == ""
    assert b"WP09" in repo.read(LOG)
