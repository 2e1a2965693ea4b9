"""`status.snapshot: ignored`: logs are committed, and each clone makes its own snapshots from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in
from events import instant, line, ulid
from features import stopped
from gitrepo import GitRepo
from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.tracker.features import Project
from kitty_status.tracker.initialize import initialize, plan_init

IGNORED = "status:\n  snapshot: ignored\n"
RULES = b"""\
# kitty-status: begin (this block is kept by kitty-status; there was no file)
**/kitty-specs/**/status.json
# kitty-status: end
"""


def ready(repo: GitRepo) -> GitRepo:
    repo.write(CONFIG_PATH, IGNORED)
    assert ask(repo.path, "init").code == 0
    assert ask(repo.path, "install").code == 0
    feature_in(repo)
    repo.write(f"{FOLDER}/spec.md", "x\n")
    repo.commit()
    return repo


def test_init_keeps_a_rule_for_features_and_for_the_archive(repo: GitRepo) -> None:
    ready(repo)
    assert repo.read(".gitignore") == RULES
    archived = SNAPSHOT.replace(SLUG, f".archive/{SLUG}")
    assert repo.git("check-ignore", SNAPSHOT, archived, f"sub/{SNAPSHOT}").splitlines() == [
        SNAPSHOT,
        archived,
        f"sub/{SNAPSHOT}",
    ]
    assert repo.run("check-ignore", LOG, "elsewhere/status.json").returncode == 1
    assert [change.action for change in plan_init(Project(repo.path))] == ["keep", "keep", "keep"]


@pytest.mark.parametrize("before", [None, b"", b"build/\n", b"build/", b"build/\r\n*.o\r\n"])
def test_the_rule_goes_again_with_the_setting_and_leaves_every_byte(repo: GitRepo, before: bytes | None) -> None:
    if before is not None:
        repo.write(".gitignore", before)
    repo.write(CONFIG_PATH, IGNORED)
    initialize(Project(repo.path))
    repo.write(CONFIG_PATH, IGNORED.replace("ignored", "own"))
    planned = plan_init(Project(repo.path))
    assert planned[-1].action == ("remove" if before is None else "update")
    assert initialize(Project(repo.path)) == planned
    path = repo.path / ".gitignore"
    assert (path.read_bytes() if path.exists() else None) == before
    assert len(plan_init(Project(repo.path))) == 2


def test_without_the_setting_nothing_is_ignored(repo: GitRepo) -> None:
    initialize(Project(repo.path))
    assert not (repo.path / ".gitignore").exists()


def test_emit_commits_the_log_alone_and_says_so_in_what_to_do_next(repo: GitRepo) -> None:
    ready(repo)
    answer = emit(repo.path, "WP01", "claimed", "--json")
    assert all(SNAPSHOT not in step for step in answer.envelope["next"])
    assert LOG in answer.envelope["next"][0]
    emit(repo.path, "WP01", "in_progress", "--commit")
    assert repo.git("show", "--format=", "--name-only").splitlines() == [LOG]
    assert (repo.path / SNAPSHOT).exists()
    assert repo.git("status", "--porcelain") == ""


def test_a_snapshot_that_git_still_tracks_is_named_and_stays_out_of_commits(repo: GitRepo) -> None:
    feature_in(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    repo.write(CONFIG_PATH, IGNORED)
    answer = ask(repo.path, "init", "--json")
    assert f"git rm --cached -- :/{SNAPSHOT}" in answer.envelope["next"]
    emit(repo.path, "WP01", "in_progress", "--commit")
    assert repo.git("show", "--format=", "--name-only").splitlines() == [LOG]
    repo.git("rm", "-q", "--cached", "--", f":/{SNAPSHOT}")
    assert ask(repo.path, "install").code == 0
    repo.commit("snapshots are not committed")
    assert repo.git("status", "--porcelain") == ""
    assert (repo.path / SNAPSHOT).exists()


def test_a_snapshot_that_is_not_there_is_not_missed(repo: GitRepo) -> None:
    ready(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    (repo.path / SNAPSHOT).unlink()
    assert ask(repo.path, "validate", "--all").out == "1 feature, 1 event: 0 errors, 0 warnings\n"
    assert ask(repo.path, "materialize", "--all", "--check").code == 0
    assert ask(repo.path, "materialize", SLUG).code == 0
    assert (repo.path / SNAPSHOT).exists()


def test_one_that_lags_behind_is_a_warning_and_no_error(repo: GitRepo) -> None:
    ready(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    repo.append(LOG, line(event_id=ulid(2), at=instant(2), wp_id="WP02"))
    answer = ask(repo.path, "validate", "--all")
    assert answer.code == 0
    assert "warning: snapshot-drift" in answer.out
    assert ask(repo.path, "materialize", "--all", "--check").code == 1


def test_two_branches_merge_without_a_conflict_and_without_a_snapshot_even_where_nothing_is_installed(
    repo: GitRepo,
) -> None:
    ready(repo)
    assert ask(repo.path, "uninstall").code == 0
    for branch, wp in (("ours", "WP01"), ("theirs", "WP02")):
        repo.git("checkout", "-q", "-b", branch, "main")
        emit(repo.path, wp, "claimed", "--commit")
    repo.switch("ours")
    assert repo.merge("theirs") == 0
    assert repo.read(LOG).count(b"\n") == 2
    assert ask(repo.path, "show", SLUG).out.splitlines()[0] == f"{SLUG}: 2 claimed"


def test_the_hook_asks_for_no_snapshot_and_still_guards_the_log(repo: GitRepo) -> None:
    ready(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    repo.append(LOG, "oops\n")
    assert "invalid JSON" in stopped(repo)


def test_a_move_commits_the_log_alone_and_takes_the_snapshot_along(repo: GitRepo) -> None:
    ready(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    assert ask(repo.path, "rename", SLUG, "002-new", "--commit").code == 0
    assert repo.git("ls-files", "kitty-specs").splitlines() == [
        "kitty-specs/002-new/spec.md",
        "kitty-specs/002-new/status.events.jsonl",
    ]
    assert Path(repo.path, "kitty-specs/002-new/status.json").exists()
    assert repo.git("status", "--porcelain") == ""


def test_another_value_is_refused_with_its_place(repo: GitRepo) -> None:
    repo.write(CONFIG_PATH, "status:\n  snapshot: never\n")
    answer = ask(repo.path, "init", "--json")
    assert (answer.code, answer.error["code"]) == (2, "configuration")
    assert "ignored" in answer.error["hint"]


def branch_with_a_new_name(repo: GitRepo) -> None:
    """Leave main checked out after a branch on which the feature has another name, with its ignored snapshot left."""
    ready(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    repo.branch("renaming")
    assert ask(repo.path, "rename", SLUG, "002-new", "--commit").code == 0
    repo.switch("main")
    assert [path.name for path in (repo.path / "kitty-specs/002-new").iterdir()] == ["status.json"]
    assert ask(repo.path, "materialize", SLUG).code == 0


def test_a_snapshot_that_another_branch_left_makes_no_feature(repo: GitRepo) -> None:
    branch_with_a_new_name(repo)
    assert ask(repo.path, "show").out == f"{SLUG}  1 claimed\n"
    assert ask(repo.path, "validate", "--all").out == "1 feature, 1 event: 0 errors, 0 warnings\n"
    assert len(ask(repo.path, "materialize", "--all", "--json").data) == 1
    repo.switch("renaming")
    assert (repo.path / SNAPSHOT).exists()
    assert ask(repo.path, "show").out == "002-new  1 claimed\n"
    answer = ask(repo.path, "show", SLUG)
    assert answer.out.startswith("002-new: 1 claimed")
    assert "was renamed" in answer.err


def test_a_snapshot_that_another_branch_left_makes_way_for_a_rename(repo: GitRepo) -> None:
    branch_with_a_new_name(repo)
    assert ask(repo.path, "rename", SLUG, "002-new", "--commit").code == 0
    assert ask(repo.path, "validate", "--all").out == "1 feature, 1 event: 0 errors, 0 warnings\n"
    assert repo.git("status", "--porcelain") == ""


def test_a_snapshot_that_is_committed_and_all_that_is_left_is_not_thrown_away(repo: GitRepo) -> None:
    feature_in(repo)
    emit(repo.path, "WP01", "claimed", "--commit")
    repo.write("kitty-specs/002-new/status.json", "{}\n")
    answer = ask(repo.path, "rename", SLUG, "002-new", "--json")
    assert answer.error["code"] == "target-exists"
    assert repo.read("kitty-specs/002-new/status.json") == b"{}\n"
