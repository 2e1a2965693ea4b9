"""`revert`: take the moves of a commit, or one event, back by further events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureOption, JsonOption, command, say, say_json, warn
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import check_can_commit, commit_feature, how_to_commit
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.revert import ALREADY, MOVED, RevertRequest
from kitty_status.tracker.revert import revert as revert_moves
from kitty_status.tracker.views.changes import changed_views

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.revert import Reverted, Undoing
    from kitty_status.tracker.views.views import View


@command
def revert(
    what: Annotated[str, typer.Argument(metavar="COMMIT|EVENT", help="A commit, or the id of an event.")],
    actor: Annotated[str, typer.Option("--actor", envvar="KITTY_STATUS_ACTOR", help="Who takes it back.")] = "",
    feature: FeatureOption = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also where a work package has moved on since.")] = False,
    commit: Annotated[bool, typer.Option("--commit", help="Commit exactly logs, snapshots and views.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be done, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Bring work packages back to where they were before a commit or an event, by a further event.

    `git revert` does not do that: it keeps the lines, or takes them out of the history. A second
    call changes nothing.

    \b
    Examples:
      kitty-status revert HEAD~2 --actor ada --reason "wrong branch"
      kitty-status revert 01JZY9V7Q4T0P2M8S6R3K5N1XB --actor ada --dry-run
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    if commit:
        check_can_commit(project)
    request = RevertRequest(
        what=what, actor=actor.strip(), feature=feature, reason=reason, force=force, dry_run=dry_run
    )
    config = load_config(project.root)
    reverted = revert_moves(project, config, request)
    moved = {each.feature.slug: each for each in reverted.undoings if each.outcome == MOVED}
    for each in moved.values():
        if each.emitted is not None:
            each.emitted.warnings += phase_of(each.feature, config).warnings
    message = f"Revert {reverted.name}: {reverted.about}".rstrip(": ")
    commits = [_commit(reverted, each, message, config) for each in moved.values()] if commit and not dry_run else []
    touched = [] if commit or dry_run else [each.feature for each in moved.values()]
    steps = [
        step
        for each in touched
        if each.repository
        for step in how_to_commit(
            each, message, snapshot=config.commits_snapshots, views=changed_views(each, config).generated
        )
    ]
    _print(reverted, steps, commits, json_output=json_output)


def _commit(reverted: Reverted, undoing: Undoing, message: str, config: Config) -> str:
    assert undoing.emitted is not None  # noqa: S101  it moved
    made = commit_feature(undoing.feature, message, undoing.emitted.event["event_id"], config)
    undoing.emitted.warnings += made.warnings(_views(reverted, undoing.feature))
    return made.id


def _views(reverted: Reverted, feature: Feature) -> list[View]:
    """Return the views of a feature that were written, the last version of each."""
    emitted = [each.emitted for each in reverted.undoings if each.emitted and each.feature.slug == feature.slug]
    return list({view.where: view for each in emitted for view in each.views if view.written}.values())


def _print(reverted: Reverted, next_steps: list[str], commits: list[str], *, json_output: bool) -> None:
    emitted = [each.emitted for each in reverted.undoings if each.emitted is not None]
    warnings = list(dict.fromkeys(warning for each in emitted for warning in each.warnings))
    if json_output:
        data = {
            "reverted": reverted.commit or reverted.name,
            "moves": [_data(each) for each in reverted.undoings],
            "commits": commits,
        }
        say_json("revert", data, warnings=warnings, next_steps=next_steps)
        return
    warn(warnings)
    for each in reverted.undoings:
        say(visible(_words(each)))
    for committed in commits:
        say(f"committed as {committed[:12]}")
    for step in next_steps:
        typer.echo(f"next: {visible(step)}", err=True)


def _data(undoing: Undoing) -> dict[str, Any]:
    return {
        "feature": undoing.feature.slug,
        "wp_id": undoing.wp_id,
        "to_lane": undoing.to_lane,
        "outcome": undoing.outcome,
        "undoes": undoing.events,
        "event": undoing.emitted.event if undoing.emitted else None,
        "dry_run": undoing.emitted.dry_run if undoing.emitted else None,
    }


def _words(undoing: Undoing) -> str:
    place = f"{undoing.wp_id} in {undoing.feature.slug}"
    if undoing.emitted is not None:
        event = undoing.emitted.event
        did = "would move" if undoing.emitted.dry_run else "moved"
        return f"{did} {place} back: {event['from_lane']} to {event['to_lane']} ({event['event_id']})"
    if undoing.outcome == ALREADY:
        return f"{place} is in {undoing.to_lane} already; nothing to do"
    return f"{place} was not moved to another lane; nothing to do"
