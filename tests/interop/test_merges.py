"""Logs merged by either tool's driver: the same lines, valid and of one meaning to both."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, ask
from spec_kitty import needs_spec_kitty
from telling import check_both_agree, findings, ours

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitrepo import GitRepo
    from spec_kitty import Theirs

needs_spec_kitty()

Stories = dict[str, tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]]
# What happens on either branch: by `o`urs or `t`heirs, which work package, to which lane.
STORIES: Stories = {
    "each tool on a branch of its own": (
        [("o", "WP01", "claimed"), ("o", "WP01", "in_progress")],
        [("t", "WP02", "planned"), ("t", "WP02", "claimed")],
    ),
    "both tools on both branches": (
        [("o", "WP01", "claimed"), ("t", "WP01", "in_progress"), ("t", "WP02", "planned")],
        [("t", "WP03", "planned"), ("o", "WP03", "claimed"), ("t", "WP03", "in_progress")],
    ),
    "one branch alone went on": ([], [("t", "WP01", "claimed"), ("o", "WP01", "in_progress")]),
}


def use_ours(repo: GitRepo, _theirs: Theirs) -> None:
    ours(repo, "install")


def use_theirs(repo: GitRepo, theirs: Theirs) -> None:
    repo.write(".git/info/attributes", f"{LOG} merge=spec-kitty-event-log\n")
    repo.git("config", "merge.spec-kitty-event-log.driver", "spec-kitty merge-driver-event-log %O %A %B")
    repo.git("config", "alias.with-their-path", f"!PATH='{theirs.environment['PATH']}' git")


def tell(repo: GitRepo, theirs: Theirs, story: list[tuple[str, str, str]]) -> None:
    for tool, wp_id, to in story:
        if tool == "t":
            theirs.emit(repo, wp_id, to)
        else:
            ours(repo, "emit", wp_id, "--to", to, "--actor", "ada", "-f", SLUG, "--execution-mode", "direct_repo")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--allow-empty", "-m", "a story")


def diverged(repo: GitRepo, theirs: Theirs, one: list[tuple[str, str, str]], other: list[tuple[str, str, str]]) -> None:
    """Bring the two stories onto the branches `main` and `other`; snapshots are made by each clone for itself."""
    repo.write(".gitignore", ".kittify/\nstatus.json\n")
    tell(repo, theirs, [("t", "WP01", "planned")])
    repo.git("branch", "other")
    tell(repo, theirs, one)
    repo.git("checkout", "-q", "other")
    tell(repo, theirs, other)
    repo.git("checkout", "-q", "main")
    assert ask(repo.path, "materialize", SLUG).code == 0


def merged_by(use: Callable[[GitRepo, Theirs], None], repo: GitRepo, theirs: Theirs, into: str, what: str) -> bytes:
    """Return the log after a merge with one tool's driver, and put the branch back."""
    repo.git("checkout", "-q", into)
    before = repo.git("rev-parse", "HEAD")
    use(repo, theirs)
    alias = ["with-their-path"] if use is use_theirs else []
    repo.git(*alias, "merge", "-q", "--no-ff", "--no-edit", what)
    log = repo.read(LOG)
    if use is use_ours:
        ours(repo, "uninstall")
    else:
        repo.write(".git/info/attributes", "")
    repo.git("reset", "-q", "--hard", before)
    return log


@pytest.mark.skipif(sys.platform == "win32", reason="a path is set by the shell")
@pytest.mark.parametrize("name", STORIES)
def test_either_driver_keeps_every_line_and_the_other_tool_accepts_the_log(
    mission: GitRepo, theirs: Theirs, name: str
) -> None:
    diverged(mission, theirs, *STORIES[name])
    sides = [set(mission.git("show", f"{branch}:{LOG}").splitlines()) for branch in ("main", "other")]
    expected = sides[0] | sides[1]
    logs = {
        (use.__name__, into): merged_by(use, mission, theirs, into, what)
        for use in (use_ours, use_theirs)
        for into, what in (("main", "other"), ("other", "main"))
    }
    for how, log in logs.items():
        lines = log.decode().splitlines()
        assert set(lines) == expected, how
        assert len(lines) == len(expected), how
    mission.git("checkout", "-q", "main")
    story = [*STORIES[name][0], *STORIES[name][1]]
    lanes = {"WP01": "planned"} | {wp_id: to for _, wp_id, to in story}
    for log in logs.values():
        mission.write(LOG, log)
        ours(mission, "materialize", SLUG)
        check_both_agree(mission, theirs, lanes)


def test_the_drivers_give_the_same_bytes_where_lines_are_in_the_order_of_their_instants(
    mission: GitRepo, theirs: Theirs
) -> None:
    diverged(mission, theirs, *STORIES["each tool on a branch of its own"])
    assert merged_by(use_ours, mission, theirs, "main", "other") == merged_by(
        use_theirs, mission, theirs, "main", "other"
    )


def test_moves_that_compete_are_shown_by_us_and_the_file_says_what_spec_kitty_takes(
    mission: GitRepo, theirs: Theirs
) -> None:
    diverged(mission, theirs, [("o", "WP01", "claimed")], [("t", "WP01", "blocked")])
    mission.write(LOG, merged_by(use_theirs, mission, theirs, "main", "other"))
    ours(mission, "materialize", SLUG)
    found = findings(mission)
    assert [each["code"] for each in found] == ["chain-break", "competing-moves"]
    assert {each["severity"] for each in found} == {"warning"}
    assert theirs.status(mission, "validate")["errors"] == []
    written = mission.read(f"{FOLDER}/status.json")
    assert written == theirs.snapshot(mission)
    assert json.loads(written)["work_packages"]["WP01"]["lane"] == "blocked"
    ours(mission, "emit", "WP01", "--to", "in_progress", "--actor", "ada", "-f", SLUG)
    check_both_agree(mission, theirs, {"WP01": "in_progress"}, warnings=["chain-break"])


def test_our_row_of_a_rename_does_not_make_the_log_unreadable_for_spec_kitty(mission: GitRepo, theirs: Theirs) -> None:
    tell(mission, theirs, [("t", "WP01", "planned"), ("o", "WP01", "claimed")])
    ours(mission, "rename", SLUG, "002-renamed")
    folder = mission.path / "kitty-specs" / "002-renamed"
    assert b'"renamed"' in (folder / "status.events.jsonl").read_bytes()
    assert (folder / "status.json").read_bytes() == theirs.snapshot_of(folder)
