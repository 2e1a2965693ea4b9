"""Logs that are divided by writer: merged by git with our drivers, with the committed attributes, and with nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import shards
from events import line
from features import FEATURE, LOG, SNAPSHOT, blob, content_of, log_of
from gitrepo import GitRepo
from shards import (
    SHARDS,
    assert_merged,
    convert,
    divided_repo,
    logs_in_work_tree,
    put_together,
    record,
    shard,
    shards_at,
)

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "merge": ("merge --no-edit theirs",),
    "squash": ("merge --squash theirs", "commit -q -m squashed"),
    "rebase": ("rebase theirs",),
    "pick": ("cherry-pick ours..theirs",),
    "no-ff": ("merge --no-ff --no-edit theirs",),
}


def branches(repo: GitRepo, theirs: list[tuple[str, int]], ours: list[tuple[str, int]]) -> GitRepo:
    """Record (writer, event) on `theirs` and on `ours`, a commit each, and stay on `ours`."""
    for name, written in (("theirs", theirs), ("ours", ours)):
        repo.git("checkout", "-q", "-b", name, "main")
        for writer, number in written:
            record(repo, writer, number)
    return repo


WRITTEN = {
    "a shard of its own each": ([("theirs", 3), ("theirs", 5)], [("ours", 4), ("ours", 6)]),
    "the same shard": ([("ada é", 3), ("ada é", 5)], [("ada é", 4), ("ada é", 6)]),
    "both kinds": ([("ada é", 3), ("theirs", 5)], [("ours", 4), ("ada é", 6)]),
    "the same new shard": ([("new", 3), ("new", 5)], [("new", 4), ("new", 6)]),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(("theirs", "ours"), WRITTEN.values(), ids=WRITTEN)
def test_the_snapshot_is_that_of_the_merged_shards_and_names_their_tree(
    tmp_path: Path, theirs: list[tuple[str, int]], ours: list[tuple[str, int]], command: tuple[str, ...]
) -> None:
    repo = branches(divided_repo(tmp_path / "repo"), theirs, ours)

    for each in command:
        repo.git(*each.split())

    assert assert_merged(repo) == [1, 2, 3, 4, 5, 6]
    assert repo.git("status", "--porcelain") == ""


def test_the_snapshot_names_the_tree_where_ids_are_of_sha256(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo", object_format="sha256"), *WRITTEN["both kinds"])

    assert repo.merge("theirs") == 0

    assert assert_merged(repo) == [1, 2, 3, 4, 5, 6]


def test_both_directions_give_the_same_files(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo"), *WRITTEN["both kinds"])

    for name, one, other in (("there", "ours", "theirs"), ("back", "theirs", "ours")):
        repo.git("checkout", "-q", "-b", name, one)
        assert repo.merge(other) == 0

    assert repo.git("rev-parse", f"there:{FEATURE}") == repo.git("rev-parse", f"back:{FEATURE}")


def test_picking_one_commit_takes_its_lines_alone(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo"), [("ada é", 3), ("ada é", 5)], [("ada é", 4)])

    repo.git("cherry-pick", "theirs")

    assert assert_merged(repo) == [1, 2, 4, 5]


def test_a_feature_that_both_branches_began_with_shards_of_their_own_merges(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    shards.install_drivers(repo)
    repo.commit_empty()
    branches(repo, [("theirs", 3)], [("ours", 4)])

    assert repo.merge("theirs") == 0

    assert assert_merged(repo) == [3, 4]


def test_merges_that_cross_keep_every_line(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo"), *WRITTEN["both kinds"])
    repo.git("branch", "before", "ours")
    assert repo.merge("theirs") == 0
    record(repo, "ours", 7)
    repo.switch("theirs")
    assert repo.merge("before") == 0
    record(repo, "theirs", 8)

    assert repo.merge("ours") == 0

    assert assert_merged(repo) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_branches_from_after_a_conversion_merge(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    shards.install_drivers(repo)
    repo.write(LOG, log_of(1, 2))
    shards.refresh(repo)
    repo.commit()
    convert(repo)
    branches(repo, [("theirs", 3)], [("shared", 4)])

    assert repo.merge("theirs") == 0

    assert assert_merged(repo) == [1, 2, 3, 4]


def test_a_branch_that_did_not_touch_the_log_takes_the_other_side_in_either_layout(tmp_path: Path) -> None:
    repo = divided_repo(tmp_path / "repo")
    repo.branch("theirs")
    put_together(repo)
    repo.commit()
    repo.switch("main")
    repo.write("other", "")
    repo.commit()

    assert repo.merge("theirs") == 0

    assert logs_in_work_tree(repo) == {LOG: log_of(1, 2)}
    assert blob(repo, SNAPSHOT) == blob(repo, SNAPSHOT, "theirs")


def left_to_a_person(repo: GitRepo, why: str) -> None:
    """Merge theirs: every line is there, the snapshot alone is a conflict, ours, and the reason is told."""
    before = repo.read(SNAPSHOT)
    done = repo.run("merge", "--no-edit", "theirs")
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert why in said
    assert "`kitty-status materialize 034 it's déjà vu`" in said
    assert repo.git("diff", "-z", "--name-only", "--diff-filter=U").split("\0")[:-1] == [SNAPSHOT]
    assert repo.read(SNAPSHOT) == before


def test_a_conversion_on_one_side_leaves_the_snapshot_to_a_person_and_keeps_every_line(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    shards.install_drivers(repo)
    repo.write(LOG, log_of(*range(1, 9)))
    shards.refresh(repo)
    repo.commit()
    repo.branch("theirs")
    repo.append(LOG, log_of(9))
    shards.refresh(repo)
    repo.commit()
    repo.switch("main")
    convert(repo)

    left_to_a_person(repo, "the log is not divided by writer on both sides and in their base")

    assert logs_in_work_tree(repo) == {shards.SHARED: log_of(*range(1, 10))}


def test_a_shard_that_one_side_has_lost_leaves_the_snapshot_to_a_person(tmp_path: Path) -> None:
    repo = divided_repo(tmp_path / "repo")
    record(repo, "bob", 3)
    repo.branch("theirs")
    (repo.path / shard("bob")).unlink()
    record(repo, "theirs", 5)
    repo.switch("main")
    record(repo, "ours", 4)

    left_to_a_person(repo, "a side has lost bob.jsonl")


def test_a_log_in_both_layouts_names_nothing_and_its_snapshot_is_left_to_a_person(tmp_path: Path) -> None:
    repo = divided_repo(tmp_path / "repo")
    repo.write(LOG, log_of(7))
    record(repo, "ada é", 8)
    branches(repo, *WRITTEN["a shard of its own each"])

    left_to_a_person(repo, "ours does not name the log that it was made from")


def test_ids_with_two_contents_leave_log_and_snapshot_to_a_person(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo"), [("ada é", 3)], [("ada é", 4)])
    other = line(**{**content_of(3), "actor": "another"})
    repo.append(shard("ada é"), other)
    shards.refresh(repo)
    repo.commit()

    done = repo.run("merge", "--no-edit", "theirs")

    assert done.returncode == 1
    assert "ada é.jsonl does not merge cleanly; ours stays" in done.stderr.decode()


def test_a_snapshot_whose_shards_are_not_here_is_left_to_a_person(tmp_path: Path) -> None:
    origin = branches(divided_repo(tmp_path / "repo"), *WRITTEN["the same shard"])
    stranger = origin.read(SNAPSHOT).replace(origin.git("rev-parse", f"HEAD:{SHARDS}").encode(), b"1" * 40)
    origin.write(SNAPSHOT, stranger)
    origin.commit()

    left_to_a_person(origin, f"the log that ours was made from ({'1' * 40}) is not in this repository")


def test_a_snapshot_that_names_a_tree_without_its_blobs_is_left_to_a_person(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo"), *WRITTEN["the same shard"])
    listed = f"100644 blob {'2' * 40}\tgone.jsonl\n".encode()
    tree = repo.run("mktree", "--missing", stdin=listed).stdout.strip()
    repo.write(SNAPSHOT, repo.read(SNAPSHOT).replace(repo.git("rev-parse", f"HEAD:{SHARDS}").encode(), tree))
    repo.commit()

    left_to_a_person(repo, "not every file of the logs is in this repository")


def test_a_snapshot_that_counts_otherwise_than_its_shards_is_left_to_a_person(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo"), *WRITTEN["the same shard"])
    repo.write(SNAPSHOT, repo.read(SNAPSHOT).replace(b'"event_count": 4', b'"event_count": 9'))
    repo.commit()

    left_to_a_person(repo, "ours counts 9 events and its log holds 4")


def test_a_snapshot_that_names_some_other_folder_is_left_to_a_person(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo"), *WRITTEN["the same shard"])
    named, folder = (repo.git("rev-parse", f"HEAD:{path}") for path in (SHARDS, FEATURE))
    repo.write(SNAPSHOT, repo.read(SNAPSHOT).replace(named.encode(), folder.encode()))
    repo.commit()

    left_to_a_person(repo, f"the log that ours was made from ({folder}) is not in this repository")


@pytest.mark.parametrize("attributes", [True, False], ids=["union", "nothing"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_host_without_our_drivers_merges_shards_of_different_writers_without_a_conflict_in_the_log(
    tmp_path: Path, command: tuple[str, ...], *, attributes: bool
) -> None:
    repo = divided_repo(tmp_path / "repo", drivers=False)
    if not attributes:
        repo.git("rm", "-q", ".gitattributes")
    # A repository that ignores its snapshots, or a merge whose only conflict is the snapshot: the logs never are.
    repo.git("rm", "-q", SNAPSHOT)
    repo.commit()
    for name, numbers in (("theirs", (3, 5)), ("ours", (4, 6))):
        repo.git("checkout", "-q", "-b", name, "main")
        for number in numbers:
            repo.append(shard(name), log_of(number))
            repo.commit()

    for each in command:
        repo.git(*each.split())

    assert shards_at(repo) == {shard("ada é"): log_of(1, 2), shard("ours"): log_of(4, 6), shard("theirs"): log_of(3, 5)}


@pytest.mark.parametrize("attributes", [True, False], ids=["union", "nothing"])
def test_where_snapshots_are_committed_a_host_has_a_conflict_in_the_snapshot_alone(
    tmp_path: Path, *, attributes: bool
) -> None:
    repo = divided_repo(tmp_path / "repo", drivers=False)
    if not attributes:
        repo.git("rm", "-q", ".gitattributes")
        repo.commit()
    branches(repo, *WRITTEN["a shard of its own each"])

    assert repo.merge("theirs") == 1

    assert repo.git("diff", "-z", "--name-only", "--diff-filter=U").split("\0")[:-1] == [SNAPSHOT]
    assert logs_in_work_tree(repo) == {
        shard("ada é"): log_of(1, 2),
        shard("ours"): log_of(4, 6),
        shard("theirs"): log_of(3, 5),
    }


def test_the_committed_attributes_alone_keep_both_sides_lines_of_one_shard(tmp_path: Path) -> None:
    repo = branches(divided_repo(tmp_path / "repo", drivers=False), *WRITTEN["the same shard"])

    repo.merge("theirs")

    assert sorted(repo.read(shard("ada é")).splitlines()) == sorted(log_of(1, 2, 3, 4, 5, 6).splitlines())
