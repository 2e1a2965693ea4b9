"""`materialize`: write `status.json` and the views from the log, or check them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureArgument, JsonOption, command, counted, say, say_json, warn
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS, NotFoundError, UsageError
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.phases import phase_of, remarks_on
from kitty_status.tracker.views.materialize import compare, is_leftover, materialize_feature, reduce_with_oid
from kitty_status.tracker.views.views import look_at_views

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.views.materialize import Materialized


@command
def materialize(
    feature: FeatureArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature that has a log, archived ones too.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if anything has drifted.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be written, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Write status.json from the log, and with it the views: each WP file's lane, and the section in tasks.md.

    A file that says the same already is not written. Exit 1 where a view cannot be made.

    \b
    Examples:
      kitty-status materialize 034-login
      kitty-status materialize --all --check
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    config = load_config(project.root)
    features = [each for each in _features(project, config, feature, every=every) if not is_leftover(each, config)]
    phases = [(each, phase_of(each, config)) for each in features]
    logged = [each for each, phase in phases if phase.keeps_log]
    materialized = [_materialize(each, config, write=not (check or dry_run)) for each in logged]
    results = [_data(each, result) for each, result in zip(logged, materialized, strict=True)]
    problems = [warning for each, result in zip(logged, materialized, strict=True) for warning in result.warnings(each)]
    remarks = dict.fromkeys(remark for each, phase in phases for remark in remarks_on(phase, each))
    if json_output:
        say_json("materialize", results, warnings=[*problems, *remarks])
    else:
        _print(results)
        warn([*problems, *remarks])
    has_drifted = any(each["drifted"] or any(view["drifted"] for view in each["views"]) for each in results)
    return EXIT_FINDINGS if problems or (check and has_drifted) else EXIT_DONE


def _features(project: Project, config: Config, name: str | None, *, every: bool) -> list[Feature]:
    if every and name is not None:
        raise UsageError("--all and a feature exclude each other", hint="leave one of them out")
    if every:
        features = project.features(archived=True)
        return [feature for feature in features if feature.log.exists() or feature.snapshot.exists()]
    chosen = project.feature(name)
    if not chosen.log.exists() and phase_of(chosen, config).keeps_log:
        raise NotFoundError(f"{chosen.slug} has no log {chosen.log}", hint="`kitty-status emit` writes the first event")
    return [chosen]


def _materialize(feature: Feature, config: Config, *, write: bool) -> Materialized:
    if write:
        return materialize_feature(feature, config)
    result = compare(feature, config, *reduce_with_oid(feature, config))
    views, problems = look_at_views(feature, config, result.snapshot)
    result.views, result.problems = views, [*problems]
    return result


def _data(feature: Feature, result: Materialized) -> dict[str, Any]:
    return {
        "feature": feature.slug,
        "path": feature.relative(feature.snapshot),
        "drifted": result.drifted,
        "written": result.written,
        "event_count": result.snapshot.event_count,
        "views": [
            {"path": view.where, "drifted": view.drifted, "written": view.written}
            for view in result.views
            if view.drifted
        ],
    }


def _print(results: list[dict[str, Any]]) -> None:
    for result in results:
        say(f"{result['path']}: {_words(result)}")
        for view in result["views"]:
            say(f"{visible(view['path'])}: {'written' if view['written'] else 'has drifted from the log'}")


def _words(result: dict[str, Any]) -> str:
    if result["written"]:
        return f"written, {counted(result['event_count'], 'event')}"
    return "has drifted from its log" if result["drifted"] else "up to date"
