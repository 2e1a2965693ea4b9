"""The table of guarantees: whatever git does, in whatever clone, no line of a log is lost.

Where the tool is installed, every commit holds the exact snapshot of its log as well. Where it is not,
or where its interpreter has gone, the snapshot conflicts, and a person in a hurry stages what stands there.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from features import (
    assert_merged,
    declare,
    emit,
    event_line,
    install,
    install_and_lose,
    lines_of_commit,
    no_tool_on_path,
    paths_of_logs,
    uninstall,
)
from gitrepo import GitRepo
from kitty_status import EVENTS_FILENAME
from operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    Prepare: TypeAlias = Callable[[Path, str, str], GitRepo]

INSTALLED, WITHOUT, LOST = "tool installed", "clone without the tool", "interpreter gone"
# What git says at once: all is merged, the snapshot waits for a person, or nothing was changed.
MERGED, CONFLICT, REFUSED = "merged", "the snapshot conflicts", "nothing is changed"
TABLE = {name: {INSTALLED: MERGED, WITHOUT: CONFLICT, LOST: CONFLICT} for name in OPERATIONS}
# git asks no merge driver in an octopus merge, not even its own union: it refuses what needs one.
TABLE["merge, octopus, one feature"] = {INSTALLED: REFUSED, WITHOUT: REFUSED, LOST: REFUSED}
TABLE["merge, octopus, a feature each"] = {INSTALLED: MERGED, WITHOUT: MERGED, LOST: MERGED}
# git passes -X to its own merges, not to drivers: ours of the snapshot is then what was asked for.
TABLE["merge -X ours"] = {INSTALLED: MERGED, WITHOUT: MERGED, LOST: CONFLICT}
TABLE["revert of an earlier commit"] = {INSTALLED: REFUSED, WITHOUT: CONFLICT, LOST: CONFLICT}

CLONES = {INSTALLED: install, WITHOUT: uninstall, LOST: install_and_lose}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """Make the repository in which an operation is run, copying it where another one has needed the same."""
    templates: dict[object, Path] = {}

    def prepare(folder: Path, name: str, clone: str) -> GitRepo:
        operation = OPERATIONS[name]
        if operation.prepare not in templates:
            template = GitRepo.init(tmp_path_factory.mktemp("template"))
            declare(template)
            install(template)
            operation.prepare(template)
            templates[operation.prepare] = template.path
        shutil.copytree(templates[operation.prepare], folder, symlinks=True)
        repo = GitRepo(folder)
        repo.run("update-index", "-q", "--refresh")
        CLONES[clone](repo)
        return repo

    return prepare


def lines_in_work_tree(repo: GitRepo) -> set[bytes]:
    logs = (repo.path / "kitty-specs").rglob(EVENTS_FILENAME)
    return {line for log in logs for line in log.read_bytes().splitlines(keepends=True)}


def lines_in_play(repo: GitRepo) -> set[bytes]:
    """Return the lines of HEAD and of what git is in the middle of bringing to it."""
    lines = lines_of_commit(repo, "HEAD")
    if is_there(repo, "MERGE_HEAD"):
        lines |= lines_of_commit(repo, "MERGE_HEAD")
    for name in ("CHERRY_PICK_HEAD", "REBASE_HEAD"):
        if is_there(repo, name):
            lines |= lines_of_commit(repo, name) - lines_of_commit(repo, f"{name}^")
    return lines


def is_there(repo: GitRepo, name: str) -> bool:
    return (repo.path / ".git" / name).exists()


def outcome(repo: GitRepo, code: int) -> str:
    unmerged = {entry.split("\t")[1] for entry in repo.git("ls-files", "-uz").split("\0") if entry}
    if unmerged:
        assert {path.rpartition("/")[2] for path in unmerged} == {"status.json"}
        return CONFLICT
    return REFUSED if code else MERGED


def go_on_in_a_hurry(repo: GitRepo, *, verify: bool) -> None:
    """Stage whatever stands there and go on, until git has nothing more to do."""
    for _ in range(9):
        assert lines_in_play(repo) <= lines_in_work_tree(repo)
        repo.git("add", "-A")
        if is_there(repo, "rebase-apply/applying"):
            repo.run("am", "--continue")
        elif is_there(repo, "rebase-merge") or is_there(repo, "rebase-apply"):
            repo.run("rebase", "--continue", environment={"GIT_EDITOR": "true"})
        elif repo.git("status", "--porcelain"):
            repo.git("commit", "-q", "-m", "resolved", *([] if verify else ["--no-verify"]))
        else:
            return
    raise AssertionError("git does not come to an end")


@pytest.mark.parametrize("clone", CLONES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_no_line_is_lost_and_where_the_tool_is_installed_the_snapshot_is_exact(
    prepared: Prepare, tmp_path: Path, name: str, clone: str
) -> None:
    operation = OPERATIONS[name]
    repo = prepared(tmp_path / "repo", name, clone)
    before, tips = lines_in_work_tree(repo), repo.git("for-each-ref", "--format=%(objectname)").split()

    with no_tool_on_path():
        done = repo.run(*operation.command)
        left = outcome(repo, done.returncode)
        assert left == TABLE[name][clone], done.stderr
        go_on_in_a_hurry(repo, verify=clone != LOST)

    if left == REFUSED:
        assert lines_in_work_tree(repo) == before
        assert repo.git("rev-parse", "HEAD") in tips
        return
    wanted = {event_line(number) for number in operation.events}
    assert wanted <= lines_of_commit(repo, "HEAD")
    assert lines_in_work_tree(repo) == lines_of_commit(repo, "HEAD")
    if clone == INSTALLED:
        assert wanted == lines_of_commit(repo, "HEAD")
        commits = repo.git("rev-list", "HEAD", "--not", *tips).split()
        assert commits
        for commit in commits:
            for log in paths_of_logs(repo, commit):
                assert_merged(repo, tmp_path / "reduced", commit, log)


def test_what_an_octopus_merge_refuses_is_merged_head_by_head(prepared: Prepare, tmp_path: Path) -> None:
    repo = prepared(tmp_path / "repo", "merge, octopus, one feature", INSTALLED)

    assert repo.run("merge", "--no-edit", "theirs", "others").returncode
    assert repo.git("status", "--porcelain") == ""
    for head in ("theirs", "others"):
        assert repo.merge(head) == 0

    assert assert_merged(repo, tmp_path / "reduced") == list(range(1, 8))


def test_an_uncommitted_event_stops_a_merge_before_anything_is_changed(prepared: Prepare, tmp_path: Path) -> None:
    repo = prepared(tmp_path / "repo", "merge", INSTALLED)
    emit(repo, 7)
    before = lines_in_work_tree(repo)

    assert repo.run("merge", "--no-edit", "theirs").returncode
    assert lines_in_work_tree(repo) == before
    assert event_line(7) in before


def test_a_revert_of_the_newest_commit_asks_no_driver_and_the_hook_of_the_next_commit_cannot_know(
    prepared: Prepare, tmp_path: Path
) -> None:
    # The limit that only a check of the whole history sees: git takes the older blob without a merge.
    repo = prepared(tmp_path / "repo", "merge", INSTALLED)

    repo.git("revert", "--no-edit", "HEAD")

    assert assert_merged(repo, tmp_path / "reduced") == [1, 2, 4]
