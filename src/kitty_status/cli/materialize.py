"""`materialize`: write `status.json` from the log, or check it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureArgument, JsonOption, command, say, say_json, warn
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS, NotFoundError, UsageError
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.materialize import compare, is_leftover, materialize_feature, reduce_with_oid
from kitty_status.tracker.phases import phase_of, remarks_on

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature


@command
def materialize(
    feature: FeatureArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature that has a log, archived ones too.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a snapshot has drifted.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be written, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Write status.json from the log. Where it says the same already, nothing is written.

    \b
    Examples:
      kitty-status materialize 034-login
      kitty-status materialize --all --check
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    config = load_config(project.root)
    features = [each for each in _features(project, config, feature, every=every) if not is_leftover(each, config)]
    phases = [(each, phase_of(each, config)) for each in features]
    warnings = list(dict.fromkeys(remark for each, phase in phases for remark in remarks_on(phase, each)))
    results = [_materialize(each, config, write=not (check or dry_run)) for each, phase in phases if phase.keeps_log]
    if json_output:
        say_json("materialize", results, warnings=warnings)
    else:
        for result in results:
            say(f"{result['path']}: {_words(result)}")
        warn(warnings)
    return EXIT_FINDINGS if check and any(result["drifted"] for result in results) else EXIT_DONE


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


def _materialize(feature: Feature, config: Config, *, write: bool) -> dict[str, Any]:
    if write:
        result = materialize_feature(feature, config)
    else:
        result = compare(feature, config, *reduce_with_oid(feature, config))
    return {
        "feature": feature.slug,
        "path": feature.relative(feature.snapshot),
        "drifted": result.drifted,
        "written": result.written,
        "event_count": result.snapshot.event_count,
    }


def _words(result: dict[str, Any]) -> str:
    if result["written"]:
        return f"written, {result['event_count']} events"
    return "has drifted from its log" if result["drifted"] else "up to date"
