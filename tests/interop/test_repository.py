"""A repository that spec-kitty set up, and kitty-status installed into it: neither breaks what the other declared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT, ask
from spec_kitty import META, needs_spec_kitty
from telling import ours

if TYPE_CHECKING:
    from gitrepo import GitRepo
    from spec_kitty import Theirs

needs_spec_kitty()

DECISIONS = f"{FOLDER}/decisions.events.jsonl"


@pytest.fixture
def set_up(repo: GitRepo, theirs: Theirs) -> GitRepo:
    theirs.call(repo.path, "init", ".", "--ai", "claude", "--non-interactive")
    repo.write(f"{FOLDER}/meta.json", json.dumps(META, indent=2) + "\n")
    repo.commit("spec-kitty init")
    return repo


def merge_of(repo: GitRepo, path: str) -> str:
    return repo.git("check-attr", "merge", path).rpartition(": ")[2]


def test_installing_adds_to_what_spec_kitty_has_set_up_and_takes_only_that_back(set_up: GitRepo) -> None:
    before = set_up.read(".git/config"), set_up.read(".gitattributes"), set_up.read(".kittify/config.yaml")
    ours(set_up, "install")
    assert merge_of(set_up, LOG) == "kitty-status-log"
    assert merge_of(set_up, SNAPSHOT) == "kitty-status-snapshot"
    assert merge_of(set_up, DECISIONS) == "spec-kitty-event-log"
    assert set_up.git("config", "merge.spec-kitty-event-log.driver").startswith("spec-kitty merge-driver-event-log")
    ours(set_up, "uninstall")
    assert (set_up.read(".git/config"), set_up.read(".gitattributes"), set_up.read(".kittify/config.yaml")) == before


def test_declaring_leaves_spec_kittys_driver_where_it_declared_it(set_up: GitRepo) -> None:
    before = set_up.read(".gitattributes")
    ours(set_up, "init")
    assert set_up.read(".gitattributes").startswith(before)
    assert merge_of(set_up, LOG) == "spec-kitty-event-log"
    assert merge_of(set_up, SNAPSHOT) == "binary"
    assert set_up.git("check-attr", "text", LOG).endswith(": unset")
    assert set_up.read(".kittify/config.yaml").startswith(b"project:")


def test_doctor_finds_nothing_wrong_after_init_and_install(set_up: GitRepo) -> None:
    ours(set_up, "init")
    set_up.commit("kitty-status init")
    ours(set_up, "install")
    answer = ask(set_up.path, "doctor", "--json")
    assert [each["code"] for each in answer.data["findings"]] == ["autostash-unset"]
    assert "attributes-not-declared" not in answer.out


def test_spec_kitty_goes_on_working_there_and_its_commits_pass_our_hook(set_up: GitRepo, theirs: Theirs) -> None:
    ours(set_up, "init")
    ours(set_up, "install")
    theirs.emit(set_up, "WP01", "planned")
    set_up.commit("planned by spec-kitty")
    ours(set_up, "emit", "WP01", "--to", "claimed", "--actor", "ada", "-f", SLUG, "--commit")
    theirs.emit(set_up, "WP01", "in_progress")
    set_up.commit("started by spec-kitty")
    assert set_up.git("status", "--porcelain", "--", "kitty-specs") == ""
    assert theirs.status(set_up, "validate")["errors"] == []
    assert ours(set_up, "validate", SLUG).code == 0
    assert json.loads(set_up.read(SNAPSHOT))["work_packages"]["WP01"]["lane"] == "in_progress"


def test_spec_kittys_own_set_up_run_again_leaves_our_block_alone(set_up: GitRepo, theirs: Theirs) -> None:
    ours(set_up, "init")
    set_up.commit("kitty-status init")
    before = set_up.read(".gitattributes")
    theirs.answer(call=["init", ".", "--ai", "claude", "--non-interactive"], cwd=str(set_up.path))
    assert set_up.read(".gitattributes") == before
    assert b"status:" in set_up.read(".kittify/config.yaml")


def test_their_audit_of_missions_has_no_more_to_say_of_our_events_than_that_it_does_not_know_parents(
    set_up: GitRepo, theirs: Theirs
) -> None:
    for to in ("planned", "claimed", "in_progress"):
        ours(set_up, "emit", "WP01", "--to", to, "--actor", "ada", "-f", SLUG, "--execution-mode", "direct_repo")
    audited = json.loads(theirs.call(set_up.path, "doctor", "mission-state", "--audit", "--json"))
    (found,) = audited["missions"]
    assert {(each["severity"], each["code"]) for each in found["findings"]} == {("info", "UNKNOWN_SHAPE")}
    assert all("'parents'" in each["detail"] for each in found["findings"])
