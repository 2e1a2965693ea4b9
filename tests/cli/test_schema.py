"""`schema`: what it prints and writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commandline import SLUG, ask, feature_in
from events import line
from gitrepo import GitRepo
from kitty_status.cli.answers.schemas import names, schema_of

_LOADED = """
import sys
from kitty_status.__main__ import main
assert main() == 0
print(*sys.modules, file=sys.stderr)
"""


def test_without_a_name_every_schema_is_listed_with_what_it_describes(tmp_path: Path) -> None:
    lines = ask(tmp_path, "schema").out.splitlines()
    assert [line.split()[0] for line in lines] == list(names())
    assert lines[0].endswith("  an event, as a line of a log holds it")
    assert "the answer to `emit` with --json" in "\n".join(lines)
    listed = ask(tmp_path, "schema", "--json").data
    assert {each["name"]: each["about"] for each in listed} == names()


@pytest.mark.parametrize("name", ["event", "snapshot", "error", "emit"])
def test_a_schema_is_printed_as_it_is_and_in_an_envelope(tmp_path: Path, name: str) -> None:
    assert json.loads(ask(tmp_path, "schema", name).out) == schema_of(name)
    assert ask(tmp_path, "schema", name, "--json").data == schema_of(name)


def test_for_a_name_that_is_nearly_right_the_right_one_is_said(tmp_path: Path) -> None:
    answer = ask(tmp_path, "schema", "events")
    assert (answer.code, answer.err) == (4, "error: there is no schema 'events'\nhint: did you mean event?\n")


def test_all_are_written_once_and_again_only_where_they_changed(tmp_path: Path) -> None:
    assert set(ask(tmp_path, "schema", "--all", ".", "--dry-run").out.splitlines()) == {
        f"would create {name}.json" for name in names()
    }
    assert not list(tmp_path.iterdir())
    ask(tmp_path, "schema", "--all", ".")
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.json" for name in names()}
    (tmp_path / "event.json").write_text("{}")
    before = (tmp_path / "emit.json").stat().st_mtime_ns
    files = ask(tmp_path, "schema", "--all", ".", "--json").data["files"]
    assert {each["path"] for each in files if each["action"] == "update"} == {"event.json"}
    assert {each["action"] for each in files} == {"keep", "update"}
    assert json.loads((tmp_path / "event.json").read_text()) == schema_of("event")
    assert (tmp_path / "emit.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "call",
    [
        ("show", SLUG, "--json"),
        ("emit", "WP01", "--to", "in_progress", "--actor", "ada", "-f", SLUG, "--json"),
        ("--help",),
    ],
    ids=lambda call: call[0],
)
def test_no_other_command_loads_the_models_of_the_answers(repo: GitRepo, call: tuple[str, ...]) -> None:
    feature_in(repo, line())
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *call],
        cwd=repo.path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not {"kitty_status.cli.answers", "kitty_status.status.events"} & set(done.stderr.split())
