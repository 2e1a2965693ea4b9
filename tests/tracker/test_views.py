"""Views: which files are rendered, how they get there, and what survives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from events import row
from kitty_status import StatusEvent, append_event, reduce
from kitty_status.errors import WorkPackageFileError
from kitty_status.tracker.config import Config
from kitty_status.tracker.features import Feature
from kitty_status.tracker.views import look_at_views, stage, views_of

if TYPE_CHECKING:
    from pathlib import Path

    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.views import View

FILE = "---\nwork_package_id: WP01  # the id\nlane: planned\n---\n\n# WP01\n"


@pytest.fixture
def feature(tmp_path: Path) -> Feature:
    folder = tmp_path / "kitty-specs" / "034-login"
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks" / "WP01-form.md").write_text(FILE)
    (folder / "tasks" / "WP02-session.md").write_text(FILE.replace("WP01", "WP02"))
    (folder / "tasks.md").write_text("# Work packages\n")
    append_event(folder, StatusEvent.from_dict(row()))
    return Feature(folder, None)


def snapshot() -> Snapshot:
    return reduce([StatusEvent.from_dict(row())])


def drifted(views: list[View]) -> list[str]:
    return [view.path.name for view in views if view.drifted]


def write(feature: Feature) -> None:
    with stage(views_of(feature, Config(), snapshot()), snapshot()) as staged:
        assert staged.commit() == []


def test_the_lane_and_the_section_are_written_and_what_has_no_event_is_left_alone(feature: Feature) -> None:
    views = views_of(feature, Config(), snapshot())
    assert drifted(views) == ["WP01-form.md", "tasks.md"]
    write(feature)
    assert (feature.folder / "tasks/WP01-form.md").read_text() == FILE.replace("planned", "claimed")
    assert (feature.folder / "tasks/WP02-session.md").read_text() == FILE.replace("WP01", "WP02")
    assert "| WP01 | claimed |" in (feature.folder / "tasks.md").read_text()
    assert drifted(views_of(feature, Config(), snapshot())) == []
    assert not list(feature.folder.rglob(".*.tmp"))


def test_views_are_written_where_spec_kitty_does_not_manage_the_feature_unless_the_configuration_says(
    feature: Feature,
) -> None:
    (feature.folder / "meta.json").write_text(json.dumps({"mission_slug": "034-login"}))
    assert views_of(feature, Config(), snapshot()) == []
    assert len(views_of(feature, Config({"views": "on"}), snapshot())) == 2
    (feature.folder / "meta.json").unlink()
    assert views_of(feature, Config({"views": "off"}), snapshot()) == []


def test_a_feature_whose_frontmatter_counts_has_no_views(feature: Feature) -> None:
    (feature.folder / "meta.json").write_text(json.dumps({"status_phase": 0}))
    assert views_of(feature, Config({"views": "on"}), snapshot()) == []


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_rendered(feature: Feature) -> None:
    (feature.folder / "tasks/WP01-form.md").write_text("---\na: &a x\nlane: planned\n---\n")
    views, problems = look_at_views(feature, Config(), snapshot())
    assert drifted(views) == ["tasks.md"]
    assert [str(problem).removeprefix(f"{feature.folder}/") for problem in problems] == [
        "tasks/WP01-form.md:2: the frontmatter holds an anchor (`&`)"
    ]
    with pytest.raises(WorkPackageFileError, match="an anchor"):
        views_of(feature, Config(), snapshot())
