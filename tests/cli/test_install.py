"""`install` at the edges: by hand, in a bare repository, beside others; and the hooks as they are called by name."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, KITTY, LOG, ask, feature_in, kitty, tree
from gitrepo import GitRepo
from kitty_status import __main__
from kitty_status.git.hooks import HOOKS

if TYPE_CHECKING:
    from pathlib import Path


def test_by_hand_every_line_is_printed_and_nothing_written(repo: GitRepo) -> None:
    before = tree(repo.path)

    text = ask(repo.path, "install", "--manual")
    changes = ask(repo.path, "install", "--manual", "--json").data["changes"]

    assert tree(repo.path) == before
    assert (text.code, text.err) == (0, "")
    assert {change["state"] for change in changes} == {"manual"}
    for change in changes:
        assert all(f"\n    {line}\n" in text.out for line in change["details"])
    drivers = next(change for change in changes if change["what"] == "merge drivers")
    assert [shlex.split(line)[2] for line in drivers["details"]] == [
        "merge.kitty-status-log.driver",
        "merge.kitty-status-log.name",
        "merge.kitty-status-snapshot.driver",
        "merge.kitty-status-snapshot.name",
        "merge.kitty-status-view.driver",
        "merge.kitty-status-view.name",
    ]


def test_the_lines_to_add_are_said_where_another_tool_owns_the_hooks(repo: GitRepo) -> None:
    repo.git("config", "core.hooksPath", ".husky/_")

    answer = ask(repo.path, "install")

    assert answer.code == 0
    for name in HOOKS:
        assert f"add this line to {repo.path}/.husky/{name}:\n    kitty-status hook {name} " in answer.out
    assert ask(repo.path, "install", "--status").code == 1


def test_a_bare_repository_and_its_work_trees_share_an_installation(repo: GitRepo, tmp_path: Path) -> None:
    repo.commit_empty()
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    bare = GitRepo(tmp_path / "bare")

    assert ask(bare.path, "install").code == 0

    assert ask(bare.path / "refs", "install", "--status").code == 0
    linked = bare.worktree(tmp_path / "linked", "side")
    assert ask(linked.path, "install", "--status").code == 0
    assert ask(linked.path, "uninstall").code == 0
    assert ask(bare.path, "install", "--status").code == 1


def test_two_hooks_by_name_do_what_git_would_have_them_do(repo: GitRepo) -> None:
    feature_in(repo, b"damaged\n")
    repo.git("add", "-A")

    refused = kitty(repo.path, "hook", "pre-commit")
    assert (refused.code, f"{LOG}:1: invalid JSON: damaged" in refused.err) == (1, True)
    assert kitty(repo.path, "hook", "pre-commit", KITTY_STATUS="0").code == 0
    assert kitty(repo.path, "hook", "post-commit").err == ""
    assert kitty(repo.path / FOLDER, "hook", "post-checkout", "--help").code == 0


def test_switched_off_a_merge_driver_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x\n")

    answer = kitty(tmp_path, "merge-driver", "log", "a", "a", "a", "path", KITTY_STATUS="off")

    assert (answer.code, answer.out, answer.err) == (70, "", "")


@pytest.mark.parametrize(("name", "code"), [("pre-commit", 70), ("post-merge", 0)])
def test_a_bug_in_a_hook_is_said_and_fails_only_what_can_still_be_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    class Bug:
        @staticmethod
        def main(argv: list[str]) -> int:
            raise KeyError(argv[0])

    ended: list[int] = []
    monkeypatch.setattr(__main__, "import_module", lambda _module: Bug)
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    try:
        __main__._serve_git(HOOKS[name], "hook", name)
    except KeyError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    assert ended == [code]
    assert capsys.readouterr().err == f"kitty-status: KeyError: '{name}'\n"


def test_every_hook_is_answered_to_when_asked_for_and_does_nothing_else(repo: GitRepo, tmp_path: Path) -> None:
    feature_in(repo, b"damaged\n")
    repo.git("add", "-A")
    for name in ("pre-commit", "pre-merge-commit", "post-commit", "post-merge", "post-checkout", "post-rewrite"):
        asked = tmp_path / name
        asked.write_bytes(b"")
        done = subprocess.run(
            [KITTY, "hook", name],
            cwd=repo.path,
            env={**os.environ, "KITTY_STATUS_PROBE": str(asked)},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr, asked.read_text()) == (0, b"", f"{name}\n")
