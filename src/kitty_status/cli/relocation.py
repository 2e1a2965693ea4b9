"""What `rename`, `archive` and `unarchive` have in common: committing the move, and saying what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.cli.output import say, say_json, warn
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import check_can_commit, check_nothing_else_changed, commit_move, how_to_commit_move

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature, Project
    from kitty_status.tracker.relocate import Relocation

CommitOption = Annotated[bool, typer.Option("--commit", help="Commit exactly the move.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be moved, and write nothing.")]


def check_before(project: Project, source: Feature, *, commit: bool) -> None:
    """Refuse a move that is to be committed where that is known to fail, before anything is written."""
    if commit:
        check_can_commit(project)
        check_nothing_else_changed(source)


def finish(kind: str, relocation: Relocation, message: str, *, commit: bool, dry_run: bool, json_output: bool) -> int:
    """Commit a move if wished, say what was done, and return the exit code: 1 where a person must look."""
    source, target = relocation.source, relocation.target
    committed = commit_move(source, target, message) if commit and not dry_run else None
    next_steps = [] if committed or dry_run else how_to_commit_move(source, target, message)
    united = relocation.united
    warnings = [*relocation.warnings]
    if united is not None:
        warnings += [f"{path} stays: the other folder has a different file by its name" for path in united.left]
        warnings += [f"event {event_id} stands for two different events" for event_id in united.conflicts]
    if json_output:
        data = _data(relocation, committed, dry_run=dry_run)
        say_json(kind, data, warnings=warnings, next_steps=next_steps)
    else:
        _print(relocation, committed, dry_run=dry_run)
        warn(warnings)
        for step in next_steps:
            typer.echo(f"next: {visible(step)}", err=True)
    return EXIT_FINDINGS if united is not None and united.conflicts else EXIT_DONE


def _data(relocation: Relocation, committed: str | None, *, dry_run: bool) -> dict[str, object]:
    source, target, united = relocation.source, relocation.target, relocation.united
    return {
        "feature": target.slug,
        "former": source.slug,
        "from": source.relative(source.folder),
        "to": target.relative(target.folder),
        "archived": target.is_archived,
        "united": None
        if united is None
        else {"lines_gained": united.gained, "conflicts": united.conflicts, "left": united.left},
        "row": relocation.row,
        "dry_run": dry_run,
        "commit": committed,
    }


def _print(relocation: Relocation, committed: str | None, *, dry_run: bool) -> None:
    source, target = relocation.source, relocation.target
    would = "would have " if dry_run else ""
    old, new = visible(source.relative(source.folder)), visible(target.relative(target.folder))
    if relocation.united is None:
        say(f"{would}moved {old} to {new}")
    else:
        gained = relocation.united.gained
        say(f"{would}united {old} with {new}: {gained} {'line was' if gained == 1 else 'lines were'} not there")
    if committed is not None:
        say(f"committed as {committed[:12]}")
