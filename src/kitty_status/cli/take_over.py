"""`take-over`: become the holder of a work package that somebody seems to have forgotten."""

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
def take_over(
    wp: WorkPackageArgument,
    actor: ActorOption = "",
    feature: FeatureOption = None,
    reason: ReasonOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take a claim over that is not stale; needs a reason.")
    ] = False,
    commit: CommitOption = False,
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> None:
    """Take a stale claim over: the work package stays in its lane and gets another holder.

    Stale is a claim of more than 7 days, and work in progress of more than 14, since its holder moved it
    last; status.stale_claimed_days and status.stale_in_progress_days in the configuration say otherwise.

    \b
    Example:
      kitty-status take-over WP01 --actor ben
    """  # noqa: D301  \b keeps the lines of the help apart
    request = EmitRequest(
        wp_id=wp, to_lane="", actor=actor.strip(), feature=feature, force=force, reason=reason, dry_run=dry_run
    )
    change_holder("take-over", holding.take_over, request, commit=commit, json_output=json_output)
