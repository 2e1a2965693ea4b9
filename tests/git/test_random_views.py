"""Random histories of two branches: no merge stops for what is generated, and the views are what the log says."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from features import FEATURE, LOG, blob, emit, numbers_in
from kitty_status import materialize
from viewed import (
    MARKER,
    OVERVIEW,
    WORK_PACKAGES,
    assert_committed_current,
    assert_current,
    edit_line,
    file_of,
    viewed_repo,
    views_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gitrepo import GitRepo

# Which lines of a file each side may write to: never the same, and never next to each other.
LINES = {"ours": (1, 2, 3, 4), "theirs": (9, 10, 11, 12)}
TOGETHER = ("merge", "merge", "merge both ways", "squash", "rebase", "rebase --apply", "cherry-pick")


def go_on(repo: GitRepo, side: str, numbers: list[int], random: Random) -> tuple[set[int], set[tuple[str, str]]]:
    """Make some commits on a side; return the events and the (path, text) that it has added."""
    events, texts = set(), set()
    free = [(path, line) for path in (OVERVIEW, *map(file_of, WORK_PACKAGES)) for line in LINES[side]]
    random.shuffle(free)
    for step in range(random.randint(1, 4)):
        kind = random.choice(["event", "event", "text", "both"])
        if kind != "text":
            number = numbers.pop(random.randrange(min(len(numbers), 4)))
            emit(repo, number)
            events.add(number)
        if kind != "event":
            for _ in range(random.randint(1, 3)):
                path, line = free.pop()
                edit_line(repo, path, line, f"{side} {step}")
                texts.add((path, f"line {line} {side} {step}"))
        repo.commit(f"{side} {step}: {kind}")
    return events, texts


def bring_together(repo: GitRepo, way: str) -> None:
    if way == "merge both ways":
        tip = repo.git("rev-parse", "ours")
        repo.git("merge", "-q", "--no-edit", "theirs")
        repo.switch("theirs")
        repo.git("merge", "-q", "--no-edit", tip)
        assert repo.git("diff", "--name-only", "ours", "theirs") == ""
    elif way == "squash":
        repo.git("merge", "-q", "--squash", "theirs")
        repo.git("commit", "-q", "-m", "squashed")
    elif way == "cherry-pick":
        repo.git("cherry-pick", "ours..theirs")
    else:
        repo.git(*way.split(), "-q", *(["--no-edit"] if way == "merge" else []), "theirs")


@pytest.mark.parametrize("seed", range(20))
def test_two_branches_come_together(tmp_path: Path, seed: int) -> None:
    random = Random(seed)  # noqa: S311  histories, no secrets
    numbers = list(range(3, 40))
    repo = viewed_repo(tmp_path / "repo", *random.choice([(), (1,), (1, 2)]), newline=random.choice(["\n", "\r\n"]))
    events, texts = set(numbers_in(blob(repo, LOG))) if (repo.path / LOG).exists() else set(), set()
    for side in ("ours", "theirs"):
        repo.git("checkout", "-q", "-b", side, "main")
        more_events, more_texts = go_on(repo, side, numbers, random)
        events |= more_events
        texts |= more_texts
    repo.switch("ours")
    way = random.choice(TOGETHER)

    bring_together(repo, way)

    assert not [path for path, data in views_of(repo).items() if MARKER in data]
    if way.startswith("merge"):
        assert_committed_current(repo)
    elif way == "cherry-pick":
        # git runs no hook in which anything could be written.
        materialize(repo.path / FEATURE)
    assert_current(repo)
    if events:
        assert set(numbers_in(repo.read(LOG))) == events
    for path, text in texts:
        assert text.encode() in repo.read(path)
