"""Random histories of a log that is divided by writer: each commit has the exact snapshot, which names its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import shards
from histories import BRANCHES, STEPS, History
from kitty_status.git.append_only import prove
from kitty_status.git.history import History as Commits

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo


class DividedHistory(History):
    """Events are written to the branch's own shard, to one that all share, or to a new one."""

    def append(self, branch: str, _other: str) -> None:
        for _ in range(self.choose.randint(1, 2)):
            self.count += 1
            number = 1000 - self.count if self.choose.random() < 0.5 else 10 + self.count
            writer = self.choose.choice([branch, "ada é", f"new {self.count}"])
            commit = shards.record(self.repo, writer, number)
            self.commits.append((commit, number))
            self.events[branch].add(number)

    def pick(self, branch: str, _other: str) -> None:
        commit, number = self.choose.choice(self.commits)
        (path,) = shards_changed_by(self.repo, commit)
        was_there = path in shards.shards_at(self.repo, f"{commit}^")
        # To a file that is not here git applies no change: that is a conflict for a person.
        is_applicable = not was_there or path in shards.shards_at(self.repo)
        if is_applicable and number not in self.events[branch]:
            self.repo.git("cherry-pick", commit)
            self.events[branch].add(number)


def shards_changed_by(repo: GitRepo, commit: str) -> list[str]:
    listed = repo.git("diff-tree", "-r", "-z", "--name-only", "--no-commit-id", commit, "--", shards.SHARDS)
    return listed.split("\0")[:-1]


@pytest.mark.parametrize("seed", range(12))
def test_no_event_is_lost_and_every_snapshot_names_the_tree_of_its_shards(tmp_path: Path, seed: int) -> None:
    history = DividedHistory(shards.divided_repo(tmp_path / "repo"), seed)
    for branch in BRANCHES:
        history.repo.switch(branch)
        history.append(branch, branch)

    for _ in range(STEPS):
        branch = history.choose.choice(BRANCHES)
        history.step(branch)
        assert set(shards.assert_merged(history.repo)) == history.events[branch]

    assert history.repo.git("status", "--porcelain") == ""
    commits = Commits(str(history.repo.path))
    losses = prove(commits, commits.steps(commits.commits(list(BRANCHES)))).losses
    assert {loss.code for loss in losses} <= {"lines-reordered"}
