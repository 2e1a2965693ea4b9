"""Committing a feature's status: exactly log, snapshot and views, whatever else is staged."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in
from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.errors import BusyError, GitError, OutsideRepositoryError, UsageError
from kitty_status.tracker.commit import check_can_commit, check_nothing_else_changed, commit_feature, committed_paths
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Feature, Project, feature_at
from kitty_status.tracker.views.changes import changed_views
from kitty_status.tracker.views.materialize import materialize_feature

FIRST, SECOND = (line(event_id=ulid(number), at=instant(number)) for number in (1, 2))


def with_event(repo: GitRepo, log: bytes = FIRST) -> Feature:
    if not (repo.path / FOLDER).exists():
        feature_in(repo)
    repo.write(LOG, log)
    feature = Project(repo.path).feature(SLUG)
    materialize_feature(feature, Config())
    return feature


def files_of(repo: GitRepo, commit: str) -> list[str]:
    return repo.git("show", "--format=", "--name-only", commit).splitlines()


def test_exactly_the_log_and_the_snapshot_are_committed_while_others_stay_staged(repo: GitRepo) -> None:
    repo.write("code.py", "old\n")
    repo.commit()
    repo.write("code.py", "new\n")
    repo.write("more.py", "new\n")
    repo.git("add", "-A")
    repo.write(f"{FOLDER}/spec.md", "not staged\n")
    commit = commit_feature(with_event(repo), "Move WP01", ulid(1), Config()).id
    assert files_of(repo, commit) == [LOG, SNAPSHOT]
    assert commit == repo.git("rev-parse", "HEAD")
    assert repo.git("log", "-1", "--format=%s") == "Move WP01"
    assert repo.git("diff", "--cached", "--name-only").splitlines() == ["code.py", "more.py"]
    assert repo.git("status", "--porcelain", "--", FOLDER) == f"?? {FOLDER}/spec.md"


def test_the_first_commit_of_a_repository_may_be_one(repo: GitRepo) -> None:
    assert files_of(repo, commit_feature(with_event(repo), "m", ulid(1), Config()).id) == [LOG, SNAPSHOT]


def test_what_is_committed_already_is_not_committed_again(repo: GitRepo) -> None:
    feature = with_event(repo)
    first = commit_feature(feature, "m", ulid(1), Config()).id
    repo.commit_empty("something else")
    assert commit_feature(feature, "m", ulid(1), Config()).id == first
    assert repo.git("rev-list", "--count", "HEAD") == "2"


def test_an_ignored_snapshot_stays_out(repo: GitRepo) -> None:
    repo.write(".gitignore", "status.json\n")
    assert files_of(repo, commit_feature(with_event(repo), "m", ulid(1), Config()).id) == [LOG]


def test_an_ignored_log_is_an_error_that_says_what_to_do(repo: GitRepo) -> None:
    repo.write(".gitignore", "kitty-specs\n")
    with pytest.raises(GitError, match="git ignores the log") as caught:
        commit_feature(with_event(repo), "m", ulid(1), Config())
    assert ".gitignore" in caught.value.hint


def test_a_hook_that_refuses_is_quoted_and_the_log_stays(repo: GitRepo) -> None:
    feature = with_event(repo)
    hook = repo.write(".git/hooks/pre-commit", "#!/bin/sh\necho 'not on a friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitError, match="not on a friday") as caught:
        commit_feature(feature, "m", ulid(1), Config())
    assert "is recorded" in caught.value.hint
    assert LOG in caught.value.hint
    assert repo.read(LOG) == FIRST
    hook.unlink()
    commit_feature(feature, "m", ulid(1), Config())
    assert repo.git("status", "--porcelain") == ""


def test_while_another_git_is_at_work_it_is_busy(repo: GitRepo) -> None:
    feature = with_event(repo)
    repo.write(".git/index.lock", "")
    with pytest.raises(BusyError) as caught:
        commit_feature(feature, "m", ulid(1), Config())
    assert caught.value.exit_code == 6
    assert "is recorded" in caught.value.hint


def test_in_a_linked_work_tree_the_commit_is_on_its_branch(repo: GitRepo, tmp_path: Path) -> None:
    with_event(repo)
    repo.commit()
    linked = repo.worktree(tmp_path / "linked", "ada")
    commit = commit_feature(with_event(linked, FIRST + SECOND), "m", ulid(1), Config()).id
    assert repo.git("rev-parse", "ada") == commit != repo.git("rev-parse", "main")


def test_only_files_that_exist_belong_into_the_commit(repo: GitRepo) -> None:
    feature_in(repo)
    assert committed_paths(Project(repo.path).feature(SLUG)) == []
    assert committed_paths(with_event(repo)) == [LOG, SNAPSHOT]


def test_outside_git_there_is_nothing_to_commit_to(tmp_path: Path) -> None:
    with pytest.raises(OutsideRepositoryError):
        commit_feature(feature_at(tmp_path / FOLDER), "m", ulid(1), Config())


@pytest.mark.parametrize("sign", ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"])
def test_where_git_commits_no_single_files_nothing_is_begun(repo: GitRepo, sign: str) -> None:
    check_can_commit(Project(repo.path))
    repo.write(f".git/{sign}", "0" * 40)
    with pytest.raises(GitError, match="in the middle of") as refused:
        check_can_commit(Project(repo.path))
    assert "--commit" in refused.value.hint


BLOCK = "---\nlane: planned\n---\n# What it is\n"
WP01 = f"{FOLDER}/tasks/WP01.md"
TASKS = f"{FOLDER}/tasks.md"


def with_views(repo: GitRepo, *, newline: str = "\n") -> None:
    repo.write(WP01, BLOCK.replace("\n", newline))
    repo.write(TASKS, "# Work packages\n".replace("\n", newline))
    repo.commit("before")


def test_views_are_committed_with_the_log(repo: GitRepo) -> None:
    with_views(repo)
    commit = commit_feature(with_event(repo), "m", ulid(1), Config())
    assert files_of(repo, commit.id) == [LOG, SNAPSHOT, TASKS, WP01]
    assert commit.left_out == []
    assert repo.git("status", "--porcelain") == ""


def test_views_of_earlier_events_are_committed_too(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/tasks/WP02.md", BLOCK)
    with_views(repo)
    for wp in ("WP01", "WP02"):
        last = emit(repo.path, wp, "claimed", *(["--commit"] if wp == "WP02" else []))
    assert last.code == 0
    assert repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize("how", ["edited", "new"])
def test_what_a_person_has_written_is_not_committed_with_a_view(repo: GitRepo, how: str) -> None:
    with_views(repo)
    if how == "new":
        repo.git("rm", "--cached", "-q", TASKS)
        repo.git("commit", "-q", "-m", "without")
    else:
        repo.append(TASKS, "Not finished yet.\n")
    answer = emit(repo.path, "WP01", "claimed", "--commit", "--json")
    assert answer.envelope["warnings"][-1].startswith(f"{TASKS} was left out of the commit: more than its status")
    assert files_of(repo, "HEAD") == [LOG, SNAPSHOT, WP01]
    assert b"| WP01 | claimed |" in repo.read(TASKS)
    assert repo.git("status", "--porcelain", "--", TASKS)[:2] in (" M", "??", "M ")
    # What was not written by this event is nobody's business.
    repo.write(WP01, repo.read(WP01).replace(b"claimed", b"in_progress"))
    assert emit(repo.path, "WP02", "claimed", "--commit", "--json").envelope["warnings"] != []


def test_a_person_who_staged_something_else_loses_nothing(repo: GitRepo) -> None:
    with_views(repo)
    repo.append(WP01, "- [ ] T001 Write it\n")
    repo.git("add", WP01)
    assert emit(repo.path, "WP01", "claimed", "--commit").code == 0
    assert files_of(repo, "HEAD") == [LOG, SNAPSHOT, TASKS]
    assert repo.git("diff", "--cached", "--name-only") == WP01
    assert repo.read(WP01).endswith(b"T001 Write it\n")


def test_line_ends_that_git_converts_are_no_edit(repo: GitRepo) -> None:
    repo.git("config", "core.autocrlf", "true")
    with_views(repo, newline="\r\n")
    assert b"\r" not in repo.git("cat-file", "blob", f"HEAD:{WP01}").encode()
    commit = commit_feature(with_event(repo), "m", ulid(1), Config())
    assert (files_of(repo, commit.id), commit.left_out) == ([LOG, SNAPSHOT, TASKS, WP01], [])


def test_where_git_ignores_the_views_the_rest_is_committed(repo: GitRepo) -> None:
    repo.write(".gitignore", "tasks\ntasks.md\n")
    with_views(repo)
    commit = commit_feature(with_event(repo), "m", ulid(1), Config())
    assert (files_of(repo, commit.id), commit.left_out) == ([LOG, SNAPSHOT], [])


@pytest.mark.parametrize("how", ["edited", "new", "ignored"])
@pytest.mark.parametrize("undo", [False, True])
def test_the_commands_that_commit_a_move_succeed_and_take_no_edit_of_a_person_along(
    repo: GitRepo, how: str, *, undo: bool
) -> None:
    with_views(repo)
    if how == "edited":
        repo.append(TASKS, "Not finished yet.\n")
    else:
        repo.git("rm", "--cached", "-q", TASKS)
        repo.git("commit", "-q", "-m", "without")
    if how == "ignored":
        repo.write(".gitignore", "tasks.md\nstatus.json\n")
        repo.write(".kittify/config.yaml", "status:\n  snapshot: ignored\n")
        repo.git("add", ".gitignore", ".kittify")
        repo.git("commit", "-q", "-m", "settings")
    answer = emit(repo.path, "WP01", "claimed", "--json")
    if undo:
        answer = ask(repo.path, "revert", answer.data["event"]["event_id"], "--actor", "ada", "--json")
    for step in answer.envelope["next"]:
        subprocess.run(shlex.split(step), cwd=repo.path, check=True, capture_output=True)
    views = [] if undo else [WP01]
    assert files_of(repo, "HEAD") == sorted([LOG, *([] if how == "ignored" else [SNAPSHOT]), *views])


def test_a_file_name_with_a_line_break_is_that_of_no_work_package(repo: GitRepo) -> None:
    with_views(repo)
    repo.git("mv", WP01, f"{FOLDER}/tasks/WP01-one\ntwo.md")
    repo.commit("moved")
    assert emit(repo.path, "WP01", "claimed").code == 0
    assert emit(repo.path, "WP02", "claimed", "--commit").code == 0
    assert ask(repo.path, "validate", SLUG).code == 0
    assert repo.git("status", "--porcelain") == ""


def test_views_of_a_log_that_cannot_be_read_are_not_committed(repo: GitRepo) -> None:
    with_views(repo)
    feature = with_event(repo)
    repo.write(LOG, b"oops\n")
    assert changed_views(feature, Config()) == ([], [])
    assert changed_views(Feature(feature.folder, None), Config()) == ([], [])


def test_a_folder_is_moved_with_views_that_are_not_committed_yet(repo: GitRepo) -> None:
    with_views(repo)
    commit_feature(with_event(repo), "m", ulid(1), Config())
    assert emit(repo.path, "WP01", "in_progress").code == 0
    check_nothing_else_changed(Project(repo.path).feature(SLUG))
    repo.append(TASKS, "Not finished yet.\n")
    with pytest.raises(UsageError, match=r"other uncommitted changes, such as .*tasks\.md"):
        check_nothing_else_changed(Project(repo.path).feature(SLUG))
