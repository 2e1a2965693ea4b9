"""Guards look at what can be seen: boxes in the files, work trees in git, commits in the repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, SLUG, Answer, ask, emit, tree

if TYPE_CHECKING:
    from gitrepo import GitRepo

OWN = f"{FOLDER}/tasks/WP01-form.md"
OVERVIEW = f"{FOLDER}/tasks.md"


def started(repo: GitRepo, own: str = "", overview: str = "") -> GitRepo:
    """Return the repository with WP01 in progress, and with these files of it."""
    if own:
        repo.write(OWN, own)
    if overview:
        repo.write(OVERVIEW, overview)
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    repo.commit()
    emit(repo.path, "WP01", "claimed", actor="ada")
    emit(repo.path, "WP01", "in_progress", actor="ada")
    return repo


def move(repo: GitRepo, to: str, *args: str) -> Answer:
    return ask(repo.path, "emit", "WP01", "--to", to, "--feature", SLUG, *args)


def refused(repo: GitRepo, to: str, *args: str) -> dict[str, object]:
    before = tree(repo.path / FOLDER)
    answer = move(repo, to, *args, "--json")
    assert answer.code == 3, answer
    assert tree(repo.path / FOLDER) == before
    context: dict[str, object] = answer.error["context"]
    return context


def test_open_boxes_of_either_file_keep_work_from_review_and_are_named_with_their_places(repo: GitRepo) -> None:
    own = "---\nwork_package_id: WP01\nlane: planned\nsubtasks: [T001, T002]\n---\n# WP01\n\n- [ ] T001 Write it\n"
    started(repo, own, "# Tasks\n\n- [x] T001 Write it\n- [ ] T002 Test it\n- [ ] T009 not ours\n")
    answer = move(repo, "for_review", "--actor", "ada")
    assert answer.code == 3
    assert f"2 subtasks are not done: T001 Write it ({OWN}:8); T002 Test it ({OVERVIEW}:4)" in answer.err
    assert refused(repo, "for_review", "--actor", "ada")["refusals"] == ["open-subtasks"]


def test_ticked_boxes_and_force_with_a_reason_both_open_the_way_to_review(repo: GitRepo) -> None:
    started(repo, overview="## WP01\n- [ ] T001 Write it\n")
    forced = move(repo, "for_review", "--actor", "ada", "--force", "--reason", "agreed", "--dry-run")
    assert forced.code == 0
    repo.write(OVERVIEW, "## WP01\n- [X] T001 Write it\n")
    answer = move(repo, "for_review", "--actor", "ada")
    assert (answer.code, "subtasks" in answer.err) == (0, False)


def test_where_no_subtasks_are_written_down_that_is_said(repo: GitRepo) -> None:
    answer = move(started(repo), "for_review", "--actor", "ada")
    assert answer.code == 0
    assert "no subtasks of WP01 are written down, so none were checked" in answer.err


def test_without_views_a_file_that_cannot_be_understood_stops_the_move_that_asks_for_it_and_no_other(
    repo: GitRepo,
) -> None:
    repo.write(".kittify/config.yaml", "status:\n  views: off\n")
    started(repo, "---\nlane: &x planned\n---\n- [ ] T001\n")
    answer = move(repo, "for_review", "--actor", "ada", "--json")
    assert (answer.code, answer.error["code"]) == (7, "work-package-file")
    assert move(repo, "blocked", "--actor", "ada").code == 0


def test_many_open_boxes_are_counted_and_some_are_named(repo: GitRepo) -> None:
    started(repo, overview="## WP01\n" + "".join(f"- [ ] T{number:03}\n" for number in range(9)))
    answer = move(repo, "for_review", "--actor", "ada")
    assert "9 subtasks are not done: T000" in answer.err
    assert "and 4 more" in answer.err
    assert "T005" not in answer.err


def claimed(repo: GitRepo) -> GitRepo:
    repo.write(f"{FOLDER}/spec.md", "what to do\n")
    repo.commit()
    emit(repo.path, "WP01", "claimed", actor="ada")
    return repo


def test_work_that_shall_go_on_in_a_work_tree_needs_one(repo: GitRepo, tmp_path: Path) -> None:
    claimed(repo)
    context = refused(repo, "in_progress", "--actor", "ada", "--execution-mode", "worktree")
    assert context["refusals"] == ["missing-workspace"]
    repo.worktree(tmp_path / "other", f"{SLUG}-WP011")
    assert refused(repo, "in_progress", "--actor", "ada", "--execution-mode", "worktree")["refusals"]
    repo.worktree(tmp_path / f"{SLUG}-WP01", "lane-a")
    answer = move(repo, "in_progress", "--actor", "ada", "--execution-mode", "worktree", "--json")
    assert (answer.code, answer.data["event"]["execution_mode"]) == (0, "worktree")


@pytest.mark.parametrize(("branch", "mode"), [(f"kitty/{SLUG}-WP01", "worktree"), ("WP01", "direct_repo")])
def test_the_work_tree_of_a_work_package_is_found_by_its_branch(
    repo: GitRepo, tmp_path: Path, branch: str, mode: str
) -> None:
    claimed(repo).worktree(tmp_path / "tree", branch)
    answer = move(repo, "in_progress", "--actor", "ada", "--json")
    assert answer.data["event"]["execution_mode"] == mode


def test_in_a_linked_work_tree_work_goes_on_there(repo: GitRepo, tmp_path: Path) -> None:
    linked = claimed(repo)
    repo.commit()
    linked = repo.worktree(tmp_path / "anywhere", "b")
    answer = ask(linked.path, "emit", "WP01", "--to", "in_progress", "--actor", "ada", "--feature", SLUG, "--json")
    assert answer.data["event"]["execution_mode"] == "worktree"
