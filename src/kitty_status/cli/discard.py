"""`discard`: drop an acknowledged event that git does not keep yet."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from kitty_status.cli.output import JsonOption, command, say, say_json
from kitty_status.status.visible import visible
from kitty_status.tracker.features import Project
from kitty_status.tracker.journal.discarding import discard as discard_event

EXAMPLES = """Example:

  kitty-status discard 01M7Z6Z7AE8H49V05PV6B7T587 --reason "the wrong work package\""""


@command
def discard(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The id of the event.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is dropped; kept in the clone's journal.")],
    with_followers: Annotated[
        bool, typer.Option("--with-followers", help="Drop the events that go on from it, too; else that is refused.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be done, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Drop an event that was recorded in this clone and is in no commit yet, and cut it out of its log.

    An event that others go on from is dropped with them or not at all.
    """
    repository = Project(Path.cwd()).repository_needed("outside git there is no journal")
    dropped = discard_event(repository, event, reason, with_followers=with_followers, dry_run=dry_run)
    logs = [str(log) for log in dropped.cut_from]
    next_steps = [f"git -C {shlex.quote(str(log.parent))} add -- {log.name}" for log in dropped.staged]
    if json_output:
        first, *followers = (entry.event for entry in dropped.entries)
        data = {"dry_run": dry_run, "event": first, "followers": followers, "logs": logs, "reason": reason}
        say_json("discard", data, next_steps=next_steps)
        return
    would = "would be " if dry_run else ""
    for entry in dropped.entries:
        say(f"{would}dropped: {visible(entry.event_id)}")
    for log in logs:
        say(f"{would}cut out of {visible(log)}")
    for step in next_steps:
        typer.echo(f"next: {visible(step)}", err=True)


discard.__doc__ = f"{discard.__doc__}\n\n\b\n{EXAMPLES}"
