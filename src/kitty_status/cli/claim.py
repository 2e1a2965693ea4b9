"""What `release` and `take-over` have in common: who, which work package, and how it is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.cli.emit import finish
from kitty_status.tracker.commit import check_can_commit
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.phases import phase_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_status.tracker.config import Config
    from kitty_status.tracker.moving.request import EmitRequest, Emitted

WorkPackageArgument = Annotated[str, typer.Argument(metavar="WP", help="The work package, for example WP01.")]
ActorOption = Annotated[str, typer.Option("--actor", envvar="KITTY_STATUS_ACTOR", help="Who does it.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why.")]
CommitOption = Annotated[bool, typer.Option("--commit", help="Commit exactly log, snapshot and views.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be done, and write nothing.")]


def change_holder(
    kind: str,
    change: Callable[[Project, Config, EmitRequest], Emitted],
    request: EmitRequest,
    *,
    commit: bool,
    json_output: bool,
) -> None:
    """Make the change that a request asks for, and say what was done."""
    project = Project(Path.cwd())
    if commit:
        check_can_commit(project)
    config = load_config(project.root)
    emitted = change(project, config, request)
    emitted.warnings += phase_of(emitted.feature, config).warnings
    finish(kind, emitted, config, commit=commit, json_output=json_output)
