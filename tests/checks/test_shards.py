"""What lies among the writers' files, and keeps git from having the tree that a snapshot names, is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features import FEATURE
from kitty_status.checks.validate import validate
from kitty_status.status.validation import ODD_LOG_FOLDER, WARNING
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import feature_at
from shards import SHARDS, divided_repo, refresh, shard

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return divided_repo(tmp_path / "repo")


def odd(repo: GitRepo) -> list[tuple[str, str]]:
    feature = feature_at(repo.path / FEATURE)
    findings = [each for each in validate(feature, Config()).findings if each.code == ODD_LOG_FOLDER]
    assert all(each.severity == WARNING and each.line is None for each in findings)
    return [(each.path, each.hint) for each in findings]


@pytest.mark.parametrize("name", ["README.md", ".keep", "deeper/ada.jsonl"])
def test_a_file_of_nobody_among_those_of_the_writers_is_reported(repo: GitRepo, name: str) -> None:
    assert odd(repo) == []
    repo.write(f"{SHARDS}/{name}", "x")
    refresh(repo)
    repo.git("add", "-A")
    assert repo.git("write-tree", f"--prefix={SHARDS}/") not in repo.read(f"{FEATURE}/status.json").decode()
    assert odd(repo) == [(f"{SHARDS}/{name.split('/', maxsplit=1)[0]}", "move it out of the folder")]


def test_a_writers_file_that_may_be_executed_is_reported(repo: GitRepo) -> None:
    path = repo.path / shard("ada é")
    path.chmod(0o755)
    assert odd(repo) == [(shard("ada é"), "`chmod -x` takes that from it")]
    path.chmod(0o644)
    assert odd(repo) == []


def test_what_a_write_has_left_unfinished_and_a_folder_without_writers_are_passed_over(repo: GitRepo) -> None:
    repo.write(f"{SHARDS}/.shared.jsonl.abc.tmp", "x")
    assert odd(repo) == []
    (repo.path / f"{SHARDS}/.shared.jsonl.abc.tmp").unlink()
    (repo.path / shard("ada é")).unlink()
    repo.write(f"{SHARDS}/README.md", "x")
    repo.git("checkout", "-q", "--", ".")
    (repo.path / shard("ada é")).rename(repo.path / FEATURE / "status.events.jsonl")
    assert odd(repo) == []
