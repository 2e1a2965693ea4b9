"""Files as people and tools leave them: each is migrated to the lane that it names, and keeps every other byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, SLUG, SNAPSHOT, ask
from frontmatters import FILES
from kitty_status.status.snapshot import parse
from kitty_status.tracker.work_packages import frontmatter

if TYPE_CHECKING:
    from gitrepo import GitRepo

PATH = f"{FOLDER}/tasks/WP01-odd.md"


def apart_from_the_lane(file: bytes) -> bytes:
    """Return a file as it would be in one and the same lane."""
    read = frontmatter.parse(file, PATH)
    assert read is not None
    return read.with_lane("anywhere")


@pytest.mark.parametrize("what", FILES)
def test_an_odd_file_is_migrated_to_the_lane_that_it_names_and_keeps_every_other_byte(repo: GitRepo, what: str) -> None:
    file, lane = FILES[what]
    repo.write(PATH, file)
    answer = ask(repo.path, "migrate", SLUG)
    assert answer.code == 0, answer
    states = parse(repo.read(SNAPSHOT))["work_packages"] if (repo.path / SNAPSHOT).exists() else {}
    assert states.get("WP01", {"lane": "planned"})["lane"] == lane
    assert apart_from_the_lane(repo.read(PATH)) == apart_from_the_lane(file)

    assert "nothing to write" in ask(repo.path, "migrate", SLUG).out
    assert " 0 errors, 0 warnings\n" in ask(repo.path, "validate", SLUG).out
