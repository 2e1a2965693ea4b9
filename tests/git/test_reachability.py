"""Hooks are fired in every work tree, and nothing else happens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commandline import KITTY, tree
from features import declare, install, install_and_lose, no_tool_on_path
from gitrepo import GitRepo
from kitty_status.git.hook_entry import PROBE
from kitty_status.git.hook_stubs import call_in
from kitty_status.git.hooks import HOOKS
from kitty_status.git.reachability import Reach, reach_of_hooks
from kitty_status.git.repository import find_repository


def reach(repo: GitRepo) -> list[Reach]:
    """Fire, and hold the firing to its promise that nothing else happens."""
    repository = find_repository(str(repo.path))
    assert repository is not None
    before = tree(repo.path)
    found = reach_of_hooks(repository)
    assert tree(repo.path) == before
    return found


def states(repo: GitRepo, worktree: Path | None = None) -> set[str]:
    at = str(worktree or repo.path)
    return {each.state for each in reach(repo) if each.worktree == at}


def words(repo: GitRepo) -> str:
    return "\n".join(each.words for each in reach(repo))


def put(path: Path, content: str, mode: int = 0o755) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)


def call_everything(folder: Path, words: str = "kitty-status hook {name} || exit $?") -> None:
    """Put hooks into a folder that call ours, and would be noticed if they were run themselves."""
    for name in HOOKS:
        put(folder / name, f"#!/bin/sh\ntouch ran\n{words.format(name=name)}\n")


@pytest.fixture
def installed(repo: GitRepo) -> GitRepo:
    declare(repo)
    install(repo)
    return repo


def test_every_hook_of_ours_answers(installed: GitRepo) -> None:
    assert [(each.hook, each.state) for each in reach(installed)] == [(name, "reached") for name in HOOKS]


def test_every_hook_answers_in_every_work_tree(installed: GitRepo, tmp_path: Path) -> None:
    other = installed.worktree(tmp_path / "it's é", "other")
    assert states(installed) == {"reached"}
    assert states(installed, other.path) == {"reached"}
    assert {each.worktree for each in reach(other)} == {str(installed.path), str(other.path)}


def test_git_that_cannot_run_hooks_on_request_is_not_needed(
    installed: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitty_status.git.reachability.git_version", lambda _: (2, 30))
    assert states(installed) == {"reached"}


def test_hooks_that_are_switched_off_for_now_are_reached_all_the_same(
    installed: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITTY_STATUS", "0")
    assert states(installed) == {"reached"}


def test_a_hook_that_was_there_before_is_not_run(repo: GitRepo) -> None:
    for name in HOOKS:
        put(repo.path / ".git/hooks" / name, "#!/bin/sh\ntouch ran\nexit 1\n")
    declare_without_hooks(repo)
    install(repo)
    assert states(repo) == {"reached"}
    assert not (repo.path / "ran").exists()


def declare_without_hooks(repo: GitRepo) -> None:
    repo.git("-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "first")


def test_nothing_installed_is_missing(repo: GitRepo) -> None:
    assert states(repo) == {"missing"}


def test_a_hook_that_may_not_be_executed_is_told_from_one_that_is_missing(installed: GitRepo) -> None:
    (installed.path / ".git/hooks/pre-commit").chmod(0o644)
    assert {each.hook: each.state for each in reach(installed)}["pre-commit"] == "not-executable"


def test_a_folder_in_the_place_of_a_hook_is_no_hook(repo: GitRepo) -> None:
    (repo.path / ".git/hooks/pre-commit").mkdir(parents=True)
    assert states(repo) == {"missing"}


def test_a_hook_of_somebody_else_is_not_run(repo: GitRepo) -> None:
    for name in HOOKS:
        put(repo.path / ".git/hooks" / name, "#!/bin/sh\ntouch ran\n# kitty-status hook pre-commit\n")
    assert states(repo) == {"foreign"}
    assert not (repo.path / "ran").exists()


def test_a_stub_that_cannot_be_asked_is_not_run(repo: GitRepo) -> None:
    put(repo.path / ".git/hooks/pre-commit", "#!/bin/sh\n# kitty-status hook: pre-commit\ntouch ran\n")
    assert {each.hook: each.state for each in reach(repo)}["pre-commit"] == "outdated"
    assert not (repo.path / "ran").exists()


def test_a_stub_whose_python_is_gone_is_silent(repo: GitRepo) -> None:
    repo.commit_empty()
    install_and_lose(repo)
    with no_tool_on_path():
        assert states(repo) == {"silent"}
        assert "it ended with code 0 and said nothing" in words(repo)


def test_a_relative_hooks_path_is_looked_up_in_each_work_tree(
    installed: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = installed.worktree(tmp_path / "other", "other")
    monkeypatch.setenv("PATH", str(Path(KITTY).parent), prepend=os.pathsep)
    installed.git("config", "core.hooksPath", "tools/hooks")
    call_everything(installed.path / "tools/hooks")
    assert states(installed) == {"reached"}
    assert states(installed, other.path) == {"missing"}
    assert not (installed.path / "ran").exists()


def test_husky_s_scripts_stand_one_folder_above(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(KITTY).parent), prepend=os.pathsep)
    repo.git("config", "core.hooksPath", ".husky/_")
    for name in HOOKS:
        put(repo.path / ".husky/_" / name, '#!/usr/bin/env sh\n. "$(dirname "$0")/h"')
    assert states(repo) == {"foreign"}
    call_everything(repo.path / ".husky")
    assert states(repo) == {"reached"}


def test_a_call_of_ours_that_is_not_on_path_is_silent(repo: GitRepo) -> None:
    call_everything(repo.path / ".git/hooks")
    with no_tool_on_path():
        assert states(repo) == {"silent"}
        assert "kitty-status: not found" in words(repo)


def test_a_call_is_made_as_it_stands_there(repo: GitRepo) -> None:
    call_everything(repo.path / ".git/hooks", f"{Path(KITTY).parent}/kitty-status hook {{name}} || exit $?")
    with no_tool_on_path():
        assert states(repo) == {"reached"}


def test_a_call_that_only_a_shell_can_read_is_replaced_by_a_plain_one(repo: GitRepo) -> None:
    call_everything(repo.path / ".git/hooks", "$(touch ran)kitty-status hook {name} || exit $?")
    with no_tool_on_path():
        assert states(repo) == {"silent"}
    assert not (repo.path / "ran").exists()


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("kitty-status hook pre-commit || exit $?", "kitty-status hook pre-commit"),
        ("  /opt/bin/kitty-status hook pre-commit", "/opt/bin/kitty-status hook pre-commit"),
        ("lint && .venv/bin/kitty-status hook pre-commit", ".venv/bin/kitty-status hook pre-commit"),
        ("# kitty-status hook pre-commit", None),
        ("kitty-status hook pre-push", None),
    ],
)
def test_a_call_is_read_out_of_a_script(line: str, call: str | None) -> None:
    assert call_in(f"#!/bin/sh\n{line}\n".encode(), "pre-commit") == call


def test_hooks_in_git_s_configuration_are_found_and_called_alone(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitty_status.git.reachability.git_version", lambda _: (2, 54))
    monkeypatch.setenv("PATH", str(Path(KITTY).parent), prepend=os.pathsep)
    for name in HOOKS:
        repo.git("config", f"hook.theirs-{name}.event", name)
        repo.git("config", f"hook.theirs-{name}.command", "touch ran")
        repo.git("config", f"hook.kitty-status-{name}.event", name)
        repo.git("config", f"hook.kitty-status-{name}.command", f"kitty-status hook {name}")
    assert states(repo) == {"reached"}
    assert not (repo.path / "ran").exists()


def test_an_older_git_does_not_run_the_hooks_of_its_configuration(repo: GitRepo) -> None:
    repo.git("config", "hook.kitty-status.event", "pre-commit")
    repo.git("config", "hook.kitty-status.command", "kitty-status hook pre-commit")
    assert states(repo) == {"missing"}


@pytest.mark.parametrize("name", HOOKS)
def test_a_variable_that_was_left_behind_switches_no_hook_off(
    installed: GitRepo, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(PROBE, str(tmp_path / "gone"))
    installed.write("kitty-specs/a/status.events.jsonl", b"junk\n")
    installed.git("add", "-A")
    done = installed.run("commit", "-m", "x")
    assert name in HOOKS
    assert done.returncode == 1
    assert b"the commit was stopped" in done.stderr
    assert not (tmp_path / "gone").exists()
