"""The push hook, run by a real git push: a line that the remote has, or that a commit brought, does not go away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from features import FEATURE, LOG, event_line, log_of
from gitrepo import GitRepo
from kitty_status.git import pre_push
from kitty_status.git.pre_push import Update, check_push, parse_updates

if TYPE_CHECKING:
    from kitty_status.git.pre_commit import Report

OTHER = "kitty-specs/002-other/status.events.jsonl"
STUB = f"#!/bin/sh\nexec '{Path(sys.executable).with_name('kitty-status')}' hook pre-push \"$@\"\n"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A clone with the hook, whose log of 1 and 2 the remote has."""
    GitRepo.init(tmp_path / "remote.git", bare=True)
    repo = GitRepo.init(tmp_path / "repo")
    repo.git("remote", "add", "origin", "../remote.git")
    repo.write(".git/hooks/pre-push", STUB).chmod(0o755)
    commit(repo, log_of(1, 2))
    assert push(repo) == (0, "")
    return repo


def commit(repo: GitRepo, log: bytes, path: str = LOG) -> str:
    repo.write(path, log)
    return repo.commit()


def push(repo: GitRepo, *args: str) -> tuple[int, str]:
    done = repo.run("push", "-q", "origin", *(args or ("main",)))
    return done.returncode, done.stderr.decode()


def stopped(repo: GitRepo, *args: str) -> str:
    before = GitRepo(repo.path.parent / "remote.git").git("for-each-ref")
    code, said = push(repo, *args)
    assert code == 1, said
    assert "kitty-status: the push was stopped; nothing was changed\n" in said
    assert GitRepo(repo.path.parent / "remote.git").git("for-each-ref") == before
    return said


def checked(repo: GitRepo, local: str, remote: str = "", *, name: str = "refs/heads/x") -> Report:
    return check_push(str(repo.path), "origin", [Update(name, local, remote)])


def test_lines_that_are_added_pass_in_silence(repo: GitRepo) -> None:
    commit(repo, log_of(1, 2, 3))
    assert push(repo) == (0, "")
    assert push(repo, "main:refs/heads/new", "HEAD:refs/tags/v1") == (0, "")


def test_a_line_that_is_removed_stops_the_push_and_the_hint_leads_on(repo: GitRepo) -> None:
    commit(repo, log_of(1, 2, 3))
    bad = commit(repo, log_of(1, 3))
    commit(repo, log_of(1, 3, 4))

    said = stopped(repo)

    parent = repo.git("rev-parse", f"{bad}~1")[:12]
    assert f"error: {LOG}: commit {bad[:12]} has lines 1 removed, among them {{" in said
    assert f"`kitty-status audit --base {parent} --head {bad[:12]}` says more" in said
    commit(repo, log_of(1, 3, 4, 2))
    code, said = push(repo)
    assert (code, "line-removed" in said, "that were put back" in said) == (0, True, True)


def test_a_line_that_is_edited_stops_the_push_of_a_new_branch_and_of_a_tag(repo: GitRepo) -> None:
    repo.branch("work")
    commit(repo, log_of(1, 2).replace(b"actor 2", b"mallory"))

    assert "has lines 1 edited, among them" in stopped(repo, "work")
    repo.git("tag", "-a", "-m", "a tag", "v1")
    assert "has lines 1 edited, among them" in stopped(repo, "v1")
    assert "has lines 1 edited, among them" in stopped(repo, "work", "main")


def test_what_the_remote_has_already_is_not_looked_at_again(repo: GitRepo) -> None:
    bad = commit(repo, log_of(1))
    repo.git("push", "-q", "--no-verify", "origin", "main")
    commit(repo, log_of(1, 3))

    assert push(repo) == (0, "")
    assert checked(repo, bad).problems == []
    assert len(check_push(str(repo.path), "", [Update("x", bad, "")]).problems) == 1


def test_a_forced_push_that_leaves_lines_of_the_remote_behind_is_stopped(repo: GitRepo) -> None:
    tip = commit(repo, log_of(1, 2, 3))
    assert push(repo) == (0, "")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    commit(repo, log_of(1, 2, 4))

    said = stopped(repo, "--force", "main")

    assert f"error: {LOG}: the remote has {tip[:12]}, and " in said
    assert "in its place has lines 1 removed" in said
    assert f"`git merge {tip[:12]}` brings them back" in said
    repo.git("merge", "-q", "-X", "ours", "-m", "merge", tip)
    commit(repo, log_of(1, 2, 3, 4))
    assert push(repo, "--force", "main")[0] == 0


def test_a_forced_push_of_the_same_lines_in_other_commits_passes(repo: GitRepo) -> None:
    commit(repo, log_of(1, 2, 3))
    assert push(repo) == (0, "")
    repo.git("commit", "-q", "--amend", "-m", "another message")
    repo.append(LOG, event_line(4))
    repo.git("commit", "-qa", "--amend", "--no-edit")

    assert push(repo, "--force", "main") == (0, "")


def test_a_forced_push_that_leaves_a_whole_feature_of_the_remote_behind_is_stopped(repo: GitRepo) -> None:
    commit(repo, log_of(3), OTHER)
    assert push(repo) == (0, "")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.commit_empty()

    assert f"error: {OTHER}: the remote has" in stopped(repo, "--force", "main")


def test_a_feature_that_a_pushed_commit_deletes_is_a_warning(repo: GitRepo) -> None:
    repo.git("rm", "-rq", FEATURE)
    repo.commit()
    code, said = push(repo)
    assert (code, said.startswith(f"warning: {LOG}: feature-deleted by commit ")) == (0, True)
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "delete it")
    code, said = push(repo, "--force", "main")
    assert (code, "error: " in said) == (0, False)


def test_a_feature_that_is_deleted_by_rewritten_history_is_a_warning(repo: GitRepo) -> None:
    commit(repo, log_of(1, 2, 3))
    assert push(repo) == (0, "")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("rm", "-rq", FEATURE)
    repo.commit()

    code, said = push(repo, "--force", "main")

    assert (code, f"warning: {LOG}: the push deletes the feature, with 3 lines" in said) == (0, True)


def test_a_tip_of_the_remote_that_is_not_here_is_told_and_stops_nothing(repo: GitRepo, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(tmp_path / "remote.git"), str(tmp_path / "other")], check=True)
    other = GitRepo(tmp_path / "other")
    other.write(LOG, log_of(1, 2, 9))
    tip = other.commit()
    other.git("push", "-q", "origin", "main")
    commit(repo, log_of(1, 2, 3))

    code, said = push(repo, "--force", "main")

    assert code == 0
    assert f"warning: refs/heads/main: origin has {tip[:12]}, which this clone does not have" in said
    assert "`git fetch origin` brings it" in said


def test_what_is_known_to_be_wrong_stops_a_push_over_an_unknown_tip(repo: GitRepo) -> None:
    report = checked(repo, commit(repo, log_of(1)), "1" * 40)

    assert len(report.problems) == len(report.warnings) == 1


def test_deleting_a_branch_of_the_remote_is_none_of_our_business(repo: GitRepo) -> None:
    assert push(repo, "main:refs/heads/old") == (0, "")
    assert push(repo, ":refs/heads/old") == (0, "")


def test_what_git_cannot_walk_is_pushed_with_a_warning_and_the_rest_is_checked(repo: GitRepo) -> None:
    bad = commit(repo, log_of(1))
    updates = [Update("refs/heads/lost", "1" * 40, ""), Update("refs/heads/main", bad, "")]

    report = check_push(str(repo.path), "origin", updates)

    assert [warning.partition(":")[0] for warning in report.warnings] == ["refs/heads/lost is pushed unchecked"]
    assert len(report.problems) == 1


def test_a_tag_of_a_file_has_no_history_to_check(repo: GitRepo) -> None:
    repo.git("tag", "file", repo.git("rev-parse", f"HEAD:{LOG}"))
    assert push(repo, "file") == (0, "")


def test_outside_a_repository_it_warns_and_lets_the_push_go(tmp_path: Path) -> None:
    report = check_push(str(tmp_path), "origin", [Update("x", "1" * 40, "2" * 40)])

    assert report.problems == []
    assert report.warnings[0].startswith("the push goes on unchecked: ")
    assert check_push(str(tmp_path), "origin", []).warnings == []


@pytest.mark.usefixtures("repo")
def test_a_partial_clone_says_what_it_could_not_compare(tmp_path: Path) -> None:
    remote = GitRepo(tmp_path / "remote.git")
    remote.git("config", "uploadpack.allowFilter", "true")
    subprocess.run(
        ["git", "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{remote.path}", str(tmp_path / "part")],
        check=True,
    )
    part = GitRepo(tmp_path / "part")
    part.git("read-tree", "HEAD")
    new = part.run("hash-object", "-w", "--stdin", stdin=log_of(1)).stdout.decode().strip()
    part.git("update-index", "--cacheinfo", f"100644,{new},{LOG}")
    part.git("commit", "-q", "-m", "tamper")

    report = checked(part, part.git("rev-parse", "HEAD"))

    assert report.problems == []
    assert report.warnings == [f"{LOG}: not every version is in this clone, so it was checked in part only"]


def test_a_huge_push_is_looked_at_in_part_and_says_so(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pre_push, "MOST_COMMITS", 2)
    commit(repo, log_of(1))
    repo.commit_empty()
    repo.commit_empty()

    report = checked(repo, repo.git("rev-parse", "HEAD"))

    assert report.problems == []
    assert report.warnings == ["only the newest 2 of the commits that are pushed were checked"]


def test_lines_in_another_order_are_not_worth_a_word(repo: GitRepo) -> None:
    commit(repo, log_of(2, 1, 3))
    assert push(repo) == (0, "")


def test_from_a_linked_work_tree_and_a_subfolder_it_is_the_same(repo: GitRepo, tmp_path: Path) -> None:
    linked = repo.worktree(tmp_path / "linked é", "linked")
    commit(linked, log_of(2))

    assert "lines 1 removed" in stopped(linked, "linked")
    done = subprocess.run(
        ["git", "push", "-q", "origin", "linked"], cwd=linked.path / FEATURE, capture_output=True, check=False
    )
    assert (done.returncode, b"lines 1 removed" in done.stderr) == (1, True)


def test_lines_of_the_hook_that_say_nothing_are_passed_over() -> None:
    zeros = "0" * 40
    given = [
        "refs/heads/a 1 refs/heads/b 2",
        f"(delete) {zeros} refs/heads/c 3",
        f"refs/heads/d 4 x {zeros}",
        "odd",
        "",
    ]

    updates = [(each.name, each.local, each.remote) for each in parse_updates(given)]

    assert updates == [("refs/heads/a", "1", "2"), ("refs/heads/d", "4", "")]
