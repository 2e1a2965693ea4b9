"""Which commits of real repositories belong to which work package, and whether they are merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitrepo import GitRepo
from worked import LOGIN, PAY, goals, merge, of, planned, reconcile, work, work_on


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return planned(tmp_path / "app")


def test_planning_is_no_work(repo: GitRepo) -> None:
    assert reconcile(repo, code=0).data["work_packages"] == []


def test_an_open_branch_is_work_in_progress(repo: GitRepo) -> None:
    _, second = work_on(repo, "034-login-WP01", "begin", "go on")
    answer = reconcile(repo, code=1)
    assert goals(repo) == {"WP01": "in_progress"}
    found = of(answer, "WP01")
    assert [move["to_lane"] for move in found["moves"]] == ["claimed", "in_progress"]
    assert found["commits"] == [
        {
            "repo": "app",
            "branch": "034-login-WP01",
            "commit": second,
            "files_touched": ["src/file-1.py", "src/file-2.py"],
        }
    ]
    assert "on 034-login-WP01 of app is not in main" in found["stop"]


def test_a_branch_that_was_only_made_is_no_work(repo: GitRepo) -> None:
    repo.git("branch", "034-login-WP01")
    work(repo, "something else")
    repo.git("branch", "034-login-WP02")
    assert goals(repo) == {}


def test_wp1_is_not_wp10_and_the_feature_of_a_branch_decides_between_equal_ids(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP10", "ten")
    work_on(repo, "035-pay-WP01", "one")
    work_on(repo, "034-login-WP1", "neither")
    assert goals(repo) == {"WP10": "in_progress", "035-pay/WP01": "in_progress"}
    assert goals(repo, LOGIN) == {"WP10": "in_progress"}


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "deleted"])
def test_a_merged_branch_is_ready_for_review_even_after_it_was_deleted(repo: GitRepo, keep: bool) -> None:
    _, newest = work_on(repo, "034-login-WP01", "begin", "go on")
    work(repo, "something else")
    merge(repo, "034-login-WP01")
    if not keep:
        repo.git("branch", "-D", "034-login-WP01")
    work(repo, "something after")
    found = of(reconcile(repo), "WP01")
    assert found["moves"][-1]["to_lane"] == "for_review"
    assert [(each["branch"], each["commit"]) for each in found["commits"]] == [("034-login-WP01", newest)]


def test_a_branch_that_goes_on_after_a_merge_is_not_merged(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    merge(repo, "034-login-WP01")
    repo.switch("034-login-WP01")
    work(repo, "go on")
    repo.switch("main")
    assert goals(repo) == {"WP01": "in_progress"}


def test_merging_the_base_branch_into_a_branch_brings_it_nothing(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    other = work(repo, "something else")
    repo.switch("034-login-WP01")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'main' into 034-login-WP01", "main")
    repo.switch("main")
    (entry,) = of(reconcile(repo), "WP01")["commits"]
    assert entry["commit"] != other
    assert entry["files_touched"] == ["src/file-1.py"]


def test_a_fast_forward_says_nothing_but_what_the_messages_name(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin", "WP01 of 034-login: go on")
    repo.git("merge", "-q", "--ff-only", "034-login-WP01")
    found = of(reconcile(repo), "WP01")
    assert found["commits"][0]["branch"] == "main"
    assert found["commits"][0]["files_touched"] == ["src/file-2.py"]
    assert found["moves"][-1]["to_lane"] == "for_review"


def test_a_work_package_begun_on_another_one_does_not_take_its_commits(repo: GitRepo) -> None:
    repo.branch("034-login-WP01")
    first = work(repo, "begin")
    repo.branch("034-login-WP02")
    second = work(repo, "on top")
    repo.switch("main")
    answer = reconcile(repo)
    assert [of(answer, wp)["commits"][0]["commit"] for wp in ("WP01", "WP02")] == [first, second]


def test_branches_with_the_same_commits_are_told_apart_by_messages_only_and_that_is_said(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin", "WP01: go on")
    repo.git("branch", "034-login-WP02", "034-login-WP01")
    answer = reconcile(repo)
    assert [each["wp_id"] for each in answer.data["work_packages"]] == ["WP01"]
    assert "app: 034-login-WP01, 034-login-WP02 have the same commits" in answer.envelope["warnings"][0]


def test_on_the_branch_of_a_feature_the_id_alone_names_the_work_package(repo: GitRepo) -> None:
    work_on(repo, "kitty/mission-034-login-lane-a", "WP01: begin", "WP02: begin", "tidy up")
    assert goals(repo) == {"WP01": "in_progress", "WP02": "in_progress"}
    work(repo, "WP10: not on a branch of the feature")
    assert "WP10" not in goals(repo)


def test_a_branch_merged_into_the_branch_of_its_feature_is_still_open(repo: GitRepo) -> None:
    repo.branch("034-login")
    work(repo, "groundwork")
    repo.branch("034-login-WP01")
    work(repo, "begin")
    repo.switch("034-login")
    merge(repo, "034-login-WP01")
    repo.git("branch", "-D", "034-login-WP01")
    repo.switch("main")
    assert goals(repo) == {"WP01": "in_progress"}
    merge(repo, "034-login")
    assert goals(repo) == {"WP01": "for_review"}
    assert of(reconcile(repo), "WP01")["commits"][0]["files_touched"] == ["src/file-2.py"]


def test_a_trailer_counts_wherever_the_commit_is_and_against_the_name_of_the_branch(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin\n\nWork-Package: 035-pay/WP07\n")
    work(repo, "more\n\nWork-Package: WP02\n")
    assert goals(repo) == {"WP02": "for_review", "035-pay/WP07": "in_progress"}


def test_a_trailer_that_fits_two_features_is_reported_and_counts_for_none(repo: GitRepo) -> None:
    commit = work(repo, "more\n\nWork-Package: WP01\n")
    answer = reconcile(repo, code=0)
    assert answer.data["work_packages"] == []
    assert answer.envelope["warnings"] == [
        f"app: {commit[:12]} says Work-Package: WP01, which is no one work package here"
    ]


def test_commits_that_only_keep_the_books_are_no_work(repo: GitRepo) -> None:
    repo.branch("034-login-WP01")
    work(repo, "Move 034-login WP01: planned to claimed", f"kitty-specs/{LOGIN}/status.events.jsonl")
    work(repo, "more subtasks", f"kitty-specs/{LOGIN}/tasks/WP01-title.md")
    work(repo, "settings", ".kittify/config.yaml")
    repo.switch("main")
    assert goals(repo) == {}
    repo.switch("034-login-WP01")
    work(repo, "the plan is the work\n\nWork-Package: 034-login/WP01", f"kitty-specs/{LOGIN}/research.md")
    work(repo, "but not this\n\nWork-Package: 034-login/WP02", f"kitty-specs/{LOGIN}/status.json")
    repo.switch("main")
    assert goals(repo) == {"WP01": "in_progress"}


def test_a_squash_with_the_trailer_stands_for_the_branch(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin", "go on")
    repo.git("merge", "-q", "--squash", "034-login-WP01")
    repo.git("commit", "-q", "-m", "All of it (#7)", "-m", "Work-Package: 034-login/WP01")
    found = of(reconcile(repo), "WP01")
    assert found["moves"][-1]["to_lane"] == "for_review"
    assert [each["branch"] for each in found["commits"]] == ["main"]


def test_a_squash_with_gits_own_message_stands_for_the_commits_that_it_lists(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin", "go on")
    repo.git("merge", "-q", "--squash", "034-login-WP01")
    repo.git("commit", "-q", "--no-edit")
    assert goals(repo) == {"WP01": "for_review"}
    repo.switch("034-login-WP01")
    work(repo, "and more")
    repo.switch("main")
    assert goals(repo) == {"WP01": "in_progress"}


def test_a_squash_without_trailer_leaves_the_branch_open(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin", "go on")
    repo.git("merge", "-q", "--squash", "034-login-WP01")
    repo.git("commit", "-q", "-m", "034-login WP01: all of it (#7)")
    assert goals(repo) == {"WP01": "in_progress"}
    repo.git("branch", "-D", "034-login-WP01")
    assert goals(repo) == {"WP01": "for_review"}


def test_work_that_goes_on_after_a_squash_is_open(repo: GitRepo) -> None:
    repo.branch("034-login-WP01")
    work(repo, "begin", at=1)
    repo.switch("main")
    repo.git("merge", "-q", "--squash", "034-login-WP01")
    work(repo, "All of it\n\nWork-Package: 034-login/WP01", at=2)
    assert goals(repo) == {"WP01": "for_review"}
    repo.switch("034-login-WP01")
    work(repo, "go on", at=3)
    repo.switch("main")
    assert goals(repo) == {"WP01": "in_progress"}


def test_commits_that_were_picked_are_merged_once_all_are(repo: GitRepo) -> None:
    first, second = work_on(repo, "034-login-WP01", "begin", "go on")
    work(repo, "something else")
    repo.git("cherry-pick", first)
    assert goals(repo) == {"WP01": "in_progress"}
    repo.git("cherry-pick", "-x", second)
    found = of(reconcile(repo), "WP01")
    assert found["moves"][-1]["to_lane"] == "for_review"
    assert [each["branch"] for each in found["commits"]] == ["main"]


def test_what_was_reverted_is_not_merged_and_what_was_reverted_twice_is(repo: GitRepo) -> None:
    work_on(repo, "034-login-WP01", "begin")
    merged = merge(repo, "034-login-WP01")
    repo.git("revert", "--no-edit", "-m", "1", merged)
    assert goals(repo) == {}
    repo.git("revert", "--no-edit", "HEAD")
    assert goals(repo) == {"WP01": "for_review"}


def test_a_picked_commit_that_was_reverted_is_open_again(repo: GitRepo) -> None:
    (commit,) = work_on(repo, "034-login-WP01", "begin")
    work(repo, "something else")
    repo.git("cherry-pick", commit)
    assert goals(repo) == {"WP01": "for_review"}
    repo.git("revert", "--no-edit", "HEAD")
    assert goals(repo) == {"WP01": "in_progress"}


def test_a_revert_on_a_branch_takes_nothing_from_the_base_branch(repo: GitRepo) -> None:
    merged = work(repo, "more\n\nWork-Package: 034-login/WP01\n")
    repo.branch("try-without")
    repo.git("revert", "--no-edit", merged)
    repo.switch("main")
    assert goals(repo) == {"WP01": "for_review"}


def test_the_folder_of_a_work_tree_says_what_its_branch_is_for(repo: GitRepo, tmp_path: Path) -> None:
    tree = repo.worktree(tmp_path / ".worktrees" / "034-login-WP01", "some-branch")
    work(tree, "begin")
    detached = tmp_path / ".worktrees" / "034-login-WP02"
    repo.git("worktree", "add", "-q", "--detach", str(detached))
    work(GitRepo(detached), "begin as well")
    answer = reconcile(repo)
    assert [of(answer, wp)["commits"][0]["branch"] for wp in ("WP01", "WP02")] == ["some-branch", "034-login-WP02"]


def test_a_detached_head_is_looked_at_too(repo: GitRepo) -> None:
    repo.git("checkout", "-q", "--detach")
    work(repo, "034-login WP01: begin")
    assert of(reconcile(repo), "WP01")["commits"][0]["branch"] == "HEAD"


def test_messages_that_are_no_utf8_are_read_as_far_as_they_can_be(repo: GitRepo) -> None:
    repo.write("src/latin.py", "x")
    repo.git("add", "-A")
    for encoding, subject in (("latin1", b"034-login WP01: d\xe9j\xe0"), ("utf-8", b"034-login WP02: d\xe9j\xe0")):
        path = repo.write(f".git/{encoding}", subject)
        repo.git("-c", f"i18n.commitEncoding={encoding}", "commit", "-q", "--allow-empty", "-F", str(path))
    assert goals(repo) == {"WP01": "for_review", "WP02": "for_review"}


def test_a_former_name_of_the_feature_still_counts(repo: GitRepo) -> None:
    repo.write(
        f"kitty-specs/{LOGIN}/status.events.jsonl",
        '{"event_id": "x", "former_slug": "033-signin", "kind": "renamed"}\n',
    )
    repo.commit("rename")
    work_on(repo, "033-signin-WP01", "begin")
    assert goals(repo) == {"WP01": "in_progress"}


def test_an_archived_feature_keeps_its_names_and_is_not_reconciled(repo: GitRepo) -> None:
    (repo.path / "kitty-specs" / ".archive").mkdir()
    (repo.path / "kitty-specs" / PAY).rename(repo.path / "kitty-specs" / ".archive" / PAY)
    repo.commit("archive")
    work_on(repo, "035-pay-WP07", "begin")
    assert goals(repo) == {}
