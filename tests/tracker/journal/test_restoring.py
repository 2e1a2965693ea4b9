"""Where lines come back to: branches with other names, work trees with the same one, names that are no UTF-8."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit, feature_in
from features import reduction
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

ONLY_POSIX = pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there")


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository whose feature has one committed event; no hook of ours is installed."""
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    emit(repo.path, "WP01", "claimed")
    repo.commit("claimed")
    assert ask(repo.path, "reconcile-journal").code == 0
    return repo


def move(folder: Path, wp: str, lane: str = "claimed", feature: str = SLUG) -> str:
    """Move a work package and return the id of the acknowledged event."""
    answer = ask(folder, "emit", wp, "--to", lane, "--actor", "ada", "--feature", feature, "--json")
    assert answer.code == 0, answer
    return str(answer.data["event"]["event_id"])


def fates(folder: Path) -> dict[str, list[str]]:
    """Reconcile, and return the event ids by what became of them, of those outcomes that there were."""
    data: dict[str, Any] = ask(folder, "reconcile-journal", "--json").data
    kinds = ("settled", "restored", "waiting", "standing")
    return {kind: [each["event"]["event_id"] for each in data[kind]] for kind in kinds if data[kind]}


def is_materialized(repo: GitRepo) -> bool:
    return repo.read(SNAPSHOT) == reduction(repo.read(LOG), repo.path / FOLDER)


def test_an_event_comes_back_to_a_branch_that_has_another_name_now(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    repo.git("branch", "-m", "trunk")
    repo.git("branch", "-m", "stem")
    assert fates(repo.path) == {"standing": [event]}
    repo.git("reset", "-q", "--hard")
    assert fates(repo.path) == {"restored": [event]}
    assert event.encode() in repo.read(LOG)


def test_the_next_write_brings_an_event_back_to_a_branch_that_has_another_name_now(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    repo.git("branch", "-m", "trunk")
    repo.git("reset", "-q", "--hard")
    move(repo.path, "WP02", "in_progress")
    assert event.encode() in repo.read(LOG)


def test_an_event_waits_for_the_branch_that_has_taken_the_name_of_its_own(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    repo.git("reset", "-q", "--hard")
    repo.git("branch", "-m", "trunk")
    repo.git("branch", "main")
    assert fates(repo.path) == {"waiting": [event]}
    assert event.encode() not in repo.read(LOG)


@pytest.mark.parametrize("switch", [("checkout", "-q", "-b", "side"), ("checkout", "-q", "--detach")])
def test_an_event_that_git_took_along_to_another_branch_is_not_missing(repo: GitRepo, switch: tuple[str, ...]) -> None:
    event = move(repo.path, "WP02")
    repo.git(*switch)
    assert fates(repo.path) == {"standing": [event]}
    repo.git("reset", "-q", "--hard")
    assert fates(repo.path) == {"waiting": [event]}


def test_an_event_stands_in_either_work_tree_of_its_branch(repo: GitRepo, tmp_path: Path) -> None:
    twin = GitRepo(tmp_path / "twin")
    repo.git("worktree", "add", "-q", "--force", str(twin.path), "main")
    event = move(twin.path, "WP02")
    assert fates(repo.path) == {"standing": [event]}
    assert event.encode() not in repo.read(LOG)
    twin.git("reset", "-q", "--hard")
    move(twin.path, "WP03")
    assert event.encode() in twin.read(LOG)
    assert event.encode() not in repo.read(LOG)


@pytest.mark.parametrize("commit", [(), ("--commit",)])
def test_a_write_materializes_what_it_brought_back_to_another_work_tree(
    repo: GitRepo, tmp_path: Path, commit: tuple[str, ...]
) -> None:
    other = GitRepo(tmp_path / "other")
    repo.git("worktree", "add", "-q", "-b", "side", str(other.path))
    lost = move(other.path, "WP02")
    here = move(repo.path, "WP03")
    other.git("reset", "-q", "--hard")
    if not commit:
        repo.git("reset", "-q", "--hard")
    answer = ask(repo.path, "emit", "WP04", "--to", "claimed", "--actor", "ada", "--feature", SLUG, *commit)
    assert answer.code == 0
    assert lost.encode() in other.read(LOG)
    assert here.encode() in repo.read(LOG)
    assert is_materialized(other)
    assert is_materialized(repo)
    assert (f"had vanished from the log in {other.path} and was brought back" in answer.err) == (not commit)


def test_a_refused_move_leaves_a_snapshot_of_what_came_back(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    repo.git("reset", "-q", "--hard")
    answer = ask(repo.path, "emit", "WP02", "--to", "done", "--actor", "ada", "--feature", SLUG)
    assert answer.code == 3
    assert event.encode() in repo.read(LOG)
    assert is_materialized(repo)


def test_a_snapshot_that_cannot_follow_its_log_in_another_work_tree_is_a_warning(repo: GitRepo, tmp_path: Path) -> None:
    other = GitRepo(tmp_path / "other")
    repo.git("worktree", "add", "-q", "-b", "side", str(other.path))
    move(other.path, "WP02")
    other.git("reset", "-q", "--hard")
    other.write(LOG, b"no event\n" + other.read(LOG))
    move(repo.path, "WP03")
    repo.git("reset", "-q", "--hard")
    answer = ask(repo.path, "emit", "WP04", "--to", "claimed", "--actor", "ada", "--feature", SLUG)
    assert answer.code == 0
    assert "events were brought back, but not every snapshot was written" in answer.err


def test_a_log_that_another_work_tree_cannot_take_a_line_into_stops_nobody(repo: GitRepo, tmp_path: Path) -> None:
    other = GitRepo(tmp_path / "other")
    repo.git("worktree", "add", "-q", "-b", "side", str(other.path))
    theirs = move(other.path, "WP02")
    ours = move(repo.path, "WP03")
    repo.git("reset", "-q", "--hard")
    (other.path / LOG).unlink()
    (other.path / LOG).mkdir()
    third = move(repo.path, "WP04")
    assert fates(repo.path) == {"waiting": [theirs], "standing": [ours, third]}
    answer = ask(other.path, "reconcile-journal")
    assert answer.code == 7
    assert "is not a regular file" in answer.err


def test_a_log_that_moved_settles_although_another_branch_has_it_where_it_was(repo: GitRepo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "other"))
    event = move(repo.path, "WP02")
    repo.git("add", "-A")
    repo.git("mv", FOLDER, "kitty-specs/002-renamed")
    repo.commit("renamed")
    assert fates(repo.path) == {"settled": [event]}


@ONLY_POSIX
def test_an_event_comes_back_to_a_branch_whose_name_is_no_utf8(repo: GitRepo) -> None:
    repo.branch(os.fsdecode(b"caf\xe9"))
    event = move(repo.path, "WP02")
    repo.git("reset", "-q", "--hard")
    assert fates(repo.path) == {"restored": [event]}


@ONLY_POSIX
@pytest.mark.parametrize("name", [b"caf\xe9", b"a\nb", b":(top)x", b"a[1]b"])
def test_a_project_in_a_folder_of_any_name_is_brought_back_and_settled(repo: GitRepo, name: bytes) -> None:
    project = repo.path / os.fsdecode(name)
    (project / "kitty-specs/002-nested").mkdir(parents=True)
    (project / "kitty-specs/002-nested/spec.md").write_text("a spec", encoding="utf-8")
    event = move(project, "WP01", feature="002-nested")
    repo.git("stash", "push", "-q", "--include-untracked")
    repo.git("stash", "drop", "-q")
    (project / "kitty-specs/002-nested").mkdir(parents=True, exist_ok=True)
    assert fates(repo.path)["restored"] == [event]
    repo.commit("claimed")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert fates(repo.path) == {"settled": [event]}
    assert not (project / "kitty-specs/002-nested/status.events.jsonl").exists()


def test_a_bare_repository_with_a_configuration_for_each_work_tree_has_no_main_one(
    repo: GitRepo, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare / ".git"))
    tree = GitRepo(tmp_path / "tree")
    GitRepo(bare).git("worktree", "add", "-q", str(tree.path), "main")
    tree.git("sparse-checkout", "set", "--no-cone", "/*")
    event = move(tree.path, "WP02")
    tree.git("reset", "-q", "--hard")
    assert fates(tree.path) == {"restored": [event]}
    assert event.encode() in tree.read(LOG)


def moved_by_hand(repo: GitRepo, slug: str) -> str:
    """Move the folder as a file manager does, with an event that is not committed yet; return its id."""
    event = move(repo.path, "WP02")
    (repo.path / FOLDER).rename(repo.path / "kitty-specs" / slug)
    return event


def test_a_folder_that_was_moved_by_hand_is_recognised_and_the_way_that_is_named_leads_out(repo: GitRepo) -> None:
    (repo.path / "kitty-specs/000-other").mkdir()
    event = moved_by_hand(repo, "002-new")
    answer = ask(repo.path, "reconcile-journal", "--json")
    assert answer.code == 1
    [waiting] = answer.data["waiting"]
    assert waiting["event"]["event_id"] == event
    assert f"moved by hand from {FOLDER} to kitty-specs/002-new" in waiting["why"]
    assert f"`kitty-status rename {SLUG} 002-new`" in waiting["why"]
    findings = ask(repo.path, "doctor", "--json").data["findings"]
    [finding] = [each for each in findings if each["code"] == "event-waits"]
    back, rename = (shlex.split(command) for command in finding["commands"])

    subprocess.run(back, cwd=repo.path, check=True)
    assert ask(repo.path, *rename[1:]).code == 0

    assert fates(repo.path) == {"standing": [event]}
    assert ask(repo.path, "reconcile-journal").code == 0
    repo.commit("renamed")
    assert fates(repo.path) == {"settled": [event]}


def test_a_folder_that_was_moved_by_hand_and_committed_keeps_its_events(repo: GitRepo) -> None:
    event = moved_by_hand(repo, "002-new")
    repo.commit("moved by hand")
    assert fates(repo.path) == {"settled": [event]}


def test_an_event_of_a_feature_that_was_archived_stands_there(repo: GitRepo) -> None:
    event = move(repo.path, "WP02")
    assert ask(repo.path, "archive", SLUG).code == 0
    assert fates(repo.path) == {"standing": [event]}
