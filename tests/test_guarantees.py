"""The page of guarantees says what the tests have seen, and what it promises is more than what was seen once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from guarantees import PAGE, TABLES, cells_of, git_here, made_with, written
from matrix import CLONES, EXACT, FEWER, MARKERS, ORDERED, STALE
from operations import MEETINGS
from uncommitted import TAKEN, THREATS, WAITS, Journals

if TYPE_CHECKING:
    from pathlib import Path

TEXT = PAGE.read_text(encoding="utf-8")
CELLS = cells_of(TEXT)

# Where a clone with the tool gives anything but every line in order and the exact snapshot, and why.
NO_DRIVER_IS_ASKED = {
    "merge -s ours",
    "merge -s resolve",
    "merge, octopus, one feature",
    "merge, feature deleted here",
    "merge, feature deleted there",
    "merge, snapshot changed on one side only",
    "revert, of the newest commit",
}
LINES_ARE_TO_GO = {
    "rebase, of a merge that has an event of its own",
    "rebase --interactive, a commit dropped",
    "revert, of an earlier commit",
}
# What is committed is git's, and what belongs to another branch waits for that.
NOT_BROUGHT_BACK = {
    "checkout --force, of another branch",
    "commit --all, then reset --hard HEAD~1",
    "commit --all, then branch -D",
}


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> Journals:
    return Journals(tmp_path_factory.mktemp("journals"))


@pytest.mark.parametrize("clone", CLONES)
@pytest.mark.parametrize("name", THREATS)
def test_what_becomes_of_an_uncommitted_event_is_as_on_the_page(
    journals: Journals, tmp_path: Path, name: str, clone: str
) -> None:
    became = journals.observe(tmp_path, name, clone)

    said = CELLS["uncommitted", name][list(CLONES).index(clone)]
    assert became == said, "`make guarantees` writes the page anew"
    if name not in NOT_BROUGHT_BACK:
        assert became not in (TAKEN, WAITS)


def test_the_page_is_what_its_cells_make_of_it() -> None:
    assert {(table, name) for table, names in TABLES.items() for name in names} == CELLS.keys()
    found = re.search(r"The tables were made with (git .*)\.\n", TEXT)
    assert found
    assert written(TEXT, CELLS, found[1]) == TEXT, "`make guarantees` writes the page anew"
    assert all(made_with(TEXT))
    assert all(git_here())


def test_a_clone_with_the_tool_merges_everything_that_its_driver_is_asked_about() -> None:
    unlike = {name for name in MEETINGS if CELLS["meetings", name][0] != f"{ORDERED} · {EXACT} · 0"}
    assert unlike == NO_DRIVER_IS_ASKED | LINES_ARE_TO_GO


def test_no_clone_loses_a_line_and_only_where_no_union_is_declared_does_a_log_get_markers() -> None:
    assert not any(FEWER in cell for row in CELLS.values() for cell in row)
    with_markers = {name for (_, name), row in CELLS.items() if any(cell.startswith(MARKERS) for cell in row)}
    assert with_markers == {
        "merge -s resolve",
        "merge, no `.gitattributes` committed",
        "merge-tree --write-tree, bare repository",
    }


def test_a_snapshot_that_is_wrong_without_a_word_is_wrong_only_where_no_driver_is_asked() -> None:
    silent = {name for (_, name), row in CELLS.items() if any(f"· {STALE} · 0" in cell for cell in row)}
    assert silent == {
        "merge -X ours",
        "merge -X theirs",
        "merge, snapshot changed on one side only",
        "commit, of the log without its snapshot",
    }
    assert f"· {STALE}" not in CELLS["moves", "clone, with core.autocrlf"][0]


def test_an_uncommitted_event_comes_back_unless_git_has_it_or_its_branch_is_elsewhere() -> None:
    lost = {name for name in THREATS if any(cell in (TAKEN, WAITS) for cell in CELLS["uncommitted", name])}
    assert lost == NOT_BROUGHT_BACK
