"""Clones and branches that migrate separately, and come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask, emit
from features import declare, install
from gitrepo import GitRepo
from kitty_status.status.snapshot import parse
from migrations import CREATED, HISTORY, finished_and_begun, work_package

if TYPE_CHECKING:
    from pathlib import Path


def two_clones(repo: GitRepo, tmp_path: Path, *, installed: bool, config: str = "") -> tuple[GitRepo, GitRepo]:
    declare(repo)
    finished_and_begun(repo)
    repo.write(".kittify/config.yaml", config)
    repo.commit("before")
    repo.git("clone", "-q", ".", str(tmp_path / "other"))
    clones = repo, GitRepo(tmp_path / "other")
    for clone in clones if installed else ():
        install(clone)
    return clones


def migrate(repo: GitRepo, *args: str) -> None:
    answer = ask(repo.path, "migrate", SLUG, *args)
    assert answer.code == 0, answer


def meet(one: GitRepo, other: GitRepo) -> int:
    one.git("fetch", "-q", str(other.path), "main:theirs")
    return one.merge("theirs")


def lanes(repo: GitRepo) -> dict[str, str]:
    return {wp_id: state["lane"] for wp_id, state in parse(repo.read(SNAPSHOT))["work_packages"].items()}


@pytest.mark.parametrize("installed", [True, False])
def test_clones_that_migrate_separately_have_the_same_bytes_and_merge(
    repo: GitRepo, tmp_path: Path, installed: bool
) -> None:
    one, other = two_clones(repo, tmp_path, installed=installed)
    for clone in (one, other):
        migrate(clone, "--commit")
    assert one.read(LOG) == other.read(LOG)
    assert one.read(SNAPSHOT) == other.read(SNAPSHOT)
    before = one.read(LOG)
    assert meet(one, other) == 0
    assert one.read(LOG) == before
    migrate(one)
    assert one.git("status", "--porcelain") == ""


@pytest.mark.parametrize("config", ["", "status:\n  layout: per-writer\n"])
def test_clones_that_went_on_since_have_one_set_of_migrated_lines_after_the_merge(
    repo: GitRepo, tmp_path: Path, config: str
) -> None:
    one, other = two_clones(repo, tmp_path, installed=True, config=config)
    for clone, wp_id in ((one, "WP03"), (other, "WP04")):
        migrate(clone, "--commit")
        emit(clone.path, wp_id, "claimed", "--commit")
    assert meet(one, other) == 0
    assert one.git("status", "--porcelain") == ""
    told = ask(one.path, "log", SLUG, "--json").data["events"]
    assert [event["wp_id"] for event in told] == ["WP02", *["WP01"] * 4, "WP03", "WP04"]
    assert lanes(one) == {"WP01": "done", "WP02": "in_progress", "WP03": "claimed", "WP04": "claimed"}
    assert ask(one.path, "validate", SLUG).code == 0


def test_without_the_driver_git_unites_the_lines(repo: GitRepo, tmp_path: Path) -> None:
    one, other = two_clones(repo, tmp_path, installed=False)
    repo.write(".gitattributes", f"{LOG} merge=union\n")
    for clone, wp_id in ((one, "WP03"), (other, "WP04")):
        clone.write(".gitattributes", "*.jsonl merge=union\n")
        migrate(clone)
        emit(clone.path, wp_id, "claimed")
        clone.git("add", ".gitattributes", LOG)
        clone.git("commit", "-q", "--no-verify", "-m", "migrated")
        (clone.path / SNAPSHOT).unlink()
    assert meet(one, other) == 0
    lines = one.read(LOG).splitlines()
    assert len(lines) == len(set(lines)) == 7
    assert ask(one.path, "materialize", SLUG).code == 0
    assert lanes(one)["WP01"] == "done"


def test_clones_whose_files_differ_do_not_rewind_each_other_in_silence(repo: GitRepo, tmp_path: Path) -> None:
    one, other = two_clones(repo, tmp_path, installed=True)
    work_package(other, "WP02", f"lane: for_review\n{CREATED}")
    other.commit("moved on")
    for clone in (one, other):
        migrate(clone, "--commit")
    assert meet(one, other) == 0
    state = ask(one.path, "show", SLUG, "--json").data["work_packages"]["WP02"]
    assert state["conflict"]["head_count"] == 2
    assert lanes(one)["WP01"] == "done"


def test_what_another_branch_has_moved_is_not_migrated_beside_it(repo: GitRepo) -> None:
    declare(repo)
    finished_and_begun(repo)
    repo.commit("before")
    repo.branch("work")
    migrate(repo)
    emit(repo.path, "WP02", "for_review", "--force", "--reason", "ticked", actor="grace")
    repo.commit("went on")
    repo.switch("main")
    answer = ask(repo.path, "migrate", SLUG, "--json")
    assert {each["wp_id"]: each["outcome"] for each in answer.data[0]["work_packages"]} == {
        "WP01": "migrated",
        "WP02": "kept",
        "WP03": "nothing",
    }
    assert answer.envelope["warnings"] == [
        f"{SLUG}: WP02 was not migrated: grace has moved it to for_review in branch work; merge that first"
    ]


def test_a_migration_that_was_not_committed_comes_back_after_git_threw_it_away(repo: GitRepo) -> None:
    declare(repo)
    finished_and_begun(repo)
    work_package(repo, "WP04", f"lane: planned\n{HISTORY}")
    repo.write(LOG, b"")
    repo.commit("before")
    migrate(repo)
    before = repo.read(LOG)
    repo.git("checkout", "-q", "--", LOG)
    assert repo.read(LOG) == b""
    dry = ask(repo.path, "migrate", SLUG, "--dry-run")
    assert (dry.code, "may have been lost" in dry.err) == (7, True)
    migrate(repo)
    assert sorted(repo.read(LOG).splitlines()) == sorted(before.splitlines())
    assert repo.git("diff", "--name-only", "--", f"{FOLDER}/tasks") == f"{FOLDER}/tasks/WP02-title.md"
