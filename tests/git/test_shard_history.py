"""What reads git's history sees the files of a log that is divided by writer, and conversions lose nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import shards
from events import line
from features import FEATURE, LOG, SNAPSHOT, content_of, event_line, log_of
from gitrepo import GitRepo
from kitty_status.checks.audit import Audit, audit, range_of
from kitty_status.git.append_only import Loss, mark_restored, prove
from kitty_status.git.base_branch import logs_changed_by, logs_in
from kitty_status.git.blame import blame
from kitty_status.git.commits import log_commit
from kitty_status.git.differences import changed_in_work_tree, differences
from kitty_status.git.history import History
from kitty_status.git.log_paths import ANY_LOG_PATHSPECS, feature_of, log_pathspecs_in
from kitty_status.git.pre_push import Update, check_push
from kitty_status.git.repository import Repository, find_repository
from kitty_status.git.staged import features_between
from kitty_status.git.versions import moved_from, places_to_look, unmerged_paths
from shards import SHARDS, SHARED, convert, put_together, record, shard

if TYPE_CHECKING:
    from pathlib import Path

ADA = shard("ada é")
BOB = shard("bob")


def edited(number: int) -> bytes:
    return line(**{**content_of(number), "actor": "another"})


@pytest.fixture
def divided(tmp_path: Path) -> GitRepo:
    """Return a repository whose feature holds 1 and 2 in the shard of `ada é`, and 3 in that of `bob`."""
    repo = shards.divided_repo(tmp_path / "repo")
    record(repo, "bob", 3)
    return repo


@pytest.fixture
def single(tmp_path: Path) -> GitRepo:
    """Return a repository whose feature holds 1 and 2 in one file."""
    repo = GitRepo.init(tmp_path / "repo")
    repo.write(LOG, log_of(1, 2))
    shards.refresh(repo)
    repo.commit()
    return repo


def commit(repo: GitRepo, path: str, log: bytes) -> str:
    repo.write(path, log)
    return repo.commit()


def losses_in(repo: GitRepo) -> list[Loss]:
    history = History(str(repo.path))
    proof = prove(history, history.steps(history.commits(["HEAD"])))
    mark_restored(history, proof.losses, "HEAD")
    return proof.losses


def found_in(repo: GitRepo) -> list[tuple[str, str, int]]:
    """Return (code, path, lines) of all that a history did to logs beyond appending."""
    return [(loss.code, loss.path, loss.lines) for loss in losses_in(repo)]


def audited(repo: GitRepo, *names: str) -> Audit:
    return audit(repository(repo), names, range_of("HEAD", None, None, cwd=str(repo.path)))


def repository(repo: GitRepo) -> Repository:
    found = find_repository(str(repo.path))
    assert found
    return found


def test_shards_that_only_grew_are_clean(divided: GitRepo) -> None:
    record(divided, "ada é", 4)

    assert found_in(divided) == []


def test_a_conversion_and_the_one_back_lose_nothing(single: GitRepo) -> None:
    convert(single)
    record(single, "bob", 3)
    put_together(single)
    single.commit()

    assert found_in(single) == []


def test_a_line_that_was_edited_in_a_shard_is_found_and_named_with_its_path(divided: GitRepo) -> None:
    tampered = commit(divided, ADA, event_line(1) + edited(2))

    (finding,) = audited(divided).findings

    assert (finding.code, finding.path, finding.severity) == ("line-edited", ADA, "error")
    assert finding.commit
    assert finding.commit.oid == tampered
    assert f":{ADA}` has what was there" in finding.hint


def test_a_line_that_was_removed_from_a_shard_is_found(divided: GitRepo) -> None:
    commit(divided, ADA, log_of(2))

    assert found_in(divided) == [("line-removed", ADA, 1)]


def test_a_line_that_was_put_back_into_another_shard_is_restored(divided: GitRepo) -> None:
    commit(divided, ADA, log_of(2))
    record(divided, "bob", 1)

    assert [loss.is_restored for loss in losses_in(divided)] == [True]


@pytest.mark.parametrize("target", [BOB, shard("carol"), LOG], ids=["one that is there", "a new one", "the one file"])
def test_lines_may_move_one_by_one_between_the_files_of_a_log(divided: GitRepo, target: str) -> None:
    divided.append(target, event_line(2))
    commit(divided, ADA, log_of(1))

    assert found_in(divided) == []


def test_a_line_that_stands_in_another_shard_already_may_go(divided: GitRepo) -> None:
    divided.append(BOB, event_line(2))
    divided.commit()
    commit(divided, ADA, log_of(1))

    assert found_in(divided) == []


def test_a_line_that_was_edited_while_it_moved_is_found(divided: GitRepo) -> None:
    divided.append(BOB, edited(2))
    commit(divided, ADA, log_of(1))

    assert found_in(divided) == [("line-edited", ADA, 1)]


def test_a_conversion_that_edits_a_line_is_found(divided: GitRepo) -> None:
    put_together(divided)
    commit(divided, LOG, log_of(1, 3) + edited(2))

    assert found_in(divided) == [("line-edited", ADA, 1)]


def test_a_line_may_not_move_to_another_feature(divided: GitRepo) -> None:
    divided.write("kitty-specs/other/status.events.d/ada.jsonl", event_line(2))
    commit(divided, ADA, log_of(1))

    assert found_in(divided) == [("line-removed", ADA, 1)]


def test_a_shard_that_was_deleted_while_others_stay_is_an_error_and_with_its_feature_a_warning(
    divided: GitRepo,
) -> None:
    divided.git("rm", "-q", BOB)
    divided.commit()
    assert found_in(divided) == [("log-deleted", BOB, 1)]

    divided.git("rm", "-q", "-r", FEATURE)
    divided.commit()
    assert sorted(found_in(divided)) == [("feature-deleted", ADA, 2), ("log-deleted", BOB, 1)]


def test_a_merge_that_dropped_the_other_sides_shard_is_found(divided: GitRepo) -> None:
    divided.branch("theirs")
    record(divided, "theirs", 5)
    divided.switch("main")
    record(divided, "ours", 6)
    divided.git("merge", "-q", "-s", "ours", "--no-edit", "theirs")

    assert found_in(divided) == [("log-deleted", shard("theirs"), 1)]


def test_an_audit_of_one_feature_takes_all_its_log_files_and_counts_it_once(single: GitRepo) -> None:
    slug = FEATURE.rpartition("/")[2]
    convert(single)
    record(single, "bob", 3)
    single.write("kitty-specs/other/status.events.d/a.jsonl", log_of(7))
    single.commit()
    commit(single, BOB, edited(3))

    result = audited(single, slug)

    assert [(each.code, each.path) for each in result.findings] == [("line-edited", BOB)]
    assert result.logs == 1
    assert audited(single).logs == 2
    assert audited(single, "other").findings == []


def test_a_feature_is_followed_through_renames_with_its_shards(divided: GitRepo) -> None:
    commit(divided, ADA, log_of(2))
    divided.git("mv", FEATURE, "kitty-specs/moved")
    divided.commit()

    assert [(each.code, each.path) for each in audited(divided, "moved").findings] == [("line-removed", ADA)]


def test_a_push_of_a_shard_that_lost_a_line_is_stopped(divided: GitRepo) -> None:
    base = divided.git("rev-parse", "HEAD")
    new = commit(divided, ADA, log_of(2))

    report = check_push(str(divided.path), "origin", [Update("refs/heads/main", new, base)])

    assert len(report.problems) == 1
    assert report.problems[0].startswith(f"{ADA}: commit {new[:12]} has lines 1 removed")


def test_a_forced_push_that_leaves_a_shard_behind_is_stopped(divided: GitRepo) -> None:
    old = record(divided, "carol", 4)
    divided.git("checkout", "-q", "-B", "main", "HEAD~1")
    new = record(divided, "dora", 5)

    report = check_push(str(divided.path), "origin", [Update("refs/heads/main", new, old)])

    assert [problem.partition(":")[0] for problem in report.problems] == [shard("carol")]


def test_a_push_of_a_conversion_passes(single: GitRepo) -> None:
    base = single.git("rev-parse", "HEAD")
    convert(single)

    report = check_push(str(single.path), "origin", [Update("refs/heads/main", single.git("rev-parse", "HEAD"), base)])

    assert (report.problems, report.warnings) == ([], [])


@pytest.mark.parametrize("path", [LOG, SHARDS, BOB], ids=["one file", "folder", "shard"])
def test_each_line_is_blamed_on_the_commit_that_brought_it_in_whatever_file(single: GitRepo, path: str) -> None:
    first = single.git("rev-parse", "HEAD")
    convert(single)
    third = record(single, "bob", 3)
    fourth = record(single, "shared", 4)
    single.git("mv", FEATURE, "kitty-specs/moved")
    record(single, "elsewhere", 9)
    single.git("mv", "kitty-specs/moved/status.events.d/bob.jsonl", "kitty-specs/moved/status.events.d/robert.jsonl")
    single.commit()

    found = blame(
        path.replace(FEATURE, "kitty-specs/moved"), [event_line(n) for n in (1, 2, 3, 4)], cwd=str(single.path)
    )

    assert [found[event_line(number)] for number in (1, 2, 3, 4)] == [first, first, third, fourth]


def test_a_commit_that_converts_a_log_added_and_removed_no_line(single: GitRepo) -> None:
    convert(single)
    converted = log_commit("HEAD", str(single.path))
    record(single, "bob", 3)
    grown = log_commit("HEAD", str(single.path))

    assert (converted.added, converted.removed) == ({}, set())
    assert (grown.added, grown.removed) == ({event_line(3): BOB}, set())


def test_the_log_files_that_branches_changed_are_those_of_both_layouts(divided: GitRepo) -> None:
    divided.branch("theirs")
    record(divided, "theirs", 5)
    divided.switch("main")
    commit(divided, "kitty-specs/other/status.events.jsonl", log_of(6))
    found = repository(divided)

    assert logs_changed_by(found, "theirs", "main") == {shard("theirs")}
    assert logs_changed_by(found, "main", "theirs") == {"kitty-specs/other/status.events.jsonl"}
    assert logs_in(found, "theirs").keys() == {ADA, BOB, shard("theirs")}
    assert logs_in(found, None) == logs_in(found, "main")
    assert SNAPSHOT not in logs_in(found, "main")


def test_differences_and_changes_of_both_layouts_are_asked_for_at_once(divided: GitRepo) -> None:
    commit(divided, "outside/status.events.jsonl", log_of(6))
    divided.write("outside/status.events.d/new.jsonl", log_of(7))
    divided.append(BOB, log_of(8))
    cwd = str(divided.path)

    base, head = (divided.git("rev-parse", name) for name in ("HEAD~2", "HEAD"))

    found = differences(base, [head], ANY_LOG_PATHSPECS, cwd=cwd, object_format="sha1")

    assert [path for each in found.values() for path, _, _ in each] == [BOB, "outside/status.events.jsonl"]
    assert sorted(changed_in_work_tree(ANY_LOG_PATHSPECS, cwd=cwd)) == [BOB, "outside/status.events.d/new.jsonl"]


def test_a_feature_whose_shard_changed_differs(divided: GitRepo) -> None:
    record(divided, "carol", 4)

    assert features_between(["diff-tree", "HEAD~1", "HEAD"], str(divided.path)) == [FEATURE]


def test_a_shard_that_git_could_not_merge_is_an_unmerged_path(divided: GitRepo) -> None:
    divided.write(".git/info/attributes", "*.jsonl -merge\n")
    for name, number in (("theirs", 5), ("ours", 6)):
        divided.git("checkout", "-q", "-b", name, "main")
        record(divided, "bob", number)
    divided.merge("theirs")

    assert BOB in unmerged_paths(str(divided.path))


@pytest.mark.parametrize("known", [{event_line(2)}, set()], ids=["by a line", "by git's own following"])
def test_where_a_shard_lay_before_a_conversion_is_found(single: GitRepo, known: set[bytes]) -> None:
    before = single.git("rev-parse", "HEAD")
    convert(single)

    assert list(moved_from(before, [SHARED], known, str(single.path))) == [LOG]


def test_where_the_one_file_lay_before_it_was_put_together_is_found(divided: GitRepo) -> None:
    before = divided.git("rev-parse", "HEAD")
    put_together(divided)
    divided.commit()

    assert ADA in moved_from(before, [LOG], {event_line(2)}, str(divided.path))


def test_commits_before_any_file_of_the_log_lost_lines_are_places_to_look(divided: GitRepo) -> None:
    before = divided.git("rev-parse", "HEAD")
    commit(divided, BOB, b"")
    divided.git("checkout", "-q", "--detach")
    for number in range(3):
        divided.commit_empty(str(number))

    assert before in {place.commit for place in places_to_look(FEATURE, str(divided.path))}


@pytest.mark.parametrize(
    ("path", "feature"),
    [(LOG, FEATURE), (BOB, FEATURE), (SHARDS, FEATURE), (SNAPSHOT, FEATURE), ("status.events.jsonl", "")],
)
def test_every_path_of_a_log_leads_to_its_feature(path: str, feature: str) -> None:
    assert feature_of(path) == feature


def test_the_pathspecs_of_a_feature_at_the_top_find_its_log_files_alone(divided: GitRepo) -> None:
    divided.write("status.events.jsonl", "")
    divided.write("status.events.d/a.jsonl", "")
    divided.git("add", "-A")

    assert divided.git("ls-files", "--", *log_pathspecs_in("")) == "status.events.d/a.jsonl\nstatus.events.jsonl"
