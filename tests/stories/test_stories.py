"""Every story is told with the program as it is, and has to go as it is written."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from storytelling import Teller, read_story

STORIES = sorted(Path(__file__).parent.rglob("*.txt"))
REWRITE = "KITTY_STATUS_STORIES"
rewriting = os.environ.get(REWRITE) == "rewrite"
"""Read before the tests shut the developer's settings out."""


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_goes_as_it_is_written(path: Path, tmp_path: Path) -> None:
    story = read_story(path.read_text(encoding="utf-8"))
    told = Teller(tmp_path).tell(story)
    if told.text == story.text:
        return
    # A story that is rewritten fails all the same, so that nothing is ever rewritten unseen.
    if rewriting:
        path.write_text(told.text, encoding="utf-8")
    before, after = story.text.splitlines(keepends=True), told.text.splitlines(keepends=True)
    difference = "".join(difflib.unified_diff(before, after, fromfile=str(path), tofile="as it went"))
    pytest.fail(f"{'rewritten' if rewriting else 'to take it over: make stories'}:\n{difference}", pytrace=False)


def test_every_story_is_as_it_would_be_rewritten_and_has_a_name() -> None:
    assert len(STORIES) >= 40
    for path in STORIES:
        text = path.read_text(encoding="utf-8")
        assert read_story(text).text == text, path
        name, empty, *_ = text.split("\n")
        assert name.strip() == name != "", path
        assert empty == "", path
