"""`uninstall`: take back what `install` did to this clone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kitty_status.cli.install import repository_of, say_changes
from kitty_status.cli.output import JsonOption, command
from kitty_status.git import installation
from kitty_status.tracker.features import Project


@command
def uninstall(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="List what would change, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Take back what `kitty-status install` did to this clone. Every byte that it did not write is as it was.

    Logs, snapshots and committed files stay: without kitty-status, git merges logs by its own union.

    \b
    Example:
      kitty-status uninstall --dry-run
    """  # noqa: D301  \b keeps the lines of the help apart
    repository = repository_of(Project(Path.cwd()))
    changes = installation.plan_removal(repository) if dry_run else installation.remove(repository)
    say_changes("uninstall", changes, dry_run=dry_run, json_output=json_output)
