"""Random repositories: no acknowledged event is lost, snapshots are exact, and history proves it.

Each seed is a story of emits, commits, branches, merges, rebases, cherry-picks, stashes and linked work trees.
A failure prints the seed and every command. `make crash` tells more stories.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from features import blob
from gitrepo import GitRepo
from kitty_status import materialize
from kitty_status.checks.audit import Audit, audit, range_of
from kitty_status.git.append_only import LINES_REORDERED
from kitty_status.git.repository import find_repository
from kitty_status.jsonl.codec import decode
from kitty_status.status.layout import PER_WRITER, SINGLE
from kitty_status.tracker.moving import emit as emitting
from proof.repositories import FOLDER, Story

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORIES = int(os.environ.get("KITTY_STATUS_PROOF_REPOSITORIES", "20"))
STORIES = [
    *((SINGLE, seed) for seed in range(REPOSITORIES)),
    # git does the same things to either layout: the long form tells as many stories of both.
    *((PER_WRITER, seed) for seed in range(REPOSITORIES if REPOSITORIES > 20 else 6)),
]


def assert_exact(story: Story, revision: str) -> None:
    """Hold the snapshot of a commit against what is made of its log in a repository of its own."""
    reduced = GitRepo.init(story.folder / f"reduced-{len(story.commands)}-{revision}")
    for path, content in story.log_files(revision).items():
        reduced.write(path, content)
    materialize(reduced.path / FOLDER)
    expected = reduced.read(f"{FOLDER}/status.json")
    assert blob(story.main, f"{FOLDER}/status.json", revision) == expected, f"{revision}\n{story.told()}"


def events_in(story: Story, revision: str) -> list[str]:
    lines = [line for content in story.log_files(revision).values() for line in content.split(b"\n")[:-1]]
    return [decode(line)["event_id"] for line in lines]


def audited(repo: GitRepo) -> Audit:
    repository = find_repository(str(repo.path))
    assert repository
    return audit(repository, [], range_of("HEAD", None, None, cwd=str(repo.path)))


def tamper(story: Story, chance: random.Random) -> str:
    """Take a line out of the log, or change one, in a commit that no hook sees; return which event it was."""
    repo = story.main
    path, content = chance.choice(sorted(story.log_files("HEAD").items()))
    lines = content.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    event = str(decode(lines[at][:-1])["event_id"])
    other = lines[at].replace(b'"actor": "', b'"actor": "not ') if chance.random() < 0.5 else b""
    repo.write(path, b"".join([*lines[:at], other, *lines[at + 1 :]]))
    repo.git("commit", "-q", "-a", "--no-verify", "-m", "nothing to see here")
    return event


@pytest.mark.parametrize(("layout", "seed"), STORIES)
def test_no_event_is_lost_snapshots_are_exact_and_one_line_that_was_tampered_with_is_found(
    tmp_path: Path, layout: str, seed: int
) -> None:
    story = Story(tmp_path, seed, layout)
    story.grow()
    for branch in story.branches:
        assert_exact(story, branch)

    story.unite()
    for branch in story.branches:
        assert_exact(story, branch)
    kept = events_in(story, "HEAD")
    assert story.acknowledged - set(kept) == set(), story.told()
    assert len(kept) == len(set(kept)), story.told()
    clean = audited(story.main)
    assert clean.commits >= 2
    assert [each.to_dict() for each in clean.findings if each.code != LINES_REORDERED] == [], story.told()

    event = tamper(story, random.Random(seed))  # noqa: S311  nothing secret
    found = audited(story.main)
    assert not found.passed
    assert event in {finding.event_id for finding in found.findings}, story.told()


def test_without_the_journal_such_stories_lose_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control arm: were nothing lost here, the test above would prove nothing."""
    monkeypatch.setattr(emitting, "journal_of", lambda _feature: None)
    lost, merges = 0, 0
    for seed in range(12):
        story = Story(tmp_path / f"{seed}", seed)
        story.grow()
        story.unite()
        lost += len(story.acknowledged - set(events_in(story, "HEAD")))
        merges += len(story.main.git("rev-list", "--merges", "--all").split())
        if lost and merges:
            return
    raise AssertionError(f"{lost} events were lost, beside {merges} merges")
