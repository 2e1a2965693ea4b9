"""What the tests against the released spec-kitty stand on. They run with `make interop` alone, which installs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commandline import FOLDER
from spec_kitty import META, Theirs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitrepo import GitRepo

WORK_PACKAGE = """---
work_package_id: WP01
title: Begin
subtasks: [T001]
dependencies: []
---

# Begin
"""
OVERVIEW = """# Tasks

## WP01: Begin

- [x] T001 Begin
"""


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    with Theirs(tmp_path_factory.mktemp("their-home")) as process:
        yield process


@pytest.fixture
def mission(repo: GitRepo) -> GitRepo:
    """A repository with one mission and one work package, of whose moves none has been made."""
    repo.write(f"{FOLDER}/meta.json", json.dumps(META, indent=2) + "\n")
    repo.write(f"{FOLDER}/tasks/WP01-begin.md", WORK_PACKAGE)
    repo.write(f"{FOLDER}/tasks.md", OVERVIEW)
    repo.write(".gitignore", ".kittify/\n")
    repo.commit("a mission")
    return repo
