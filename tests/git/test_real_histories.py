"""Random histories: however branches are merged, picked and rebased, no event is lost and the snapshot is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features import assert_merged
from histories import BRANCHES, STEPS, grown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", range(30))
def test_no_event_is_lost_and_every_snapshot_is_that_of_its_log(tmp_path: Path, seed: int) -> None:
    history = grown(tmp_path / "repo", seed)

    for _ in range(STEPS):
        branch = history.choose.choice(BRANCHES)
        history.step(branch)
        assert set(assert_merged(history.repo, tmp_path / "reduced")) == history.events[branch]

    assert history.repo.git("status", "--porcelain") == ""
