"""Bare repositories, as hosts have them: what looks at history works there, and what needs files says so."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from commandline import KITTY, LOG, SLUG, ask, emit, feature_in
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path

UPDATE = """#!/bin/sh
case $1 in refs/heads/*) ;; *) exit 0 ;; esac
case $3 in *[!0]*) ;; *) exit 0 ;; esac
case $2 in *[!0]*) base="--base $2" ;; *) base= ;; esac
{kitty} audit --head "$3" $base >&2
"""
PRE_RECEIVE = """#!/bin/sh
while read -r old new name; do {kitty} audit --head "$new" --base "$old" >&2 || exit 1; done
"""


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository with two events in two commits."""
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    repo.commit("the feature")
    emit(repo.path, "WP01", "claimed", "--commit")
    emit(repo.path, "WP02", "claimed", "--commit")
    return repo


@pytest.fixture
def host(repo: GitRepo, tmp_path: Path) -> GitRepo:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "host é.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "host é.git"))
    return GitRepo(tmp_path / "host é.git")


def cut(repo: GitRepo) -> None:
    """Commit that the last line is gone."""
    repo.write(LOG, repo.read(LOG).splitlines(keepends=True)[0])
    repo.git("commit", "-q", "-a", "--no-verify", "-m", "cut")


def test_audit_looks_at_the_history_of_a_bare_repository(repo: GitRepo, host: GitRepo) -> None:
    for args, commits in (([], 3), ([SLUG], 3), (["--since", "HEAD~1"], 2), (["--base", "HEAD~1"], 1)):
        answer = ask(host.path, "audit", *args, "--json")
        assert (answer.code, answer.data["commits"], answer.data["passed"]) == (0, commits, True)
    assert ask(host.path / "refs", "audit").code == 0
    cut(repo)
    repo.git("push", "-q", "origin", "main")

    answer = ask(host.path, "audit", "--base", "HEAD~1", "--json")

    assert (answer.code, [each["code"] for each in answer.data["findings"]]) == (1, ["line-removed"])


def test_an_empty_bare_repository_has_nothing_to_find(tmp_path: Path) -> None:
    assert ask(GitRepo.init(tmp_path / "empty.git", bare=True).path, "audit").code == 0


@pytest.mark.parametrize(("hook", "script"), [("update", UPDATE), ("pre-receive", PRE_RECEIVE)])
def test_a_host_can_refuse_a_push_that_takes_lines_away(repo: GitRepo, host: GitRepo, hook: str, script: str) -> None:
    host.write(f"hooks/{hook}", script.format(kitty=shlex.quote(KITTY))).chmod(0o755)
    emit(repo.path, "WP03", "claimed", "--commit")
    repo.git("push", "-q", "origin", "main")
    before = host.git("rev-parse", "main")
    assert before == repo.git("rev-parse", "main")
    cut(repo)

    refused = repo.run("push", "-q", "origin", "main")

    assert (refused.returncode, host.git("rev-parse", "main")) == (1, before)
    assert b"the line was removed" in refused.stderr


def test_the_hook_of_a_host_passes_a_first_push_a_tag_and_a_branch_that_is_deleted(
    repo: GitRepo, tmp_path: Path
) -> None:
    host = GitRepo.init(tmp_path / "new.git", bare=True)
    host.write("hooks/update", UPDATE.format(kitty=shlex.quote(KITTY))).chmod(0o755)
    repo.git("tag", "-a", "-m", "v1", "v1")
    repo.branch("side")

    repo.git("push", "-q", str(host.path), "main", "side", "v1")
    repo.git("push", "-q", str(host.path), ":side")

    assert host.git("for-each-ref", "--format=%(refname)").split() == ["refs/heads/main", "refs/tags/v1"]


def test_past_states_are_shown_and_compared(host: GitRepo) -> None:
    assert ask(host.path, "show", SLUG, "--at", "HEAD~1", "--json").data["work_packages"].keys() == {"WP01"}
    assert SLUG in ask(host.path, "show", "--at", "HEAD").out
    assert [
        each["wp_id"] for each in ask(host.path, "diff", "HEAD~1..HEAD", "--json").data["features"][0]["moved"]
    ] == ["WP02"]
    answer = ask(host.path, "diff", "HEAD~1", "--json")
    assert (answer.code, answer.error["code"]) == (2, "usage")
    assert "REV..REV" in answer.error["hint"]


@pytest.mark.parametrize(
    "command",
    [
        ["show", SLUG],
        ["log", SLUG, "--blame"],
        ["emit", "WP01", "--to", "claimed", "--actor", "ada"],
        ["resolve", SLUG],
        ["worktrees"],
        ["show", "--worktrees"],
        ["reconcile-journal"],
        ["discard", "01KJ0000000000000000000000", "--reason", "a slip"],
    ],
)
def test_what_needs_files_says_that_there_are_none(host: GitRepo, command: list[str]) -> None:
    answer = ask(host.path, *command, "--json")

    assert (answer.code, answer.error["code"]) == (2, "outside-repository")
    assert "is a bare repository" in answer.error["message"]
    assert "`show --at REV`" in answer.error["hint"]
