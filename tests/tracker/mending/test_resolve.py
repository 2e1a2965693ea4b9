"""Every wreck that git leaves of a log is mended, with the real git: no event is lost, nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import ask, tree
from features import FEATURE, LOG, SNAPSHOT, blob, emit, event_line, log_of, record
from gitrepo import GitRepo
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.mending.resolve import plan
from wrecks import (
    FAILING,
    HOWS,
    PATH,
    STYLES,
    assert_committed,
    conflict,
    merged_how,
    numbers,
    originals,
    resolve,
    two_branches,
)

pytestmark = pytest.mark.usefixtures("any_slug")


def test_nothing_is_done_to_a_sound_log(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    emit(repo, 7)
    before = tree(repo.path)
    answer = ask(repo.path, "resolve", PATH)
    assert answer.code == 0
    assert answer.out.startswith(f"{LOG}: nothing to resolve\n")
    changed = {path for path, data in tree(repo.path).items() if before.get(path) != data}
    assert all(path.startswith(".git/kitty-status") for path in changed)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("shared", [(1, 2), ()], ids=["with a base", "added on both sides"])
def test_a_merge_that_failed_is_mended_staged_and_can_be_committed(
    tmp_path: Path, how: str, shared: tuple[int, ...]
) -> None:
    repo = two_branches(tmp_path / "repo", how, shared=shared)
    conflict(repo, "merge", "theirs")
    wreck = repo.read(LOG)

    done = resolve(repo)

    assert numbers(repo) == sorted([*shared, 3, 4, 5, 6])
    assert done["staged"] == [LOG, SNAPSHOT]
    assert done["unmerged"][0] == LOG
    assert originals(repo) == [wreck]
    assert_committed(repo, tmp_path, *shared, 3, 4, 5, 6)


def test_one_side_that_somebody_has_staged_already_gets_the_other_side_too(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    conflict(repo, "merge", "theirs")
    repo.git("add", "-A")

    done = resolve(repo)

    assert [(each["action"], each["source"]) for each in done["changes"]] == [("added", "MERGE_HEAD")] * 2
    assert done["staged"] == [LOG, SNAPSHOT]
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_a_file_that_is_right_beside_an_index_that_is_not_is_staged(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    conflict(repo, "merge", "theirs")
    repo.git("add", "-A")
    emit(repo, 3, 5)
    done = resolve(repo)
    assert done["changes"] == []
    assert done["staged"] == [LOG, SNAPSHOT]
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("staged", [False, True], ids=["unmerged", "staged"])
@pytest.mark.parametrize("command", [("cherry-pick", "theirs"), ("rebase", "theirs"), ("rebase", "--apply", "theirs")])
def test_a_pick_or_rebase_that_failed_is_mended(
    tmp_path: Path, how: str, command: tuple[str, ...], staged: bool
) -> None:
    repo = two_branches(tmp_path / "repo", how)
    conflict(repo, *command)
    in_file = {number for number in range(1, 7) if event_line(number) in repo.read(LOG)}
    if staged:
        repo.git("add", "-A")

    resolve(repo)

    # Of what was picked only its own line must come; what stands in the file stays.
    own = {1, 2, 4, 6, 5} if command[0] == "cherry-pick" else {1, 2, 3, 5, 4}
    assert set(numbers(repo)) == own | in_file
    assert blob(repo, LOG, "") == repo.read(LOG)


@pytest.mark.parametrize("how", HOWS)
def test_a_stash_that_could_not_be_popped_is_mended(tmp_path: Path, how: str) -> None:
    repo = two_branches(tmp_path / "repo", how)
    repo.switch("theirs")
    emit(repo, 7)
    repo.git("stash", "push", "-q")
    repo.switch("ours")
    conflict(repo, "stash", "pop")
    resolve(repo)
    assert {1, 2, 4, 6, 7} <= set(numbers(repo)) <= set(range(1, 8))


@pytest.mark.parametrize("staged", [False, True], ids=["unmerged", "staged"])
def test_a_squashed_merge_that_failed_is_mended(tmp_path: Path, staged: bool) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    conflict(repo, "merge", "--squash", "theirs")
    if staged:
        repo.git("add", "-A")
    resolve(repo)
    assert numbers(repo) == [1, 2, 3, 4, 5, 6]
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_a_revert_that_conflicts_keeps_every_line(tmp_path: Path) -> None:
    for how in HOWS:
        repo = two_branches(tmp_path / how, how)
        conflict(repo, "revert", "--no-edit", "HEAD~1")
        resolve(repo)
        assert {1, 2, 4, 6} <= set(numbers(repo))


def test_lines_that_a_revert_without_a_commit_took_out_are_put_back(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", FAILING)
    repo.git("revert", "--no-commit", "HEAD")
    assert numbers(repo) == [1, 2, 4]
    done = resolve(repo)
    assert numbers(repo) == [1, 2, 4, 6]
    assert done["staged"] == [LOG, SNAPSHOT]
    assert repo.git("diff", "--cached", "--stat") == ""


@pytest.mark.parametrize("style", STYLES)
def test_a_criss_cross_with_markers_in_the_markers_is_mended(tmp_path: Path, style: str) -> None:
    repo = two_branches(tmp_path / "repo", style)
    tips = {name: repo.git("rev-parse", name) for name in ("ours", "theirs")}
    for name, other, number in (("ours", "theirs", 7), ("theirs", "ours", 8)):
        repo.switch(name)
        conflict(repo, "merge", tips[other])
        resolve(repo)
        repo.git("commit", "-q", "-m", "merged")
        record(repo, number)
    conflict(repo, "merge", "ours")
    resolve(repo)
    assert numbers(repo) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_several_hunks_of_markers_are_mended(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    record(repo, *range(10, 20))
    for name, numbers_of in (("theirs", (1, 21)), ("ours", (2, 22))):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.write(LOG, log_of(numbers_of[0]) + log_of(*range(10, 20)) + log_of(numbers_of[1]))
        repo.commit(name)
    merged_how(repo, "diff3")
    conflict(repo, "merge", "theirs")
    assert repo.read(LOG).count(b"<<<<<<<") == 2
    resolve(repo)
    assert sorted(numbers(repo)) == [1, 2, *range(10, 20), 21, 22]


def test_markers_that_somebody_committed_are_mended_and_the_hook_lets_them_out(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", "diff3")
    conflict(repo, "merge", "theirs")
    repo.commit("with the markers")
    done = resolve(repo)
    assert {each["action"] for each in done["changes"]} == {"marker"}
    assert done["staged"] == []
    repo.git("add", "-A")
    assert_committed(repo, tmp_path, 1, 2, 3, 4, 5, 6)


def test_in_a_linked_work_tree_its_own_merge_counts(tmp_path: Path) -> None:
    main = two_branches(tmp_path / "repo", FAILING)
    main.switch("main")
    linked = GitRepo(tmp_path / "linked")
    main.git("worktree", "add", "-q", str(linked.path), "ours")
    conflict(linked, "merge", "theirs")
    assert resolve(main)["is_needed"] is False
    resolve(linked)
    assert numbers(linked) == [1, 2, 3, 4, 5, 6]
    assert numbers(main) == [1, 2]
    assert len(originals(main)) == 1
    linked.git("commit", "-q", "-m", "merged")
    assert linked.git("status", "--porcelain") == ""


def test_without_names_it_is_what_git_could_not_merge_and_then_all_that_is_being_merged(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", "merge")
    assert ask(repo.path, "resolve").code == 2
    conflict(repo, "merge", "theirs")
    answer = ask(repo.path, "resolve")
    assert answer.out.startswith(f"{LOG}: resolved\n  marker removed, line 3: <<<<<<< HEAD\n")
    assert f"  staged: {LOG}, {SNAPSHOT}\n" in answer.out
    again = ask(repo.path, "resolve")
    assert (again.code, again.out) == (0, f"{LOG}: nothing to resolve\n")


def test_a_plan_writes_nothing_at_all(tmp_path: Path) -> None:
    repo = two_branches(tmp_path / "repo", "merge")
    conflict(repo, "merge", "theirs")
    before = tree(repo.path)
    assert plan(feature_at(repo.path / FEATURE)).is_needed
    assert tree(repo.path) == before
