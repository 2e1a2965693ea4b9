"""The command group as a part of another Typer application, under any name."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from commandline import ENVELOPE, LOG, SLUG, answer_to, feature_in
from events import line
from gitrepo import GitRepo
from kitty_status import cli

_OUTER = """
import sys, typer
import kitty_status.cli
outer = typer.Typer()
outer.command("other")(lambda: None)
outer.add_typer(kitty_status.cli.app, name=sys.argv[1])
outer()
"""


def outer_with(name: str) -> typer.Typer:
    outer = typer.Typer()
    outer.command("other")(lambda: None)
    outer.add_typer(cli.app, name=name)
    return outer


@pytest.mark.parametrize("name", ["status", "kitty"])
def test_commands_work_under_any_name_with_their_exit_codes(repo: GitRepo, name: str) -> None:
    feature_in(repo, line())
    outer = outer_with(name)
    move = (name, "emit", "WP01", "--actor", "ada", "-f", SLUG, "--json", "--to")
    calls = {
        (name, "show", SLUG, "--json"): 0,
        (*move, "in_progress"): 0,
        (*move, "done"): 3,
        (*move, "moon"): 2,
        (name, "show", "nowhere", "--json"): 4,
        (name, "explain", "chain-break", "--json"): 0,
        (name, "schema", "event", "--json"): 0,
        (name, "validate", SLUG, "--json"): 0,
    }
    with contextlib.chdir(repo.path):
        for call, code in calls.items():
            result = CliRunner().invoke(outer, call)
            answer = answer_to(call, result.exit_code, result.stdout, result.stderr)
            assert answer.code == code, (call, answer)
            if code:
                assert answer.error["exit_code"] == code
            else:
                assert answer.envelope.keys() == ENVELOPE
    assert repo.read(LOG).count(b"\n") == 2


def test_a_process_of_the_other_application_answers_as_ours_does(repo: GitRepo) -> None:
    feature_in(repo, line())
    for call, code in ((("show", SLUG), 0), (("show", "nowhere"), 4), (("validate", "--nonsense"), 2)):
        argv = [sys.executable, "-c", _OUTER, "mission-status", *call, "--json"]
        done = subprocess.run(argv, cwd=repo.path, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        if code == 0:
            assert json.loads(done.stdout)["kind"] == "show"


def test_the_group_has_its_help_and_is_built_once() -> None:
    result = CliRunner().invoke(outer_with("status"), ["status", "--help"])
    assert result.exit_code == 0
    assert "Exit codes: 0 done" in result.stdout
    assert cli.app is cli.app
    with pytest.raises(AttributeError, match="nonsense"):
        cli.nonsense  # noqa: B018
