"""`log`: the events of a feature, readable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureArgument, JsonOption, command, say, say_json, warn
from kitty_status.errors import NotFoundError
from kitty_status.status.causality import moment
from kitty_status.status.reducer import unique_events
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.log import read_log
from kitty_status.tracker.phases import phase_of, remarks_on
from kitty_status.tracker.places.past import brought_by
from kitty_status.tracker.slugs import check_name

if TYPE_CHECKING:
    from kitty_status.status.record import LaneEvent
    from kitty_status.tracker.places.past import Brought


@command
def log(
    feature: FeatureArgument = None,
    wp: Annotated[str | None, typer.Option("--wp", help="Only the events of this work package.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only so many, the newest.")] = None,
    with_commits: Annotated[
        bool, typer.Option("--blame", help="With the commit that brought each event, and whose it is.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Show the events of a feature, the oldest first.

    \b
    Examples:
      kitty-status log 034-login --wp WP01
      kitty-status log 034-login --limit 20 --json
      kitty-status log 034-login --blame
    """  # noqa: D301  \b keeps the lines of the help apart
    if wp is not None:
        check_name(wp, "a work package")
    project = Project(Path.cwd())
    chosen = project.feature(feature)
    events = sorted(unique_events(read_log(chosen.log, chosen.log.strictly())), key=moment)
    known = sorted({event.wp_id for event in events})
    if wp is not None and wp not in known:
        raise NotFoundError(
            f"{chosen.slug} has no event of {wp}", hint=f"there is {', '.join(known)}" if known else "its log is empty"
        )
    shown = [event for event in events if wp in (None, event.wp_id)]
    if limit is not None:
        shown = shown[-limit:]
    brought = brought_by(project, chosen, shown) if with_commits else None
    remarks = [*chosen.remarks(), *remarks_on(phase_of(chosen, load_config(project.root)), chosen)]
    if json_output:
        rows = [_data(event) | ({"brought_by": _commit_data(event, brought)} if brought else {}) for event in shown]
        say_json(
            "log",
            {"feature": chosen.slug, "events": rows},
            warnings=[*remarks, *(brought.warnings if brought else ())],
        )
        return
    warn(remarks)
    for event in shown:
        say(f"{_commit(event, brought)}  {_line(event)}" if brought else _line(event))
    warn(brought.warnings if brought else ())


def _commit_data(event: LaneEvent, brought: Brought) -> dict[str, str] | None:
    commit = brought.commit_of(event)
    return commit.to_dict() if commit else None


def _commit(event: LaneEvent, brought: Brought) -> str:
    commit = brought.commit_of(event)
    return f"{commit.short}  {visible(commit.author)}  {commit.authored_at}" if commit else "uncommitted"


def _data(event: LaneEvent) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "wp_id": event.wp_id,
        "from_lane": event.from_lane,
        "to_lane": event.to_lane,
        "at": event.at,
        "actor": event.shown_actor,
        "force": event.force,
        "reason": event.reason,
        "review_ref": event.review_ref,
        "evidence": event.evidence,
        "parents": event.known_parents,
    }


def _line(event: LaneEvent) -> str:
    parts = [
        visible(event.at),
        event.wp_id,
        f"{event.from_lane} to {event.to_lane}",
        f"by {visible(event.shown_actor)}",
    ]
    if event.force:
        parts.append("forced")
    if event.review_ref:
        parts.append(f"review {visible(event.review_ref)}")
    if event.reason:
        parts.append(f"- {visible(event.reason)}")
    return f"{'  '.join(parts)}  ({visible(event.event_id)})"
