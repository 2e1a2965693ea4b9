"""The commit hook beside history: a line that HEAD has, or that a merge or pick brings, does not go away."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from features import (
    FEATURE,
    LOG,
    SNAPSHOT,
    assert_merged,
    diverge,
    emit,
    event_line,
    feature_repo,
    log_of,
    passes,
    record,
    stopped,
)
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path

MOVED = "kitty-specs/archive/034-over"


@pytest.fixture
def feature(tmp_path: Path) -> GitRepo:
    """A repository with the hook installed, whose log holds the events 1 and 2."""
    return feature_repo(tmp_path / "repo", 1, 2)


@pytest.fixture
def diverged(feature: GitRepo) -> GitRepo:
    """On `ours` (1 2 4 6), beside `theirs` (1 2 3 5); every merge of a log conflicts and leaves ours."""
    diverge(feature)
    for kind in ("log", "snapshot"):
        feature.git("config", f"merge.kitty-status-{kind}.driver", "exit 1")
    return feature


def rewrite(repo: GitRepo, *numbers: int) -> None:
    """Make the log hold exactly these events, with the snapshot of that."""
    repo.write(LOG, log_of(*numbers))
    emit(repo)


@pytest.mark.parametrize("log", [log_of(2), log_of(1), b"", log_of(1) + event_line(2).replace(b"actor 2", b"actor 3")])
def test_a_line_of_head_that_is_changed_or_missing_is_stopped(feature: GitRepo, log: bytes) -> None:
    feature.write(LOG, log)
    if log:
        emit(feature)

    said = stopped(feature)

    assert f"{LOG}: {2 if not log else 1} lines of HEAD are changed or missing, among them {{" in said
    assert f"`kitty-status resolve {LOG}` brings back what `git show HEAD:{LOG}` has, then `git add {LOG}`" in said


def test_lines_in_another_order_are_all_there(feature: GitRepo) -> None:
    rewrite(feature, 3, 2, 1)

    passes(feature)


def test_an_amended_commit_may_add_lines_and_take_none_away(feature: GitRepo) -> None:
    emit(feature, 3)
    passes(feature, "--amend")

    rewrite(feature, 1, 2)
    assert "1 lines of HEAD are changed or missing" in stopped(feature, "--amend")


def test_a_resolution_that_takes_ours_alone_is_stopped(diverged: GitRepo, tmp_path: Path) -> None:
    assert diverged.merge("theirs") == 1
    diverged.git("checkout", "--ours", "--", FEATURE)

    said = stopped(diverged)

    assert f"{LOG}: 2 lines of MERGE_HEAD are changed or missing" in said
    assert f"`git show MERGE_HEAD:{LOG}`" in said
    rewrite(diverged, 1, 2, 4, 6, 3)
    assert "1 lines of MERGE_HEAD are changed or missing" in stopped(diverged)
    rewrite(diverged, 1, 2, 4, 6, 3, 5)
    passes(diverged)
    assert len(diverged.git("rev-list", "--parents", "-1", "HEAD").split()) == 3
    assert assert_merged(diverged, tmp_path / "reduced") == [1, 2, 3, 4, 5, 6]


def test_a_resolution_that_takes_theirs_alone_is_stopped(diverged: GitRepo) -> None:
    assert diverged.merge("theirs") == 1
    diverged.git("checkout", "--theirs", "--", LOG)
    emit(diverged)

    assert f"{LOG}: 2 lines of HEAD are changed or missing" in stopped(diverged)


def test_a_merge_that_leaves_out_a_feature_of_the_other_branch_is_told(diverged: GitRepo) -> None:
    diverged.switch("theirs")
    record(diverged, 7, feature="kitty-specs/new")
    diverged.switch("ours")
    diverged.merge("theirs")
    rewrite(diverged, 1, 2, 4, 6, 3, 5)
    (diverged.path / "kitty-specs/new/status.events.jsonl").unlink()
    said = stopped(diverged)
    assert "the log is deleted while its folder kitty-specs/new stays" in said
    assert "`git restore --source=MERGE_HEAD --staged -- kitty-specs/new/status.events.jsonl` keeps it" in said

    shutil.rmtree(diverged.path / "kitty-specs/new")
    assert "warning: kitty-specs/new is deleted with its log of 1 lines" in passes(diverged)


def test_a_merge_after_a_rename_finds_the_lines_where_they_went(diverged: GitRepo) -> None:
    (diverged.path / MOVED).parent.mkdir()
    diverged.git("mv", FEATURE, MOVED)
    passes(diverged)
    diverged.run("merge", "--no-edit", "theirs")
    shutil.rmtree(diverged.path / FEATURE, ignore_errors=True)
    diverged.write(f"{MOVED}/status.events.jsonl", log_of(1, 2, 4, 6))
    emit(diverged, feature=MOVED)
    assert "2 lines of MERGE_HEAD are changed or missing" in stopped(diverged)

    emit(diverged, 3, 5, feature=MOVED)
    passes(diverged)


def test_every_head_of_an_octopus_merge_counts(feature: GitRepo) -> None:
    names = ("theirs", "others")
    for number, name in enumerate(names, start=3):
        record(feature, number, feature=f"kitty-specs/{name}")
    base = feature.git("rev-parse", "HEAD")
    for number, name in enumerate(names, start=5):
        feature.git("checkout", "-q", "-b", name, base)
        record(feature, number, feature=f"kitty-specs/{name}")
    feature.switch("main")
    feature.git("merge", "-q", "--no-commit", *names)
    feature.git("checkout", "-q", base, "--", "kitty-specs/others")

    said = stopped(feature)

    head = feature.git("rev-parse", "others")
    assert f"kitty-specs/others/status.events.jsonl: 1 lines of {head} are changed or missing" in said
    feature.git("checkout", "-q", "others", "--", "kitty-specs/others")
    passes(feature)


def test_a_cherry_pick_in_progress_needs_the_picked_lines_and_no_earlier_ones(diverged: GitRepo) -> None:
    assert diverged.run("cherry-pick", "theirs").returncode == 1
    diverged.git("checkout", "--ours", "--", FEATURE)
    said = stopped(diverged)
    assert f"{LOG}: 1 lines of CHERRY_PICK_HEAD are changed or missing" in said
    assert "actor 5" in said

    rewrite(diverged, 1, 2, 4, 6, 5)
    passes(diverged)


def test_a_cherry_pick_of_a_first_commit_needs_all_its_lines(diverged: GitRepo) -> None:
    diverged.git("checkout", "-q", "--orphan", "unrelated")
    diverged.git("rm", "-rqf", "kitty-specs")
    record(diverged, 7)
    diverged.switch("ours")
    assert diverged.run("cherry-pick", "unrelated").returncode == 1
    diverged.git("checkout", "--ours", "--", FEATURE)

    assert "1 lines of CHERRY_PICK_HEAD are changed or missing" in stopped(diverged)
    rewrite(diverged, 1, 2, 4, 6, 7)
    passes(diverged)


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_rebase_that_stopped_needs_the_lines_of_the_commit_it_stopped_at(diverged: GitRepo, backend: str) -> None:
    assert diverged.run("rebase", backend, "theirs").returncode == 1
    rewrite(diverged, 1, 2, 3, 5)
    assert f"{LOG}: 1 lines of REBASE_HEAD are changed or missing" in stopped(diverged)

    rewrite(diverged, 1, 2, 3, 5, 4)
    passes(diverged)


def test_a_name_left_over_from_a_rebase_asks_for_nothing(diverged: GitRepo) -> None:
    diverged.git("update-ref", "REBASE_HEAD", "theirs")
    emit(diverged, 8)

    passes(diverged)


def test_a_log_that_moved_whole_passes_and_one_that_lost_a_line_on_its_way_does_not(feature: GitRepo) -> None:
    (feature.path / MOVED).parent.mkdir()
    feature.git("mv", FEATURE, MOVED)
    feature.write(f"{MOVED}/status.events.jsonl", log_of(2))
    emit(feature, feature=MOVED)
    assert f"{LOG}: 1 lines of HEAD are changed or missing" in stopped(feature)

    feature.write(f"{MOVED}/status.events.jsonl", log_of(1, 2))
    emit(feature, 3, feature=MOVED)
    assert "warning" not in passes(feature)


def test_logs_that_change_places_are_all_there(feature: GitRepo) -> None:
    record(feature, 5, feature="kitty-specs/second")
    feature.git("mv", "kitty-specs/second", "kitty-specs/third")
    feature.git("mv", FEATURE, "kitty-specs/second")

    assert "warning" not in passes(feature)


def test_a_log_that_is_deleted_with_its_folder_is_a_warning(feature: GitRepo) -> None:
    feature.git("rm", "-rq", FEATURE)

    assert f"warning: {FEATURE} is deleted with its log of 2 lines" in passes(feature)


def test_a_log_that_is_deleted_while_its_folder_stays_is_stopped_and_can_be_kept(feature: GitRepo) -> None:
    emit(feature, 3)
    feature.git("rm", "-q", "--cached", LOG)
    hidden = (feature.path / LOG).rename(feature.path / "kept")

    said = stopped(feature)

    assert f"{LOG}: the log is deleted while its folder {FEATURE} stays" in said
    feature.git("restore", "--source=HEAD", "--staged", "--", LOG)
    hidden.rename(feature.path / LOG)
    passes(feature)


def test_an_empty_log_may_go(feature: GitRepo) -> None:
    feature.write("kitty-specs/empty/status.events.jsonl", b"")
    passes(feature)
    (feature.path / "kitty-specs/empty/status.events.jsonl").unlink()

    assert passes(feature) == ""


def test_a_last_line_that_head_has_without_its_end_may_get_one(feature: GitRepo) -> None:
    feature.append(LOG, event_line(3)[:-1])
    feature.git("commit", "-qam", "torn", "--no-verify")
    feature.append(LOG, b"\n")
    emit(feature)

    passes(feature)


def test_damage_that_head_has_already_does_not_stop_what_is_appended(feature: GitRepo) -> None:
    feature.append(LOG, b"damaged\n")
    feature.git("rm", "-q", "--cached", SNAPSHOT)
    (feature.path / SNAPSHOT).unlink()
    feature.git("commit", "-qam", "damaged", "--no-verify")
    feature.append(LOG, event_line(3))

    passes(feature)


def test_a_merge_in_a_linked_work_tree_is_known_there_and_nowhere_else(diverged: GitRepo, tmp_path: Path) -> None:
    linked = GitRepo(tmp_path / "linked")
    diverged.git("worktree", "add", "-q", "-b", "linked", str(linked.path), "ours")
    assert linked.merge("theirs") == 1
    linked.git("checkout", "--ours", "--", FEATURE)

    linked.git("add", "-A")
    done = linked.run("commit", "-q", "-m", "ours alone")
    assert done.returncode == 1
    assert b"2 lines of MERGE_HEAD are changed or missing" in done.stderr
    record(diverged, 8)


def test_a_damaged_line_that_head_has_may_be_taken_out(feature: GitRepo) -> None:
    feature.write(LOG, log_of(1, 2) + b"oops\n")
    feature.git("commit", "-q", "--no-verify", "-am", "damage gets in")
    feature.write(LOG, log_of(1, 2))
    emit(feature)

    assert "1 damaged lines of HEAD are not there any more" in passes(feature)


def test_a_new_snapshot_without_its_log_is_stopped(feature: GitRepo) -> None:
    emit(feature, 3, feature="kitty-specs/035-new")
    feature.git("add", "kitty-specs/035-new/status.json")

    done = feature.run("commit", "-q", "-m", "only the snapshot")

    assert done.returncode
    assert b"the snapshot is staged without its status.events.jsonl" in done.stderr


def test_a_line_does_not_leave_a_log_because_another_log_is_deleted(feature: GitRepo) -> None:
    record(feature, 3, feature="kitty-specs/035-gone")
    feature.git("rm", "-rq", "kitty-specs/035-gone")
    feature.write("kitty-specs/036-else/status.events.jsonl", log_of(2))
    rewrite(feature, 1)

    assert "1 lines of HEAD are changed or missing" in stopped(feature)
