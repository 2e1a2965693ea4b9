"""`migrate` as a command: what it says, commits and refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, ask, emit, tree
from migrations import finished_and_begun, work_package

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

OTHER = "kitty-specs/002-other"
WOULD = f"""\
{SLUG}: 5 events would be written; work packages: 2 migrated, 1 without a move
  WP01  planned > claimed > in_progress > for_review > done  (from its history)
  WP02  planned > in_progress  (from its lane alone)
"""


def test_it_says_what_it_would_do_does_it_and_says_how_to_commit_that(repo: GitRepo) -> None:
    finished_and_begun(repo)
    repo.commit()
    before = tree(repo.path)
    planned = ask(repo.path, "migrate", SLUG, "--dry-run", "--commit")
    assert (planned.code, planned.out, planned.err) == (0, WOULD, "")
    assert tree(repo.path) == before
    done = ask(repo.path, "migrate", SLUG)
    assert (done.code, done.out) == (0, WOULD.replace("would be ", ""))
    steps = [each.removeprefix("next: ") for each in done.err.splitlines()]
    paths = f":/{LOG} :/{FOLDER}/status.json :/{FOLDER}/tasks/WP02-title.md"
    assert steps[1] == f"git commit -m 'Migrate the status of {SLUG}' -- {paths}"
    again = ask(repo.path, "migrate", SLUG)
    assert again.out == f"{SLUG}: nothing to write; work packages: 2 migrated already, 1 without a move\n"
    assert (again.code, again.err) == (0, "")


def test_it_commits_log_snapshot_and_views_and_nothing_else_also_when_it_is_called_again(repo: GitRepo) -> None:
    finished_and_begun(repo)
    repo.commit()
    repo.write("staged", "by somebody")
    repo.git("add", "staged")
    ask(repo.path, "migrate", SLUG)
    first = ask(repo.path, "migrate", SLUG, "--commit", "--json")
    second = ask(repo.path, "migrate", SLUG, "--commit", "--json")
    assert first.data[0]["commit"] == second.data[0]["commit"] == repo.git("rev-parse", "HEAD")
    # The view says in_progress where the file said doing.
    paths = [LOG, f"{FOLDER}/status.json", f"{FOLDER}/tasks/WP02-title.md"]
    assert repo.git("show", "--name-only", "--format=", "HEAD").splitlines() == paths
    assert first.envelope["next"] == []


def test_all_features_are_migrated_those_that_cannot_be_read_are_listed_and_the_code_says_so(repo: GitRepo) -> None:
    for folder in (FOLDER, OTHER, "kitty-specs/.archive/000-finished"):
        finished_and_begun(repo, folder=folder)
    work_package(repo, "WP08", "lane: shipped\n", folder=OTHER)
    work_package(repo, "WP09", "lane: done\nlane: done\n", folder=OTHER)
    repo.write("kitty-specs/003-none/spec.md", "nothing yet\n")
    repo.commit()
    broken = tree(repo.path / OTHER)
    answer = ask(repo.path, "migrate", "--all", "--commit")
    assert answer.code == 7
    assert [each.split(":")[0] for each in answer.out.splitlines() if not each.startswith(" ")] == [
        SLUG,
        "000-finished",
    ]
    errors = [each for each in answer.err.splitlines() if each.startswith("error: ")]
    assert [each.split("/tasks/")[1][:4] for each in errors] == ["WP08", "WP09"]
    assert tree(repo.path / OTHER) == broken
    again = ask(repo.path, "migrate", "--all", "--json")
    assert (again.code, again.err) == (7, "")
    assert [(each["feature"], each["error"] is None) for each in again.data] == [
        (SLUG, True),
        ("002-other", False),
        ("003-none", True),
        ("000-finished", True),
    ]
    assert [each["message"] for each in again.data[1]["error"]["context"]["problems"]] == [
        each.removeprefix("error: 002-other: ") for each in errors
    ]


def test_how_to_commit_many_features_is_one_command(repo: GitRepo) -> None:
    for folder in (FOLDER, OTHER):
        finished_and_begun(repo, folder=folder)
    repo.commit()
    assert ask(repo.path, "migrate", "--all", "--json").envelope["next"] == ["kitty-status migrate --all --commit"]
    answer = ask(repo.path, "migrate", "--all", "--commit")
    assert answer.out.count("  committed as ") == 2
    assert repo.git("status", "--porcelain") == ""
    refused = ask(repo.path, "migrate", "--all", "--commit", "--dry-run")
    assert (refused.code, refused.out.count("committed")) == (0, 0)


def test_a_commit_that_a_hook_refuses_leaves_the_events_and_the_other_features_go_on(repo: GitRepo) -> None:
    for folder in (FOLDER, OTHER):
        finished_and_begun(repo, folder=folder)
    repo.commit()
    hook = repo.write(".git/hooks/pre-commit", f"#!/bin/sh\n! git diff --cached --name-only | grep -q {SLUG}\n")
    hook.chmod(0o755)
    answer = ask(repo.path, "migrate", "--all", "--commit", "--json")
    assert answer.code == 1
    assert [each["error"]["code"] if each["error"] else None for each in answer.data] == ["git-failed", None]
    assert [each["written"] for each in answer.data] == [True, True]
    assert answer.data[1]["commit"] == repo.git("rev-parse", "HEAD")
    plain = ask(repo.path, "migrate", "--all", "--commit")
    assert plain.err.startswith(f"error: {SLUG}: git commit failed")


def test_one_feature_that_cannot_be_read_is_an_error_as_of_every_command(repo: GitRepo) -> None:
    work_package(repo, "WP01", "lane: shipped\n")
    answer = ask(repo.path, "migrate", SLUG, "--json")
    assert (answer.code, answer.error["code"]) == (7, "work-package-file")
    plain = ask(repo.path, "migrate", SLUG)
    assert (plain.code, plain.out) == (7, "")
    assert "'shipped' is no lane of seven-lane" in plain.err


def test_where_no_work_package_tells_of_a_move_that_is_said(repo: GitRepo) -> None:
    work_package(repo, "WP01", "lane: planned\n")
    answer = ask(repo.path, "migrate", "--all")
    assert (answer.code, answer.out) == (0, "no work package tells of a move\n")
    alone = ask(repo.path / FOLDER, "migrate")
    assert alone.out == f"{SLUG}: nothing to write; work packages: 1 without a move\n"


def test_the_document_has_every_event_and_what_the_file_and_the_log_say(repo: GitRepo) -> None:
    finished_and_begun(repo)
    emit(repo.path, "WP03", "claimed")
    repo.write(f"{FOLDER}/tasks/WP03-title.md", "---\nlane: planned\n---\n")
    data = ask(repo.path, "migrate", SLUG, "--json").data[0]
    assert (data["profile"], data["written"], data["dry_run"], data["error"]) == ("seven-lane", True, False, None)
    first, second, third = data["work_packages"]
    written = [json.loads(each) for each in (repo.path / LOG).read_bytes().splitlines()]
    assert all(event in written for event in first["events"] + second["events"])
    assert (first["origin"], second["origin"], third["origin"]) == ("history", "bootstrap", None)
    assert (third["outcome"], third["lane"], third["logged_lane"]) == ("kept", "planned", "claimed")


@pytest.mark.parametrize("args", [(SLUG, "--all"), ("nowhere",), ("no/where",)])
def test_what_cannot_be_understood_is_refused(repo: GitRepo, args: tuple[str, ...]) -> None:
    finished_and_begun(repo)
    answer = ask(repo.path, "migrate", *args)
    assert answer.code in (2, 4)
    assert not (repo.path / LOG).exists()


def test_outside_git_it_works_and_does_not_commit(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER / "tasks"
    folder.mkdir(parents=True)
    (folder / "WP01.md").write_bytes(b"---\nlane: doing\ncreated_at: 2026-02-01\n---\n")
    assert ask(tmp_path, "migrate", "--all", "--commit").code == 2
    answer = ask(tmp_path, "migrate", "--all")
    assert (answer.code, answer.err) == (0, "")
    assert (tmp_path / LOG).exists()
    other = tmp_path / "kitty-specs/002-other/status.events.jsonl"
    other.mkdir(parents=True)
    broken = ask(tmp_path, "migrate", "--all")
    assert broken.code == 7
    assert broken.err.startswith("error: 002-other: ")


def test_where_the_moves_come_from_and_who_approved_is_printed(repo: GitRepo) -> None:
    text = "## Activity Log\n\n- 2026-02-03T10:00:00Z - ada - lane=done - x\n"
    block = '---\nlane: done\nreview_status: approved\nreviewed_by: "eve\\e[31m"\n---\n'
    repo.write(f"{FOLDER}/tasks/WP01.md", block + text)
    origin = "(from its Activity Log; approved by eve\\x1b[31m)"
    assert f"WP01  planned > claimed > in_progress > for_review > done  {origin}" in ask(repo.path, "migrate", SLUG).out
