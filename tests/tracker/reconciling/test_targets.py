"""Where work is looked for: branches that only a remote has, bare repositories, folders, and paths that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import ask
from events import line
from gitrepo import GitRepo
from kanban import KANBAN
from worked import LOGIN, REVIEWED, goals, merge, of, planned, reconcile, work, work_on

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return planned(tmp_path / "app")


def test_a_branch_that_only_a_remote_has_is_found_and_named_and_nothing_is_fetched(
    repo: GitRepo, tmp_path: Path
) -> None:
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "other"))
    other = GitRepo(tmp_path / "other")
    work_on(other, f"{LOGIN}-WP01", "begin")
    repo.git("remote", "add", "origin", str(other.path))
    assert goals(repo) == {}
    repo.git("fetch", "-q")
    work_on(other, f"{LOGIN}-WP02", "not fetched")
    answer = reconcile(repo, LOGIN, code=1)
    found = of(answer, "WP01")
    assert found["moves"][-1]["to_lane"] == "in_progress"
    assert [each["branch"] for each in found["commits"]] == [f"origin/{LOGIN}-WP01"]
    assert f"on origin/{LOGIN}-WP01 of app is not in main" in found["stop"]
    assert goals(repo) == {"WP01": "in_progress"}
    assert f"app  origin/{LOGIN}-WP01  " in ask(repo.path, "reconcile", LOGIN).out


def test_a_branch_that_is_here_and_there_is_named_once(repo: GitRepo, tmp_path: Path) -> None:
    work_on(repo, f"{LOGIN}-WP01", "begin")
    remote = GitRepo.init(tmp_path / "remote.git", bare=True)
    repo.git("remote", "add", "origin", str(remote.path))
    repo.git("push", "-q", "origin", "--all")
    assert [each["branch"] for each in of(reconcile(repo, LOGIN), "WP01")["commits"]] == [f"{LOGIN}-WP01"]


def test_what_was_merged_on_the_remote_alone_is_merged(repo: GitRepo, tmp_path: Path) -> None:
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "other"))
    other = GitRepo(tmp_path / "other")
    work_on(other, f"{LOGIN}-WP01", "begin")
    merge(other, f"{LOGIN}-WP01", REVIEWED)
    other.git("branch", "-D", f"{LOGIN}-WP01")
    repo.git("remote", "add", "origin", str(other.path))
    repo.git("fetch", "-q")
    assert goals(repo) == {"WP01": "done"}


def test_a_lane_profile_of_the_repository_gives_its_own_legal_chain(repo: GitRepo) -> None:
    repo.write(".kittify/config.yaml", KANBAN)
    repo.commit("lanes")
    work_on(repo, f"{LOGIN}-WP01", "begin")
    assert [move["to_lane"] for move in of(reconcile(repo, LOGIN), "WP01")["moves"]] == ["ready", "working"]
    merge(repo, f"{LOGIN}-WP01", REVIEWED)
    found = of(reconcile(repo, LOGIN), "WP01")
    assert [move["to_lane"] for move in found["moves"]] == ["ready", "working", "review", "shipped"]
    assert reconcile(repo, LOGIN, "--apply", code=0).data["work_packages"][0]["events"][-1]["to_lane"] == "shipped"
    assert ask(repo.path, "validate", LOGIN).code == 0
    assert reconcile(repo, LOGIN, code=0).data["drift"] is False


def test_a_bare_repository_is_looked_through_like_any_other(repo: GitRepo, tmp_path: Path) -> None:
    work_on(repo, f"{LOGIN}-WP01", "begin")
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "api.git"))
    answer = reconcile(repo, LOGIN, "--target-repo", str(tmp_path / "api.git"))
    [target] = answer.data["repositories"]
    assert (target["name"], target["base"], target["problem"]) == ("api", "main", None)
    assert of(answer, "WP01")["moves"][-1]["to_lane"] == "in_progress"


def test_a_folder_in_a_work_tree_means_its_repository(repo: GitRepo, tmp_path: Path) -> None:
    api = GitRepo.init(tmp_path / "api")
    work(api, "first", path="src/deep/first.py")
    work_on(api, f"{LOGIN}-WP01", "begin")
    api.write("src/deep/here.py", "")
    answer = reconcile(repo, LOGIN, "--target-repo", str(api.path / "src/deep"))
    assert [each["path"] for each in answer.data["repositories"]] == [str(api.path)]
    assert of(answer, "WP01")["moves"][-1]["to_lane"] == "in_progress"


@pytest.mark.parametrize("name", ["file.txt", "missing/folder", "", "two\nlines"])
def test_a_path_that_is_no_folder_is_reported_in_words(repo: GitRepo, name: str) -> None:
    repo.write("file.txt", "x")
    answer = reconcile(repo, LOGIN, "--target-repo", f"{repo.path}/{name}" if name else "", code=2)
    [target] = answer.data["repositories"]
    assert target["problem"].endswith("name the folder of a repository, or one in its work tree")
    assert ("is a file" if name == "file.txt" else "is no folder") in target["problem"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"{LOGIN} WP1: x", set()),
        (f"{LOGIN} WP10: x", {"WP10"}),
        (f"{LOGIN} WP01-form: x", {"WP01"}),
        (f"{LOGIN}: WP01の修正", {"WP01"}),
        (f"修复{LOGIN}的WP02, 不是WP10a", {"WP02"}),
        (f"{LOGIN} «WP01»", {"WP01"}),
        (f"{LOGIN} xWP01 WP01x WP010", set()),
    ],
)
def test_names_are_whole_words_in_whatever_script_stands_around(
    repo: GitRepo, message: str, expected: set[str]
) -> None:
    work(repo, message)
    assert set(goals(repo, LOGIN)) == expected


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        (f"feature/{LOGIN}/WP01_form", {"WP01"}),
        (f"feature/{LOGIN}_WP02", {"WP02"}),
        (f"{LOGIN}-WP10_x", {"WP10"}),
        (f"{LOGIN}-WP1_0", set()),
        (f"登录/{LOGIN}-WP01-表单", {"WP01"}),
        ("feature/WP01_x", set()),
    ],
)
def test_a_branch_may_part_its_words_with_underscores(repo: GitRepo, branch: str, expected: set[str]) -> None:
    work_on(repo, branch, "begin")
    assert set(goals(repo, LOGIN)) == expected


def test_a_target_without_a_commit_is_said_and_is_no_failure(repo: GitRepo, tmp_path: Path) -> None:
    empty = GitRepo.init(tmp_path / "empty")
    repo.append(f"kitty-specs/{LOGIN}/status.events.jsonl", line(feature_slug=LOGIN))
    answer = reconcile(repo, LOGIN, "--target-repo", str(empty.path), code=0)
    assert answer.envelope["warnings"] == ["empty: no branch has a commit yet"]
