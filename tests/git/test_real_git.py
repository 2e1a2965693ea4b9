"""Whatever git does, in whatever clone, no line of a log is lost that nobody asked to take out.

Where the tool is installed, every commit holds the exact snapshot of its log as well. What each command
leaves is in docs/guarantees.md: each test here also holds one cell of its tables to what git does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features import assert_merged, emit, event_line, lines_of_commit, paths_of_logs
from going_on import go_on_in_a_hurry, lines_in_work_tree
from guarantees import PAGE, cells_of, git_here, made_with
from kitty_status.checks.audit import audit, range_of
from kitty_status.git.append_only import LINE_REMOVED
from kitty_status.git.repository import find_repository
from matrix import CLONES, EXACT, FEWER, INSTALLED, LOST, MARKERS, OURS_ONLY, SAME, TAKEN_OUT, WITHOUT, Matrix
from operations import MEETINGS, MOVES, OPERATIONS, PRINTED

if TYPE_CHECKING:
    from pathlib import Path

    from matrix import Observed

_TEXT = PAGE.read_text(encoding="utf-8")
_CELLS = cells_of(_TEXT)
_OTHER_GIT = made_with(_TEXT)[1] != git_here()[1]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return Matrix(tmp_path_factory.mktemp("matrix"))


def assert_as_on_the_page(observed: Observed, table: str, name: str, clone: str) -> None:
    if _OTHER_GIT and OPERATIONS[name].varies:
        pytest.skip(f"the page was made with git {made_with(_TEXT)[0]}, and this row depends on the version")
    said = _CELLS.get((table, name), [""] * len(CLONES))[list(CLONES).index(clone)]
    assert str(observed) == said, "`make guarantees` writes the page anew"


@pytest.mark.parametrize("clone", CLONES)
@pytest.mark.parametrize("name", MEETINGS)
def test_no_line_is_lost_where_two_histories_meet(matrix: Matrix, tmp_path: Path, name: str, clone: str) -> None:
    operation = MEETINGS[name]
    observed = matrix.observe(tmp_path, name, clone)
    assert observed.log != FEWER
    wanted = {event_line(number) for number in operation.events}
    place = observed.place
    if operation.revision != PRINTED and observed.log not in (MARKERS, SAME) and not operation.takes_out:
        go_on_in_a_hurry(place, verify=clone != LOST)
        assert wanted <= lines_of_commit(place, "HEAD")
        assert lines_in_work_tree(place) == lines_of_commit(place, "HEAD")
        if clone == INSTALLED and observed.snapshot == EXACT:
            assert wanted == lines_of_commit(place, "HEAD")
            for commit in place.git("rev-list", "HEAD", "--not", *observed.tips).split():
                for log in paths_of_logs(place, commit):
                    assert_merged(place, tmp_path / "reduced", commit, log)
    assert_as_on_the_page(observed, "meetings", name, clone)


@pytest.mark.parametrize("clone", CLONES)
@pytest.mark.parametrize("name", MOVES)
def test_no_line_is_lost_where_one_history_moves(matrix: Matrix, tmp_path: Path, name: str, clone: str) -> None:
    observed = matrix.observe(tmp_path, name, clone)

    assert observed.log not in (FEWER, MARKERS)
    assert_as_on_the_page(observed, "moves", name, clone)


@pytest.mark.parametrize(
    "name",
    ["merge -s ours", "revert, of the newest commit", "commit --all --no-verify, a line was taken out"],
)
def test_what_git_took_out_because_it_was_asked_to_is_named_by_an_audit(
    matrix: Matrix, tmp_path: Path, name: str
) -> None:
    observed = matrix.observe(tmp_path, name, WITHOUT)
    assert observed.log in (OURS_ONLY, TAKEN_OUT)

    revisions = range_of("HEAD", None, None, cwd=str(observed.place.path))
    found = audit(find_repository(str(observed.place.path)), [], revisions)

    assert {finding.code for finding in found.findings} == {LINE_REMOVED}


def test_what_an_octopus_merge_refuses_is_merged_head_by_head(matrix: Matrix, tmp_path: Path) -> None:
    repo = matrix.prepare(tmp_path, "merge, octopus, one feature", INSTALLED)

    assert repo.run("merge", "--no-edit", "theirs", "others").returncode
    assert repo.git("status", "--porcelain") == ""
    for head in ("theirs", "others"):
        assert repo.merge(head) == 0

    assert assert_merged(repo, tmp_path / "reduced") == list(range(1, 8))


def test_an_uncommitted_event_stops_a_merge_before_anything_is_changed(matrix: Matrix, tmp_path: Path) -> None:
    repo = matrix.prepare(tmp_path, "merge", INSTALLED)
    emit(repo, 7)
    before = lines_in_work_tree(repo)

    assert repo.run("merge", "--no-edit", "theirs").returncode
    assert lines_in_work_tree(repo) == before
    assert event_line(7) in before


def test_a_revert_of_the_newest_commit_asks_no_driver_and_the_hook_of_the_next_commit_cannot_know(
    matrix: Matrix, tmp_path: Path
) -> None:
    # The limit that only a check of the whole history sees: git takes the older blob without a merge.
    repo = matrix.prepare(tmp_path, "merge", INSTALLED)

    repo.git("revert", "--no-edit", "HEAD")

    assert assert_merged(repo, tmp_path / "reduced") == [1, 2, 4]
