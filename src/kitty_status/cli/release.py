"""`release`: give a claim back."""

from __future__ import annotations

from typing import Annotated

import typer

from kitty_status.cli.claim import (
    ActorOption,
    CommitOption,
    DryRunOption,
    ReasonOption,
    WorkPackageArgument,
    change_holder,
)
from kitty_status.cli.output import FeatureOption, JsonOption, command
from kitty_status.tracker.moving import holding
from kitty_status.tracker.moving.request import EmitRequest


@command
def release(
    wp: WorkPackageArgument,
    actor: ActorOption = "",
    feature: FeatureOption = None,
    reason: ReasonOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Give back the claim of somebody else; needs a reason.")
    ] = False,
    commit: CommitOption = False,
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> None:
    """Give a claim back, so that somebody else can take the work package up.

    \b
    Example:
      kitty-status release WP01 --actor ada --reason "waiting for the design"
    """  # noqa: D301  \b keeps the lines of the help apart
    request = EmitRequest(
        wp_id=wp, to_lane="", actor=actor.strip(), feature=feature, force=force, reason=reason, dry_run=dry_run
    )
    change_holder("release", holding.release, request, commit=commit, json_output=json_output)
