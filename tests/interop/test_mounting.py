"""kitty-status beside spec-kitty in one environment: installed there, and mounted as a part of its command line."""

from __future__ import annotations

import json
import site
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commandline import SLUG
from spec_kitty import PYTHON, needs_spec_kitty
from telling import ours
from wheels import built_wheel, called, environment_with

if TYPE_CHECKING:
    from gitrepo import GitRepo
    from spec_kitty import Theirs

needs_spec_kitty()

# What spec-kitty does not bring itself.
_OURS_ALONE = {"cachetools", "gitdb", "gitpython", "kitty-status", "msgspec", "smmap"}
_MOUNTED = """
import sys
import kitty_status.cli
import specify_cli
specify_cli.app.add_typer(kitty_status.cli.app, name=sys.argv.pop(1))
specify_cli.app()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def both(wheel: Path) -> Path:
    """Return the python of an environment with our wheel, their packages, and what only we need from ours."""
    (theirs,) = Path(PYTHON).parents[1].glob("lib/python*/site-packages")
    return environment_with(wheel, wheel.parent / "env", [str(theirs), *site.getsitepackages()]) / "python"


def test_installing_us_there_replaces_nothing_of_theirs(wheel: Path) -> None:
    options = ("--dry-run", "--quiet", "--disable-pip-version-check", "--report", "-")
    report = json.loads(called(PYTHON, "-m", "pip", "install", *options, wheel, cwd=wheel.parent))
    names = {each["metadata"]["name"].lower() for each in report["install"]}
    assert "kitty-status" in names
    assert names <= _OURS_ALONE


@pytest.mark.parametrize("name", ["kitty-status", "board"])
def test_the_command_group_mounts_on_their_own_command_under_any_name(
    both: Path, mission: GitRepo, theirs: Theirs, name: str
) -> None:
    versions = "import typer, kitty_status; print(typer.__file__, kitty_status.__file__)"
    typer, package = called(both, "-c", versions, cwd=mission.path).split()
    assert Path(typer).is_relative_to(Path(PYTHON).parents[1])
    assert Path(package).is_relative_to(both.parents[1])
    theirs.emit(mission, "WP01", "planned")
    calls = {
        ("emit", "WP01", "--to", "claimed", "--actor", "ada", "-f", SLUG): 0,
        ("emit", "WP01", "--to", "done", "--actor", "ada", "-f", SLUG): 3,
        ("show", "nowhere"): 4,
        ("show", SLUG): 0,
    }
    for call, code in calls.items():
        argv = [str(both), "-c", _MOUNTED, name, name, *call, "--json"]
        done = subprocess.run(
            argv, cwd=mission.path, capture_output=True, text=True, check=False, env=theirs.environment
        )
        assert done.returncode == code, (call, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        if code == 0:
            assert json.loads(done.stdout.splitlines()[-1])["kind"] == call[0]
        else:
            assert json.loads(done.stderr.splitlines()[-1])["exit_code"] == code
    lanes = ours(mission, "show", SLUG, "--json").data["work_packages"]
    assert lanes["WP01"]["lane"] == "claimed"
    assert theirs.status(mission, "validate")["errors"] == []
