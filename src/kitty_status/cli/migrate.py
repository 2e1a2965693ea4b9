"""`migrate`: make events of the frontmatter of work packages."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import (
    FeatureArgument,
    JsonOption,
    command,
    counted,
    failure,
    say,
    say_json,
    warn,
)
from kitty_status.errors import EXIT_DAMAGED, EXIT_DONE, KittyStatusError, UsageError
from kitty_status.jsonl.codec import decode
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import check_can_commit, commit_feature, how_to_commit
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.migrating.migrate import migrate as migrate_feature
from kitty_status.tracker.migrating.plan import ALREADY, KEPT, MIGRATED, NOTHING
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.views.changes import changed_views

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.migrating.plan import Migration, Outcome

_IN_WORDS = {
    MIGRATED: "migrated",
    ALREADY: "migrated already",
    KEPT: "with events already",
    NOTHING: "without a move",
}


class _Result:
    """What became of one feature: its migration and commit, or what went wrong, as an error is described."""

    def __init__(self, feature: Feature) -> None:
        self.feature = feature
        self.migration: Migration | None = None
        self.commit: str | None = None
        self.error: dict[str, Any] | None = None


@command
def migrate(
    feature: FeatureArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature, archived ones too.")] = False,
    commit: Annotated[bool, typer.Option("--commit", help="Commit exactly the logs and the snapshots.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be migrated, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Make events of the lanes and the history that the frontmatter of work packages holds.

    Only work packages without any event are migrated, and of the files nothing changes but their views. A second call
    writes nothing. Clones that migrate separately get the same lines.

    \b
    Examples:
      kitty-status migrate 034-login --dry-run
      kitty-status migrate --all --commit
    """  # noqa: D301  \b keeps the lines of the help apart
    if every and feature is not None:
        raise UsageError("--all and a name exclude each other", hint="leave one of them out")
    project = Project(Path.cwd())
    config = load_config(project.root)
    config.check_may_write()
    if commit and not dry_run:
        check_can_commit(project)
    features = project.features(archived=True) if every else [project.feature(feature)]
    results = [_Result(each) for each in features]
    for result in results:
        try:
            _migrate(result, config, commit=commit, dry_run=dry_run)
        except (KittyStatusError, OSError) as error:
            if not every:
                raise
            # The other features go on.
            result.error = json.loads(json.dumps(failure(error), default=str))
    warnings = [warning for each in results for warning in _warnings(each)]
    steps = _next_steps(results, config)
    if json_output:
        say_json("migration", [_data(each, dry_run=dry_run) for each in results], warnings=warnings, next_steps=steps)
    else:
        for each in results:
            _print(each, dry_run=dry_run, is_one_of_many=every)
        if every and not any(each.error or _is_worth_saying(each) for each in results):
            say("no work package tells of a move")
        warn(warnings)
        for step in steps:
            typer.echo(f"next: {visible(step)}", err=True)
    codes = [each.error["exit_code"] for each in results if each.error]
    return EXIT_DAMAGED if EXIT_DAMAGED in codes else max(codes, default=EXIT_DONE)


def _migrate(result: _Result, config: Config, *, commit: bool, dry_run: bool) -> None:
    feature = result.feature
    migration = result.migration = migrate_feature(feature, config, dry_run=dry_run)
    # Also what an earlier call has migrated and could not commit.
    phase = phase_of(feature, config)
    migration.warnings += phase.warnings
    is_ours = any(outcome.what in (MIGRATED, ALREADY) for outcome in migration.outcomes)
    if is_ours and not phase.keeps_log:
        migration.warnings.append(
            f"{feature.slug} is in phase 0 ({phase.source}): its log counts once it is in phase 1"
        )
    if commit and is_ours and not dry_run:
        newest = migration.events[-1].event_id if migration.events else ""
        made = commit_feature(feature, _message(feature), newest, config)
        result.commit = made.id
        migration.warnings += made.warnings(migration.views)


def _message(feature: Feature) -> str:
    return f"Migrate the status of {feature.slug}"


def _warnings(result: _Result) -> list[str]:
    return result.migration.warnings if result.migration else []


def _next_steps(results: list[_Result], config: Config) -> list[str]:
    """Return how to commit what was written: git's own commands for one feature, for more this one once again."""
    uncommitted = [each.feature for each in results if each.migration and each.migration.written and not each.commit]
    uncommitted = [feature for feature in uncommitted if feature.repository is not None]
    if len(uncommitted) > 1:
        return ["kitty-status migrate --all --commit"]
    return [
        step
        for feature in uncommitted
        for step in how_to_commit(
            feature,
            _message(feature),
            snapshot=config.commits_snapshots,
            views=changed_views(feature, config).generated,
        )
    ]


def _is_worth_saying(result: _Result) -> bool:
    return result.migration is not None and any(outcome.what != NOTHING for outcome in result.migration.outcomes)


def _data(result: _Result, *, dry_run: bool) -> dict[str, Any]:
    migration = result.migration
    return {
        "feature": result.feature.slug,
        "profile": migration.profile if migration else None,
        "work_packages": [_outcome(outcome) for outcome in migration.outcomes] if migration else [],
        "written": migration.written if migration else False,
        "dry_run": dry_run,
        "commit": result.commit,
        "error": result.error,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "wp_id": outcome.wp_id,
        "outcome": outcome.what,
        "lane": outcome.lane,
        "logged_lane": outcome.logged,
        "origin": outcome.origin,
        "events": [decode(event.line.removesuffix(b"\n")) for event in outcome.events],
    }


def _print(result: _Result, *, dry_run: bool, is_one_of_many: bool) -> None:
    slug = visible(result.feature.slug)
    if result.error is not None:
        problems = result.error["context"].get("problems") or [result.error]
        for problem in problems:
            typer.echo(f"error: {slug}: {visible(problem['message'])}", err=True)
            typer.echo(f"hint: {visible(problem['hint'])}", err=True)
    if result.migration is None or (is_one_of_many and not _is_worth_saying(result)):
        return
    outcomes = result.migration.outcomes
    counts = Counter(outcome.what for outcome in outcomes)
    words = ", ".join(f"{counts[what]} {word}" for what, word in _IN_WORDS.items() if counts[what])
    events = len(result.migration.events)
    told = counted(events, "event")
    did = f"{told} {'would be ' if dry_run else ''}written" if events else "nothing to write"
    say(f"{slug}: {did}; work packages: {words or 'none'}")
    for outcome in outcomes:
        if outcome.events:
            lanes = " > ".join([outcome.events[0].from_lane, *(event.to_lane for event in outcome.events)])
            origin = f"from its {_ORIGINS[outcome.origin or '']}{_approval_in(outcome)}"
            say(f"  {visible(outcome.wp_id)}  {lanes}  ({visible(origin)})")
    if result.commit is not None:
        say(f"  committed as {result.commit[:12]}")


def _approval_in(outcome: Outcome) -> str:
    evidence = next((event.evidence for event in outcome.events if event.evidence), None)
    return f"; approved by {evidence['review']['reviewer']}" if evidence else ""


_ORIGINS = {
    "history": "history",
    "activity-log": "Activity Log",
    "history+activity-log": "history and Activity Log",
    "bootstrap": "lane alone",
}
