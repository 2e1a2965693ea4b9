"""What the code promises about itself: what a process loads, how large things are, what no message says."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kitty_status

SOURCE = Path(kitty_status.__file__).parent
ROOT = SOURCE.parent.parent
FILES = sorted(SOURCE.rglob("*.py"))
_LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
__import__(sys.argv[2], fromlist=["x"])
print(*sys.modules)
"""
DESTRUCTIVE = ("reset --hard", "rm -rf", "rm -r", "push --force", "push -f", "clean -fd", "clean -f", "checkout --")
PLUMBING = {
    "log_driver": {"typing", "re", "json", "pathlib", "hashlib", "subprocess"},
    "snapshot_driver": {"typing", "subprocess", "datetime"},
    "hook_entry": {"typing", "re", "json", "pathlib", "hashlib", "subprocess"},
    "pre_commit": {"typing", "re", "json", "pathlib", "hashlib", "subprocess"},
    "pre_push": {"typing", "re", "json", "pathlib", "hashlib", "subprocess"},
}
"""What git calls, and the slow parts of the standard library that each does without."""


def loaded_by(module: str) -> set[str]:
    """Return what a process has loaded after importing one module, with nothing but the standard library at hand."""
    argv = [sys.executable, "-I", "-S", "-c", _LOADED, str(SOURCE.parent), module]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stdout.split()}


def functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{file.name}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_importing_the_library_loads_nothing_heavy() -> None:
    loaded = loaded_by("kitty_status")
    assert not {"pydantic", "msgspec", "typer", "ruamel", "json", "pathlib", "re"} & loaded
    assert loaded <= set(sys.stdlib_module_names) | {"kitty_status", "__main__"}


@pytest.mark.parametrize("module", PLUMBING)
def test_what_git_calls_loads_the_standard_library_and_our_modules_only(module: str) -> None:
    loaded = loaded_by(f"kitty_status.git.{module}")
    assert loaded <= set(sys.stdlib_module_names) | {"kitty_status", "__main__"}
    assert not PLUMBING[module] & loaded


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    assert len(FILES) > 40
    for file in FILES:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 300, file


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert {name for file in FILES for name, lines in functions(file) if lines > 60} == set()


def test_there_are_at_most_twenty_five_public_names() -> None:
    assert 10 < len(kitty_status.__all__) <= 25


def test_every_exception_is_caught_in_seven_places_only_and_each_says_why() -> None:
    caught = []
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
                names = {each.id for each in ast.walk(node.type or ast.Name("Exception")) if isinstance(each, ast.Name)}
                if names & {"Exception", "BaseException"}:
                    caught.append(file.relative_to(SOURCE).as_posix())
                    assert "# noqa: BLE001  " in text.splitlines()[node.lineno - 1]
    # The command line, so that no traceback reaches a user; doctor, so that one check cannot hide the others; and
    # what calls listeners and subscribers, which are somebody else's programs. A writer for many callers hands every
    # failure on to each of them, and is not stopped by one who cannot be told.
    assert caught == [
        "checks/doctor.py",
        "cli/output.py",
        "cli/run.py",
        "eventstore/group_commit.py",
        "eventstore/group_commit.py",
        "eventstore/subscription.py",
        "tracker/moving/listeners.py",
    ]


@pytest.mark.parametrize("words", DESTRUCTIVE)
def test_no_message_and_no_page_suggests_a_destructive_command(words: str) -> None:
    for file in [*FILES, *ROOT.glob("hooks/*"), *ROOT.glob("docs/*.md"), ROOT / "README.md"]:
        text = file.read_text(encoding="utf-8")
        if file.name == "guarantees.md":
            # Its rows say what becomes of a log under such commands.
            text = "\n".join(row for row in text.splitlines() if not row.startswith("| `git "))
        assert words not in text, file
