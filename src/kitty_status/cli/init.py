"""`init`: prepare a repository, once."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from kitty_status.cli.output import JsonOption, command, say, say_json
from kitty_status.status.visible import visible
from kitty_status.tracker.features import Project
from kitty_status.tracker.initialize import initialize, plan_init, tracked_snapshots


@command
def init(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="List what would be written, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Prepare a repository: declare its status files to git (.gitattributes) and write configuration defaults.

    Both files are to be committed. Calling it twice changes nothing. With `snapshot: ignored` in the
    configuration it also keeps a rule in .gitignore.

    \b
    Example:
      kitty-status init --dry-run
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    changes = plan_init(project) if dry_run else initialize(project)
    written = [change.path for change in changes if change.action != "keep"]
    next_steps = [f"git add -- {' '.join(written)}", "kitty-status install"] if written else ["kitty-status install"]
    next_steps += [f"git rm --cached -- {shlex.quote(f':/{path}')}" for path in tracked_snapshots(project)]
    if json_output:
        data = [{"path": change.path, "action": change.action, "lines": list(change.lines)} for change in changes]
        say_json("init", {"dry_run": dry_run, "changes": data}, next_steps=next_steps)
        return
    for change in changes:
        say(f"{'would ' if dry_run and change.action != 'keep' else ''}{change.action} {change.path}")
        for line in change.lines:
            say(f"    {line}")
    for step in next_steps:
        typer.echo(f"next: {visible(step)}", err=True)
