"""Two writers against git commands that rewrite the work tree under them: every acknowledged event is kept.

Without the journal the same loops lose up to three quarters of what was acknowledged: git takes no lock,
and replaces the log between a writer's append and its next look. `make crash` runs them longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from events import line, ulid
from features import declare, install
from gitrepo import GitRepo
from kitty_status import read_events
from kitty_status.git.repository import find_repository
from kitty_status.status.layout import PER_WRITER, SINGLE
from kitty_status.tracker.journal.reconcile import reconcile
from proof.writer import SLUG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = f"kitty-specs/{SLUG}"
LOGS = {
    SINGLE: (f"{FOLDER}/status.events.jsonl", f"{FOLDER}/status.events.jsonl"),
    PER_WRITER: (f"{FOLDER}/status.events.d/shared.jsonl", f"{FOLDER}/status.events.d/side-abcdefgh.jsonl"),
}
ROUNDS = int(os.environ.get("KITTY_STATUS_PROOF_ROUNDS", "12"))
# git does the same things to the files of either layout: where there are few rounds, one in four will do.
IS_LONG = ROUNDS > 12
WRITER = str(Path(__file__).with_name("writer.py"))


def commit_all_and_merge(repo: GitRepo, number: int) -> None:
    # A writer's own file is not tracked at first.
    repo.git("add", "-A", FOLDER, check=False)
    repo.git("commit", "-q", "-m", f"round {number}", check=False)
    repo.git("merge", "-q", "--no-edit", f"side~{ROUNDS - number}", check=False)
    repo.git("merge", "--abort", check=False)


def refused_merge(repo: GitRepo, number: int) -> None:
    repo.git("merge", "-q", "--ff-only", f"side~{ROUNDS - number}", check=False)
    repo.git("merge", "-q", "--no-edit", f"side~{ROUNDS - number}", check=False)
    repo.git("merge", "--abort", check=False)


def stash_and_pop(repo: GitRepo, _number: int) -> None:
    repo.git("stash", "push", "-q", check=False)
    repo.git("stash", "pop", "-q", check=False)


def stash_and_drop(repo: GitRepo, _number: int) -> None:
    repo.git("stash", "push", "-q", check=False)
    repo.git("stash", "drop", "-q", check=False)


def pull_and_rebase(repo: GitRepo, number: int) -> None:
    repo.git("push", "-q", "origin", f"side~{ROUNDS - number}:refs/heads/upstream", "--force", check=False)
    repo.git("pull", "-q", "--rebase", "--autostash", "origin", "upstream", check=False)
    repo.git("rebase", "--abort", check=False)


def commit_and_rebase(repo: GitRepo, number: int) -> None:
    # A writer's own file is not tracked at first.
    repo.git("add", "-A", FOLDER, check=False)
    repo.git("commit", "-q", "-m", f"round {number}", check=False)
    repo.git("rebase", "-q", "--autostash", f"side~{ROUNDS - number}", check=False)
    repo.git("rebase", "--abort", check=False)


def change_branches(repo: GitRepo, _number: int) -> None:
    repo.git("checkout", "-q", "twin", check=False)
    repo.git("checkout", "-q", "side", check=False)
    repo.git("checkout", "-q", "main", check=False)


def reset_hard(repo: GitRepo, _number: int) -> None:
    repo.git("reset", "-q", "--hard", check=False)


def check_out_the_file_and_clean(repo: GitRepo, _number: int) -> None:
    repo.git("checkout", "-q", "--", FOLDER, check=False)
    repo.git("clean", "-q", "-f", "-d", "-x", check=False)


def keep_house(repo: GitRepo, number: int) -> None:
    repo.git("gc", "-q", "--prune=now", check=False)
    repo.git("worktree", "add", "-q", "--detach", f"../linked-{number}", check=False)
    repo.git("worktree", "remove", "--force", f"../linked-{number}", check=False)


LOOPS = [
    commit_all_and_merge,
    refused_merge,
    stash_and_pop,
    stash_and_drop,
    pull_and_rebase,
    commit_and_rebase,
    change_branches,
    reset_hard,
    check_out_the_file_and_clean,
    keep_house,
]


@pytest.fixture(params=[SINGLE, PER_WRITER])
def layout(request: pytest.FixtureRequest) -> str:
    """In one file, or in one file for each writer."""
    return str(request.param)


@pytest.fixture
def repo(tmp_path: Path, layout: str) -> GitRepo:
    """A repository with the drivers, a branch `side` whose commits each add an event, and a remote.

    Snapshots are ignored: who merges while others write would be asked about them at every merge.
    """
    first, log_of_side = LOGS[layout]
    origin = GitRepo.init(tmp_path / "origin.git", bare=True)
    repo = GitRepo.init(tmp_path / "repo")
    declare(repo)
    install(repo)
    repo.write(".gitignore", "status.json\n")
    repo.write(first, line(event_id=ulid(0), wp_id="WP-first"))
    repo.write("notes", "first\n")
    repo.commit("the first event")
    repo.git("branch", "twin")
    repo.branch("side")
    for number in range(1, ROUNDS + 1):
        repo.append(log_of_side, line(event_id=ulid(number), wp_id=f"WP-side-{number}"))
        repo.commit(f"side {number}")
    repo.git("checkout", "-q", "main")
    repo.git("remote", "add", "origin", str(origin.path))
    return repo


def writing(repo: GitRepo, folder: Path, layout: str) -> Iterator[None]:
    """Let two processes write while the caller goes on; end once both have stopped."""
    stop = folder / "stop"
    writers = [
        subprocess.Popen(
            [sys.executable, WRITER, str(repo.path), name, str(folder / name), str(stop), layout],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("ada", "ben")
    ]
    while not all((folder / name).exists() and (folder / name).read_bytes() for name in ("ada", "ben")):
        assert all(writer.poll() is None for writer in writers), [writer.communicate() for writer in writers]
    yield
    stop.touch()
    for writer in writers:
        out, err = writer.communicate(timeout=120)
        assert (writer.returncode, err) == (0, ""), out


def kept(repo: GitRepo) -> set[str]:
    """Bring back what the journal holds, on every branch, and return the event ids that the logs hold then."""
    repository = find_repository(str(repo.path))
    assert repository is not None
    found: set[str] = set()
    for branch in ("side", "twin", "main"):
        repo.git("checkout", "-q", "-f", branch)
        reconcile(repository)
        found |= {event.event_id for event in read_events(repo.path / FOLDER)}
        repo.git("add", "-A", FOLDER)
        repo.git("commit", "-q", "-m", f"what {branch} holds", check=False)
    return found


@pytest.mark.parametrize("command", LOOPS)
def test_every_acknowledged_event_is_kept(
    repo: GitRepo, tmp_path: Path, layout: str, command: Callable[[GitRepo, int], None]
) -> None:
    for _ in writing(repo, tmp_path, layout):
        for number in range(1, ROUNDS + 1, 1 if IS_LONG or layout == SINGLE else 4):
            command(repo, number)
    acknowledged = {row for name in ("ada", "ben") for row in (tmp_path / name).read_text().split()}
    assert len(acknowledged) >= 2
    assert acknowledged - kept(repo) == set()
