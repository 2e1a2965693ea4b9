"""`worktrees`: each work tree and branch, and how many events it holds that the main branch lacks."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from commandline import FOLDER, LOG, ask, emit, feature_in, tree
from events import instant, line, ulid
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.init(tmp_path / "the é repo")
    feature_in(repo, event(1))
    repo.commit()
    return repo


def event(number: int, **changes: Any) -> bytes:
    return line(event_id=ulid(number), at=instant(number), wp_id=f"WP{number:02}", **changes)


def listed(folder: Path, *args: str) -> dict[str, dict[str, Any]]:
    """Return the rows by work tree, or by branch where there is none."""
    answer = ask(folder, "worktrees", *args, "--json")
    assert (answer.code, answer.envelope["warnings"]) == (0, [])
    return {row["worktree"] or row["branch"]: row for row in answer.data["worktrees"]}


def counts(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["unmerged_events"], row["uncommitted_events"], row["waiting_events"]


def test_every_work_tree_and_every_other_branch_is_listed_with_what_main_lacks(repo: GitRepo, tmp_path: Path) -> None:
    one = repo.worktree(tmp_path / "work tree é", "one")
    one.append(LOG, event(2) + event(3))
    tip = one.commit()
    one.append(LOG, event(4))
    one.write("kitty-specs/002-new/status.events.jsonl", event(5))
    repo.git("branch", "old")
    repo.git("branch", "stacked", tip)
    before = tree(tmp_path)
    rows = listed(repo.path)
    assert tree(tmp_path) == before
    assert list(rows) == [str(repo.path), str(one.path), "old", "stacked"]
    assert {name: counts(row) for name, row in rows.items()} == {
        str(repo.path): (0, 0, 0),
        str(one.path): (4, 2, 0),
        "old": (0, 0, 0),
        "stacked": (2, 0, 0),
    }
    row = rows[str(one.path)]
    assert (row["branch"], row["head"], row["operation"]) == ("one", tip, None)
    assert ask(one.path, "worktrees").out.splitlines() == [
        f"{repo.path!s:<{len(str(one.path))}}  main     {repo.git('rev-parse', 'HEAD')[:12]}  nothing unmerged",
        f"{one.path}  one      {tip[:12]}  4 events not in main, 2 of them not committed",
        f"{'(no work tree)':<{len(str(one.path))}}  old      {repo.git('rev-parse', 'old')[:12]}  nothing unmerged",
        f"{'(no work tree)':<{len(str(one.path))}}  stacked  {tip[:12]}  2 events not in main",
    ]


def test_a_branch_that_main_has_gone_beyond_lacks_nothing_itself(repo: GitRepo) -> None:
    repo.git("branch", "behind")
    repo.append(LOG, event(2))
    repo.commit()
    assert counts(listed(repo.path)["behind"]) == (0, 0, 0)


def test_a_renamed_feature_holds_only_what_is_new_in_it(repo: GitRepo) -> None:
    repo.branch("renamed")
    repo.git("mv", FOLDER, "kitty-specs/001-better")
    repo.append("kitty-specs/001-better/status.events.jsonl", event(2))
    repo.commit()
    assert counts(listed(repo.path)[str(repo.path)]) == (1, 0, 0)
    repo.git("mv", "kitty-specs/001-better", "kitty-specs/001-best")
    assert counts(listed(repo.path)[str(repo.path)]) == (1, 0, 0)


def test_foreign_rows_and_repeated_lines_are_no_further_events(repo: GitRepo) -> None:
    repo.append(LOG, event(2) + event(2) + b'{"kind": "note"}\n\n')
    assert counts(listed(repo.path)[str(repo.path)]) == (1, 1, 0)


def test_a_detached_work_tree_and_one_in_the_middle_of_a_merge_say_so(repo: GitRepo, tmp_path: Path) -> None:
    detached = repo.worktree(tmp_path / "detached", "one")
    detached.git("checkout", "-q", "--detach")
    detached.append(LOG, event(2))
    detached.commit()
    repo.branch("two")
    repo.write("spec.md", "two\n")
    repo.commit()
    repo.git("checkout", "-q", "-b", "three", "main")
    repo.write("spec.md", "three\n")
    repo.commit()
    assert repo.merge("two") == 1
    rows = listed(repo.path)
    assert rows[str(repo.path)]["operation"] == "merge"
    assert rows[str(detached.path)]["branch"] is None
    assert counts(rows[str(detached.path)]) == (1, 0, 0)
    words = ask(repo.path, "worktrees").out
    assert "nothing unmerged, in the middle of a merge" in words
    assert "(detached)" in words


def test_events_that_wait_in_the_journal_are_counted_with_their_branch(repo: GitRepo, tmp_path: Path) -> None:
    one = repo.worktree(tmp_path / "one", "one")
    emit(one.path, "WP02", "claimed")
    assert counts(listed(repo.path)[str(one.path)]) == (1, 1, 0)
    one.git("stash", "push", "-q", "--include-untracked")
    assert counts(listed(repo.path)[str(one.path)]) == (0, 0, 1)
    assert "1 waiting in the journal" in ask(repo.path, "worktrees").out
    repo.git("worktree", "remove", "--force", str(one.path))
    repo.git("branch", "-q", "-D", "one")
    answer = ask(repo.path, "worktrees")
    assert "warning: 1 acknowledged events wait for branch one, which is gone" in answer.err


def test_a_work_tree_whose_folder_is_gone_is_said_and_its_branch_is_listed(repo: GitRepo, tmp_path: Path) -> None:
    one = repo.worktree(tmp_path / "one", "one")
    shutil.rmtree(one.path)
    answer = ask(repo.path, "worktrees", "--json")
    assert f"the work tree {one.path} is gone" in answer.envelope["warnings"][0]
    assert [row["branch"] for row in answer.data["worktrees"]] == ["main", "one"]


def test_the_main_branch_is_what_origin_says_else_main_else_master_else_the_first(repo: GitRepo) -> None:
    def base() -> Any:
        return ask(repo.path, "worktrees", "--json").data["base"]["branch"]

    assert base() == "main"
    repo.git("branch", "develop")
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/develop")
    assert base() == "develop"
    repo.git("symbolic-ref", "--delete", "refs/remotes/origin/HEAD")
    repo.git("branch", "-m", "main", "master")
    assert base() == "master"
    repo.git("branch", "-m", "master", "trunk")
    assert base() == "trunk"


def test_another_base_can_be_named_and_must_be_there(repo: GitRepo) -> None:
    repo.git("branch", "old")
    repo.append(LOG, event(2))
    repo.commit()
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert counts(listed(repo.path, "--base", "old")[str(repo.path)]) == (1, 0, 0)
    assert counts(listed(repo.path, "--base", "origin/main")[str(repo.path)]) == (0, 0, 0)
    for name in ("nowhere", "../../HEAD", "--all"):
        answer = ask(repo.path, "worktrees", f"--base={name}", "--json")
        assert (answer.code, answer.error["code"]) == (4, "not-found")
        assert "old" in answer.error["hint"]


def test_linked_work_trees_of_a_bare_repository_are_listed_without_it(repo: GitRepo, tmp_path: Path) -> None:
    bare = GitRepo(tmp_path / "bare.git")
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare.path))
    one = bare.worktree(tmp_path / "one", "one")
    one.append(LOG, event(2))
    rows = listed(one.path)
    assert {name: counts(row) for name, row in rows.items()} == {str(one.path): (1, 1, 0), "main": (0, 0, 0)}


def test_before_the_first_commit_everything_is_uncommitted(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "new")
    feature_in(repo, event(1))
    assert counts(listed(repo.path)[str(repo.path)]) == (1, 1, 0)
    assert "(no commit)" in ask(repo.path, "worktrees").out


def test_with_no_commit_on_the_main_branch_others_hold_all_they_have(repo: GitRepo) -> None:
    repo.git("branch", "-m", "main", "side")
    repo.git("checkout", "-q", "--orphan", "trunk")
    repo.git("rm", "-rfq", "--cached", ".")
    rows = listed(repo.path)
    assert counts(rows["side"]) == (1, 0, 0)
    assert counts(rows[str(repo.path)]) == (1, 1, 0)


def test_what_cannot_be_read_is_said_and_the_rest_is_counted(repo: GitRepo, tmp_path: Path) -> None:
    repo.branch("damaged")
    repo.append(LOG, b"oops\n" + event(2))
    repo.commit()
    one = repo.worktree(tmp_path / "one", "one")
    (one.path / LOG).unlink()
    (one.path / LOG).symlink_to("nothing")
    headless = repo.worktree(tmp_path / "headless", "headless")
    (repo.path / ".git/worktrees/headless/HEAD").unlink()
    repo.write(".git/refs/heads/lost", "1" * 40 + "\n")
    book = repo.write(".git/kitty-status/journal/001-feature.jsonl", b"oops\n")
    answer = ask(repo.path, "worktrees", "--json")
    assert answer.code == 0
    said = "\n".join(answer.envelope["warnings"])
    for words in (
        f"1 lines of logs in {repo.path} are damaged",
        f"{LOG} in {one.path} cannot be read",
        f"the HEAD of {headless.path} cannot be read",
        f"what is not committed in {headless.path} could not be asked",
        "commit 1111",
        f"{book} holds lines that are no entries",
    ):
        assert words in said
    rows = {row["worktree"]: row for row in answer.data["worktrees"]}
    assert rows[str(repo.path)]["unmerged_events"] == 1


def test_outside_git_and_inside_a_bare_repository_there_are_none(tmp_path: Path) -> None:
    bare = GitRepo.init(tmp_path / "bare.git", bare=True)
    for folder in (tmp_path, bare.path):
        answer = ask(folder, "worktrees", "--json")
        assert (answer.code, answer.error["code"]) == (2, "outside-repository")
