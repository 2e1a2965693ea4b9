"""What is done when git is done: snapshots that git left behind their logs, and nothing that could disturb git."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features import FEATURE, LOG, SNAPSHOT, emit, event_line, feature_repo, install, reduction
from gitrepo import GitRepo
from kitty_status.git.drivers import bootstrap
from kitty_status.git.hooks import INSIDE, SWITCH
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker import after_git
from kitty_status.tracker.features import feature_at

HEAVY = {"re", "json", "typing", "subprocess", "pathlib", "dataclasses", "enum", "site", "hashlib", "datetime"}
QUOTED = shlex.quote(f":/{SNAPSHOT}")
ADD = f"git add -- {QUOTED}"
COMMIT = f"git commit -m 'Make the snapshots from their logs' -- {QUOTED}"


def record_log_alone(repo: GitRepo, *numbers: int) -> None:
    """Commit events and leave the snapshot as it was, as a clone without the tool may."""
    repo.append(LOG, b"".join(event_line(number) for number in numbers))
    repo.git("commit", "-q", "--no-verify", "-m", f"the log alone {numbers}", "--", LOG)


def is_exact(repo: GitRepo, tmp_path: Path) -> bool:
    return repo.read(SNAPSHOT) == reduction(repo.read(LOG), tmp_path / "reduction")


def said_by(repo: GitRepo, *command: str, code: int = 0) -> str:
    done = repo.run(*command)
    said = done.stderr.decode()
    assert done.returncode == code, said
    return said


@pytest.fixture
def stale(tmp_path: Path) -> GitRepo:
    """A repository on `main`; on `stale`, one commit on from `main`, the snapshot does not say what the log says."""
    repo = feature_repo(tmp_path / "repo", 1)
    repo.branch("stale")
    record_log_alone(repo, 2)
    repo.switch("main")
    return repo


def go_on(repo: GitRepo, path: str = "other") -> None:
    repo.write(path, path)
    repo.commit(path)


def test_a_fast_forward_writes_the_snapshot_and_says_how_to_commit_it(stale: GitRepo, tmp_path: Path) -> None:
    said = said_by(stale, "merge", "-q", "stale")

    assert is_exact(stale, tmp_path)
    lines = [line.strip() for line in said.splitlines()]
    assert (SNAPSHOT in lines, lines[-2:]) == (True, [ADD, COMMIT])
    for command in (ADD, COMMIT):
        subprocess.run(shlex.split(command), cwd=stale.path / FEATURE, check=True, capture_output=True)
    assert stale.git("status", "--porcelain") == ""


def test_a_merge_of_logs_whose_snapshot_only_one_side_changed_is_made_right(stale: GitRepo, tmp_path: Path) -> None:
    emit(stale, 3)
    stale.commit("ours")

    said = said_by(stale, "merge", "-q", "--no-edit", "stale")

    assert COMMIT in said
    assert stale.git("log", "-1", "--format=%p").count(" ") == 1
    assert is_exact(stale, tmp_path)


def test_after_a_squash_the_snapshot_goes_into_the_commit_that_follows(stale: GitRepo, tmp_path: Path) -> None:
    said = said_by(stale, "merge", "-q", "--squash", "stale")

    assert (ADD in said, "git commit" in said) == (True, False)
    stale.git("add", SNAPSHOT)
    stale.git("commit", "-q", "-m", "squashed")
    assert is_exact(stale, tmp_path)


def test_a_snapshot_that_git_ignores_is_written_and_not_to_be_committed(stale: GitRepo, tmp_path: Path) -> None:
    for branch in ("stale", "main"):
        stale.switch(branch)
        stale.git("rm", "-q", "--cached", SNAPSHOT)
        stale.write(".git/info/exclude", "status.json\n")
        stale.git("commit", "-q", "-m", f"no snapshot on {branch}")

    said = said_by(stale, "merge", "-q", "--no-edit", "stale")

    assert is_exact(stale, tmp_path)
    assert "written anew" in said
    assert "git add" not in said


def test_a_feature_that_keeps_no_snapshot_gets_none(stale: GitRepo) -> None:
    stale.git("rm", "-q", SNAPSHOT)
    stale.git("commit", "-q", "-m", "no snapshot")

    assert said_by(stale, "merge", "-q", "--no-edit", "stale") == ""
    assert not (stale.path / SNAPSHOT).exists()


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_rebase_onto_a_stale_snapshot_is_mended_at_its_end(stale: GitRepo, tmp_path: Path, backend: str) -> None:
    go_on(stale)

    said = said_by(stale, "rebase", "-q", backend, "stale")

    assert COMMIT in said
    assert is_exact(stale, tmp_path)


@pytest.mark.parametrize("command", ["merge", "rebase"])
def test_where_an_autostash_waits_nothing_is_written_before_it(stale: GitRepo, tmp_path: Path, command: str) -> None:
    go_on(stale)
    emit(stale, 3)

    said = said_by(stale, command, "-q", "--autostash", "stale")

    assert "kitty-status materialize" in said
    assert "conflict" not in said
    assert stale.git("stash", "list") == ""
    assert event_line(3) in stale.read(LOG)
    assert event_line(2) in stale.read(LOG)
    assert stale.git("diff", "--name-only", "--diff-filter=U") == ""
    assert tmp_path.exists()


def test_a_checkout_changes_no_file_that_is_as_committed(stale: GitRepo) -> None:
    said = said_by(stale, "checkout", "-q", "stale")

    assert stale.git("status", "--porcelain") == ""
    assert f"kitty-status materialize {shlex.quote(Path(FEATURE).name)}" in said
    assert said_by(stale, "checkout", "-q", "main") == ""


def test_a_checkout_that_merges_a_changed_log_renews_its_snapshot(stale: GitRepo, tmp_path: Path) -> None:
    stale.branch("elsewhere")
    emit(stale, 3)
    stale.commit("elsewhere")
    stale.switch("main")
    stale.append(LOG, event_line(4))

    said = said_by(stale, "checkout", "-q", "-m", "elsewhere")

    assert "written anew" in said
    assert stale.read(LOG).count(b"\n") == 3
    assert is_exact(stale, tmp_path)


@pytest.mark.parametrize("where", [("checkout", "-q", "--detach", "stale"), ("checkout", "-q", "stale", "--", LOG)])
def test_a_detached_checkout_and_one_of_files_say_and_do_nothing(stale: GitRepo, where: tuple[str, ...]) -> None:
    before = stale.read(SNAPSHOT)

    assert said_by(stale, *where) == ""
    assert stale.read(SNAPSHOT) == before


def test_a_bisection_is_not_disturbed(stale: GitRepo) -> None:
    stale.switch("stale")
    go_on(stale, "one")
    stale.git("bisect", "start", "HEAD", "main")

    assert "kitty-status" not in said_by(stale, "checkout", "-q", "main")


def test_a_new_work_tree_and_a_first_pull_are_quiet(stale: GitRepo, tmp_path: Path) -> None:
    assert b"kitty-status" not in stale.run("worktree", "add", str(tmp_path / "linked é"), "stale").stderr
    empty = GitRepo.init(tmp_path / "empty")
    install(empty)

    assert said_by(empty, "pull", "-q", str(stale.path), "main") == ""


def test_a_damaged_log_is_told_and_the_next_feature_is_still_made_right(stale: GitRepo, tmp_path: Path) -> None:
    other = FEATURE.replace("034", "001")
    stale.switch("stale")
    emit(stale, 1, feature=other)
    stale.append(f"{other}/status.events.jsonl", b"damaged\n")
    stale.git("add", "-A")
    stale.git("commit", "-q", "--no-verify", "-m", "damaged")
    stale.switch("main")

    said = said_by(stale, "merge", "-q", "stale")

    assert f"post-merge: {other}: " in said
    assert "invalid JSON" in said
    assert is_exact(stale, tmp_path)


def test_a_configuration_that_is_wrong_is_told_and_fails_nothing(stale: GitRepo) -> None:
    stale.write(".kittify/config.yaml", "status:\n  lanes: unheard-of\n")

    said = said_by(stale, "merge", "-q", "stale")

    assert "warning: kitty-status post-merge: " in said
    assert "unheard-of" in said


def test_an_unusual_configuration_is_read_although_hooks_run_without_site_packages(
    stale: GitRepo, tmp_path: Path
) -> None:
    stale.write(".kittify/config.yaml", "status: {lanes: auto}\n")

    assert COMMIT in said_by(stale, "merge", "-q", "stale")
    assert is_exact(stale, tmp_path)


def test_a_log_that_is_held_for_too_long_keeps_git_waiting_no_longer(
    stale: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale.git("-c", "core.hooksPath=/dev/null", "merge", "-q", "stale")
    before = stale.read(SNAPSHOT)
    monkeypatch.chdir(stale.path)
    monkeypatch.setattr(after_git, "SECONDS", 0.05)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, feature_at(stale.path / FEATURE).place.lock], stdout=subprocess.PIPE
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    try:
        assert after_git.main(["post-merge", "0"]) == 0
    finally:
        holder.kill()
        holder.communicate()

    assert "not done within 0.05 seconds" in capsys.readouterr().err
    assert stale.read(SNAPSHOT) == before


_HOLD = """
import sys, time
from kitty_status.jsonl.lock import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("variable", [{INSIDE: "1"}, {SWITCH: "0"}])
def test_switched_off_or_in_a_git_of_ours_nothing_is_done(
    stale: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: dict[str, str]
) -> None:
    stale.git("-c", "core.hooksPath=/dev/null", "merge", "-q", "stale")
    before = stale.read(SNAPSHOT)
    monkeypatch.chdir(stale.path)
    for name, value in variable.items():
        monkeypatch.setenv(name, value)

    assert after_git.main(["post-merge", "0"]) == 0

    assert capsys.readouterr().err == ""
    assert stale.read(SNAPSHOT) == before


def test_outside_a_repository_it_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert after_git.main(["post-merge", "0"]) == 0
    assert after_git.main([]) == 0

    assert capsys.readouterr().err.startswith("warning: kitty-status post-merge: ")


def test_what_cannot_be_read_or_loaded_is_a_warning(
    stale: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale.git("-c", "core.hooksPath=/dev/null", "merge", "-q", "stale")
    monkeypatch.chdir(stale.path)
    monkeypatch.setitem(sys.modules, "kitty_status.tracker.refresh", None)

    assert after_git.main(["post-merge", "0"]) == 0

    assert "kitty-status materialize --all" in capsys.readouterr().err


def test_a_work_tree_that_only_variables_connect_is_left_alone(stale: GitRepo, tmp_path: Path) -> None:
    elsewhere = GitRepo(tmp_path / "elsewhere")
    shutil.copytree(stale.path / "kitty-specs", elsewhere.path / "kitty-specs")
    shutil.copy(stale.path / ".gitattributes", elsewhere.path)
    variables = {"GIT_DIR": str(stale.path / ".git"), "GIT_WORK_TREE": str(elsewhere.path)}

    done = elsewhere.run("merge", "-q", "stale", environment=variables)

    assert (done.returncode, done.stderr) == (0, b"")
    assert not (elsewhere.path / FEATURE / ".kitty-status").exists()


def test_a_commit_by_the_command_does_not_wait_for_its_own_lock(stale: GitRepo) -> None:
    with exclusive(feature_at(stale.path / FEATURE).place.lock):
        assert said_by(stale, "commit", "-q", "--allow-empty", "-m", "x") == ""


def calls_and_modules(repo: GitRepo, tmp_path: Path, *argv: str) -> tuple[list[str], set[str]]:
    """Run the hook's process and return which gits it starts and which modules it loads."""
    counting = tmp_path / "bin" / "git"
    counting.parent.mkdir()
    counting.write_text(f'#!/bin/sh\necho "$3" >>"{tmp_path}/calls"\nexec "{shutil.which("git")}" "$@"\n')
    counting.chmod(0o755)
    program = bootstrap("kitty_status.tracker.after_git").replace("o._exit(s)", "print(s,*sys.modules)")
    environment = {**os.environ, "PATH": f"{counting.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, *argv],
        cwd=repo.path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    code, *loaded = done.stdout.split()
    assert (code, done.stderr) == ("0", "")
    calls = tmp_path / "calls"
    return calls.read_text().split() if calls.exists() else [], set(loaded)


@pytest.mark.parametrize(
    ("argv", "gits"),
    [
        (["post-commit"], []),
        (["post-rewrite", "amend"], []),
        (["post-merge", "0"], ["diff-tree"]),
        (["post-merge", "1"], ["diff-index"]),
        (["post-checkout", "HEAD~1", "HEAD", "1"], ["diff-tree", "diff-index"]),
        (["post-checkout", "HEAD", "HEAD", "0"], []),
    ],
)
def test_where_no_status_file_differs_little_is_asked_and_nothing_heavy_loaded(
    stale: GitRepo, tmp_path: Path, argv: list[str], gits: list[str]
) -> None:
    stale.branch("side")
    go_on(stale)
    stale.switch("main")
    stale.git("merge", "-q", "side")

    calls, loaded = calls_and_modules(stale, tmp_path, *argv)

    assert calls == gits
    assert "kitty_status.tracker.after_git" in loaded
    assert loaded & HEAVY == set()


class Here:
    """The hooks' module called in this process, in a repository whose own hooks are off."""

    def __init__(self, repo: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.repo = repo
        self._said = capsys
        repo.git("config", "core.hooksPath", os.devnull)
        monkeypatch.chdir(repo.path)

    def after(self, *argv: str) -> str:
        """Return what the module says after git has done its work."""
        self._said.readouterr()
        assert after_git.main(list(argv)) == 0
        return self._said.readouterr().err


@pytest.fixture
def here(stale: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(stale, monkeypatch, capsys)


def test_after_a_merge_only_what_is_stale_is_written_and_only_once(here: Here, tmp_path: Path) -> None:
    here.repo.git("merge", "-q", "stale")

    assert COMMIT in here.after("post-merge", "0")
    assert is_exact(here.repo, tmp_path)
    assert here.after("post-merge", "0") == ""


def test_after_a_squash_and_for_an_ignored_snapshot_no_commit_is_said(here: Here) -> None:
    here.repo.git("merge", "-q", "--squash", "stale")
    assert here.after("post-merge", "1").endswith(f"{ADD}\n")

    here.repo.git("commit", "-q", "-m", "squashed", "--", LOG)
    here.repo.git("rm", "-q", "--cached", SNAPSHOT)
    here.repo.write(".git/info/exclude", "status.json\n")
    here.repo.write(SNAPSHOT, "{}")
    assert "git add" not in here.after("post-merge", "0")


def test_a_snapshot_that_is_no_json_is_written_anew(here: Here, tmp_path: Path) -> None:
    here.repo.git("merge", "-q", "stale")
    here.repo.write(SNAPSHOT, "<<<<<<< ours\n")

    assert "written anew" in here.after("post-merge", "0")
    assert is_exact(here.repo, tmp_path)


def test_a_name_that_a_terminal_would_obey_is_shown_as_it_is_written(here: Here) -> None:
    folder = "kitty-specs/\x1b[2J"
    here.repo.write(f"{folder}/status.events.jsonl", b"damaged\n")
    here.repo.write(f"{folder}/status.json", "{}")
    here.repo.git("add", "-A")
    here.repo.git("update-ref", "ORIG_HEAD", "HEAD")
    here.repo.git("commit", "-q", "-m", "control")

    said = here.after("post-merge", "0")

    assert "\x1b" not in said
    assert r"kitty-specs/\x1b[2J" in said


@pytest.mark.parametrize("autostash", [True, False])
@pytest.mark.parametrize("folder", ["rebase-merge", "rebase-apply"])
def test_at_the_end_of_a_rebase_its_first_commit_counts(here: Here, folder: str, autostash: bool) -> None:
    before = here.repo.git("rev-parse", "HEAD")
    here.repo.switch("stale")
    here.repo.git("update-ref", "ORIG_HEAD", before)
    here.repo.write(f".git/{folder}/{'orig-head' if folder == 'rebase-merge' else 'next'}", f"{before}\n")
    if autostash:
        here.repo.write(f".git/{folder}/autostash", "a commit\n")

    assert here.after("post-commit") == here.after("post-rewrite", "amend") == ""
    said = here.after("post-rewrite", "rebase")

    assert ("written anew" in said, "kitty-status materialize" in said) == (not autostash, autostash)


def test_a_merge_with_an_autostash_waiting_is_only_told(here: Here) -> None:
    here.repo.git("merge", "-q", "stale")
    here.repo.write(".git/MERGE_AUTOSTASH", "a commit\n")
    before = here.repo.read(SNAPSHOT)

    assert "kitty-status materialize" in here.after("post-merge", "0")
    assert here.repo.read(SNAPSHOT) == before


def test_after_a_checkout_what_is_changed_already_may_be_written(here: Here, tmp_path: Path) -> None:
    before, after = (here.repo.git("rev-parse", name) for name in ("main", "stale"))
    here.repo.switch("stale")
    assert "kitty-status materialize" in here.after("post-checkout", before, after, "1")
    assert here.after("post-checkout", "0" * 40, after, "1") == ""

    here.repo.append(LOG, event_line(4))
    assert "written anew" in here.after("post-checkout", before, after, "1")
    assert is_exact(here.repo, tmp_path)

    here.repo.git("checkout", "-q", "--detach")
    here.repo.write(SNAPSHOT, "{}")
    assert here.after("post-checkout", before, after, "1") == ""


def test_many_stale_snapshots_are_mended_by_one_command(here: Here) -> None:
    features = [f"kitty-specs/{number:03}-feature" for number in range(25)]
    emit(here.repo, 1, feature=features[0])
    for each in features[1:]:
        shutil.copytree(here.repo.path / features[0], here.repo.path / each)
        here.repo.append(f"{each}/status.events.jsonl", event_line(2))
    here.repo.commit("many")
    before, after = (here.repo.git("rev-parse", name) for name in ("main~1", "main"))

    said = here.after("post-checkout", before, after, "1")

    assert said.endswith("kitty-status materialize --all\n")
