"""Divided logs in real merges: no two branches append to one file, and both layouts meet without a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in
from features import declare, install
from gitrepo import GitRepo
from kitty_status import read_events

if TYPE_CHECKING:
    from pathlib import Path

SHARDS = f"{FOLDER}/status.events.d"
SHARED = f"{SHARDS}/shared.jsonl"
CLONES = ("bare git", "attributes", "drivers")


def ready(repo: GitRepo, clone: str = "bare git", *, layout: str = "per-writer", snapshot: str = "ignored") -> GitRepo:
    """Return a repository with one event, in which git has the drivers, the attributes alone, or nothing."""
    repo.write(".kittify/config.yaml", f"status:\n  layout: {layout}\n  snapshot: {snapshot}\n")
    repo.write(".gitignore", "status.json\n" if snapshot == "ignored" else "")
    feature_in(repo)
    repo.commit()
    if clone != "bare git":
        declare(repo)
    if clone == "drivers":
        install(repo)
    commit_event(repo, "WP00")
    return repo


def commit_event(repo: GitRepo, wp_id: str) -> None:
    emit(repo.path, wp_id, "claimed", "--commit")


def work_packages(repo: GitRepo) -> list[str]:
    """Return what the log holds, once git is at rest and nothing is wrong with it."""
    assert repo.git("status", "--porcelain") == ""
    assert ask(repo.path, "validate", "--all").code == 0
    events = [event.wp_id for event in read_events(repo.path / FOLDER)]
    assert len(events) == len(set(events))
    return sorted(events)


def convert(repo: GitRepo, layout: str) -> None:
    answer = ask(repo.path, "convert", SLUG, "--to", layout, "--commit")
    assert answer.code == 0, answer


@pytest.mark.parametrize("clone", CLONES)
def test_branches_merge_with_and_without_drivers(repo: GitRepo, clone: str) -> None:
    ready(repo, clone)
    for name in ("one", "two", "three"):
        repo.git("checkout", "-q", "-b", name, "main")
        commit_event(repo, f"WP-{name}-1")
        commit_event(repo, f"WP-{name}-2")
    repo.switch("main")
    commit_event(repo, "WP01")
    for name in ("one", "two", "three"):
        assert repo.merge(name) == 0
    of_branches = [f"WP-{name}-{number}" for name in ("one", "two", "three") for number in (1, 2)]
    assert work_packages(repo) == sorted(["WP00", "WP01", *of_branches])
    repo.switch("two")
    commit_event(repo, "WP-two-3")
    repo.switch("main")
    assert repo.merge("two") == 0
    assert "WP-two-3" in work_packages(repo)


def test_an_octopus_a_rebase_and_a_branch_made_again_do_not_conflict(repo: GitRepo) -> None:
    ready(repo)
    for name in ("one", "two"):
        repo.git("checkout", "-q", "-b", name, "main")
        commit_event(repo, f"WP-{name}")
    repo.switch("main")
    repo.git("merge", "-q", "--no-edit", "one", "two")
    repo.git("checkout", "-q", "-b", "three", "main~1")
    commit_event(repo, "WP-three")
    repo.git("rebase", "-q", "main")
    repo.switch("main")
    repo.git("merge", "-q", "three")
    repo.git("branch", "-q", "-D", "one")
    repo.git("branch", "one", "main", environment={"GIT_COMMITTER_DATE": "2031-01-01T00:00:00Z"})
    repo.switch("one")
    commit_event(repo, "WP-one-again")
    repo.switch("main")
    commit_event(repo, "WP-main")
    assert repo.merge("one") == 0
    assert work_packages(repo) == ["WP-main", "WP-one", "WP-one-again", "WP-three", "WP-two", "WP00"]


def test_two_clones_that_both_work_on_main_pull_without_a_conflict(tmp_path: Path) -> None:
    origin = GitRepo.init(tmp_path / "origin.git", bare=True)
    first = ready(GitRepo.init(tmp_path / "first"))
    first.git("remote", "add", "origin", str(origin.path))
    first.git("push", "-q", "-u", "origin", "main")
    second = GitRepo(tmp_path / "second")
    first.git("clone", "-q", str(origin.path), str(second.path))
    for number in range(3):
        for name, repo in (("first", first), ("second", second)):
            commit_event(repo, f"WP-{name}-{number}")
            repo.git("pull", "-q", "--no-rebase", "--no-edit")
            repo.git("push", "-q")
    first.git("pull", "-q", "--no-rebase", "--no-edit")
    assert work_packages(first) == sorted(["WP00", *(f"WP-{n}-{i}" for n in ("first", "second") for i in range(3))])
    assert work_packages(second) == work_packages(first)
    assert len(list((first.path / SHARDS).iterdir())) == 2


def test_two_detached_heads_do_not_conflict(repo: GitRepo) -> None:
    ready(repo)
    commits = []
    for number in (1, 2):
        repo.git("checkout", "-q", "--detach", "main")
        commit_event(repo, f"WP0{number}")
        commits.append(repo.git("rev-parse", "HEAD"))
    repo.switch("main")
    assert [repo.merge(commit) for commit in commits] == [0, 0]
    assert work_packages(repo) == ["WP00", "WP01", "WP02"]


@pytest.mark.parametrize("clone", CLONES)
@pytest.mark.parametrize("into", ["the converted branch", "the older branch"])
def test_a_branch_from_before_the_conversion_is_merged_as_a_rename(repo: GitRepo, clone: str, into: str) -> None:
    ready(repo, clone, layout="single")
    repo.branch("old")
    for number in range(1, 8):
        # Far more than stood there, so that only the exact rename on the other side can be found.
        emit(repo.path, f"WP-old-{number}", "claimed")
    repo.write(f"{FOLDER}/plan.md", "beside the log\n")
    repo.commit()
    repo.switch("main")
    convert(repo, "per-writer")
    commit_event(repo, "WP01")
    if into == "the older branch":
        repo.switch("old")
    assert repo.merge("old" if into == "the converted branch" else "main") == 0
    assert len(work_packages(repo)) == 9
    assert not (repo.path / LOG).exists()
    assert (repo.path / f"{FOLDER}/plan.md").exists()
    assert ask(repo.path, "audit").code == 0


@pytest.mark.parametrize("clone", CLONES)
def test_both_sides_may_convert_by_themselves(repo: GitRepo, clone: str) -> None:
    ready(repo, clone, layout="single")
    repo.branch("other")
    convert(repo, "per-writer")
    commit_event(repo, "WP-other")
    repo.switch("main")
    convert(repo, "per-writer")
    commit_event(repo, "WP-main")
    assert repo.merge("other") == 0
    assert work_packages(repo) == ["WP-main", "WP-other", "WP00"]


@pytest.mark.parametrize("clone", ["bare git", "drivers"])
@pytest.mark.parametrize("renames", ["conflict", "true"])
def test_after_the_way_back_git_puts_no_writers_file_where_nobody_looks(
    repo: GitRepo, clone: str, renames: str
) -> None:
    ready(repo, clone)
    repo.git("config", "merge.directoryRenames", renames)
    repo.branch("other")
    commit_event(repo, "WP-other")
    repo.switch("main")
    convert(repo, "single")
    commit_event(repo, "WP-main")
    assert repo.merge("other") == 0
    assert work_packages(repo) == ["WP-main", "WP-other", "WP00"]
    convert(repo, "single")
    assert work_packages(repo) == ["WP-main", "WP-other", "WP00"]
    assert repo.read(LOG).count(b"\n") == 3
    convert(repo, "per-writer")
    assert repo.git("ls-files", SHARDS).splitlines() == [SHARED]


def test_a_writer_that_goes_on_in_a_file_that_went_conflicts_loudly_and_loses_nothing(repo: GitRepo) -> None:
    ready(repo)
    repo.branch("other")
    commit_event(repo, "WP-other-1")
    repo.switch("main")
    repo.git("merge", "-q", "other")
    commit_event(repo, "WP-main")
    convert(repo, "single")
    repo.switch("other")
    commit_event(repo, "WP-other-2")
    repo.switch("main")
    assert repo.merge("other") == 1
    kept = b"".join(path.read_bytes() for path in (repo.path / FOLDER).rglob("*.jsonl"))
    assert all(name in kept for name in (b"WP-other-1", b"WP-other-2", b"WP-main", b"WP00"))


@pytest.mark.parametrize("clone", CLONES)
def test_a_squash_merge_that_goes_on_conflicts_at_most_in_that_writers_file(repo: GitRepo, clone: str) -> None:
    ready(repo, clone)
    repo.branch("side")
    commit_event(repo, "WP-side-1")
    repo.switch("main")
    repo.git("merge", "-q", "--squash", "side")
    repo.git("commit", "-q", "-m", "squashed")
    repo.switch("side")
    commit_event(repo, "WP-side-2")
    repo.switch("main")
    code = repo.merge("side")
    assert code == (1 if clone == "bare git" else 0)
    if code:
        unmerged = {entry.split("\t")[1] for entry in repo.git("ls-files", "-u").splitlines()}
        assert {path.rpartition("/")[2].rpartition("-")[0] for path in unmerged} == {"side"}
        repo.git("checkout", "--theirs", "--", *unmerged)
        repo.commit()
    assert work_packages(repo) == ["WP-side-1", "WP-side-2", "WP00"]


def test_merging_the_base_into_the_branch_after_a_squash_is_the_way_without_a_conflict(repo: GitRepo) -> None:
    ready(repo)
    repo.branch("side")
    commit_event(repo, "WP-side-1")
    repo.switch("main")
    repo.git("merge", "-q", "--squash", "side")
    repo.git("commit", "-q", "-m", "squashed")
    repo.switch("side")
    assert repo.merge("main") == 0
    commit_event(repo, "WP-side-2")
    repo.switch("main")
    repo.git("merge", "-q", "--squash", "side")
    repo.git("commit", "-q", "-m", "squashed again")
    assert work_packages(repo) == ["WP-side-1", "WP-side-2", "WP00"]


def test_a_pick_of_a_writers_first_commit_applies_and_a_later_one_conflicts(repo: GitRepo) -> None:
    ready(repo)
    repo.branch("side")
    commit_event(repo, "WP-side-1")
    commit_event(repo, "WP-side-2")
    repo.switch("main")
    assert repo.run("cherry-pick", "side").returncode == 1
    repo.git("cherry-pick", "--abort")
    repo.git("cherry-pick", "side~1", "side")
    assert work_packages(repo) == ["WP-side-1", "WP-side-2", "WP00"]


def test_revert_appends_to_the_writer_of_the_branch_it_is_made_on(repo: GitRepo) -> None:
    ready(repo)
    repo.branch("side")
    commit_event(repo, "WP-side")
    repo.switch("main")
    repo.git("merge", "-q", "--no-ff", "--no-edit", "side")
    answer = ask(repo.path, "revert", "side", "--actor", "ada", "--reason", "too early", "--commit")
    assert answer.code == 0, answer
    changed = repo.git("show", "--format=", "--name-only", "HEAD").splitlines()
    assert [path.rpartition("/")[2].rpartition("-")[0] for path in changed] == ["main"]
    assert ask(repo.path, "show", SLUG, "--json").data["work_packages"]["WP-side"]["lane"] == "planned"
    assert ask(repo.path, "audit").code == 0


@pytest.mark.parametrize("layout", ["single", "per-writer"])
def test_sync_base_merges_a_converted_base(repo: GitRepo, layout: str) -> None:
    ready(repo, "drivers", layout=layout)
    repo.branch("side")
    commit_event(repo, "WP-side")
    repo.switch("main")
    convert(repo, "per-writer")
    commit_event(repo, "WP-main")
    repo.switch("side")
    answer = ask(repo.path, "sync-base", "main")
    assert answer.code == 0, answer
    assert work_packages(repo) == ["WP-main", "WP-side", "WP00"]


@pytest.mark.parametrize("clone", ["bare git", "drivers"])
@pytest.mark.parametrize("verb", ["rename", "archive"])
def test_a_writer_that_is_new_to_a_moved_feature_is_left_for_a_person_where_it_belongs(
    repo: GitRepo, clone: str, verb: str
) -> None:
    ready(repo, clone)
    repo.branch("side")
    commit_event(repo, "WP-side")
    repo.switch("main")
    target = ["002-other"] if verb == "rename" else []
    assert ask(repo.path, verb, SLUG, *target, "--commit").code == 0
    moved = "kitty-specs/002-other" if verb == "rename" else f"kitty-specs/.archive/{SLUG}"
    assert repo.merge("side") == 1
    unmerged = {entry.split("\t")[1] for entry in repo.git("ls-files", "-u").splitlines()}
    assert {path.rpartition("/")[0] for path in unmerged} == {f"{moved}/status.events.d"}
    repo.commit("as git suggests")
    assert {event.wp_id for event in read_events(repo.path / moved)} == {"WP00", "WP-side"}
    assert ask(repo.path, "validate", "--all").code == 0


def test_logs_in_two_folders_and_two_layouts_are_united(repo: GitRepo) -> None:
    ready(repo, layout="single")
    repo.git("config", "merge.directoryRenames", "false")
    repo.branch("side")
    convert(repo, "per-writer")
    commit_event(repo, "WP-side")
    repo.switch("main")
    assert ask(repo.path, "rename", SLUG, "002-other", "--commit").code == 0
    repo.run("merge", "-q", "--no-edit", "side")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--no-edit", check=False)
    held = {event.wp_id for folder in (repo.path / "kitty-specs").iterdir() for event in read_events(folder)}
    assert held == {"WP00", "WP-side"}


@pytest.mark.parametrize("clone", CLONES[1:])
def test_a_committed_snapshot_of_a_divided_log_is_merged_by_the_driver_and_conflicts_plainly_without(
    repo: GitRepo, clone: str
) -> None:
    ready(repo, clone, snapshot="own")
    repo.branch("side")
    commit_event(repo, "WP-side")
    repo.switch("main")
    commit_event(repo, "WP-main")
    code = repo.merge("side")
    assert code == (0 if clone == "drivers" else 1)
    if code:
        assert {entry.split("\t")[1] for entry in repo.git("ls-files", "-u").splitlines()} == {SNAPSHOT}
        assert ask(repo.path, "materialize", SLUG).code == 0
        repo.commit()
    assert work_packages(repo) == ["WP-main", "WP-side", "WP00"]
    assert ask(repo.path, "materialize", SLUG, "--check").code == 0


def test_a_claim_in_another_work_tree_is_refused_in_either_layout(repo: GitRepo, tmp_path: Path) -> None:
    ready(repo)
    tree = repo.worktree(tmp_path / "tree", "side")
    emit(tree.path, "WP09", "claimed", actor="ben")
    answer = emit(repo.path, "WP09", "claimed", code=5)
    assert "ben holds it" in answer.err
    assert "1 event not in main" in ask(repo.path, "worktrees").out
    assert "WP09" in ask(repo.path, "show", SLUG, "--worktrees").out
    convert(repo, "single")
    emit(repo.path, "WP09", "claimed", code=5)
    tree.commit()
    repo.git("worktree", "remove", "--force", str(tree.path))
    emit(repo.path, "WP09", "claimed", code=5)
    repo.git("branch", "-q", "-D", "side")
    emit(repo.path, "WP09", "claimed")


def test_an_event_that_is_taken_along_uncommitted_to_another_branch_conflicts_loudly_where_there_is_no_driver(
    repo: GitRepo,
) -> None:
    ready(repo)
    emit(repo.path, "WP01", "claimed")
    repo.git("checkout", "-q", "-b", "side")
    repo.git("add", "-A")
    repo.commit("taken along")
    repo.switch("main")
    commit_event(repo, "WP02")
    assert repo.merge("side") == 1
    assert ask(repo.path, "resolve", "--all").code == 0
    repo.git("add", "-A")
    repo.commit("merged")
    assert work_packages(repo) == ["WP00", "WP01", "WP02"]
