"""A feature in phase 0 and one that keeps a log are held to the same rules, cell by cell of the lane table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitrepo import GitRepo
from kitty_status.errors import KittyStatusError
from kitty_status.status.lanes import NINE_LANE, SEVEN_LANE
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving.emit import emit
from kitty_status.tracker.moving.request import EmitRequest
from kitty_status.tracker.unlogged.moving import move_in_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.status.lanes import LaneProfile

REVIEW = {"review": {"reviewer": "ben", "verdict": "approved", "reference": "PR 7"}}
SAID: list[dict[str, object]] = [
    {},
    {"actor": ""},
    {"actor": "ben"},
    {"reason": "why", "review_ref": "PR 7", "evidence": REVIEW},
    {"force": True},
    {"force": True, "reason": "why"},
    {"execution_mode": "worktree"},
]


def outcome(call: Callable[[], object]) -> object:
    try:
        call()
    except KittyStatusError as error:
        commands = [str(each).split(" --feature")[0] for each in error.context.get("commands", ())]  # type: ignore[attr-defined]
        return (error.code, error.message, error.context.get("refusals"), error.context.get("legal_lanes"), commands)
    return "moved"


@pytest.fixture(params=[SEVEN_LANE, NINE_LANE], ids=["seven-lane", "nine-lane"])
def profile(request: pytest.FixtureRequest) -> LaneProfile:
    found: LaneProfile = request.param
    return found


def test_every_cell_of_the_table_is_answered_alike(tmp_path: Path, profile: LaneProfile) -> None:
    repo = GitRepo.init(tmp_path)
    repo.write(".kittify/config.yaml", f"status:\n  lanes: {profile.name}\n  views: off\n")
    repo.write("kitty-specs/000-files/meta.json", '{"status_phase": 0}')
    project = Project(repo.path)
    config = load_config(project.root)
    for number, lane in enumerate(profile.lanes):
        text = f"---\nlane: {lane}\nagent: ada\n---\n- [ ] T001 write it\n"
        for slug in ("000-files", "001-log"):
            repo.write(f"kitty-specs/{slug}/tasks/WP0{number}.md", text)
        there = EmitRequest(
            wp_id=f"WP0{number}", to_lane=lane, actor="ada", feature="001-log", force=True, reason="it is there"
        )
        emit(project, config, there)
    files = project.feature("000-files")
    answers = set()
    for number, _ in enumerate(profile.lanes):
        for target in profile.lanes:
            for said in SAID:
                request = {"wp_id": f"WP0{number}", "to_lane": target, "actor": "ada", "dry_run": True, **said}
                by_log = outcome(lambda: emit(project, config, EmitRequest(feature="001-log", **request)))  # type: ignore[arg-type]  # noqa: B023
                by_file = outcome(lambda: move_in_file(files, config, EmitRequest(**request)))  # type: ignore[arg-type]  # noqa: B023
                assert str(by_file).replace("000-files", "001-log") == str(by_log), request
                answers.add(by_log if isinstance(by_log, str) else by_log[0])  # type: ignore[index]
    assert answers == {"moved", "move-refused", "held-by-other"}
