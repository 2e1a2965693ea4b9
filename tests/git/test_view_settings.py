"""Whether a feature has views is decided in the merge driver as everywhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kitty_status.git.view_settings import views_are_written
from kitty_status.status.lanes import SEVEN_LANE
from kitty_status.status.snapshot import Snapshot
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Feature
from kitty_status.tracker.views.views import views_of

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATIONS = {
    "": True,
    "other:\n  views: off\n  phase: 0\n": True,
    "status:\n  views: on\n": True,
    "status:\n  views: auto\n": True,
    "status:\n  views: off\n": False,
    "status:\n  views: 'off' # no\n": False,
    "status: {views: off}\n": False,
    "status:\n  phase: 0\n": False,
    "status:\n  phase: 2 # views are left\n": True,
    'status:\n  phase: "0"\n': False,
    "status:\n  phase: nonsense\n": True,
}
METAS = [
    None,
    {},
    {"mission_slug": "x"},
    {"status_phase": 0},
    {"status_phase": "1"},
    {"status_phase": True},
    {"status_phase": 7},
]


@pytest.mark.parametrize("meta", METAS, ids=json.dumps)
@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_both_decide_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, meta: object) -> None:
    folder = tmp_path / "kitty-specs" / "f"
    folder.mkdir(parents=True)
    (folder / "tasks.md").write_text("text\n")
    (tmp_path / ".kittify").mkdir()
    (tmp_path / ".kittify/config.yaml").write_text(text)
    if meta is not None:
        (folder / "meta.json").write_text(json.dumps(meta))
    monkeypatch.chdir(tmp_path)

    decided = views_are_written("kitty-specs/f")

    assert decided == bool(views_of(Feature(folder, None), load_config(tmp_path), Snapshot(SEVEN_LANE)))
    if meta in (None, {}):
        assert decided == CONFIGURATIONS[text]


@pytest.mark.parametrize("text", ["status: [views\n", "status: views\n"])
def test_a_configuration_that_cannot_be_read_switches_nothing_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / ".kittify").mkdir()
    (tmp_path / ".kittify/config.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)

    assert views_are_written("kitty-specs/f")
    assert ".kittify/config.yaml" in capfd.readouterr().err


def test_a_damaged_meta_json_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meta.json").write_text("{")
    monkeypatch.chdir(tmp_path)

    assert views_are_written(".")
