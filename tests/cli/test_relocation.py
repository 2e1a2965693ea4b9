"""rename, archive, unarchive as commands: what they commit, what they say, and what overviews show of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in, tree
from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.errors import BusyError, OutsideRepositoryError
from kitty_status.git.repository import find_repository
from kitty_status.tracker import commit
from kitty_status.tracker.commit import commit_move, how_to_commit_move
from kitty_status.tracker.features import Feature

NEW = "002-sign-in"
MOVED = f"kitty-specs/{NEW}"
ARCHIVED = f"kitty-specs/.archive/{SLUG}"


def ready(repo: GitRepo) -> GitRepo:
    feature_in(repo)
    repo.write(f"{FOLDER}/spec.md", "about\n")
    repo.commit()
    emit(repo.path, "WP01", "claimed", "--commit")
    return repo


def test_commit_takes_exactly_the_move_whatever_else_is_staged(repo: GitRepo) -> None:
    ready(repo)
    repo.write("code.py", "staged\n")
    repo.git("add", "code.py")
    repo.write(f"{FOLDER}/notes.md", "untracked\n")
    answer = ask(repo.path, "rename", SLUG, NEW, "--commit", "--json")
    assert answer.code == 0
    assert answer.data["commit"] == repo.git("rev-parse", "HEAD")
    assert answer.envelope["next"] == []
    changed = repo.git("show", "--format=%s", "--name-status", "--no-renames", "HEAD").splitlines()
    assert changed[0] == f"Rename feature {SLUG} to {NEW}"
    assert changed[2:] == [
        f"D\t{FOLDER}/spec.md",
        f"D\t{LOG}",
        f"D\t{SNAPSHOT}",
        f"A\t{MOVED}/spec.md",
        f"A\t{MOVED}/status.events.jsonl",
        f"A\t{MOVED}/status.json",
    ]
    assert repo.git("status", "--porcelain").splitlines() == ["A  code.py", f"?? {MOVED}/notes.md"]


@pytest.mark.parametrize("staged", [True, False])
def test_commit_refuses_to_take_other_changes_along(repo: GitRepo, staged: bool) -> None:
    ready(repo)
    repo.write(f"{FOLDER}/spec.md", "changed\n")
    if staged:
        repo.git("add", "-A")
    before = tree(repo.path / "kitty-specs")
    for args in (("rename", SLUG, NEW), ("archive", SLUG)):
        answer = ask(repo.path, *args, "--commit", "--json")
        assert (answer.code, answer.error["code"]) == (2, "usage")
        assert f"{FOLDER}/spec.md" in answer.error["message"]
    assert tree(repo.path / "kitty-specs") == before


def test_events_that_are_not_committed_yet_are_committed_with_the_move(repo: GitRepo) -> None:
    ready(repo)
    emit(repo.path, "WP01", "in_progress")
    assert ask(repo.path, "archive", SLUG, "--commit").code == 0
    assert repo.git("status", "--porcelain") == ""
    assert repo.read(f"{ARCHIVED}/status.events.jsonl").count(b"\n") == 2


@pytest.mark.parametrize("args", [("rename", SLUG, NEW), ("archive", SLUG)])
def test_without_commit_the_command_that_commits_is_named_and_works_anywhere(
    repo: GitRepo, args: tuple[str, ...]
) -> None:
    ready(repo)
    answer = ask(repo.path, *args, "--json")
    [step] = answer.envelope["next"]
    done = subprocess.run(step, shell=True, cwd=next((repo.path / "kitty-specs").iterdir()), check=False)  # noqa: S602
    assert done.returncode == 0
    assert repo.git("status", "--porcelain") == ""


def test_the_hook_lets_a_move_pass(repo: GitRepo) -> None:
    assert ask(repo.path, "install").code == 0
    ready(repo)
    for args in (("rename", SLUG, NEW), ("archive", NEW), ("unarchive", NEW), ("rename", NEW, SLUG)):
        answer = ask(repo.path, *args, "--commit")
        assert answer.code == 0, answer
    assert repo.read(LOG).count(b'"renamed"') == 2
    assert ask(repo.path, "validate", "--all").out == "1 feature, 1 event: 0 errors, 0 warnings\n"


def test_a_hook_that_refuses_is_quoted_and_the_folder_has_moved(repo: GitRepo) -> None:
    ready(repo)
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\necho 'not on a friday' >&2\nexit 1\n").chmod(0o755)
    answer = ask(repo.path, "rename", SLUG, NEW, "--commit", "--json")
    assert (answer.code, answer.error["code"]) == (1, "git-failed")
    assert "not on a friday" in answer.error["message"]
    assert "it has moved; go on with: git commit" in answer.error["hint"]
    assert (repo.path / MOVED).is_dir()


def test_another_git_at_work_is_busy(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(repo)
    monkeypatch.setattr(commit, "_PATIENCE", 0.0)
    assert ask(repo.path, "rename", SLUG, NEW).code == 0
    repo.write(".git/index.lock", "")
    features = [Feature(repo.path / folder, find_repository(str(repo.path))) for folder in (FOLDER, MOVED)]
    with pytest.raises(BusyError, match="another git"):
        commit_move(features[0], features[1], "m")


def test_what_git_does_not_track_cannot_be_committed_and_what_to_add_is_named(repo: GitRepo) -> None:
    feature_in(repo, line(event_id=ulid(1), at=instant(1)))
    repo.commit_empty()
    answer = ask(repo.path, "rename", SLUG, NEW, "--commit", "--json")
    assert (answer.code, answer.error["code"]) == (1, "git-failed")
    assert f"git add -- :/{MOVED}" in answer.error["hint"]


def test_before_the_first_commit_a_move_can_be_the_first(repo: GitRepo) -> None:
    feature_in(repo, line(event_id=ulid(1), at=instant(1)))
    repo.git("add", "-A")
    assert ask(repo.path, "rename", SLUG, NEW, "--commit").code == 0
    assert repo.git("ls-tree", "-r", "--name-only", "HEAD") == f"{MOVED}/status.events.jsonl"


def test_commit_outside_git_and_in_the_middle_of_a_merge_is_refused(repo: GitRepo, tmp_path: Path) -> None:
    outside = tmp_path / "outside" / FOLDER
    outside.mkdir(parents=True)
    answer = ask(tmp_path / "outside", "archive", SLUG, "--commit", "--json")
    assert answer.error["code"] == "outside-repository"
    ready(repo)
    repo.write(".git/MERGE_HEAD", repo.git("rev-parse", "HEAD"))
    assert ask(repo.path, "archive", SLUG, "--commit", "--json").error["code"] == "git-failed"
    nowhere = Feature(tmp_path, None)
    assert how_to_commit_move(nowhere, nowhere, "m") == []
    with pytest.raises(OutsideRepositoryError):
        commit_move(nowhere, nowhere, "m")


def test_archived_features_are_left_out_of_the_overview_unless_asked_for(repo: GitRepo) -> None:
    ready(repo)
    repo.write("kitty-specs/009-other/spec.md", "x\n")
    assert ask(repo.path, "archive", SLUG).code == 0
    assert ask(repo.path, "show").out == "009-other  nothing yet\n"
    assert ask(repo.path, "show", "--archived").out.splitlines() == [
        "009-other    nothing yet",
        f"{SLUG}  1 claimed  (archived)",
    ]
    rows = ask(repo.path, "show", "--archived", "--json").data
    assert [(row["feature"], row["archived"]) for row in rows] == [("009-other", False), (SLUG, True)]
    shown = ask(repo.path, "show", SLUG, "--json")
    assert shown.data["archived"] is True
    assert shown.envelope["warnings"] == [f"{SLUG} is archived"]
    assert f"{SLUG} is archived" in ask(repo.path, "log", SLUG).err


def test_checks_cover_the_archive_since_its_record_has_to_stay_right_as_well(repo: GitRepo) -> None:
    ready(repo)
    assert ask(repo.path, "archive", SLUG).code == 0
    repo.append(f"{ARCHIVED}/status.events.jsonl", line(event_id=ulid(2), at=instant(2), wp_id="WP02"))
    answer = ask(repo.path, "validate", "--all")
    assert answer.code == 1
    assert f"{ARCHIVED}/status.json: error: snapshot-drift" in answer.out
    assert ask(repo.path, "materialize", "--all", "--check").code == 1
    assert ask(repo.path, "materialize", "--all").code == 0
    assert ask(repo.path, "validate", f"{ARCHIVED}/status.events.jsonl").code == 0


def test_the_archive_is_listed(repo: GitRepo) -> None:
    ready(repo)
    assert ask(repo.path, "archive", "--list").out == "nothing is archived\n"
    assert ask(repo.path, "archive", SLUG).code == 0
    assert ask(repo.path, "archive", "--list").out == f"{SLUG}\n"
    assert ask(repo.path, "archive", "--list", "--json").data == [{"feature": SLUG, "path": ARCHIVED}]


def test_what_was_done_is_printed(repo: GitRepo) -> None:
    ready(repo)
    assert ask(repo.path, "rename", SLUG, NEW, "--dry-run").out == f"would have moved {FOLDER} to {MOVED}\n"
    answer = ask(repo.path, "rename", SLUG, NEW, "--commit")
    head = repo.git("rev-parse", "HEAD")[:12]
    assert answer.out.splitlines() == [f"moved {FOLDER} to {MOVED}", f"committed as {head}"]
    repo.write(LOG, repo.read(f"{MOVED}/status.events.jsonl") + line(event_id=ulid(2), at=instant(2), wp_id="WP02"))
    united = ask(repo.path, "rename", SLUG, NEW)
    assert united.out == f"united {FOLDER} with {MOVED}: 1 line was not there\n"


def test_a_prefix_is_enough_and_the_folder_one_is_in_is_not_taken_unasked(repo: GitRepo) -> None:
    ready(repo)
    assert ask(repo.path / FOLDER, "archive", "--json").error["code"] == "usage"
    assert ask(repo.path, "archive", "001").code == 0
    assert ask(repo.path, "unarchive", "001", "--json").error["code"] == "not-found"
    assert ask(repo.path, "unarchive", SLUG).code == 0


def test_a_second_feature_of_the_same_name_can_be_neither_archived_over_nor_unarchived_over(repo: GitRepo) -> None:
    ready(repo)
    assert ask(repo.path, "archive", SLUG, "--commit").code == 0
    feature_in(repo, line(event_id=ulid(5), at=instant(5)))
    for verb in ("archive", "unarchive"):
        answer = ask(repo.path, verb, SLUG, "--json")
        assert (answer.code, answer.error["code"]) == (5, "target-exists")
    assert "split-log" not in ask(repo.path, "validate", "--all").out
    assert json.loads(ask(repo.path, "show", SLUG, "--json").out)["data"]["archived"] is False
