"""The commit hook holds a log that is divided by writer to every rule of a log in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import features
import shards
from events import line
from features import FEATURE, LOG, SNAPSHOT, content_of, event_line, feature_repo, install, log_of, passes, stopped
from gitrepo import GitRepo
from kitty_status.git import run, staged, staged_logs
from kitty_status.git.pre_commit import check_index
from shards import SHARDS, convert, put_together, shard, write

if TYPE_CHECKING:
    from pathlib import Path

ADA = shard("ada é")
BOB = shard("bob")
OTHER = "has other content than on"


def edited(number: int) -> bytes:
    return line(**{**content_of(number), "actor": "another"})


@pytest.fixture
def divided(tmp_path: Path) -> GitRepo:
    """Return a repository whose feature holds 1 and 2 in the shard of `ada é`, and 3 in that of `bob`."""
    repo = shards.divided_repo(tmp_path / "repo")
    shards.record(repo, "bob", 3)
    install(repo)
    return repo


def rewrite(repo: GitRepo, path: str, content: bytes) -> None:
    repo.write(path, content)
    shards.refresh(repo)


def test_lines_that_are_added_to_shards_pass(divided: GitRepo) -> None:
    write(divided, "ada é", 4)
    write(divided, "carol", 5)

    assert "warning" not in passes(divided)


@pytest.mark.parametrize("writer", ["ada é", "carol"])
def test_a_damaged_line_of_a_shard_is_stopped_and_named(divided: GitRepo, writer: str) -> None:
    divided.append(shard(writer), event_line(4) + b'{"event_id": \n')

    number = 4 if writer == "ada é" else 2
    assert f"error: {shard(writer)}:{number}: " in stopped(divided)


def test_a_last_line_of_a_shard_without_its_end_is_stopped(divided: GitRepo) -> None:
    rewrite(divided, BOB, log_of(3, 4)[:-1])

    assert f"{BOB}:2: the last line has no line end" in stopped(divided)


def test_a_line_that_was_removed_from_a_shard_is_stopped(divided: GitRepo) -> None:
    rewrite(divided, ADA, log_of(2))

    assert f"{ADA}: 1 lines of HEAD are changed or missing, among them " in stopped(divided)


def test_a_line_that_was_edited_in_a_shard_is_stopped(divided: GitRepo) -> None:
    rewrite(divided, ADA, event_line(1) + edited(2))

    said = stopped(divided)

    assert f"{ADA}: 1 lines of HEAD are changed or missing, among them " in said
    assert f"`kitty-status resolve {ADA}` brings back what `git show HEAD:{ADA}` has" in said


@pytest.mark.parametrize("target", [BOB, shard("carol"), LOG], ids=["one that is there", "a new one", "the one file"])
def test_lines_may_move_one_by_one_between_the_files_of_a_log(divided: GitRepo, target: str) -> None:
    divided.write(ADA, log_of(1))
    divided.append(target, event_line(2))
    shards.refresh(divided)

    passes(divided)


def test_a_line_that_stands_in_another_shard_already_may_go(divided: GitRepo) -> None:
    divided.append(BOB, event_line(2))
    shards.refresh(divided)
    passes(divided)
    rewrite(divided, ADA, log_of(1))

    passes(divided)


def test_a_line_may_not_move_to_another_feature(divided: GitRepo) -> None:
    divided.write("kitty-specs/other/status.events.d/ada.jsonl", event_line(2))
    rewrite(divided, ADA, log_of(1))

    assert f"{ADA}: 1 lines of HEAD are changed or missing" in stopped(divided)


def test_a_shard_that_is_deleted_while_others_stay_is_stopped(divided: GitRepo) -> None:
    (divided.path / BOB).unlink()
    shards.refresh(divided)

    said = stopped(divided)

    assert f"{BOB}: the log is deleted while its folder {FEATURE} stays" in said
    assert f"`git restore --source=HEAD --staged -- {BOB}` keeps it in the commit" in said


def test_a_feature_that_is_deleted_with_its_shards_is_a_warning(divided: GitRepo) -> None:
    divided.git("rm", "-q", "-r", FEATURE)

    assert f"warning: {FEATURE} is deleted with its log of 2 lines" in passes(divided)


def test_a_feature_may_move_with_its_shards(divided: GitRepo) -> None:
    divided.git("mv", FEATURE, "kitty-specs/moved")

    passes(divided)


def test_a_conversion_to_shards_passes_and_so_does_the_one_back(tmp_path: Path) -> None:
    repo = feature_repo(tmp_path / "repo", 1, 2)

    convert(repo)
    assert repo.git("show", "--format=", "--name-status", "-M", "HEAD", "--", FEATURE).startswith("R100")
    shards.record(repo, "bob", 3)
    put_together(repo)

    passes(repo)
    assert repo.git("show", f"HEAD:{LOG}").encode() + b"\n" == log_of(3, 1, 2)


def test_a_conversion_that_leaves_out_a_line_is_stopped(divided: GitRepo) -> None:
    put_together(divided)
    rewrite(divided, LOG, log_of(1, 3))

    assert f"{ADA}: 1 lines of HEAD are changed or missing" in stopped(divided)


@pytest.mark.parametrize("target", [BOB, shard("carol"), LOG], ids=["one that is there", "a new one", "the one file"])
def test_an_id_that_stands_for_something_else_in_another_file_of_the_log_is_stopped(
    divided: GitRepo, target: str
) -> None:
    divided.append(target, edited(2))
    shards.refresh(divided)

    said = stopped(divided)

    assert f"{OTHER} line 2 of {ADA}" in said
    assert said.count(OTHER) == 1


def test_an_id_that_two_new_shards_give_two_contents_is_told_once(divided: GitRepo) -> None:
    divided.append(shard("carol"), event_line(5))
    divided.append(shard("dora"), edited(5))
    shards.refresh(divided)

    assert stopped(divided).count(OTHER) == 1


def test_an_id_with_two_contents_within_one_shard_is_stopped(divided: GitRepo) -> None:
    divided.append(shard("carol"), event_line(5) + edited(5))
    shards.refresh(divided)

    said = stopped(divided)

    assert f"{OTHER} line 1\n" in said
    assert said.count(OTHER) == 1


def test_an_id_with_the_same_content_in_two_shards_passes(divided: GitRepo) -> None:
    divided.append(BOB, event_line(2))
    shards.refresh(divided)

    passes(divided)


def test_two_contents_that_both_stand_in_the_history_are_a_warning(divided: GitRepo) -> None:
    divided.append(BOB, edited(2))
    shards.refresh(divided)
    divided.git("add", "-A")
    divided.git("commit", "-q", "--no-verify", "-m", "wrong")
    divided.git("mv", BOB, shard("carol"))
    shards.refresh(divided)

    assert f"{OTHER} line 2 of {ADA}; both stand in the history" in passes(divided)


def test_a_snapshot_of_other_shards_is_stopped_and_one_that_names_nothing_passes(divided: GitRepo) -> None:
    stale = divided.read(SNAPSHOT)
    write(divided, "carol", 4)
    current = divided.read(SNAPSHOT)
    divided.write(SNAPSHOT, stale)

    said = stopped(divided)

    assert f"{SNAPSHOT}: the snapshot was not made from the staged status.events.d\n" in said
    tree = divided.git("rev-parse", f"{divided.git('write-tree')}:{SHARDS}")
    assert tree.encode() in current
    divided.write(SNAPSHOT, current.replace(f'"{tree}"'.encode(), b"null"))
    passes(divided)


def test_a_snapshot_that_is_staged_alone_is_held_to_the_shards_that_are_not(divided: GitRepo) -> None:
    good = divided.read(SNAPSHOT)
    divided.write(SNAPSHOT, good.replace(divided.git("rev-parse", f"HEAD:{SHARDS}").encode(), b"1" * 40))

    assert "the snapshot was not made from the staged status.events.d" in stopped(divided)


def test_a_snapshot_that_is_staged_without_its_shards_is_stopped(divided: GitRepo) -> None:
    feature = "kitty-specs/new"
    divided.write(f"{feature}/status.json", divided.read(SNAPSHOT))

    assert f"{feature}/status.json: the snapshot is staged without its status.events.jsonl" in stopped(divided)


def test_where_a_log_lies_in_both_layouts_a_snapshot_must_name_nothing(divided: GitRepo) -> None:
    divided.write(LOG, log_of(7))
    shards.refresh(divided)
    good = divided.read(SNAPSHOT)
    blob = divided.git("hash-object", LOG)
    divided.write(SNAPSHOT, good.replace(b'"log_oid": null', f'"log_oid": "{blob}"'.encode()))

    # Neither the log that a commit brings, nor the shards that it leaves as they are, are all of the log.
    assert "the snapshot was not made from the staged status.events.jsonl" in stopped(divided)
    divided.write(SNAPSHOT, good)
    passes(divided)


def test_both_layouts_are_seen_although_neither_is_staged(divided: GitRepo) -> None:
    divided.write(LOG, log_of(7))
    shards.refresh(divided)
    passes(divided)
    blob = divided.git("hash-object", LOG)
    divided.write(SNAPSHOT, divided.read(SNAPSHOT).replace(b'"log_oid": null', f'"log_oid": "{blob}"'.encode()))

    assert "the snapshot was not made from the staged" in stopped(divided)


def test_the_tree_that_a_snapshot_names_is_that_of_the_shards_alone(divided: GitRepo) -> None:
    divided.write(f"{SHARDS}/notes.md", "not a log")
    divided.write(f"{SHARDS}/.hidden.jsonl", "not a log")

    passes(divided)


def test_a_resolution_that_takes_ours_alone_is_stopped(divided: GitRepo) -> None:
    for name, number in (("theirs", 5), ("ours", 6)):
        divided.git("checkout", "-q", "-b", name, "main")
        shards.record(divided, "bob", number)
        shards.record(divided, name, number + 10)
    divided.git("merge", "-q", "--no-commit", "theirs")
    rewrite(divided, BOB, log_of(3, 6))

    assert f"{BOB}: 1 lines of MERGE_HEAD are changed or missing" in stopped(divided)
    rewrite(divided, BOB, log_of(3, 5, 6))
    passes(divided)


def test_a_merge_that_leaves_out_the_other_branchs_shard_is_stopped(divided: GitRepo) -> None:
    divided.branch("theirs")
    shards.record(divided, "theirs", 5)
    divided.switch("main")
    shards.record(divided, "bob", 6)
    divided.git("merge", "-q", "--no-commit", "theirs")
    (divided.path / shard("theirs")).unlink()
    shards.refresh(divided)

    assert f"{shard('theirs')}: the log is deleted while its folder {FEATURE} stays" in stopped(divided)


def test_a_merge_of_an_older_branch_into_a_conversion_must_hold_its_lines(tmp_path: Path) -> None:
    repo = feature_repo(tmp_path / "repo", *range(1, 9))
    repo.branch("theirs")
    features.record(repo, 9)
    repo.switch("main")
    convert(repo)
    assert repo.merge("theirs") == 1
    rewrite(repo, shards.SHARED, log_of(*range(1, 9)))

    assert "1 lines of MERGE_HEAD are changed or missing" in stopped(repo)
    rewrite(repo, shards.SHARED, log_of(*range(1, 10)))
    passes(repo)


def gits(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the git commands that checking what is staged starts."""
    started: list[str] = []
    plain = run._run

    def watch(argv: list[str], environment: dict[str, str], stdin: bytes) -> run.Ended:
        started.append(argv[3])
        return plain(argv, environment, stdin)

    with monkeypatch.context() as patch:
        patch.setattr(run, "_run", watch)
        assert check_index(str(repo.path)).problems == []
    return started


def test_the_usual_commit_starts_two_gits_and_one_with_shards_few_more(
    tmp_path: Path, divided: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = feature_repo(tmp_path / "usual", 1, 2)
    features.emit(usual, 3)
    usual.git("add", "-A")
    write(divided, "carol", 4)
    divided.git("add", "-A")

    assert gits(usual, monkeypatch) == ["diff-index", "cat-file"]
    assert gits(divided, monkeypatch) == ["diff-index", "cat-file", "ls-files", "cat-file", "hash-object"]


def test_a_commit_of_many_features_finds_the_shards_of_one_that_are_not_staged(divided: GitRepo) -> None:
    divided.write(LOG, log_of(7))
    shards.refresh(divided)
    passes(divided)
    for number in range(30):
        divided.write(f"kitty-specs/{number}/status.events.jsonl", log_of(8))
    blob = divided.git("hash-object", LOG)
    divided.write(SNAPSHOT, divided.read(SNAPSHOT).replace(b'"log_oid": null', f'"log_oid": "{blob}"'.encode()))

    assert "the snapshot was not made from the staged" in stopped(divided)


def test_a_shard_of_any_name_is_read(divided: GitRepo) -> None:
    divided.write(f"{SHARDS}/new\nline.jsonl", log_of(5))
    shards.refresh(divided)
    passes(divided)
    divided.append(f"{SHARDS}/new\nline.jsonl", edited(2))
    shards.refresh(divided)

    assert f"{OTHER} line 2 of {ADA}" in stopped(divided)


def test_no_pathspec_of_the_hook_finds_what_is_no_log(divided: GitRepo) -> None:
    divided.write("kitty-specs/x/notes.jsonl", "not a log")
    divided.write("elsewhere/status.events.d/a.jsonl", "not a log")
    divided.git("add", "-A")

    assert staged.staged_changes(str(divided.path)) == []
    assert staged_logs.StagedLogs(str(divided.path), [], []).logs == {}


@pytest.mark.parametrize("path", [shard("eve"), BOB, LOG, SNAPSHOT])
def test_a_commit_of_another_repository_in_place_of_a_file_is_stopped(divided: GitRepo, path: str) -> None:
    head = divided.git("rev-parse", "HEAD")
    divided.git("rm", "-q", "--cached", "--ignore-unmatch", path)
    divided.git("update-index", "--add", "--cacheinfo", f"160000,{head},{path}")

    done = divided.run("commit", "-q", "-m", "refused")

    assert done.returncode == 1
    assert f"error: {path}: it is no regular file" in done.stderr.decode()
    assert divided.git("rev-parse", "HEAD") == head


def test_a_symbolic_link_that_is_called_like_a_writers_file_is_stopped(divided: GitRepo) -> None:
    (divided.path / shard("eve")).symlink_to("shared.jsonl")

    assert f"error: {shard('eve')}: it is no regular file" in stopped(divided)
