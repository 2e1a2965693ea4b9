"""Every exit code of the table, as a process gives it, with its error as one JSON object; and no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from commandline import FOLDER, KITTY, LOG, SLUG, Answer, ask, feature_in, kitty, wait_until_it_waits
from events import instant, line, ulid
from gitrepo import GitRepo
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.features import Project

CLAIM = line(event_id=ulid(1), at=instant(1))
EMIT = ("emit", "WP01", "--feature", SLUG, "--actor")
CODES = {
    (0, ""): ("show", SLUG),
    (1, ""): ("materialize", SLUG, "--check"),
    (2, "usage"): ("show", "--nonsense"),
    (2, "invalid-name"): ("show", ".."),
    (3, "move-refused"): (*EMIT, "ada", "--to", "done"),
    (4, "not-found"): ("show", "nowhere"),
    (5, "held-by-other"): (*EMIT, "grace", "--to", "claimed"),
    (5, "conflicting-event"): (*EMIT, "grace", "--to", "claimed", "--event-id", ulid(1)),
}
_BUG = """
import sys
from kitty_status.cli import show
from kitty_status.cli.run import run
def broken(project):
    raise RuntimeError("a \\x1b bug")
show.Project = broken
sys.argv[1:] = ["show", "--json"]
sys.exit(run())
"""

_AS_NOBODY = """
import os, sys
from kitty_status.cli import application
from kitty_status.cli.run import run
application.build()
import kitty_status.tracker.moving.evidence
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
code = run()
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
"""


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen([KITTY, *args], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer_of(process: subprocess.Popen[str]) -> Answer:
    out, err = process.communicate()
    return Answer(process.returncode, out, err)


@pytest.mark.parametrize(("code", "name"), CODES)
def test_a_process_ends_with_the_code_of_the_table(repo: GitRepo, code: int, name: str) -> None:
    feature_in(repo, CLAIM)
    answer = kitty(repo.path, *CODES[code, name], "--json")
    assert answer.code == code
    if name:
        assert answer.error["code"] == name
        assert answer.error["retryable"] is False
    else:
        assert answer.envelope["data"]
    assert "Traceback" not in answer.err


def test_a_damaged_log_is_7_and_names_the_line(repo: GitRepo) -> None:
    feature_in(repo, CLAIM + b"oops\n")
    for args in (("show", SLUG), ("log", SLUG), ("materialize", SLUG), (*EMIT, "ada", "--to", "blocked")):
        answer = ask(repo.path, *args, "--json")
        assert (answer.code, answer.error["code"]) == (7, "damaged")
        assert answer.error["context"]["line"] == 2
    overview = ask(repo.path, "show")
    assert overview == Answer(7, f"{SLUG}  damaged\n", overview.err)
    assert overview.err.startswith(f"warning: {SLUG}: Line 2: invalid JSON: ")
    assert ask(repo.path, "show", "--json").data[0]["damaged"].startswith("Line 2")


def test_a_last_line_that_can_become_none_is_damage_to_readers_and_set_aside_by_the_next_event(repo: GitRepo) -> None:
    feature_in(repo, CLAIM + b"not json")
    assert ask(repo.path, "show", SLUG).code == 7
    assert ask(repo.path, *EMIT, "ada", "--to", "blocked").code == 0
    assert ask(repo.path, "show", SLUG, "--json").data["event_count"] == 2
    assert [copy.read_bytes() for copy in repo.path.glob(".git/kitty-status/quarantine/*")] == [b"not json"]


def test_a_log_that_is_a_symbolic_link_is_7_and_what_it_leads_to_is_not_touched(repo: GitRepo) -> None:
    target = repo.write("elsewhere", CLAIM)
    (feature_in(repo) / "status.events.jsonl").symlink_to(target)
    for args in (("show", SLUG), ("log", SLUG), ("materialize", SLUG), (*EMIT, "ada", "--to", "blocked")):
        answer = ask(repo.path, *args, "--json")
        assert (answer.code, answer.error["code"]) == (7, "unsafe-log")
    assert ask(repo.path, "validate", SLUG).code == 1
    assert target.read_bytes() == CLAIM


def test_a_lock_that_stays_held_is_6_and_worth_another_try(repo: GitRepo) -> None:
    feature_in(repo, CLAIM)
    with exclusive(Project(repo.path).feature(SLUG).place.lock):
        answer = kitty(repo.path, *EMIT, "ada", "--to", "blocked", "--json")
    assert (answer.code, answer.error["code"], answer.error["retryable"]) == (6, "busy", True)
    assert answer.error["context"]["pid"] == os.getpid()
    assert repo.read(LOG) == CLAIM


def test_an_interrupted_process_is_130_and_has_written_nothing(repo: GitRepo) -> None:
    feature_in(repo, CLAIM)
    lock = Project(repo.path).feature(SLUG).place.lock
    with exclusive(lock):
        process = start(repo.path, *EMIT, "ada", "--to", "blocked", "--json")
        wait_until_it_waits(process, lock)
        process.send_signal(signal.SIGINT)
        answer = answer_of(process)
    assert (answer.code, answer.error["code"]) == (130, "interrupted")
    assert "Traceback" not in answer.err
    assert repo.read(LOG) == CLAIM
    assert ask(repo.path, *EMIT, "ada", "--to", "blocked").code == 0


def test_an_interruption_before_the_command_line_is_loaded_is_130_too(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    answer = kitty(tmp_path, "show", PYTHONPATH=str(tmp_path))
    assert answer == Answer(130, "", "")


def test_a_bug_is_70_and_its_traceback_is_shown_on_request_only(tmp_path: Path) -> None:
    for debug in ("", "1"):
        done = subprocess.run(
            [Path(KITTY).with_name("python"), "-c", _BUG],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "KITTY_STATUS_DEBUG": debug},
        )
        assert (done.returncode, done.stdout) == (70, "")
        assert ("Traceback" in done.stderr) is bool(debug)
        error = Answer(70, "", done.stderr.splitlines()[-1]).error
        assert error["message"] == "this is a bug in kitty-status: RuntimeError: a \x1b bug"
        assert "KITTY_STATUS_DEBUG=1" in error["hint"]


def test_an_error_of_ours_has_a_traceback_on_request_only(repo: GitRepo) -> None:
    quiet, loud = (kitty(repo.path, "show", "nowhere", KITTY_STATUS_DEBUG=debug) for debug in ("", "1"))
    assert (quiet.code, loud.code) == (4, 4)
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err
    assert loud.err.endswith(quiet.err)


def as_nobody(folder: Path, *args: str) -> Answer:
    """Run a command without the rights of root, with the modules that root's home may hold loaded before."""
    argv = [sys.executable, "-c", _AS_NOBODY, *args]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)


def test_a_folder_that_may_not_be_written_is_refused_in_words_and_reading_works() -> None:
    with tempfile.TemporaryDirectory() as name:
        repo = GitRepo.init(Path(name) / "repo")
        Path(name).chmod(0o755)
        feature_in(repo, CLAIM)
        everything = [repo.path, *repo.path.rglob("*")]
        for path in everything:
            path.chmod(0o555 if path.is_dir() else 0o444)
        read = as_nobody(repo.path, "show", SLUG, "--json")
        refused = as_nobody(repo.path, *EMIT, "ada", "--to", "blocked", "--json")
        init = as_nobody(repo.path, "init")
        for path in everything:
            path.chmod(0o755)
        assert read.envelope["kind"] == "show"
        assert (refused.code, refused.error["code"]) == (2, "operating-system")
        assert "Permission denied" in refused.error["message"]
        assert init.code == 2
        assert init.err.startswith("error: ")
        assert repo.read(LOG) == CLAIM


def test_a_wreck_in_a_folder_that_may_not_be_written_is_refused_and_a_dry_run_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The repository belongs to root, which git takes for an attack on nobody.
    for number, text in (("COUNT", "1"), ("KEY_0", "safe.directory"), ("VALUE_0", "*")):
        monkeypatch.setenv(f"GIT_CONFIG_{number}", text)
    with tempfile.TemporaryDirectory() as name:
        repo = GitRepo.init(Path(name) / "repo")
        Path(name).chmod(0o755)
        feature_in(repo, CLAIM)
        commit = repo.commit()
        repo.append(LOG, b"oops\n")
        everything = [repo.path, *repo.path.rglob("*")]
        for path in everything:
            path.chmod(0o555 if path.is_dir() else 0o444)
        planned = as_nobody(repo.path, "resolve", SLUG, "--dry-run", "--json")
        refused = as_nobody(repo.path, "resolve", SLUG, "--json")
        (repo.path / LOG).chmod(0o644)
        repo.write(LOG, CLAIM)
        reverted = as_nobody(repo.path, "revert", commit, "--actor", "ada", "--json")
        for path in everything:
            path.chmod(0o755)
        assert planned.data[0]["is_needed"] is True
        for answer in (refused, reverted):
            assert (answer.code, answer.error["code"]) == (2, "operating-system")
        assert repo.read(LOG) == CLAIM


def test_a_full_disk_behind_stdout_is_said_without_a_traceback(repo: GitRepo) -> None:
    feature_in(repo, CLAIM)
    for args in (("show",), ("--help",), ("--version",)):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run([KITTY, *args], cwd=repo.path, stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 6
        assert done.stderr.startswith(b"error: ")
        assert b"Traceback" not in done.stderr


def test_a_pipe_that_closes_early_is_no_error(repo: GitRepo) -> None:
    log = b"".join(line(event_id=ulid(number), at=instant(1), wp_id=f"WP{number}") for number in range(1, 4000))
    feature_in(repo, log)
    command = f"'{KITTY}' show {SLUG} | head -n 1; '{KITTY}' --help | true"
    done = subprocess.run(["sh", "-c", command], cwd=repo.path, capture_output=True, text=True, check=False)
    assert done.stdout == f"{SLUG}: 3999 claimed\n"
    assert done.stderr == ""


def test_what_is_unknown_is_2_with_a_suggestion(tmp_path: Path) -> None:
    for args, said in ((("shwo",), "Did you mean 'show'"), (("show", "--jsn"), "--jsn"), (("emit",), "Missing")):
        answer = ask(tmp_path, *args)
        assert answer.code == 2
        assert said in answer.err
        assert "kitty-status --help" in answer.err


def test_where_there_are_no_features_show_says_what_one_is(repo: GitRepo) -> None:
    answer = ask(repo.path, "show", "--json")
    assert (answer.code, answer.error["hint"]) == (4, "a feature is a folder kitty-specs/NAME")


def test_outside_git_moving_works_and_what_needs_git_says_so(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    for args in (("init",), ("install",), ("uninstall",), (*EMIT, "ada", "--to", "claimed", "--commit")):
        answer = ask(tmp_path, *args, "--json")
        assert (answer.code, answer.error["code"]) == (2, "outside-repository")
    assert list((tmp_path / FOLDER).iterdir()) == []
    moved = ask(tmp_path, *EMIT, "ada", "--to", "claimed", "--json")
    assert (moved.code, moved.envelope["next"]) == (0, [])
    assert ask(tmp_path, "show").out == f"{SLUG}  1 claimed\n"
    assert ask(tmp_path, "validate", FOLDER).code == 0


def test_git_finds_the_command_as_its_own(repo: GitRepo) -> None:
    feature_in(repo, CLAIM)
    path = f"{Path(KITTY).parent}{os.pathsep}{os.environ['PATH']}"
    assert repo.git("kitty-status", "show", environment={"PATH": path}) == f"{SLUG}  1 claimed"
    assert repo.git("kitty-status", "--version", environment={"PATH": path}).startswith("kitty-status ")


def test_plumbing_called_wrongly_says_how_git_calls_it(tmp_path: Path) -> None:
    for args, hint in ((("hook", "update", "a", "b"), "hook pre-commit"), (("merge-driver", "x", "a"), "%O %A %B %P")):
        answer = ask(tmp_path, *args)
        assert answer.code == 2
        assert hint in answer.err


def test_a_folder_in_the_place_of_a_snapshot_is_named(repo: GitRepo) -> None:
    repo.write(f"{FOLDER}/status.json/x", "")
    answer = ask(repo.path, "materialize", "--all")
    assert (answer.code, answer.out) == (2, "")
    assert f"{FOLDER}/status.json: Is a directory" in answer.err
