"""The built wheel, installed where the project's source is not: the command, a merge and the commit hook work."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

from commandline import FOLDER, LOG, SLUG, SNAPSHOT
from gitrepo import GitRepo
from kitty_status.version import __version__

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


def called(*argv: str | Path, cwd: Path) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of commands of an environment that holds the wheel, and beside it only its dependencies."""
    place = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT)
    called(*build, cwd=place)
    (wheel,) = place.glob("*.whl")
    called(sys.executable, "-m", "venv", "--without-pip", place / "env", cwd=place)
    python = place / "env" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    called(*pip, cwd=place)
    (folder,) = (place / "env" / "lib").glob("python*/site-packages")
    # The dependencies are those of the running environment. Its own `.pth` files, the project's among them, do not
    # count there.
    (folder / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return python.parent


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
