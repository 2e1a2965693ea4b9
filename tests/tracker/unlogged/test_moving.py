"""Phase 0: moves are held to the rules, the lane is written into the frontmatter, and nothing is recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, Answer, ask, emit, tree
from events import instant, line, ulid
from kitty_status.errors import BusyError, GitError, OutsideRepositoryError
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.commit import check_unchanged, commit_file
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.moving.request import EmitRequest
from kitty_status.tracker.unlogged import moving
from unlogged import META, file_of, lanes_in, path_of, unlogged

if TYPE_CHECKING:
    from gitrepo import GitRepo

REVIEW = ("--reviewer", "ben", "--verdict", "approved", "--reference", "PR 7")


def written(repo: GitRepo) -> dict[str, bytes | None]:
    """Return what is in the work tree, without what git and this machine keep for themselves."""
    return {path: data for path, data in tree(repo.path).items() if not path.startswith(".git/")}


def refused(repo: GitRepo, wp: str, lane: str, *args: str, actor: str = "ada", code: int) -> dict[str, object]:
    """Emit, see that it ends with this code and writes nothing, and return the error."""
    before = written(repo)
    answer = emit(repo.path, wp, lane, "--json", *args, actor=actor, code=code)
    assert written(repo) == before
    return answer.error


def test_a_move_writes_the_lane_into_the_file_and_no_other_byte_and_no_other_file(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP02="planned")
    path = "kitty-specs/001-feature/tasks/WP01-é.md"
    block = b"# c\r\ntitle: \"a: b\"\r\nlane:   'planned'   # why\r\nx: [1,  2]\r\n"
    before = b"\xef\xbb\xbf---\r\n" + block + b"---\r\nlane: planned\r\n"
    repo.write(path, before)
    everything = written(repo)
    answer = emit(repo.path, "WP01", "claimed")
    assert repo.read(path) == before.replace(b"'planned'", b"'claimed'")
    assert written(repo) == {**everything, path: repo.read(path)}
    assert "moved WP01: planned to claimed in kitty-specs/001-feature/tasks/WP01-" in answer.out
    assert "phase 0 (.kittify/config.yaml:2): no event was recorded in a log" in answer.out


def test_the_answer_says_that_nothing_was_recorded(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    repo.write(META, '{"status_phase": 0}')
    data = emit(repo.path, "WP01", "claimed", "--json").data
    assert data == {
        "feature": SLUG,
        "wp_id": "WP01",
        "from_lane": "planned",
        "to_lane": "claimed",
        "path": path_of("WP01"),
        "recorded": False,
        "phase": 0,
        "phase_source": "meta.json of the feature",
        "dry_run": False,
        "commit": None,
    }


def test_a_work_package_goes_all_the_way_by_its_file_alone(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    for lane, args in [("claimed", ()), ("in-progress", ()), ("for_review", ()), ("done", REVIEW)]:
        emit(repo.path, "WP01", lane, *args)
        assert lanes_in(repo)["WP01"] == lane.replace("-", "_")
    assert not (repo.path / LOG).exists()
    assert not (repo.path / SNAPSHOT).exists()


@pytest.mark.parametrize("block", ["title: a\n", "lane:\n", "lane: ''\n", "lane: null\n", ""])
def test_a_file_without_a_lane_begins_where_all_begin(tmp_path: Path, block: str) -> None:
    repo = unlogged(tmp_path)
    file_of(repo, "WP01", block)
    answer = emit(repo.path, "WP01", "claimed", "--json")
    assert answer.data["from_lane"] == "planned"
    assert lanes_in(repo)["WP01"].strip("'") == "claimed"


def test_the_old_name_of_a_lane_is_understood_and_not_written(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="doing", WP02="claimed")
    assert emit(repo.path, "WP01", "for_review", "--json").data["from_lane"] == "in_progress"
    emit(repo.path, "WP02", "doing")
    assert lanes_in(repo) == {"WP01": "for_review", "WP02": "in_progress"}


def test_lanes_of_spec_kitty_are_recognised_in_any_of_the_files(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="for_review", WP02="approved")
    emit(repo.path, "WP01", "in_review", actor="ben")
    assert lanes_in(repo)["WP01"] == "in_review"


def test_an_illegal_move_is_refused_with_what_is_legal(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    error = refused(repo, "WP01", "done", *REVIEW, code=3)
    assert error["code"] == "move-refused"
    context = error["context"]
    assert isinstance(context, dict)
    assert context["legal_lanes"] == ["claimed", "blocked", "canceled"]
    assert context["commands"][0].startswith("kitty-status emit WP01 --to claimed --actor ada")


@pytest.mark.parametrize(
    ("lane", "to", "args", "said"),
    [
        ("for_review", "done", (), "needs evidence of an approving review"),
        ("for_review", "in_progress", (), "sending work back needs the review"),
        ("in_progress", "planned", (), "needs a reason"),
        ("in_progress", "for_review", (), "1 subtask is not done: T001 write it"),
        ("claimed", "in_progress", ("--execution-mode", "worktree"), "there is no work tree for it"),
        ("planned", "claimed", ("--force",), "force needs a reason"),
    ],
)
def test_every_guard_holds(tmp_path: Path, lane: str, to: str, args: tuple[str, ...], said: str) -> None:
    repo = unlogged(tmp_path)
    file_of(repo, "WP01", f"lane: {lane}\n", "- [ ] T001 write it\n")
    assert said in str(refused(repo, "WP01", to, *args, code=3)["message"])


def test_a_move_without_an_actor_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KITTY_STATUS_ACTOR", raising=False)
    repo = unlogged(tmp_path, WP01="planned")
    answer = ask(repo.path, "emit", "WP01", "--to", "claimed", "--feature", SLUG)
    assert answer.code == 3
    assert "a move needs an actor" in answer.err


@pytest.mark.parametrize(
    ("lane", "to", "args"),
    [
        ("for_review", "done", REVIEW),
        ("for_review", "in_progress", ("--review-ref", "PR 7")),
        ("in_progress", "planned", ("--reason", "not yet")),
        ("planned", "done", ("--force", "--reason", "it was done long ago")),
    ],
)
def test_what_was_said_for_a_guard_is_taken_and_it_is_said_that_it_is_not_kept(
    tmp_path: Path, lane: str, to: str, args: tuple[str, ...]
) -> None:
    repo = unlogged(tmp_path, WP01=lane)
    answer = emit(repo.path, "WP01", to, *args)
    assert "in phase 0 nothing is recorded: the " in answer.err
    assert "will not be kept" in answer.err
    assert lanes_in(repo)["WP01"] == to


@pytest.mark.parametrize(
    "block", ["agent: ben\n", "assignee: ben\n", "assignee: ''\nagent: ' ben '\n", "assignee: [ada]\nagent: ben\n"]
)
def test_who_claims_what_somebody_else_holds_is_told_who(tmp_path: Path, block: str) -> None:
    repo = unlogged(tmp_path)
    file_of(repo, "WP01", f"lane: claimed\n{block}")
    error = refused(repo, "WP01", "claimed", code=5)
    assert error["code"] == "held-by-other"
    assert "ben holds it" in str(error["message"])


def test_each_of_the_names_in_a_file_is_a_holder(tmp_path: Path) -> None:
    repo = unlogged(tmp_path)
    file_of(repo, "WP01", "lane: claimed\nassignee: ben\nagent: ada\n")
    assert refused(repo, "WP01", "claimed", code=3)["code"] == "move-refused"
    answer = emit(repo.path, "WP01", "in_progress")
    assert "by hand" not in answer.err


@pytest.mark.parametrize(
    ("block", "named"), [("", "nobody"), ("agent: ben\n", "ben"), ("assignee: b\nagent: c\n", "b and c")]
)
def test_who_claims_and_is_not_named_in_the_file_is_told_to_write_it(tmp_path: Path, block: str, named: str) -> None:
    repo = unlogged(tmp_path)
    file_of(repo, "WP01", f"lane: planned\n{block}")
    answer = emit(repo.path, "WP01", "claimed")
    assert f"names {named} and not ada" in answer.err
    assert "write `agent: ada` by hand" in answer.err


def test_a_claim_in_another_work_tree_is_seen_and_force_sets_it_aside(tmp_path: Path) -> None:
    repo = unlogged(tmp_path / "main", WP01="planned")
    other = repo.worktree(tmp_path / "other", "other")
    file_of(other, "WP01", "lane: in_progress\nagent: ben\n")
    error = refused(repo, "WP01", "claimed", code=5)
    assert error["message"] == f"WP01 is in planned here, but ben holds it (in_progress) in {other.path}"
    emit(repo.path, "WP01", "claimed", "--force", "--reason", "ben is away")
    assert lanes_in(repo)["WP01"] == "claimed"


def test_a_claim_in_another_work_tree_whose_file_names_nobody_is_that_of_somebody(tmp_path: Path) -> None:
    repo = unlogged(tmp_path / "main", WP01="planned")
    other = repo.worktree(tmp_path / "other", "other")
    emit(other.path, "WP01", "claimed", actor="ben")
    error = refused(repo, "WP01", "claimed", code=5)
    assert "but somebody, whom the file does not name, holds it (claimed) in " in str(error["message"])
    assert isinstance(error["context"], dict)
    assert error["context"]["holder"] is None


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("lane: claimed\nagent: ada\n", ""),
        ("lane: blocked\nagent: ben\n", "WP01 is in blocked in "),
        ("lane: planned\nagent: ben\n", ""),
        ("lane: nowhere\n", ""),
        ("lane: [\n", ""),
    ],
)
def test_what_else_another_work_tree_says_does_not_stop_a_claim(tmp_path: Path, block: str, said: str) -> None:
    repo = unlogged(tmp_path / "main", WP01="planned", WP02="planned")
    other = repo.worktree(tmp_path / "other", "other")
    file_of(other, "WP01", block)
    (other.path / path_of("WP02")).unlink()
    answer = emit(repo.path, "WP01", "claimed")
    assert said in answer.err
    assert (str(other.path) in answer.err) == bool(said)
    emit(repo.path, "WP02", "claimed")


def test_a_work_package_without_a_file_has_no_place_for_a_lane(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    error = refused(repo, "WP02", "claimed", code=4)
    assert error["hint"] == "did you mean WP01?"
    (repo.path / path_of("WP01")).unlink()
    error = refused(repo, "WP02", "claimed", "--strict-wp", code=4)
    assert "has no file in kitty-specs/001-feature/tasks" in str(error["message"])
    assert "write one whose frontmatter has a `lane`" in str(error["hint"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# WP01\n", ":1: it has no frontmatter"),
        ("---\ntitle: a\nlane: nowhere\n---\n", ":3: 'nowhere' is no lane of seven-lane"),
        ("---\ntitle: a\nlane: [planned]\n---\n", ":3: the lane is no plain word"),
        ("---\nlane: planned\nlane: done\n---\n", ":3: "),
        ("---\nlane: &a planned\n---\n", ":2: the frontmatter holds an anchor"),
        ("---\nlane: planned\n", ":1: the frontmatter has no end"),
        ("---\n{lane: [\n---\n", ":3: the frontmatter is no YAML"),
        ("---\nwork_package_id: WP02\nlane: planned\n---\n", "the file's name says WP01"),
        ("---\nlane: planned\nx: " + "y" * 70_000 + "\n---\n", ":1: the frontmatter has 7"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    repo = unlogged(tmp_path)
    repo.write(path_of("WP01"), text)
    error = refused(repo, "WP01", "claimed", code=7)
    assert error["code"] == "work-package-file"
    assert str(error["message"]).startswith(path_of("WP01"))
    assert said in str(error["message"])


def test_another_file_that_cannot_be_understood_does_not_stop_a_move(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned", WP02="nowhere")
    repo.write(path_of("WP03"), "no frontmatter")
    emit(repo.path, "WP01", "claimed")
    assert lanes_in(unlogged(tmp_path / "other", WP01="claimed"))["WP01"] == "claimed"


def test_an_unknown_lane_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    assert "is no lane of seven-lane" in str(
        refused(unlogged(tmp_path, WP01="planned"), "WP01", "x", code=2)["message"]
    )


def test_an_event_id_is_refused_since_there_is_no_event(tmp_path: Path) -> None:
    error = refused(unlogged(tmp_path, WP01="planned"), "WP01", "claimed", "--event-id", ulid(1), code=2)
    assert "a move is no event" in str(error["message"])
    assert error["hint"] == "leave out --event-id"


def test_an_archived_feature_is_not_moved(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    (repo.path / "kitty-specs/.archive").mkdir()
    (repo.path / FOLDER).rename(repo.path / "kitty-specs/.archive" / SLUG)
    assert "is archived" in str(refused(repo, "WP01", "claimed", code=3)["message"])


def test_a_dry_run_says_what_would_be_and_writes_nothing(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    before = tree(repo.path)
    answer = emit(repo.path, "WP01", "claimed", "--dry-run", "--commit")
    assert "would move WP01: planned to claimed" in answer.out
    assert "no event would be recorded" in answer.out
    assert "next:" not in answer.err
    assert {path: data for path, data in tree(repo.path).items() if path != ".git/index"} == {
        path: data for path, data in before.items() if path != ".git/index"
    }


def test_commit_commits_the_file_and_nothing_else_that_is_staged(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    repo.write("other", "x")
    repo.git("add", "other")
    answer = emit(repo.path, "WP01", "claimed", "--commit", "--json")
    assert answer.data["commit"] == repo.git("rev-parse", "HEAD")
    assert answer.envelope["next"] == []
    assert repo.git("log", "-1", "--format=%s") == "Move WP01: planned to claimed"
    assert repo.git("show", "--name-only", "--format=", "HEAD") == path_of("WP01")
    assert repo.git("status", "--porcelain") == "A  other"


def test_the_commands_that_are_named_commit_the_file(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    steps = emit(repo.path, "WP01", "claimed", "--json").envelope["next"]
    assert steps[1] == f"git commit -m 'Move WP01: planned to claimed' -- :/{path_of('WP01')}"
    assert emit(repo.path, "WP01", "in_progress", "--commit", code=2).err.startswith(f"error: {path_of('WP01')} has")
    assert "committed as" in _committed(repo).out


def _committed(repo: GitRepo) -> Answer:
    repo.commit()
    return emit(repo.path, "WP01", "in_progress", "--commit")


@pytest.mark.parametrize("state", ["changed", "staged", "untracked"])
def test_commit_is_refused_where_the_file_holds_other_changes(tmp_path: Path, state: str) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    wp_id = "WP02" if state == "untracked" else "WP01"
    path = file_of(repo, wp_id, "lane: planned\ntitle: new\n")
    if state == "staged":
        repo.git("add", path)
    error = refused(repo, wp_id, "claimed", "--commit", code=2)
    assert "has uncommitted changes of its own" in str(error["message"])


def test_commit_needs_a_repository(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks" / "WP01.md").write_text("---\nlane: planned\n---\n")
    (folder / "meta.json").write_text('{"status_phase": 0}')
    assert emit(tmp_path, "WP01", "claimed", "--commit", code=2).err.startswith("error: ")
    for call in (check_unchanged, lambda feature, path: commit_file(feature, path, "message")):
        with pytest.raises(OutsideRepositoryError):
            call(feature_at(folder), folder / "tasks" / "WP01.md")
    answer = emit(tmp_path, "WP01", "claimed")
    assert "next:" not in answer.err
    assert (folder / "tasks" / "WP01.md").read_text() == "---\nlane: claimed\n---\n"


def test_a_hook_that_refuses_the_commit_leaves_the_lane_written_and_says_how_to_go_on(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\necho no >&2\nexit 1\n").chmod(0o755)
    answer = emit(repo.path, "WP01", "claimed", "--commit", code=1)
    assert "git commit failed: no" in answer.err
    assert "the lane is written; commit it with: git commit -m" in answer.err
    assert lanes_in(repo)["WP01"] == "claimed"


def test_a_git_that_holds_the_index_is_said_to_be_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    monkeypatch.setattr("kitty_status.tracker.commit._PATIENCE", 0.0)
    repo.write(".git/index.lock", "")
    feature = feature_at(repo.path / FOLDER)
    with pytest.raises(BusyError) as caught:
        commit_file(feature, repo.path / path_of("WP01"), "message")
    assert "commit it with" in caught.value.hint
    (repo.path / ".git/index.lock").unlink()
    with pytest.raises(GitError):
        commit_file(feature, repo.path / path_of("WP01"), "message")


def test_a_file_that_changes_while_it_is_decided_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    path = repo.path / path_of("WP01")
    decide = moving._decide

    def decide_and_edit(*args: object) -> object:
        decision = decide(*args)  # type: ignore[arg-type]
        path.write_text("---\nlane: planned\ntitle: edited meanwhile\n---\n")
        return decision

    monkeypatch.setattr(moving, "_decide", decide_and_edit)
    assert "was changed meanwhile" in emit(repo.path, "WP01", "claimed", code=6).err
    assert "edited meanwhile" in path.read_text()

    def decide_and_remove(*args: object) -> object:
        decision = decide(*args)  # type: ignore[arg-type]
        path.unlink()
        return decision

    monkeypatch.setattr(moving, "_decide", decide_and_remove)
    assert "was changed meanwhile" in emit(repo.path, "WP01", "claimed", code=6).err
    assert not path.exists()


def test_moves_of_one_feature_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    project = Project(repo.path)
    feature = project.feature(SLUG)
    monkeypatch.setattr("kitty_status.tracker.unlogged.moving.exclusive", lambda lock: exclusive(lock, timeout=0.05))
    request = EmitRequest(wp_id="WP01", to_lane="claimed", actor="ada")
    with exclusive(feature.lock), pytest.raises(BusyError):
        moving.move_in_file(feature, load_config(project.root), request)
    assert lanes_in(repo)["WP01"] == "planned"


def test_a_disk_that_does_not_take_the_file_leaves_it_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = unlogged(tmp_path, WP01="planned")

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    before = written(repo)
    assert emit(repo.path, "WP01", "claimed", code=6).err.startswith("error: ")
    assert written(repo) == before


def test_listeners_hear_nothing_for_there_is_no_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = unlogged(tmp_path / "repo", WP01="planned")
    monkeypatch.setenv("KITTY_STATUS_TELEMETRY", str(tmp_path / "heard"))
    emit(repo.path, "WP01", "claimed")
    assert not (tmp_path / "heard").exists()


def test_a_log_beside_phase_0_is_neither_read_nor_written_and_that_is_said(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    log = line(event_id=ulid(1), at=instant(1), wp_id="WP01", to_lane="blocked")
    repo.write(LOG, log)
    answer = emit(repo.path, "WP01", "claimed")
    assert f"{LOG} is not read: the feature is in phase 0" in answer.err
    assert repo.read(LOG) == log
    assert lanes_in(repo)["WP01"] == "claimed"


def test_a_phase_that_was_passed_over_is_warned_of_once(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    repo.write(META, json.dumps({"status_phase": 7}))
    answer = emit(repo.path, "WP01", "claimed")
    assert answer.err.count("status_phase is 7, which is no phase") == 1
    repo.write(".kittify/config.yaml", "status:\n  phase: 8\n")
    answer = emit(repo.path, "WP01", "claimed")
    assert answer.err.count("which is no phase") == 2
    assert (repo.path / LOG).exists()


@pytest.mark.parametrize("verb", ["release", "take-over"])
def test_a_claim_is_changed_by_hand(tmp_path: Path, verb: str) -> None:
    repo = unlogged(tmp_path)
    file_of(repo, "WP01", "lane: claimed\nagent: ada\n")
    answer = ask(repo.path, verb, "WP01", "--actor", "ada", "--feature", SLUG)
    assert answer.code == 3
    assert f"{SLUG} is in phase 0 (.kittify/config.yaml:2), where no log is written and none is read" in answer.err
    assert "`assignee` and `agent` in the frontmatter" in answer.err


def test_events_are_not_taken_back_where_no_log_counts(tmp_path: Path) -> None:
    repo = unlogged(tmp_path, WP01="planned")
    log = line(event_id=ulid(1), at=instant(1), wp_id="WP01", to_lane="claimed")
    repo.write(LOG, log)
    answer = ask(repo.path, "revert", ulid(1), "--actor", "ada")
    assert answer.code == 3
    assert "is in phase 0" in answer.err
    assert repo.read(LOG) == log


def test_a_move_is_one_of_the_work_tree_in_which_it_is_made(tmp_path: Path) -> None:
    repo = unlogged(tmp_path / "main", WP01="planned")
    other = repo.worktree(tmp_path / "other", "other")
    emit(other.path, "WP01", "claimed")
    assert (lanes_in(repo), lanes_in(other)) == ({"WP01": "planned"}, {"WP01": "claimed"})
