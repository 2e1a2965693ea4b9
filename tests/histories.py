"""Random histories of one log: branches that grow, are merged, picked from and rebased, by the real git."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from features import emit, feature_repo

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

BRANCHES = ("main", "left", "right")
STEPS = 6


class History:
    """A repository with three branches, and which events each of them must hold."""

    def __init__(self, repo: GitRepo, seed: int) -> None:
        self.repo = repo
        self.choose = random.Random(seed)  # noqa: S311  nothing secret
        self.count = 0
        self.events: dict[str, set[int]] = {}
        self.commits: list[tuple[str, int]] = []
        for branch in BRANCHES:
            repo.git("checkout", "-q", "-B", branch, "main")
            self.events[branch] = {1, 2}

    def step(self, branch: str) -> None:
        self.repo.switch(branch)
        other = self.choose.choice([each for each in BRANCHES if each != branch])
        self.choose.choice([self.append, self.merge, self.merge, self.pick, self.rebase])(branch, other)

    def append(self, branch: str, _other: str) -> None:
        for _ in range(self.choose.randint(1, 2)):
            self.count += 1
            number = 1000 - self.count if self.choose.random() < 0.5 else 10 + self.count
            emit(self.repo, number)
            self.repo.git("add", "-A")
            # What the hook says to commits is tested elsewhere; here it would take most of the time.
            self.repo.git("commit", "-q", "-m", f"event {number}", "--no-verify")
            self.commits.append((self.repo.git("rev-parse", "HEAD"), number))
            self.events[branch].add(number)

    def merge(self, branch: str, other: str) -> None:
        self.repo.git("merge", "-q", "--no-edit", other)
        self.events[branch] |= self.events[other]

    def rebase(self, branch: str, other: str) -> None:
        self.repo.git("rebase", "-q", other)
        self.events[branch] |= self.events[other]

    def pick(self, branch: str, _other: str) -> None:
        commit, number = self.choose.choice(self.commits)
        if number not in self.events[branch]:
            self.repo.git("cherry-pick", commit)
            self.events[branch].add(number)


def grown(folder: Path, seed: int) -> History:
    history = History(feature_repo(folder, 1, 2), seed)
    for branch in BRANCHES:
        history.repo.switch(branch)
        history.append(branch, branch)
    return history
