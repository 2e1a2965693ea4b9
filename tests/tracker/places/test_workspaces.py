"""What spec-kitty has left of workspaces is found, and only what names nothing any more is removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from commandline import LOG, SLUG, ask
from events import instant, line, ulid

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

NAME = f"{SLUG}-WP01"
CONTEXT = f".kittify/workspaces/{NAME}.json"
TREE = f".worktrees/{NAME}"


def feature(repo: GitRepo, lane: str = "canceled") -> None:
    repo.write(LOG, line(event_id=ulid(1), at=instant(1), from_lane="planned", to_lane=lane))
    repo.write(".gitignore", ".worktrees/\n.kittify/workspaces/\n")
    repo.commit()


def context(repo: GitRepo, **more: object) -> None:
    content = {"wp_id": "WP01", "mission_slug": SLUG, "worktree_path": TREE, "branch_name": NAME, **more}
    repo.write(CONTEXT, json.dumps(content, indent=2))


def cleanup(repo: GitRepo, *args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(repo.path, "cleanup", "--json", *args).data["workspaces"]
    return found


def orphans(repo: GitRepo) -> list[str]:
    findings = ask(repo.path, "doctor", "--check", "orphan-workspace", "--json").data["findings"]
    return [finding["observed"] for finding in findings]


def test_the_file_of_a_finished_workspace_goes_with_its_work_tree(repo: GitRepo) -> None:
    feature(repo)
    repo.git("worktree", "add", "-q", TREE, "-b", NAME)
    context(repo)
    assert orphans(repo) == [f"{SLUG} is finished in main"]
    planned = cleanup(repo, "-n")
    assert [(each["removed"], each["why"], each["gone"]) for each in planned] == [(False, [], False)]
    assert (repo.path / CONTEXT).exists()
    assert "would be removed: 001-feature is finished, and its work tree is gone" in ask(repo.path, "cleanup", "-n").out
    [done] = cleanup(repo)
    assert (done["removed"], done["feature"]) == (True, SLUG)
    assert not (repo.path / CONTEXT).exists()
    assert not (repo.path / TREE).exists()
    assert orphans(repo) == []


@pytest.mark.parametrize("key", ["feature_slug", "mission_slug", "nothing"])
def test_a_file_whose_folder_is_gone_is_an_orphan_and_goes_once_its_feature_is_finished(
    repo: GitRepo, key: str
) -> None:
    feature(repo, "claimed")
    context(repo, **{"mission_slug": None, key: SLUG})
    [observed] = orphans(repo)
    assert observed.startswith("git knows no work tree in ")
    [found] = cleanup(repo)
    assert (found["gone"], found["removed"], found["why"]) == (True, False, ["not finished in main: WP01 (claimed)"])
    feature(repo, "canceled")
    assert [each["removed"] for each in cleanup(repo)] == [True]


def test_a_file_that_git_tracks_and_a_work_tree_that_stays_keep_the_file(repo: GitRepo) -> None:
    feature(repo)
    context(repo)
    repo.git("add", "-f", CONTEXT)
    assert cleanup(repo)[0]["why"] == ["git tracks it"]
    repo.git("rm", "-q", "--cached", CONTEXT)
    repo.git("worktree", "add", "-q", TREE, "-b", NAME)
    repo.write(f"{TREE}/new", "x")
    assert cleanup(repo)[0]["why"] == ["its work tree stays"]
    assert (repo.path / CONTEXT).exists()


def test_a_folder_that_git_does_not_know_is_named_and_never_removed(repo: GitRepo) -> None:
    feature(repo)
    repo.write(f"{TREE}/work.py", "x")
    (repo.path / ".worktrees" / "a link").symlink_to(repo.path)
    [found] = cleanup(repo)
    assert found["path"] == str(repo.path / TREE)
    assert "nobody knows what in it is kept elsewhere" in found["why"][0]
    assert (repo.path / TREE / "work.py").exists()
    assert len(orphans(repo)) == 1
    context(repo)
    assert len(cleanup(repo)) == 1
    assert (repo.path / CONTEXT).exists()


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"worktree_path": 7}', '{"worktree_path": "a\\u0000b"}', '"' + "x" * 70_000 + '"', "[" * 9999],
)
def test_a_file_that_is_no_workspace_stays_and_is_no_orphan(repo: GitRepo, text: str) -> None:
    feature(repo)
    repo.write(CONTEXT, text)
    [found] = cleanup(repo)
    assert (found["removed"], found["why"]) == (False, ["it cannot be read as a workspace of spec-kitty"])
    assert orphans(repo) == []


def test_a_link_in_place_of_a_file_is_not_followed(repo: GitRepo, tmp_path: Path) -> None:
    feature(repo)
    context(repo)
    (repo.path / CONTEXT).rename(tmp_path / "elsewhere.json")
    (repo.path / CONTEXT).symlink_to(tmp_path / "elsewhere.json")
    assert not cleanup(repo)[0]["removed"]
    assert (tmp_path / "elsewhere.json").exists()


def test_a_workspace_of_no_feature_here_stays(repo: GitRepo) -> None:
    feature(repo)
    context(repo, mission_slug=["099-gone"], worktree_path=".worktrees/099-gone-WP01")
    assert cleanup(repo)[0]["why"] == ["it names no feature of this project"]
