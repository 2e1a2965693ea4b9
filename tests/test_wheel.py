"""The built wheel, installed where the project's source is not: the command, a merge and the commit hook work."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

import kitty_status
from commandline import FOLDER, LOG, SLUG, SNAPSHOT
from gitrepo import GitRepo
from kitty_status.version import __version__
from wheels import ROOT, built_wheel, called, environment_with

pytestmark = pytest.mark.slow

_PROGRAM = """
from pathlib import Path

import typer

import kitty_status
import kitty_status.cli

app = typer.Typer()
app.add_typer(kitty_status.cli.app, name="status")
folder = Path("kitty-specs/001-feature")
folder.mkdir(parents=True, exist_ok=True)
evidence = kitty_status.DoneEvidence(
    review=kitty_status.ReviewApproval(reviewer="grace", verdict="approved", reference="PR 7"),
    repos=(kitty_status.RepoEvidence(repo="app", branch="main", commit="0" * 40),),
    verification=(kitty_status.VerificationResult(command="make test", result="pass", summary="214 passed"),),
)
event: kitty_status.StatusEvent = kitty_status.StatusEvent(
    event_id=kitty_status.new_event_id(),
    feature_slug="001-feature",
    wp_id="WP01",
    from_lane=kitty_status.Lane.PLANNED,
    to_lane=kitty_status.Lane.CLAIMED,
    at="2026-01-01T00:00:00+00:00",
    actor="ada",
    force=False,
    execution_mode="worktree",
    evidence=evidence,
)
try:
    kitty_status.append_event(folder, event)
except (kitty_status.StoreError, kitty_status.KittyStatusError) as error:
    raise SystemExit(error.message) from error
events: list[kitty_status.StatusEvent] = kitty_status.read_events(folder)
rows = kitty_status.read_events_raw(folder)
snapshot: kitty_status.Snapshot = kitty_status.reduce(events, kitty_status.lane_profile(folder))
assert kitty_status.materialize(folder) == snapshot
assert {path.name for path in folder.iterdir()} >= {kitty_status.EVENTS_FILENAME, kitty_status.SNAPSHOT_FILENAME}
with kitty_status.open_store("memory:") as store:
    assert store.head() == 0
version: str = kitty_status.__version__
print(repr(events[0].to_lane).split(":")[0][1:], snapshot.work_packages["WP01"]["lane"], len(rows))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of commands of an environment that holds the wheel, and beside it only its dependencies."""
    place = tmp_path_factory.mktemp("wheel")
    # The dependencies are those of the running environment.
    return environment_with(built_wheel(place), place / "env", site.getsitepackages())


def command(installed: Path, repo: GitRepo, *args: str) -> str:
    return called(installed / "kitty-status", *args, cwd=repo.path)


def test_the_wheel_brings_the_command_its_types_and_its_hooks(installed: Path, tmp_path: Path) -> None:
    code = "import kitty_status; print(kitty_status.__file__)"
    package = Path(called(installed / "python", "-c", code, cwd=tmp_path).strip()).parent
    assert package.is_relative_to(installed.parent)
    assert (package / "py.typed").exists()
    assert {path.name for path in ROOT.joinpath("hooks").iterdir()} <= {path.name for path in package.rglob("stubs/*")}
    for name in ("kitty-status", "git-kitty-status"):
        assert called(installed / name, "--version", cwd=tmp_path) == f"kitty-status {__version__}\n"


def test_a_program_that_uses_every_public_name_passes_a_strict_type_check(installed: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    for name in kitty_status.__all__:
        assert f"kitty_status.{name}" in _PROGRAM
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", installed / "python")
    cache = ("--config-file", os.devnull, "--cache-dir", tmp_path / "cache")
    assert "Success: no issues found in 1 source file" in called(*mypy, *cache, program, cwd=tmp_path)
    assert called(installed / "python", program, cwd=tmp_path) == "Lane.CLAIMED claimed 1\n"
    program.write_text(f"{_PROGRAM}\nwrong: int = event.wp_id\n")
    done = subprocess.run([*mypy, *cache, program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'expression has type "str", variable has type "int"' in done.stdout


def test_a_merge_and_the_hook_run_from_the_wheel_without_anything_on_the_path(installed: Path, repo: GitRepo) -> None:
    (repo.path / FOLDER / "tasks").mkdir(parents=True)
    command(installed, repo, "init")
    command(installed, repo, "install")
    assert "missing" not in command(installed, repo, "install", "--status")
    assert str(installed) in repo.git("config", "merge.kitty-status-log.driver")
    command(installed, repo, "emit", "WP01", "--to", "claimed", "--actor", "ada", "-f", SLUG)
    repo.commit()
    for branch, wp in (("theirs", "WP02"), ("ours", "WP03")):
        repo.git("checkout", "-q", "-b", branch, "main")
        command(installed, repo, "emit", wp, "--to", "claimed", "--actor", branch, "-f", SLUG, "--commit")
    assert os.environ["PATH"].find(str(installed)) == -1
    assert repo.merge("theirs") == 0
    merged = [json.loads(line)["wp_id"] for line in repo.read(LOG).splitlines()]
    assert merged == ["WP01", "WP02", "WP03"]
    before = repo.read(SNAPSHOT)
    assert json.loads(before)["event_count"] == 3
    assert "up to date" in command(installed, repo, "materialize", SLUG)
    assert "0 errors, 0 warnings" in command(installed, repo, "validate", SLUG)
    repo.append(LOG, b"oops\n")
    refused = repo.run("commit", "-a", "-m", "by hand")
    assert refused.returncode == 1
    assert f"{LOG}:4: invalid JSON: oops".encode() in refused.stderr
