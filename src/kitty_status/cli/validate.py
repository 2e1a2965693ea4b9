"""`validate`: everything that is wrong with logs and snapshots."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.checks.validate import validate as validate_feature
from kitty_status.cli.output import JsonOption, command, counted, say, say_json, warn
from kitty_status.cli.targets import features_of
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS, UsageError
from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.mending.same_feature import Namesakes
from kitty_status.tracker.views.materialize import is_leftover

if TYPE_CHECKING:
    from kitty_status.checks.baseline import Baseline
    from kitty_status.checks.validate import Validation


@command
def validate(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[FEATURE | PATH]...", help="Slugs, or paths of folders or files.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature, archived ones too.")] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Pass over findings that the baseline accepts, and count them.")
    ] = False,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Accept what is found about events: write the baseline.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", help="With --write-baseline: say what it would accept, and write nothing."),
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Report every finding about the logs and snapshots of features. Nothing is written, but for --write-baseline.

    Exit 0 where there is nothing worse than warnings, 1 otherwise. `kitty-status explain CODE` explains a finding.

    \b
    Examples:
      kitty-status validate --all
      kitty-status validate --all --baseline
      kitty-status validate kitty-specs/034-login/status.events.jsonl --json
    """  # noqa: D301  \b keeps the lines of the help apart
    if dry_run and not write_baseline:
        raise UsageError("--dry-run is for --write-baseline", hint="without it, nothing is written anyway")
    project = Project(Path.cwd())
    config = load_config(project.root)
    chosen = features_of(project, targets or [], every=every)
    features = [feature for feature in chosen if not is_leftover(feature, config)]
    namesakes = Namesakes(project)
    validations = [validate_feature(feature, config, namesakes) for feature in features]
    _say_once_what_is_of_the_repository(validations)
    looked_at = None if every else {feature.slug for feature in features}
    stale: list[str] = []
    if write_baseline:
        stale = _set_known_aside(validations, _accept(project, validations, looked_at, dry_run=dry_run), looked_at)
    elif baseline:
        stale = _set_known_aside(validations, _module().load_baseline(project.root), looked_at)
    if json_output:
        say_json("findings", [_data(validation) for validation in validations], warnings=stale)
    else:
        for validation in validations:
            _print(validation)
        _print_total(validations)
        warn(stale)
    return EXIT_DONE if all(validation.passed for validation in validations) else EXIT_FINDINGS


def _say_once_what_is_of_the_repository(validations: list[Validation]) -> None:
    """Leave a finding about the configuration with the first feature alone: it is one and the same for all."""
    is_said = False
    for validation in validations:
        others = [each for each in validation.findings if each.path != CONFIG_PATH]
        is_here = len(others) < len(validation.findings)
        validation.findings = others if is_said else validation.findings
        is_said = is_said or is_here


def _accept(project: Project, validations: list[Validation], looked_at: set[str] | None, *, dry_run: bool) -> Baseline:
    """Write the baseline that accepts what was found about events, and return it; entries of other features stay."""
    module = _module()
    has_one = looked_at is not None and (project.root / module.BASELINE_PATH).exists()
    before = module.load_baseline(project.root) if has_one else module.Baseline()
    baseline: Baseline = before.with_those_of(module.found_in(validations), looked_at)
    if not dry_run:
        baseline.write(project.root)
    return baseline


def _set_known_aside(validations: list[Validation], baseline: Baseline, looked_at: set[str] | None) -> list[str]:
    """Take what is accepted out of the validations, and return what is accepted and gone."""
    stale = baseline.stale(_module().found_in(validations), looked_at)
    for validation in validations:
        validation.known = baseline.set_aside(validation)
    return stale


def _module() -> Any:
    # Loaded by name: most calls are made without a baseline.
    return import_module("kitty_status.checks.baseline")


def _data(validation: Validation) -> dict[str, object]:
    return {
        "feature": validation.feature.slug,
        "passed": validation.passed,
        "event_count": validation.event_count,
        "known": validation.known,
        "findings": [finding.to_dict() for finding in validation.findings],
    }


def _print(validation: Validation) -> None:
    lines = []
    for finding in validation.findings:
        place = f"{finding.path}:{finding.line}" if finding.line else finding.path
        event = f" [{visible(finding.event_id)}]" if finding.event_id else ""
        lines += [
            f"{visible(place)}: {finding.severity}: {finding.code}: {visible(finding.message)}{event}",
            f"    hint: {visible(finding.hint)}",
        ]
    if lines:
        say("\n".join(lines))


def _print_total(validations: list[Validation]) -> None:
    findings = [finding for validation in validations for finding in validation.findings]
    errors = sum(finding.severity == "error" for finding in findings)
    known = sum(validation.known for validation in validations)
    events = sum(validation.event_count for validation in validations)
    say(
        f"{counted(len(validations), 'feature')}, {counted(events, 'event')}: {counted(errors, 'error')}, "
        f"{counted(len(findings) - errors, 'warning')}" + (f", {known} known" if known else "")
    )
