"""What holds for every command: help with an example, one JSON document, a dry run that writes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commandline import FOLDER, LOG, SLUG, Answer, ask, emit, feature_in, tree
from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.cli.application import VERBS

PLUMBING = ("merge-driver", "hook")
CLAIM = line(event_id=ulid(1), at=instant(1))
EMIT = ("emit", "WP01", "--to", "in_progress", "--actor", "ada", "--feature", SLUG)
GOOD = {
    "init": ("init",),
    "install": ("install",),
    "install-status": ("install", "--status"),
    "uninstall": ("uninstall",),
    "emit": EMIT,
    "show": ("show", SLUG),
    "features": ("show",),
    "show-worktrees": ("show", SLUG, "--worktrees"),
    "features-worktrees": ("show", "--worktrees"),
    "worktrees": ("worktrees",),
    "cleanup": ("cleanup",),
    "log": ("log", SLUG),
    "lanes": ("lanes", SLUG),
    "phase": ("phase", SLUG),
    "diff": ("diff",),
    "audit": ("audit",),
    "materialize": ("materialize", SLUG),
    "findings": ("validate", SLUG),
    "explanation": ("explain", "chain-break"),
    "codes": ("explain",),
    "schema": ("schema", "event"),
    "schemas": ("schema",),
    "schema-files": ("schema", "--all", "."),
    "doctor": ("doctor",),
    "resolve": ("resolve", SLUG),
    "reconcile": ("reconcile", SLUG),
    "revert": ("revert", "HEAD", "--actor", "ada"),
    "rename": ("rename", SLUG, "003-new"),
    "archive": ("archive", SLUG),
    "archived": ("archive", "--list"),
    "unarchive": ("unarchive", "000-finished"),
    "migration": ("migrate", SLUG),
}
WRITES = [
    ("init",),
    ("install",),
    ("install", "--autostash"),
    ("uninstall",),
    EMIT,
    ("materialize", "--all"),
    ("revert", "HEAD", "--actor", "ada"),
    ("validate", "--all", "--write-baseline"),
    ("rename", SLUG, "003-new"),
    ("rename", SLUG, "003-new", "--commit"),
    ("archive", SLUG),
    ("unarchive", "000-finished"),
    ("schema", "--all", "."),
]
BAD = [
    ("show", "nowhere"),
    ("show", "nowhere", "--worktrees"),
    ("worktrees", "--base", "nowhere"),
    ("log", "nowhere"),
    ("log", SLUG, "--wp", "WP77"),
    ("log", SLUG, "--limit", "0"),
    ("phase", "nowhere"),
    ("phase", SLUG, "--all"),
    ("lanes", "nowhere"),
    ("lanes", "no/where"),
    ("lanes", "--profile", "nowhere"),
    ("lanes", SLUG, "--profile", "seven-lane"),
    ("lanes", "--dot", "--mermaid"),
    ("materialize", "nowhere"),
    ("materialize", SLUG, "--all"),
    ("materialize", "002-empty"),
    ("validate", "nowhere"),
    ("validate", "no/where"),
    ("validate", SLUG, "--all"),
    ("validate", SLUG, "--baseline"),
    ("validate", SLUG, "--dry-run"),
    ("explain", "nothing-at-all"),
    ("schema", "nothing-at-all"),
    ("schema", "event", "--all", "."),
    ("schema", "--all", "nowhere"),
    ("schema", "--dry-run"),
    ("audit", "nowhere"),
    ("audit", "--base", "nowhere"),
    ("diff", "nowhere"),
    ("show", SLUG, "--at", "nowhere"),
    ("resolve", "nowhere"),
    ("resolve", "no/where"),
    ("resolve", SLUG, "--all"),
    ("resolve", SLUG, "--from", "nowhere"),
    ("revert", "nowhere", "--actor", "ada"),
    ("revert", "HEAD"),
    ("revert",),
    ("emit", "WP01"),
    ("emit", "WP01", "--to", "done", "--actor", "ada", "-f", SLUG),
    ("emit", "WP01", "--to", "in_progress", "-f", SLUG),
    ("emit", "WP01", "--to", "claimed", "--execution-mode", "moon"),
    ("install", "--status", "--dry-run"),
    ("install", "--status", "--manual"),
    ("install", "--manual", "--autostash"),
    ("rename", SLUG),
    ("rename", "nowhere", "003-new"),
    ("rename", SLUG, ".."),
    ("rename", SLUG, SLUG),
    ("archive",),
    ("archive", "nowhere"),
    ("archive", "--list", SLUG),
    ("unarchive", SLUG),
    ("unarchive", "no/where"),
    ("migrate", "nowhere"),
    ("migrate", SLUG, "--all"),
    ("reconcile", "nowhere"),
    ("reconcile", SLUG, "--all"),
    ("reconcile", SLUG, "--apply", "--dry-run"),
    ("sync-base", "nowhere"),
    ("show", "--nonsense"),
    ("nonsense",),
]


def ready(repo: GitRepo) -> GitRepo:
    feature_in(repo, CLAIM)
    repo.write("kitty-specs/002-empty/spec.md", "nothing has happened yet\n")
    repo.write("kitty-specs/.archive/000-finished/spec.md", "this is done\n")
    repo.commit()
    return repo


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_help_with_an_example_that_fits_a_screen(tmp_path: Path, verb: str) -> None:
    for flag in ("--help", "-h"):
        answer = ask(tmp_path, verb, flag)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out.startswith(f"Usage: kitty-status {verb}")
        assert len(answer.out.splitlines()) <= 60
        if verb not in PLUMBING:
            assert f"  kitty-status {verb} " in answer.out
            assert "--json" in answer.out


def test_the_help_of_the_program_lists_every_command_and_every_exit_code(tmp_path: Path) -> None:
    answer = ask(tmp_path, "--help")
    assert answer.code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in answer.out
    for code in ("0 done", "1", "2 usage", "3 move refused", "4 not found", "5", "6 busy", "7", "70 a bug", "130"):
        assert code in " ".join(answer.out.split())


def test_without_arguments_the_help_is_shown_as_it_is_and_the_code_is_that_of_wrong_usage(tmp_path: Path) -> None:
    answer = ask(tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == ask(tmp_path, "--help").out
    assert "\\n" not in answer.err


@pytest.mark.parametrize("kind", GOOD)
def test_with_json_stdout_is_one_envelope_and_nothing_else(repo: GitRepo, kind: str) -> None:
    answer = ask(ready(repo).path, *GOOD[kind], "--json")
    assert answer.envelope["kind"] == kind
    assert answer.envelope["schema_version"] == 1
    assert answer.err == ""
    assert "\x1b" not in answer.out


@pytest.mark.parametrize("kind", GOOD)
def test_without_json_no_escape_and_no_envelope_is_printed(repo: GitRepo, kind: str) -> None:
    answer = ask(ready(repo).path, *GOOD[kind])
    assert answer.out
    # A schema is JSON by itself; it is its envelope that is asked for.
    assert '"schema_version": 1' not in answer.out
    assert answer.out.startswith("{") is (kind == "schema")
    assert "\x1b" not in answer.out + answer.err


@pytest.mark.parametrize("args", BAD, ids=" ".join)
def test_an_error_leaves_stdout_empty_and_says_what_to_do(repo: GitRepo, args: tuple[str, ...]) -> None:
    before = tree(ready(repo).path / "kitty-specs")
    answer = ask(repo.path, *args, "--json")
    assert answer.code in (2, 3, 4)
    error = answer.error
    assert error["message"]
    assert error["hint"]
    assert error["retryable"] is False
    plain = ask(repo.path, *args)
    assert (plain.code, plain.out) == (answer.code, "")
    assert plain.err.splitlines()[0].startswith("error: ")
    assert plain.err.splitlines()[1].startswith("hint: ")
    assert tree(repo.path / "kitty-specs") == before
    assert repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize("args", WRITES, ids=" ".join)
def test_a_dry_run_of_every_write_writes_nothing_and_says_what_it_would(repo: GitRepo, args: tuple[str, ...]) -> None:
    ready(repo)
    if args == ("uninstall",):
        ask(repo.path, "install")
    before = tree(repo.path)
    assert ask(repo.path, *args, "--dry-run").out
    announced = ask(repo.path, *args, "-n", "--json")
    assert announced.code == 0
    assert tree(repo.path) == before
    done = ask(repo.path, *args, "--json")
    assert tree(repo.path) != before
    if "changes" in done.data:
        assert announced.data["changes"] == done.data["changes"]
        assert announced.data["dry_run"] is True


def test_materialize_checks_without_writing(repo: GitRepo) -> None:
    before = tree(ready(repo).path)
    drifted = ask(repo.path, "materialize", "--all", "--check")
    assert (drifted.code, drifted.out) == (1, f"{FOLDER}/status.json: has drifted from its log\n")
    assert tree(repo.path) == before
    assert ask(repo.path, "materialize", "--all").out == f"{FOLDER}/status.json: written, 1 event\n"
    assert ask(repo.path, "materialize", "--all", "--check").out == f"{FOLDER}/status.json: up to date\n"


def test_the_log_is_shown_the_oldest_first_and_can_be_narrowed(repo: GitRepo) -> None:
    later = line(event_id=ulid(2), at=instant(2), wp_id="WP02", reason="why", review_ref="PR 7", force=True)
    feature_in(repo, later + CLAIM)
    assert ask(repo.path, "log", SLUG).out.splitlines() == [
        f"{instant(1)}  WP01  planned to claimed  by ada  ({ulid(1)})",
        f"{instant(2)}  WP02  planned to claimed  by ada  forced  review PR 7  - why  ({ulid(2)})",
    ]
    for narrowed, expected in ((("--wp", "WP01"), 1), (("--limit", "1"), 2)):
        events = ask(repo.path, "log", SLUG, *narrowed, "--json").data["events"]
        assert [event["event_id"] for event in events] == [ulid(expected)]


def test_show_says_who_competes_and_how_often_force_was_used(repo: GitRepo) -> None:
    one = line(event_id=ulid(2), at=instant(2), from_lane="claimed", to_lane="done", parents=[ulid(1)], force=True)
    other = line(
        event_id=ulid(3), at=instant(3), from_lane="claimed", to_lane="blocked", parents=[ulid(1)], actor="grace"
    )
    feature_in(repo, line(event_id=ulid(1), at=instant(1), parents=[]) + one + other)
    assert ask(repo.path, "show", SLUG).out.splitlines() == [
        f"{SLUG}: 1 blocked",
        f"  WP01  blocked  {instant(3)}  grace  forced 1x",
        "        ! 2 moves compete; blocked stands by the rule newest:",
        f"            blocked by grace ({ulid(3)})",
        f"            done by ada ({ulid(2)})",
    ]
    assert ask(repo.path, "show").out == f"{SLUG}  1 blocked  1 competing\n"


def test_show_of_features_without_events_says_so(repo: GitRepo) -> None:
    feature_in(repo)
    assert ask(repo.path, "show").out == f"{SLUG}  nothing yet\n"
    assert ask(repo.path / FOLDER, "show").out == f"{SLUG}: no work packages yet\n"


def test_a_move_says_how_to_commit_it_and_does_where_asked(repo: GitRepo) -> None:
    ready(repo)
    answer = emit(repo.path, "WP01", "in_progress", "--json")
    for command in answer.envelope["next"]:
        assert os.system(f"cd {repo.path} && {command} >/dev/null") == 0  # noqa: S605  what a person would paste
    assert repo.git("status", "--porcelain") == ""
    committed = emit(repo.path, "WP01", "for_review", "--commit", "--json")
    assert committed.data["commit"] == repo.git("rev-parse", "HEAD")
    assert committed.envelope["next"] == []
    assert repo.git("log", "-1", "--format=%s") == "Move WP01: in_progress to for_review"


def test_a_call_that_commits_can_be_repeated(repo: GitRepo) -> None:
    ready(repo)
    call = ("in_progress", "--event-id", ulid(5), "--commit", "--json")
    first, again = (emit(repo.path, "WP01", *call) for _ in range(2))
    assert again.data == {**first.data, "replayed": True}
    assert "had moved already" in emit(repo.path, "WP01", *call[:-1]).out


@pytest.mark.parametrize("target", [SLUG, "001", FOLDER, LOG, f"{FOLDER}/status.json", f"./{FOLDER}/"])
def test_validate_takes_slugs_and_paths(repo: GitRepo, target: str) -> None:
    emit(ready(repo).path, "WP01", "in_progress")
    answer = ask(repo.path, "validate", target)
    assert answer == Answer(0, "1 feature, 2 events: 0 errors, 0 warnings\n", "")


def test_validate_takes_what_lies_in_the_folder_it_is_called_in(repo: GitRepo) -> None:
    emit(ready(repo).path, "WP01", "in_progress")
    for targets in ([], ["."], ["status.events.jsonl"], ["status.json"]):
        assert ask(repo.path / FOLDER, "validate", *targets).code == 0


def test_validate_prints_every_finding_of_every_feature_with_its_place(repo: GitRepo) -> None:
    feature_in(repo, b"oops\n{}\n")
    repo.write("kitty-specs/002-other/status.events.jsonl", CLAIM)
    answer = ask(repo.path, "validate", "--all")
    assert answer.code == 1
    lines = answer.out.splitlines()
    assert lines[0].startswith(f"{LOG}:1: error: damaged-line: invalid JSON: oops")
    assert lines[1].startswith("    hint: ")
    assert lines[2] == f"{LOG}:2: error: invalid-event: invalid event structure: event_id is missing"
    assert lines[4].startswith("kitty-specs/002-other/status.events.jsonl:1: warning: other-feature: ")
    assert lines[4].endswith(f"[{ulid(1)}]")
    assert lines[-1] == "2 features, 1 event: 2 errors, 2 warnings"
    data = ask(repo.path, "validate", "--all", "--json").data
    assert [(each["feature"], each["passed"]) for each in data] == [(SLUG, False), ("002-other", True)]
    assert data[0]["findings"][0]["path"] == LOG
