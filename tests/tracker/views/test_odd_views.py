"""Views of files as people and tools leave them: the lane changes, and not another byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, SLUG, ask, emit
from frontmatters import FILES
from kitty_status.status.view_text import SECTION_BEGIN, SECTION_END
from kitty_status.tracker.work_packages import frontmatter

if TYPE_CHECKING:
    from gitrepo import GitRepo

PATH = f"{FOLDER}/tasks/WP01-odd.md"
TASKS = f"{FOLDER}/tasks.md"
TEXTS = {
    "nothing": b"",
    "no line end at the end": b"# Tasks",
    "line ends of Windows": b"# Tasks\r\n\r\n- [ ] WP01\r\n",
    "a byte order mark": b"\xef\xbb\xbf# Tasks\n",
    "bytes that are no UTF-8": b"# Caf\xe9\n",
    "a marker inside a line": b"Between " + SECTION_BEGIN + b" and " + SECTION_END + b" it stands.\n",
    "much text": b"- [ ] T001 more\n" * 8000,
}


@pytest.mark.parametrize("what", FILES)
def test_in_an_odd_file_the_lane_changes_and_not_another_byte(repo: GitRepo, what: str) -> None:
    file, _ = FILES[what]
    read = frontmatter.parse(file, PATH)
    assert read is not None
    repo.write(PATH, file)
    for lane, more in (("claimed", []), ("blocked", []), ("done", ["--force", "--reason", "shipped"])):
        emit(repo.path, "WP01", lane, *more)
        assert repo.read(PATH) == read.with_lane(lane)
        assert ask(repo.path, "materialize", "--check", SLUG).code == 0
        assert ask(repo.path, "validate", SLUG).out.endswith(" 0 errors, 0 warnings\n")


@pytest.mark.parametrize("what", TEXTS)
def test_in_odd_tasks_only_the_section_changes(repo: GitRepo, what: str) -> None:
    text = TEXTS[what]
    repo.write(TASKS, text)
    emit(repo.path, "WP01", "claimed")
    first = repo.read(TASKS)
    assert first.startswith(text)
    assert first.count(b"| WP01 | claimed |") == 1
    assert first.count(b"\r\n") in (0, first.count(b"\n"))

    repo.write(TASKS, first + b"\nafterwards")
    emit(repo.path, "WP01", "blocked")
    second = repo.read(TASKS)
    assert second.startswith(text)
    assert second.endswith(b"\nafterwards")
    assert b"| WP01 | claimed |" not in second
    assert second.count(b"| WP01 | blocked |") == 1
    assert ask(repo.path, "validate", SLUG).out.endswith(" 0 errors, 0 warnings\n")
