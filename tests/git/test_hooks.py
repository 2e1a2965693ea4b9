"""The hooks as git runs them: which fires when, what it is told, and how it lives with a hook that was there before."""

from __future__ import annotations

import os
import subprocess
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from features import FEATURE, LOG, emit, feature_repo, record
from gitrepo import GitRepo
from kitty_status.git import installation
from kitty_status.git.bare import bare_repository
from kitty_status.git.hooks import HOOKS, INSIDE, SWITCH, is_switched_off
from kitty_status.git.repository import Repository, find_repository
from kitty_status.git.run import run_git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READ_STDIN = ("pre-push", "post-rewrite")
BEFORE = [name for name in HOOKS if name.startswith("pre-")]
AFTER = [name for name in HOOKS if name.startswith("post-")]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Put a kitty-status on PATH that writes down how it is called, in place of the interpreter; return its notes."""
    notes = tmp_path / "notes"
    script = tmp_path / "bin é" / "kitty-status"
    script.parent.mkdir()
    said = f'case $2 in {" | ".join(READ_STDIN)}) sed "s/^/    /" ;; esac'
    script.write_text(f'#!/bin/sh\n{{ echo "$*"; {said}; }} >>"{notes}"\nexit ${{FAKE_CODE:-0}}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)
    monkeypatch.setattr("sys.executable", "/no/such/python")

    def noted() -> list[str]:
        lines = notes.read_text().splitlines() if notes.exists() else []
        notes.unlink(missing_ok=True)
        return [line.removeprefix("hook ") for line in lines]

    return noted


def install(repo: GitRepo) -> Repository:
    repository = find_repository(str(repo.path)) or bare_repository(str(repo.path))
    assert repository is not None
    installation.apply(repository)
    return repository


def put(repo: GitRepo, name: str, content: str) -> None:
    repo.write(f".git/hooks/{name}", content).chmod(0o755)


def commit(repo: GitRepo, path: str) -> str:
    repo.write(path, path)
    return repo.commit(path)


@pytest.fixture
def two(repo: GitRepo, calls: Callable[[], list[str]]) -> GitRepo:
    """A repository with our hooks and two branches that have each a commit of their own, `main` checked out."""
    commit(repo, "first")
    repo.branch("side")
    commit(repo, "theirs")
    repo.switch("main")
    commit(repo, "ours")
    install(repo)
    assert calls() == []
    return repo


def test_a_commit_is_checked_before_and_followed_up_after(two: GitRepo, calls: Callable[[], list[str]]) -> None:
    commit(two, "x")

    assert calls() == ["pre-commit", "post-commit"]


def test_a_clean_merge_is_checked_and_followed_up(two: GitRepo, calls: Callable[[], list[str]]) -> None:
    two.git("merge", "-q", "--no-edit", "side")

    assert calls() == ["pre-merge-commit", "post-merge 0"]


def test_a_fast_forward_and_a_squash_are_followed_up(two: GitRepo, calls: Callable[[], list[str]]) -> None:
    two.git("reset", "-q", "--keep", "main~1")
    two.git("merge", "-q", "--squash", "side")
    assert calls() == ["post-merge 1"]
    two.git("reset", "-q", "--merge")

    two.git("merge", "-q", "side")

    assert calls() == ["post-merge 0"]


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_rebase_is_followed_up_once_at_its_end(two: GitRepo, calls: Callable[[], list[str]], backend: str) -> None:
    before = two.git("rev-parse", "HEAD")

    two.git("rebase", "-q", backend, "side")

    noted = [line for line in calls() if not line.startswith("post-checkout")]
    assert noted == ["post-rewrite rebase", f"    {before} {two.git('rev-parse', 'HEAD')}"]


def test_amending_is_told_what_became_of_the_commit(two: GitRepo, calls: Callable[[], list[str]]) -> None:
    before = two.git("rev-parse", "HEAD")

    two.git("commit", "-q", "--amend", "-m", "better")

    after = two.git("rev-parse", "HEAD")
    assert calls() == ["pre-commit", "post-commit", "post-rewrite amend", f"    {before} {after}"]


def test_a_checkout_is_told_from_where_to_where(two: GitRepo, calls: Callable[[], list[str]]) -> None:
    two.switch("side")

    assert calls() == [f"post-checkout {two.git('rev-parse', 'main')} {two.git('rev-parse', 'side')} 1"]


def test_a_cherry_pick_and_a_revert_are_only_followed_up(two: GitRepo, calls: Callable[[], list[str]]) -> None:
    two.git("cherry-pick", "side")
    two.git("revert", "--no-edit", "HEAD")

    assert calls() == ["post-commit", "post-commit"]


def test_a_push_is_told_what_goes_where(two: GitRepo, calls: Callable[[], list[str]], tmp_path: Path) -> None:
    remote = GitRepo.init(tmp_path / "a remote é", bare=True)
    two.git("remote", "add", "origin", str(remote.path))

    two.git("push", "-q", "origin", "main", "side")

    refs = [(name, two.git("rev-parse", name)) for name in ("main", "side")]
    lines = [f"    refs/heads/{name} {oid} refs/heads/{name} {'0' * 40}" for name, oid in refs]
    assert calls() == [f"pre-push origin {remote.path}", *lines]


@pytest.mark.parametrize("name", BEFORE)
def test_a_refusal_of_ours_is_gits(two: GitRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("FAKE_CODE", "1")
    remote = GitRepo.init(tmp_path / "remote", bare=True)
    command = {
        "pre-commit": ("commit", "-q", "--allow-empty", "-m", "x"),
        "pre-merge-commit": ("merge", "-q", "--no-edit", "side"),
        "pre-push": ("push", "-q", str(remote.path), "main"),
    }[name]

    assert two.run(*command).returncode != 0

    assert remote.git("for-each-ref") == ""
    assert two.git("log", "-1", "--format=%s") == "ours"


def test_a_failure_after_git_does_not_fail_git(two: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CODE", "70")

    two.switch("side")

    assert two.git("branch", "--show-current") == "side"


def run_hook(
    repo: GitRepo, name: str, *args: str, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    path = repo.path / ".git" / "hooks" / name
    variables = {**os.environ, **environment}
    return subprocess.run([path, *args], cwd=repo.path, input=stdin, capture_output=True, check=False, env=variables)


@pytest.mark.parametrize("said", [b"a b c d\ne f g h\n", b"no line end", b"\n\n$HOME `x` \\n\n", b""])
@pytest.mark.parametrize("name", HOOKS)
def test_the_hook_that_was_there_goes_first_and_both_are_told_everything(
    repo: GitRepo, calls: Callable[[], list[str]], tmp_path: Path, name: str, said: bytes
) -> None:
    put(repo, name, f'#!/bin/sh\necho "hook theirs $*" >>"{tmp_path}/notes"\ncat >"{tmp_path}/stdin"\n')
    install(repo)

    done = run_hook(repo, name, "one argument", "two", stdin=said)

    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "stdin").read_bytes() == said
    theirs, ours, *told = calls()
    assert (theirs, ours) == ("theirs one argument two", f"{name} one argument two")
    assert [line.removeprefix("    ").encode() for line in told] == (said.splitlines() if name in READ_STDIN else [])


def test_an_earlier_hook_that_reads_nothing_of_a_long_list_breaks_nothing(
    repo: GitRepo, calls: Callable[[], list[str]]
) -> None:
    put(repo, "post-rewrite", "#!/bin/sh\nexit 0\n")
    install(repo)
    line = b"x" * 80 + b"\n"

    done = run_hook(repo, "post-rewrite", "rebase", stdin=line * 5000)

    assert (done.returncode, done.stderr) == (0, b"")
    assert calls() == ["post-rewrite rebase", *["    " + "x" * 80] * 5000]


@pytest.mark.parametrize("name", HOOKS)
def test_the_code_of_the_hook_that_was_there_stands(repo: GitRepo, calls: Callable[[], list[str]], name: str) -> None:
    put(repo, name, "#!/bin/sh\nexit 3\n")
    install(repo)

    assert run_hook(repo, name).returncode == 3

    # Where something can be stopped, it is stopped; where nothing can, ours has its turn.
    assert calls() == ([] if name in BEFORE else [name])


@pytest.mark.parametrize("value", ["0", "false", "OFF", "No"])
@pytest.mark.parametrize("name", HOOKS)
def test_the_switch_turns_ours_off_and_leaves_theirs(
    repo: GitRepo, calls: Callable[[], list[str]], tmp_path: Path, name: str, value: str
) -> None:
    put(repo, name, f'#!/bin/sh\necho "hook theirs" >>"{tmp_path}/notes"\n')
    install(repo)

    assert run_hook(repo, name, KITTY_STATUS=value).returncode == 0

    assert calls() == ["theirs"]
    assert is_switched_off({SWITCH: value})


@pytest.mark.parametrize("value", ["1", "", "yes", "00"])
def test_any_other_value_of_the_switch_leaves_ours_on(
    repo: GitRepo, calls: Callable[[], list[str]], value: str
) -> None:
    install(repo)

    run_hook(repo, "pre-commit", KITTY_STATUS=value)

    assert calls() == ["pre-commit"]
    assert not is_switched_off({SWITCH: value})


def test_in_a_git_that_we_run_checks_are_made_and_nothing_comes_after(
    two: GitRepo, calls: Callable[[], list[str]]
) -> None:
    done = run_git(["commit", "--allow-empty", "-m", "x"], cwd=str(two.path), offline=False)

    assert done.code == 0
    assert calls() == ["pre-commit"]
    assert INSIDE not in os.environ


def test_a_submodule_has_hooks_of_its_own(repo: GitRepo, calls: Callable[[], list[str]], tmp_path: Path) -> None:
    inner = GitRepo.init(tmp_path / "inner")
    inner.commit_empty()
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "parts/an é")
    inside = GitRepo(repo.path / "parts" / "an é")
    install(inside)
    calls()

    commit(inside, "x")

    assert calls() == ["pre-commit", "post-commit"]
    assert (repo.path / ".git/modules/parts/an é/hooks/post-merge").exists()
    assert not (repo.path / ".git/hooks/post-merge").exists()


def test_a_bare_repository_gives_its_work_trees_hooks(
    calls: Callable[[], list[str]], tmp_path: Path, repo: GitRepo
) -> None:
    commit(repo, "first")
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare é.git"))
    bare = GitRepo(tmp_path / "bare é.git")
    repository = install(bare)
    assert installation.status(repository).complete
    linked = bare.worktree(tmp_path / "linked", "side")
    calls()

    commit(linked, "x")

    assert calls() == ["pre-commit", "post-commit"]
    assert bare_repository(str(tmp_path)) is None
    installation.remove(repository)
    assert not (bare.path / "hooks" / "pre-commit").exists()


def test_a_work_tree_that_only_variables_connect_is_checked_too(
    repo: GitRepo, calls: Callable[[], list[str]], tmp_path: Path
) -> None:
    install(repo)
    elsewhere = GitRepo(tmp_path / "else where")
    elsewhere.path.mkdir()
    (elsewhere.path / "x").write_bytes(b"x")
    variables = {"GIT_DIR": str(repo.path / ".git"), "GIT_WORK_TREE": str(elsewhere.path)}

    elsewhere.git("add", "x", environment=variables)
    elsewhere.git("commit", "-q", "-m", "x", environment=variables)

    assert calls() == ["pre-commit", "post-commit"]


def test_a_relative_hooks_path_is_looked_up_in_each_work_tree(
    repo: GitRepo, calls: Callable[[], list[str]], tmp_path: Path
) -> None:
    commit(repo, "first")
    linked = repo.worktree(tmp_path / "linked", "side")
    repo.git("config", "core.hooksPath", ".git/hooks")
    install(repo)

    commit(repo, "x")
    assert calls() == ["pre-commit", "post-commit"]

    # In the linked work tree `.git` is a file: git finds no hook there, and installing from there says so.
    commit(linked, "y")
    assert calls() == []
    assert not installation.status(of(linked)).complete


def of(repo: GitRepo) -> Repository:
    repository = find_repository(str(repo.path))
    assert repository is not None
    return repository


@pytest.fixture
def gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    """A repository whose history has a log, installed with what is no longer there."""
    repo = feature_repo(tmp_path / "repo", 1)
    repo.branch("side")
    record(repo, 2)
    repo.switch("main")
    commit(repo, "no status")
    monkeypatch.setattr("sys.executable", "/no/such/python")
    install(repo)
    folders = [each for each in os.environ["PATH"].split(os.pathsep) if not os.path.exists(f"{each}/kitty-status")]  # noqa: PTH110
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    return repo


def test_without_the_tool_a_clean_merge_passes_with_a_word(gone: GitRepo) -> None:
    done = gone.run("merge", "--no-edit", "side")

    assert done.returncode == 0
    assert b"warning: kitty-status is not installed any more" in done.stderr


def test_without_the_tool_nothing_comes_after_git(gone: GitRepo) -> None:
    done = gone.run("checkout", "-q", "side")

    assert (done.returncode, done.stderr) == (0, b"")


def test_without_the_tool_a_log_is_not_pushed_unchecked_and_anything_else_is(gone: GitRepo, tmp_path: Path) -> None:
    remote = GitRepo.init(tmp_path / "a remote", bare=True)
    gone.git("remote", "add", "origin", str(remote.path))

    done = gone.run("push", "-q", "origin", "main")
    assert done.returncode == 1
    assert b"error: pre-push: this changes a status log" in done.stderr

    gone.git("push", "-q", "--no-verify", "origin", "main")
    commit(gone, "something else")
    gone.git("push", "-q", "origin", "main")
    gone.git("push", "-q", "origin", "main:another")
    gone.git("push", "-q", "origin", ":another")
    assert gone.run("push", "-q", "origin", "side").returncode == 1
    assert remote.git("log", "-1", "--format=%s", "main") == "something else"


@pytest.mark.parametrize("name", HOOKS)
def test_what_a_hook_runs_is_there(name: str) -> None:
    assert callable(import_module(HOOKS[name]).main)


def test_a_push_that_takes_a_line_away_is_stopped_and_any_other_passes(tmp_path: Path) -> None:
    repo = feature_repo(tmp_path / "repo", 1, 2)
    remote = GitRepo.init(tmp_path / "a remote é", bare=True)
    repo.git("remote", "add", "origin", str(remote.path))
    repo.git("push", "-q", "origin", "main")
    repo.write(LOG, repo.read(LOG).splitlines(keepends=True)[0])
    repo.git("commit", "-q", "--no-verify", "-a", "-m", "a line less")

    done = repo.run("push", "-q", "origin", "main")

    assert (done.returncode, LOG.encode() in done.stderr) == (1, True)
    assert remote.git("log", "-1", "--format=%s") != "a line less"
    assert repo.run("push", "-q", "origin", "main", environment={SWITCH: "0"}).returncode == 0


def test_a_merge_that_drops_their_lines_is_stopped(tmp_path: Path) -> None:
    repo = feature_repo(tmp_path / "repo", 1)
    repo.branch("side")
    record(repo, 2)
    repo.switch("main")
    commit(repo, "ours")

    done = repo.run("merge", "--no-edit", "-s", "ours", "side")

    assert done.returncode == 1
    assert b"1 lines of " in done.stderr
    assert b"kitty-status: the commit was stopped" in done.stderr
    assert repo.git("log", "-1", "--format=%s") == "ours"


def test_a_clean_merge_that_brings_damage_is_stopped(tmp_path: Path) -> None:
    repo = feature_repo(tmp_path / "repo", 1)
    repo.branch("side")
    emit(repo, 2)
    repo.append(LOG, b"damaged\n")
    repo.git("commit", "-q", "--no-verify", "-a", "-m", "damaged")
    repo.switch("main")
    commit(repo, "ours")

    done = repo.run("merge", "--no-edit", "side")

    assert done.returncode == 1
    assert f"{LOG}:3: invalid JSON: damaged".encode() in done.stderr


def test_switched_off_git_merges_a_log_as_without_the_tool(tmp_path: Path) -> None:
    repo = feature_repo(tmp_path / "repo", 1)
    for name, number in (("theirs", 2), ("ours", 3)):
        repo.git("checkout", "-q", "-b", name, "main")
        emit(repo, number)
        repo.git("commit", "-q", "--no-verify", "-m", name, "--", LOG)
        repo.git("checkout", "-q", "--", FEATURE)

    done = repo.run("merge", "--no-edit", "theirs", environment={SWITCH: "0"})

    assert done.returncode == 0
    assert b"its merge driver did not run, so git kept the lines of both sides" in done.stderr
    assert repo.read(LOG).count(b"\n") == 3


def test_switched_off_a_snapshot_conflicts_plainly(tmp_path: Path) -> None:
    repo = feature_repo(tmp_path / "repo", 1)
    for name, number in (("theirs", 2), ("ours", 3)):
        repo.git("checkout", "-q", "-b", name, "main")
        record(repo, number)

    done = repo.run("merge", "--no-edit", "theirs", environment={SWITCH: "off"})

    assert done.returncode == 1
    assert repo.git("ls-files", "-z", "--unmerged", "--format=%(path)").rstrip("\0").split("\0")[0].endswith("json")
