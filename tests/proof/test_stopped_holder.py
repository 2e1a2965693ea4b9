"""A process that was stopped while it held the lock: others wait no longer than their deadline, and name it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from commandline import LOG, SLUG, ask, emit, feature_in
from gitrepo import GitRepo
from kitty_status.jsonl.lock import exclusive
from kitty_status.tracker.moving import emit as emitting

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import os, signal, sys
from kitty_status.jsonl.lock import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped on this system")
def test_a_stopped_holder_is_named_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    feature_in(repo, b"")
    emit(repo.path, "WP01", "claimed")
    before = repo.read(LOG)
    lock = repo.path / ".git/kitty-status/locks" / f"{SLUG}.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        os.waitpid(holder.pid, os.WUNTRACED)
        with monkeypatch.context() as patch:
            patch.setattr(emitting, "exclusive", partial(exclusive, timeout=0.2))
            arguments = ("emit", "WP02", "--to", "claimed", "--actor", "ada", "--feature", SLUG, "--json")
            answer = ask(repo.path, *arguments)
        assert (answer.code, answer.error["code"], answer.error["retryable"]) == (6, "busy", True)
        assert f"held by process {holder.pid} on " in answer.error["message"]
        assert repo.read(LOG) == before
    finally:
        holder.send_signal(signal.SIGCONT)
        holder.communicate(timeout=30)
    emit(repo.path, "WP02", "claimed")
