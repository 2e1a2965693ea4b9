"""The logs of real projects: our snapshot of each mission is, byte for byte, the one that spec-kitty makes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from corpus import logs, needs_corpus
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import feature_at
from kitty_status.tracker.views.materialize import materialize_feature
from spec_kitty import needs_spec_kitty

if TYPE_CHECKING:
    from pathlib import Path

    from spec_kitty import Theirs

needs_spec_kitty()

pytestmark = needs_corpus


def copied(log: Path, target: Path) -> Path:
    """Return a copy of a mission's folder in which there is no snapshot yet."""
    folder = target / "kitty-specs" / log.parent.name
    shutil.copytree(log.parent, folder)
    (folder / "status.json").unlink(missing_ok=True)
    return folder


@pytest.mark.parametrize("log", logs(), ids=lambda log: log.parent.name)
def test_a_snapshot_made_from_nothing_but_the_mission_is_theirs(log: Path, theirs: Theirs, tmp_path: Path) -> None:
    folder = copied(log, tmp_path)
    materialize_feature(feature_at(folder), Config())
    written = (folder / "status.json").read_bytes()
    assert written == theirs.snapshot_of(folder)
    assert not materialize_feature(feature_at(folder), Config()).written


def test_those_that_are_committed_differ_only_where_they_are_stale(theirs: Theirs) -> None:
    stale = []
    for log in logs():
        committed = log.with_name("status.json")
        if committed.exists() and committed.read_bytes() != theirs.snapshot_of(log.parent):
            stale.append(log.parent.name)
    assert stale == ["kind-complete-cascade-orphan-wiring-01M0FQCD", "rc3-lane-allocation-single-seam-01M0GGX8"]


def test_a_snapshot_that_holds_other_keys_of_theirs_keeps_them(theirs: Theirs, tmp_path: Path) -> None:
    folder = copied(logs()[0], tmp_path)
    snapshot = json.loads(theirs.snapshot_of(folder))
    (folder / "status.json").write_text(json.dumps({**snapshot, "of_a_later_version": 1}))
    materialize_feature(feature_at(folder), Config())
    assert json.loads((folder / "status.json").read_bytes()) == {**snapshot, "of_a_later_version": 1}
