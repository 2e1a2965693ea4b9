"""Repositories with another one beside them: what clones fetch from, and what is pushed to."""

from __future__ import annotations

from features import declare, diverge, record
from gitrepo import GitRepo

OTHER = ".git/other"


def _clone_of_another(repo: GitRepo) -> None:
    """Make the repository that this one is to be a clone of."""
    there = GitRepo.init(repo.path / OTHER)
    declare(there)
    record(there, *range(10, 14))
    record(there, 1, 2)
    diverge(there)
    there.git("config", "uploadpack.allowFilter", "true")
    repo.git("remote", "add", "origin", OTHER)


def shallow(repo: GitRepo) -> None:
    _clone_of_another(repo)
    repo.git("fetch", "-q", "--depth=3", "origin", "ours:ours", "theirs:theirs")
    repo.switch("ours")


def partial(repo: GitRepo) -> None:
    _clone_of_another(repo)
    repo.git("config", "remote.origin.promisor", "true")
    repo.git("fetch", "-q", "--filter=blob:none", "origin", "ours:ours", "theirs:theirs")
    repo.switch("ours")
    assert any(line.startswith("?") for line in repo.git("rev-list", "--objects", "--all", "--missing=print").split())


def remote(repo: GitRepo) -> None:
    record(repo, 1, 2)
    diverge(repo)
    GitRepo.init(repo.path / OTHER, bare=True)
    repo.git("remote", "add", "origin", OTHER)
    repo.git("push", "-q", "origin", "ours~1:refs/heads/ours")


def pushed(repo: GitRepo) -> None:
    remote(repo)
    repo.git("push", "-q", "origin", "ours")
