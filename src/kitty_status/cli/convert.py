"""`convert`: give logs the other layout."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import JsonOption, command, counted, say, say_json, warn
from kitty_status.cli.targets import features_of
from kitty_status.errors import EXIT_DONE
from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.status.layout import PER_WRITER, SINGLE
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import check_can_commit, check_nothing_else_changed, commit_move, how_to_commit_move
from kitty_status.tracker.config import load_config
from kitty_status.tracker.convert import convert as convert_feature
from kitty_status.tracker.features import Project

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.convert import Conversion
    from kitty_status.tracker.features import Feature


class Layout(StrEnum):
    """What `--to` takes."""

    single = SINGLE
    per_writer = PER_WRITER


@command
def convert(
    layout: Annotated[
        Layout, typer.Option("--to", help="single: one file; per-writer: a file for each branch of each clone.")
    ],
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[FEATURE | PATH]...", help="Slugs, or paths of folders or logs.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature that has a log, archived ones too.")] = False,
    commit: Annotated[bool, typer.Option("--commit", help="Commit exactly the conversion.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be converted, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Give logs the other layout: one file, or one file for each writer. Every line is kept.

    Where a host's merges conflict in the logs too often, the layout per-writer helps: each branch
    appends to a file of its own. New logs get the layout that status.layout in the configuration says.

    \b
    Examples:
      kitty-status convert 034-login --to per-writer --dry-run
      kitty-status convert --all --to single --commit
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    config = load_config(project.root)
    features = [each for each in features_of(project, targets or [], every=every) if each.log.exists() or not every]
    if commit and not dry_run:
        check_can_commit(project)
        for feature in features:
            check_nothing_else_changed(feature)
    conversions = [convert_feature(feature, config, layout, dry_run=True) for feature in features]
    if not dry_run:
        # Only now: what stops one is to stop them all, or some would be converted and nobody told.
        conversions = [convert_feature(feature, config, layout) for feature in features]
    changed = [each for each in conversions if each.is_needed and not dry_run]
    commits = {each.feature.slug: _commit(each) for each in changed if commit}
    next_steps = [] if commit else [step for each in changed for step in _how_to_commit(each.feature, layout)]
    warnings = [warning for each in conversions for warning in each.warnings] + _advice(config, layout, every=every)
    if json_output:
        data = [_data(each, commits.get(each.feature.slug), dry_run=dry_run) for each in conversions]
        say_json("convert", data, warnings=warnings, next_steps=next_steps)
        return EXIT_DONE
    for each in conversions:
        _print(each, commits.get(each.feature.slug), dry_run=dry_run)
    warn(warnings)
    for step in next_steps:
        typer.echo(f"next: {visible(step)}", err=True)
    return EXIT_DONE


def _advice(config: Config, layout: str, *, every: bool) -> list[str]:
    if not every or config.layout == layout:
        return []
    return [f"new logs still get the layout {config.layout}: write `layout: {layout}` below `status:` in {CONFIG_PATH}"]


def _message(feature: Feature, layout: str) -> str:
    return f"Give the log of {feature.slug} the layout {layout}"


def _commit(conversion: Conversion) -> str:
    feature = conversion.feature
    return commit_move(feature, feature, _message(feature, conversion.layout))


def _how_to_commit(feature: Feature, layout: str) -> list[str]:
    return how_to_commit_move(feature, feature, _message(feature, layout))


def _data(conversion: Conversion, commit: str | None, *, dry_run: bool) -> dict[str, Any]:
    feature = conversion.feature
    return {
        "feature": feature.slug,
        "layout": conversion.layout,
        "is_needed": conversion.is_needed,
        "lines": conversion.lines,
        "written": feature.relative(conversion.written) if conversion.is_needed else None,
        "removed": [feature.relative(file) for file in conversion.removed],
        "dry_run": dry_run,
        "commit": commit,
    }


def _print(conversion: Conversion, commit: str | None, *, dry_run: bool) -> None:
    feature = conversion.feature
    if not conversion.is_needed:
        say(f"{visible(feature.slug)}: has the layout {conversion.layout} already")
        return
    files = ", ".join(visible(feature.relative(file)) for file in conversion.removed)
    would = "would be " if dry_run else ""
    lines = counted(conversion.lines, "line")
    written = visible(feature.relative(conversion.written))
    say(f"{visible(feature.slug)}: {would}converted to {conversion.layout}, {lines} from {files} to {written}")
    if commit is not None:
        say(f"  committed as {commit[:12]}")
