"""The demo: it shows what it says, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from commandline import KITTY

EXAMPLE = Path(__file__).resolve().parent.parent / "kitty-specs-example"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what the demo prints, once it has ended well and left its folder for temporary files empty."""
    place = tmp_path_factory.mktemp("demo")
    before = sorted(EXAMPLE.rglob("*"))
    environment = {
        **os.environ,
        "TMPDIR": str(place),
        "HOME": str(place),
        "PATH": f"{Path(KITTY).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["sh", EXAMPLE / "demo.sh"], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert list(place.iterdir()) == []
    assert sorted(EXAMPLE.rglob("*")) == before
    return done.stdout


def output_of(said: str, beginning: str, *, last: bool = False) -> str:
    """Return what stands between a command's line and the next command or heading."""
    parts = [part for part in re.split(r"\n(?=[$#] )", said) if part.startswith(f"$ {beginning}")]
    assert parts, f"no {beginning}"
    return parts[-1 if last else 0].partition("\n")[2]


def test_each_command_stands_before_its_output(said: str) -> None:
    commands = re.findall(r"^\$ (.+)$", said, re.MULTILINE)
    for verb in ("init", "install", "show", "emit", "materialize", "validate"):
        assert any(command.startswith(f"kitty-status {verb}") for command in commands), verb
    assert len([command for command in commands if command.startswith("git merge")]) == 2
    assert len([command for command in commands if command.startswith("git worktree add")]) == 2
    assert "demo: " not in said


def test_the_merged_state_is_that_of_both_branches(said: str) -> None:
    shown = output_of(said, "kitty-status show", last=True)
    assert re.search(r"^  WP01  for_review +\S+  ada$", shown, re.MULTILINE)
    assert re.search(r"^  WP02  in_progress +\S+  claude$", shown, re.MULTILINE)
    assert "up to date" in output_of(said, "kitty-status materialize")
    assert "0 errors, 0 warnings" in output_of(said, "kitty-status validate")
    assert "CONFLICT" not in said


def test_the_refused_move_says_why_and_ends_with_3(said: str) -> None:
    refused = output_of(said, "kitty-status emit WP02 --to done")
    assert "error: WP02 is in in_progress: in_progress to done is not a legal move" in refused
    assert "hint: from in_progress it may go to" in refused
    assert "(exit code 3)" in refused


def test_the_corrupt_line_is_stopped_with_its_place(said: str) -> None:
    stopped = output_of(said, "git commit --all")
    assert re.search(r"kitty-specs/001-login-form/status\.events\.jsonl:8: invalid JSON: \{", stopped)
    assert "hint: " in stopped
    assert "the commit was stopped" in stopped


def test_no_output_holds_an_escape(said: str) -> None:
    assert "\x1b" not in said
    assert "Traceback" not in said
