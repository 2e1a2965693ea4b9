"""What every test stands on: a world in which the developer's home and git configuration do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from gitrepo import GitRepo
from kitty_status.status import known_lanes
from world import safe_world

if TYPE_CHECKING:
    from pathlib import Path

# How long an example takes says something about the machine, and nothing about the program.
settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _safe_world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    safe_world(tmp_path_factory.mktemp("home"), tmp_path_factory.getbasetemp(), monkeypatch)


@pytest.fixture(autouse=True)
def _lanes_of_this_test_only() -> None:
    known_lanes.forget()


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """An empty repository whose branch is `main`."""
    return GitRepo.init(tmp_path / "repo")
