"""`reconcile-journal` and `discard`, as a person and a program see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import LOG, SLUG, SNAPSHOT, ask, emit, feature_in, tree
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL = f".git/kitty-status/journal/{SLUG}.jsonl"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    emit(repo.path, "WP01", "claimed")
    repo.commit("claimed")
    return repo


def moved(repo: GitRepo, wp: str) -> str:
    return str(emit(repo.path, wp, "claimed", "--json").data["event"]["event_id"])


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(repo: GitRepo) -> None:
    event = moved(repo, "WP02")
    repo.git("reset", "-q", "--hard")
    before = tree(repo.path)
    answer = ask(repo.path, "reconcile-journal", "--dry-run")
    assert answer.code == 0
    assert "would be settled: " in answer.out
    assert f"would be brought back: {event} (WP02 to claimed) in {LOG}" in answer.out
    after = tree(repo.path)
    assert {path for path in after if before.get(path) != after[path]} <= {f".git/kitty-status/locks/{SLUG}.lock"}


def test_it_settles_brings_back_and_lists_what_stands(repo: GitRepo) -> None:
    event = moved(repo, "WP02")
    repo.git("reset", "-q", "--hard")
    answer = ask(repo.path, "reconcile-journal", "--json")
    assert [entry["event"]["wp_id"] for entry in answer.data["settled"]] == ["WP01"]
    assert [entry["event"]["event_id"] for entry in answer.data["restored"]] == [event]
    assert answer.data["restored"][0]["worktree"] == str(repo.path)
    assert (answer.data["waiting"], answer.data["dry_run"]) == ([], False)
    assert f"stands in its log, not committed yet: {event}" in ask(repo.path, "reconcile-journal").out
    repo.commit("WP02")
    assert f"settled: {event} (WP02 to claimed)" in ask(repo.path, "reconcile-journal").out
    assert ask(repo.path, "reconcile-journal").out == "the journal is empty\n"


def test_what_waits_is_exit_code_one_with_the_reason(repo: GitRepo) -> None:
    repo.branch("side")
    event = moved(repo, "WP02")
    repo.git("reset", "-q", "--hard")
    repo.git("checkout", "-q", "main")
    answer = ask(repo.path, "reconcile-journal")
    assert answer.code == 1
    assert f"waits: {event} (WP02 to claimed): branch side is checked out nowhere\n" in answer.out
    waiting = ask(repo.path, "reconcile-journal", "--json").data["waiting"]
    assert [(entry["branch"], entry["why"]) for entry in waiting] == [("side", "branch side is checked out nowhere")]


def test_an_event_that_is_in_no_commit_can_be_discarded(repo: GitRepo) -> None:
    before = repo.read(LOG), repo.read(SNAPSHOT)
    event = moved(repo, "WP02")
    answer = ask(repo.path, "discard", event, "--reason", "a slip", "--dry-run")
    assert answer.out.startswith(f"would be dropped: {event}\n")
    assert event.encode() in repo.read(LOG)
    answer = ask(repo.path, "discard", event, "--reason", "a slip")
    assert answer.out == f"dropped: {event}\ncut out of {repo.path / LOG}\n"
    assert (repo.read(LOG), repo.read(SNAPSHOT)) == before
    assert event.encode() not in repo.read(JOURNAL)
    kept = repo.read(".git/kitty-status/discarded.jsonl")
    assert event.encode() in kept
    assert b'"reason": "a slip"' in kept
    emit(repo.path, "WP03", "claimed")
    assert event.encode() not in repo.read(LOG)


@pytest.mark.parametrize("layout", ["single", "per-writer"])
def test_the_only_events_of_a_log_can_be_discarded_and_the_feature_goes_on(tmp_path: Path, layout: str) -> None:
    repo = GitRepo.init(tmp_path / "fresh")
    repo.write(".kittify/config.yaml", f"status:\n  layout: {layout}\n")
    feature_in(repo)
    repo.commit()
    first = emit(repo.path, "WP01", "claimed", "--json").data["event"]["event_id"]
    emit(repo.path, "WP01", "in_progress")
    answer = ask(repo.path, "discard", first, "--reason", "a mistake", "--with-followers")
    assert answer.code == 0, answer
    assert json.loads(repo.read(SNAPSHOT))["event_count"] == 0
    assert ask(repo.path, "validate", "--all").code == 0
    emit(repo.path, "WP01", "claimed", "--commit")
    assert json.loads(repo.read(SNAPSHOT))["event_count"] == 1


def test_a_discarded_event_that_is_staged_says_how_to_unstage_it(repo: GitRepo) -> None:
    event = moved(repo, "WP02")
    repo.git("add", "-A")
    answer = ask(repo.path, "discard", event, "--reason", "a slip", "--json")
    assert answer.data["logs"] == [str(repo.path / LOG)]
    (step,) = answer.envelope["next"]
    assert step.startswith("git -C ")
    assert step.endswith(" add -- status.events.jsonl")


def test_what_cannot_be_discarded_says_why(repo: GitRepo, tmp_path: Path) -> None:
    event = moved(repo, "WP02")
    repo.write(".git/MERGE_HEAD", repo.git("rev-parse", "HEAD") + "\n")
    answer = ask(repo.path, "discard", event, "--reason", "a slip", "--json")
    assert (answer.code, answer.error["code"]) == (6, "busy")
    (repo.path / ".git/MERGE_HEAD").unlink()
    assert ask(repo.path, "discard", event, "--reason", " ", "--json").error["code"] == "usage"
    assert ask(repo.path, "discard", "01ABC", "--reason", "a slip", "--json").error["code"] == "not-found"
    repo.commit("WP02")
    answer = ask(repo.path, "discard", event, "--reason", "a slip", "--json")
    assert (answer.code, answer.error["code"]) == (5, "conflicting-event")
    assert event.encode() in repo.read(LOG)
    for command in (["discard", event, "--reason", "a slip"], ["reconcile-journal"]):
        assert ask(tmp_path, *command, "--json").error["code"] == "outside-repository"


def test_a_waiting_event_can_be_discarded(repo: GitRepo) -> None:
    repo.branch("side")
    event = moved(repo, "WP02")
    repo.git("reset", "-q", "--hard")
    repo.git("checkout", "-q", "main")
    assert ask(repo.path, "discard", event, "--reason", "given up").out == f"dropped: {event}\n"
    assert ask(repo.path, "reconcile-journal").code == 0


def chain(repo: GitRepo) -> list[str]:
    """Move one work package three times, each move going on from the one before it, and commit none."""
    moves = [("claimed",), ("in_progress",), ("blocked", "--reason", "waits")]
    return [emit(repo.path, "WP02", *move, "--json").data["event"]["event_id"] for move in moves]


def test_an_event_that_others_go_on_from_is_refused_and_they_are_named(repo: GitRepo) -> None:
    first, second, third = chain(repo)
    before = tree(repo.path)

    answer = ask(repo.path, "discard", first, "--reason", "a slip", "--json")

    assert (answer.code, answer.error["code"]) == (5, "conflicting-event")
    assert f"{second} (WP02 to in_progress), {third} (WP02 to blocked)" in answer.error["message"]
    assert f"discard {third} first" in answer.error["hint"]
    assert answer.error["context"]["followers"] == [second, third]
    assert tree(repo.path) == before
    for each in (third, second, first):
        assert ask(repo.path, "discard", each, "--reason", "a slip").code == 0
    assert repo.git("status", "--porcelain") == ""


def test_an_event_is_discarded_together_with_all_that_go_on_from_it(repo: GitRepo) -> None:
    first, second, third = chain(repo)
    other = moved(repo, "WP03")

    command = ["discard", first, "--reason", "a slip", "--with-followers"]
    assert ask(repo.path, *command, "--dry-run").out.count("would be dropped: ") == 3
    answer = ask(repo.path, *command, "--json")

    assert answer.data["event"]["event_id"] == first
    assert [each["event_id"] for each in answer.data["followers"]] == [second, third]
    assert [each in repo.read(LOG).decode() for each in (first, second, third, other)] == [False, False, False, True]
    assert b"WP02" not in repo.read(SNAPSHOT)
    assert repo.read(".git/kitty-status/discarded.jsonl").count(b"a slip") == 3
    repo.git("reset", "-q", "--hard")
    assert f"brought back: {other}" in ask(repo.path, "reconcile-journal").out
    assert first.encode() not in repo.read(LOG)


def test_many_followers_are_told_shortly(repo: GitRepo) -> None:
    first, *_ = chain(repo)
    for lane in ("in_progress", "blocked") * 3:
        emit(repo.path, "WP02", lane, "--reason", "again")

    answer = ask(repo.path, "discard", first, "--reason", "a slip", "--json")

    assert answer.error["message"].endswith(" and 3 more")
    assert len(answer.error["context"]["followers"]) == 8


def test_an_event_that_a_committed_one_goes_on_from_stays(repo: GitRepo) -> None:
    first, second, _ = chain(repo)
    whole = repo.read(LOG)
    repo.write(
        LOG, b"".join(line for line in whole.splitlines(keepends=True) if f'"event_id": "{first}"'.encode() not in line)
    )
    repo.git("add", LOG)
    repo.git("commit", "-q", "--no-verify", "-m", "all but one")
    repo.write(LOG, whole + b"damaged\n" + b'{"kind": "annotation"}\n')

    answer = ask(repo.path, "discard", first, "--reason", "a slip", "--with-followers", "--json")

    assert (answer.code, answer.error["code"]) == (5, "conflicting-event")
    assert f"event {second} goes on from {first} and stands in a commit" in answer.error["message"]
    assert first.encode() in repo.read(LOG)


def test_an_event_is_cut_out_of_whichever_file_of_a_divided_log_it_stands_in(repo: GitRepo) -> None:
    first, second, _ = chain(repo)
    assert ask(repo.path, "convert", SLUG, "--to", "per-writer").code == 0
    fourth = emit(repo.path, "WP02", "in_progress", "--json").data["event"]["event_id"]
    files = sorted((repo.path / LOG).parent.glob("status.events.d/*.jsonl"))
    assert len(files) == 2

    refused = ask(repo.path, "discard", first, "--reason", "a slip", "--json")
    assert fourth in refused.error["context"]["followers"]
    repo.git("add", "-A")
    answer = ask(repo.path, "discard", second, "--reason", "a slip", "--with-followers", "--json")

    assert sorted(answer.data["logs"]) == [str(file) for file in files]
    assert second not in "".join(file.read_text() for file in files)
    assert len(answer.envelope["next"]) == 2
    assert repo.read(SNAPSHOT).count(first.encode()) == 2
    assert ask(repo.path, "validate", SLUG).code == 0
