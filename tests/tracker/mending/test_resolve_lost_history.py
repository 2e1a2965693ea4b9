"""Lines that history has lost are found, named and brought back, wherever their log has moved since."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import ask
from features import FEATURE, LOG, SNAPSHOT, log_of, numbers_in, record
from gitrepo import GitRepo
from wrecks import FAILING, PATH, conflict, numbers, resolve, two_branches

pytestmark = pytest.mark.usefixtures("any_slug")


def test_lost_history_is_found_named_and_brought_back(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    conflict(repo, "merge", "theirs")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "ours only")

    done = resolve(repo)
    assert (done["is_needed"], done["elsewhere"][0]["revision"], done["elsewhere"][0]["lines"]) == (False, "HEAD^2", 2)
    assert len(done["elsewhere"]) == 1
    step = ask(repo.path, "resolve", PATH, "--json").envelope["next"][0]
    assert step.endswith("--from 'HEAD^2'")

    resolve(repo, "--from", "HEAD^2")
    assert numbers(repo) == [1, 2, 3, 4, 5, 6]
    assert resolve(repo)["elsewhere"] == []


def test_lines_that_a_revert_or_an_older_commit_took_out_are_named(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    for number in (1, 2, 3):
        record(repo, number)
    repo.git("revert", "--no-edit", "HEAD")
    assert [each["revision"] for each in resolve(repo)["elsewhere"]] == ["HEAD^1"]
    record(repo, 4)
    repo.git("reflog", "expire", "--expire=now", "--all")
    [held] = resolve(repo)["elsewhere"]
    assert held["commit"] == repo.git("rev-parse", "HEAD~2")
    resolve(repo, "--from", held["revision"])
    assert numbers(repo) == [1, 2, 3, 4]


def test_what_a_branch_was_reset_over_and_what_is_stashed_is_named(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    for number in (1, 2, 3):
        record(repo, number)
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert [each["revision"] for each in resolve(repo)["elsewhere"]] == ["ORIG_HEAD"]
    repo.append(LOG, log_of(7))
    repo.git("stash", "push", "-q")
    held = {each["revision"]: each["lines"] for each in resolve(repo)["elsewhere"]}
    assert held == {"main@{1}": 1, "stash@{0}": 1}
    resolve(repo, "--from", "stash@{0}", "--from", "main@{1}")
    assert numbers(repo) == [1, 2, 3, 7]


def test_work_on_another_branch_is_not_taken_for_lost(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.switch("theirs")
    repo.git("reset", "-q", "--hard", "HEAD")
    repo.switch("ours")
    assert resolve(repo)["elsewhere"] == []


def test_a_log_that_has_moved_since_is_found_where_it_was(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1, 2)
    old = repo.git("rev-parse", "HEAD")
    moved = "kitty-specs/archive/034 over"
    (repo.path / "kitty-specs/archive").mkdir()
    repo.git("mv", FEATURE, moved)
    repo.commit("moved")
    log = f"{moved}/status.events.jsonl"
    repo.write("kitty-specs/other/status.events.jsonl", log_of(9))
    for rest in (log_of(1), b""):
        repo.write(log, rest)
        (repo.path / moved / "status.json").unlink(missing_ok=True)
        repo.commit("lost")
        assert ask(repo.path, "resolve", f"./{moved}", "--from", old).code == 0
        assert numbers_in(repo.read(log)) == [1, 2]


def test_a_merge_in_which_the_other_side_has_moved_the_feature_gets_its_lines(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING, shared=tuple(range(10, 30)))
    repo.switch("theirs")
    (repo.path / "kitty-specs/archive").mkdir()
    repo.git("mv", FEATURE, "kitty-specs/archive/034 over")
    repo.commit("moved")
    assert repo.run("merge", "ours").returncode
    repo.git("add", "-A")
    target = "./kitty-specs/archive/034 over"
    done = ask(repo.path, "resolve", target, "--json").data[0]
    assert {each["source"] for each in done["changes"]} == {"MERGE_HEAD"}
    assert sorted(numbers_in(repo.read(f"{target}/status.events.jsonl"))) == [3, 4, 5, 6, *range(10, 30)]


def test_a_log_that_was_deleted_comes_back(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, 1, 2)
    (repo.path / LOG).unlink()
    resolve(repo)
    assert numbers(repo) == [1, 2]
    repo.git("rm", "-rq", "--cached", FEATURE)
    for path in (LOG, SNAPSHOT):
        (repo.path / path).unlink()
    (repo.path / FEATURE).rmdir()
    repo.git("commit", "-q", "-m", "gone")
    answer = ask(repo.path, "resolve", PATH, "--from", "HEAD^")
    assert answer.code == 0
    assert numbers(repo) == [1, 2]


def test_a_log_deleted_on_one_side_of_a_merge_comes_back_with_the_other_sides_lines(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.git("rm", "-q", LOG)
    repo.git("commit", "-q", "-m", "deleted")
    conflict(repo, "merge", "theirs")
    (repo.path / LOG).unlink()
    resolve(repo)
    assert numbers(repo) == [1, 2, 3, 5]
