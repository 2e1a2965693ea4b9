"""The commit hook as git runs it: from which folder, on which index, and what the process costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from features import FEATURE, LOG, SNAPSHOT, emit, feature_repo, record
from gitrepo import GitRepo
from kitty_status.git.drivers import bootstrap

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"re", "json", "typing", "subprocess", "pathlib", "dataclasses", "enum", "site", "hashlib", "datetime"}
OTHER = "kitty-specs/other"


@pytest.fixture
def feature(tmp_path: Path) -> GitRepo:
    """A repository with the hook installed, whose log holds the events 1 and 2."""
    return feature_repo(tmp_path / "repo", 1, 2)


@pytest.mark.parametrize("options", [("-a",), ("--", LOG, SNAPSHOT), ("--include", LOG, SNAPSHOT)])
def test_it_reads_the_index_that_this_commit_is_made_from(feature: GitRepo, options: tuple[str, ...]) -> None:
    feature.append(LOG, b"damaged\n")

    done = feature.run("commit", "-q", "-m", "not staged before", *options)

    assert done.returncode == 1
    assert f"{LOG}:3: invalid JSON: damaged".encode() in done.stderr
    assert feature.git("diff", "--cached", "--name-only") == ""


def test_what_is_staged_besides_a_partial_commit_does_not_stop_it(feature: GitRepo) -> None:
    record(feature, 7, feature=OTHER)
    feature.append(f"{OTHER}/status.events.jsonl", b"damaged\n")
    feature.git("add", "-A")
    emit(feature, 3)

    feature.git("commit", "-q", "-m", "only this", "--", LOG, SNAPSHOT)

    assert feature.git("show", "--format=", "--name-only", "-z", "HEAD") == f"{LOG}\0{SNAPSHOT}\0"
    assert feature.run("commit", "-q", "-m", "the rest").returncode == 1


@pytest.mark.parametrize("folder", ["src", FEATURE])
def test_it_works_from_any_folder_and_from_a_linked_work_tree(feature: GitRepo, tmp_path: Path, folder: str) -> None:
    linked = feature.worktree(tmp_path / "linked one", "linked")
    for repo in (feature, linked):
        (repo.path / folder).mkdir(exist_ok=True)
        here = GitRepo(repo.path / folder)
        repo.append(LOG, b"damaged\n")
        repo.git("add", "-A")
        done = here.run("commit", "-q", "-m", "damaged")
        assert done.returncode == 1
        assert f"{LOG}:3: invalid JSON: damaged".encode() in done.stderr

        repo.git("checkout", "-q", "HEAD", "--", LOG)
        emit(repo, 3)
        repo.git("add", "-A")
        here.git("commit", "-q", "-m", "sound")


def run_hook(repo: GitRepo) -> set[str]:
    """Run the hook's process on what is staged and return the modules it has loaded."""
    program = bootstrap("kitty_status.git.pre_commit").replace("o._exit(s)", "print(s,*sys.modules)")
    argv = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(argv, cwd=repo.path, capture_output=True, text=True, check=True)
    code, *loaded = done.stdout.split()
    assert (code, done.stderr) == ("0", "")
    return set(loaded)


def test_a_commit_that_is_fine_loads_nothing_heavy(feature: GitRepo) -> None:
    emit(feature, 3)
    feature.git("add", "-A")

    loaded = run_hook(feature)

    assert "kitty_status.git.pre_commit" in loaded
    assert loaded & HEAVY == set()


def test_the_usual_commit_starts_two_gits_and_one_without_status_files_starts_one(
    feature: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = tmp_path / "bin" / "git"
    counting.parent.mkdir()
    counting.write_text(f'#!/bin/sh\necho "$3" >>"{tmp_path}/calls"\nexec "{shutil.which("git")}" "$@"\n')
    counting.chmod(0o755)
    record(feature, 3)
    feature.write("kitty-specs/readme.md", "no log")
    feature.git("add", "-A")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(counting.parent), prepend=os.pathsep)
        run_hook(feature)
    assert (tmp_path / "calls").read_text().split() == ["diff-index"]

    emit(feature, 4)
    feature.git("add", "-A")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(counting.parent), prepend=os.pathsep)
        run_hook(feature)
    assert (tmp_path / "calls").read_text().split() == ["diff-index", "diff-index", "cat-file"]
