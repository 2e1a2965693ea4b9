"""Init: what it announces it does, what is there already stays, and twice changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import FOLDER, LOG, SNAPSHOT, ask, tree
from gitrepo import GitRepo
from kitty_status.errors import ConfigurationError, OutsideRepositoryError
from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.tracker.config import DEFAULTS, load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.initialize import initialize, plan_init

ATTRIBUTES = ".gitattributes"


def test_an_empty_repository_gets_both_files_and_git_obeys_them(repo: GitRepo) -> None:
    assert [change.action for change in initialize(Project(repo.path))] == ["create", "create"]
    assert repo.read(CONFIG_PATH) == DEFAULTS.encode()
    assert repo.git("check-attr", "merge", "text", "--", LOG, SNAPSHOT).splitlines() == [
        f"{LOG}: merge: union",
        f"{LOG}: text: unset",
        f"{SNAPSHOT}: merge: binary",
        f"{SNAPSHOT}: text: unset",
    ]


def test_twice_changes_nothing(repo: GitRepo) -> None:
    initialize(Project(repo.path))
    before = {path: (repo.path / path).stat().st_mtime_ns for path in (ATTRIBUTES, CONFIG_PATH)}
    assert [change.action for change in initialize(Project(repo.path))] == ["keep", "keep"]
    assert {path: (repo.path / path).stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("existing", [None, "", "# mine\n*.png binary", "*.png binary\r\n"])
def test_what_is_planned_is_what_is_done(repo: GitRepo, existing: str | None) -> None:
    if existing is not None:
        repo.write(ATTRIBUTES, existing)
        repo.write(CONFIG_PATH, "project: x\n")
    before = tree(repo.path)
    plan = plan_init(Project(repo.path))
    assert tree(repo.path) == before
    assert initialize(Project(repo.path)) == plan
    assert {change.path: repo.read(change.path) for change in plan} == {change.path: change.content for change in plan}
    assert repo.read(ATTRIBUTES).startswith((existing or "").encode())


@pytest.mark.parametrize(
    "config",
    [
        "status:\n  lanes: nine-lane\n",
        "# c\r\nstatus: {phase: 1} # why\r\n",
        "'status': {lanes: nine-lane}",
        "status :\n  lanes: nine-lane\n",
        "{status: {lanes: nine-lane}}\n",
        "? status\n: {lanes: nine-lane}\n",
        "status:\n",
    ],
)
def test_a_configuration_that_has_a_section_is_kept_byte_for_byte(repo: GitRepo, config: str) -> None:
    repo.write(CONFIG_PATH, config)
    assert initialize(Project(repo.path))[1].action == "keep"
    assert repo.read(CONFIG_PATH) == config.encode()


@pytest.mark.parametrize("config", ["agents:\n  - claude", "# nothing\n", "text: |\n  status:\n    x\n", "a: 1\r\n"])
def test_a_configuration_of_others_gets_the_defaults_behind_it(repo: GitRepo, config: str) -> None:
    repo.write(CONFIG_PATH, config)
    assert initialize(Project(repo.path))[1].action == "update"
    written = repo.read(CONFIG_PATH).decode()
    assert written.startswith(config)
    assert written.endswith(DEFAULTS)
    assert load_config(repo.path).profile is None


@pytest.mark.parametrize(
    "config",
    ["{a: 1}\n", "# c\n{a: 1}\n", "[1]\n", "- a\n", "just text\n", "a: 1\n...\n", "a: 1\n---\nb: 2\n", "a: [1"],
)
def test_a_configuration_that_cannot_be_added_to_is_left_and_named(repo: GitRepo, config: str) -> None:
    repo.write(CONFIG_PATH, config)
    with pytest.raises(ConfigurationError, match=CONFIG_PATH):
        initialize(Project(repo.path))
    assert repo.read(CONFIG_PATH) == config.encode()
    assert not (repo.path / ATTRIBUTES).exists()


def test_a_configuration_that_is_not_understood_stops_it(repo: GitRepo) -> None:
    repo.write(CONFIG_PATH, "status:\n  colour: red\n")
    with pytest.raises(ConfigurationError, match=":2: unknown key"):
        initialize(Project(repo.path))
    assert not (repo.path / ATTRIBUTES).exists()


def test_outside_git_there_is_nothing_to_prepare(tmp_path: Path) -> None:
    with pytest.raises(OutsideRepositoryError):
        plan_init(Project(tmp_path))


def test_the_dry_run_of_the_command_lists_every_line_and_writes_nothing(repo: GitRepo) -> None:
    (repo.path / FOLDER).mkdir(parents=True)
    before = tree(repo.path)
    answer = ask(repo.path / FOLDER, "init", "--dry-run")
    assert tree(repo.path) == before
    for line in ("would create .gitattributes", "would create .kittify/config.yaml", "      lanes: auto"):
        assert line in answer.out.splitlines()
