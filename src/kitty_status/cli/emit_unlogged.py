"""`emit` for a feature in phase 0: the lane goes into the work package's file, and that is said plainly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from kitty_status.cli.output import say, say_json, warn
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import commands_to_commit, commit_file
from kitty_status.tracker.unlogged.moving import move_in_file

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.moving.request import EmitRequest
    from kitty_status.tracker.phases import Phase


def move(
    feature: Feature, config: Config, request: EmitRequest, phase: Phase, *, commit: bool, json_output: bool
) -> None:
    """Write a work package's lane, commit the file if wished, and say what was done and what was not recorded."""
    moved = move_in_file(feature, config, request, to_be_committed=commit)
    title = f"{moved.wp_id}: {moved.from_lane} to {moved.to_lane}"
    where = feature.relative(moved.path)
    committed = None
    if commit and not moved.dry_run:
        committed = commit_file(feature, moved.path, f"Move {title}")
    is_to_commit = feature.repository is not None and committed is None and not moved.dry_run
    steps = commands_to_commit([where], f"Move {title}") if is_to_commit else []
    lost = _unrecorded(request)
    warnings = [
        *phase.warnings,
        *moved.warnings,
        *([f"in phase 0 nothing is recorded: {' and '.join(lost)} will not be kept"] if lost else []),
    ]
    if json_output:
        data = {
            "feature": feature.slug,
            "wp_id": moved.wp_id,
            "from_lane": moved.from_lane,
            "to_lane": moved.to_lane,
            "path": where,
            "recorded": False,
            "phase": phase.number,
            "phase_source": phase.source,
            "dry_run": moved.dry_run,
            "commit": committed,
        }
        say_json("emit", data, warnings=warnings, next_steps=steps)
        return
    warn(warnings)
    say(f"{'would move' if moved.dry_run else 'moved'} {visible(title)} in {visible(where)}")
    say(f"phase 0 ({phase.source}): no event {'would be' if moved.dry_run else 'was'} recorded in a log")
    if committed is not None:
        say(f"committed as {committed[:12]}")
    for step in steps:
        typer.echo(f"next: {visible(step)}", err=True)


def _unrecorded(request: EmitRequest) -> list[str]:
    """Return what was said about a move that a log would have kept."""
    said = {
        "the force": request.force,
        "the reason": request.reason,
        "the review's reference": request.review_ref,
        "the evidence": request.evidence,
    }
    return [what for what, value in said.items() if value]
