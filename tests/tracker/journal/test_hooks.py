"""The journal and the hooks of an installed clone: settled by a commit, brought back by whatever git does next."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, ask, feature_in, kitty
from gitrepo import GitRepo

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL = f".git/kitty-status/journal/{SLUG}.jsonl"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.init(tmp_path / "répo with spaces")
    feature_in(repo, b"")
    ask(repo.path, "init")
    ask(repo.path, "install", "--no-trial")
    moved(repo, "WP01")
    repo.commit("first")
    return repo


def moved(repo: GitRepo, wp: str, *args: str) -> str:
    answer = ask(repo.path, "emit", wp, "--to", "claimed", "--actor", "ada", "-f", SLUG, "--json", *args)
    assert answer.code == 0, answer
    return str(answer.data["event"]["event_id"])


def journaled(repo: GitRepo) -> list[str]:
    return [json.loads(json.loads(row)["line"])["event_id"] for row in repo.read(JOURNAL).splitlines()]


def test_a_commit_settles_what_it_holds(repo: GitRepo) -> None:
    assert journaled(repo) == []
    event = moved(repo, "WP02")
    assert journaled(repo) == [event]
    repo.commit("WP02")
    assert journaled(repo) == []


def test_a_commit_by_the_command_settles_it_too(repo: GitRepo) -> None:
    moved(repo, "WP02", "--commit")
    assert journaled(repo) == []
    done = kitty(repo.path, "emit", "WP03", "--to", "claimed", "--actor", "ada", "-f", SLUG, "--commit")
    assert done.code == 0
    assert journaled(repo) == []


def test_a_checkout_of_the_log_gives_back_at_once_what_it_took_and_says_so(repo: GitRepo) -> None:
    event = moved(repo, "WP02")
    done = repo.run("checkout", "--", FOLDER)
    assert f"an event away that was not committed: {event} (WP02 to claimed) is back in {LOG}" in done.stderr.decode()
    assert event.encode() in repo.read(LOG)


def test_after_a_stash_the_next_commit_of_anything_brings_the_event_back(repo: GitRepo) -> None:
    event = moved(repo, "WP02")
    repo.git("stash", "push", "-q")
    assert event.encode() not in repo.read(LOG)
    repo.write("other", "file")
    repo.git("add", "other")
    repo.git("commit", "-q", "-m", "another file")
    assert event.encode() in repo.read(LOG)


def test_a_fast_forward_with_an_autostash_is_not_disturbed(repo: GitRepo) -> None:
    repo.branch("side")
    repo.write("other", "file")
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    event = moved(repo, "WP02")
    done = repo.run("merge", "--autostash", "side")
    assert done.returncode == 0, done.stderr
    assert repo.git("stash", "list") == ""
    assert repo.read(LOG).count(event.encode()) == 1


def test_a_hook_that_is_switched_off_leaves_it_to_the_next_write(repo: GitRepo) -> None:
    event = moved(repo, "WP02")
    repo.git("checkout", "--", FOLDER, environment={"KITTY_STATUS": "0"})
    assert event.encode() not in repo.read(LOG)
    moved(repo, "WP03")
    assert event.encode() in repo.read(LOG)


def stashed(repo: GitRepo) -> None:
    """Set other work aside together with an event that is not committed."""
    repo.write("work", "half done")
    repo.git("add", "work")
    moved(repo, "WP02")
    repo.git("stash", "push", "-q")


def test_a_stash_from_before_the_log_went_on_comes_back_once_the_log_is_committed(repo: GitRepo) -> None:
    stashed(repo)
    answer = ask(repo.path, *f"emit WP03 --to claimed --actor ada -f {SLUG} --json".split())
    for refused in (("stash", "pop"), ("stash", "branch", "afterwards")):
        assert b"would be overwritten by merge" in repo.run(*refused).stderr
        repo.git("checkout", "-q", "main")
    assert repo.git("stash", "list").count("\n") == 0

    for command in answer.envelope["next"]:
        repo.git(*shlex.split(command)[1:])
    repo.git("stash", "pop", "-q")

    log = repo.read(LOG)
    assert [log.count(f'"{wp}"'.encode()) for wp in ("WP01", "WP02", "WP03")] == [1, 1, 1]
    assert (repo.read("work"), repo.git("stash", "list")) == (b"half done", "")
    assert ask(repo.path, "validate", SLUG).code == 0
    assert journaled(repo) == []


def test_a_stash_becomes_a_branch_where_nothing_was_written_since(repo: GitRepo) -> None:
    stashed(repo)
    repo.git("stash", "branch", "afterwards")
    assert (b"WP02" in repo.read(LOG), repo.read("work")) == (True, b"half done")
