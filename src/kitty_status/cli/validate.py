"""`validate`: everything that is wrong with logs and snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.checks.validate import validate as validate_feature
from kitty_status.cli.output import JsonOption, command, say, say_json
from kitty_status.cli.targets import features_of
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.materialize import is_leftover
from kitty_status.tracker.same_feature import Namesakes

if TYPE_CHECKING:
    from kitty_status.checks.validate import Validation


@command
def validate(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[FEATURE | PATH]...", help="Slugs, or paths of folders or files.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature, archived ones too.")] = False,
    json_output: JsonOption = False,
) -> int:
    """Report every finding about the logs and snapshots of features. Nothing is written.

    Exit 0 where there is nothing worse than warnings, 1 otherwise.

    \b
    Examples:
      kitty-status validate --all
      kitty-status validate kitty-specs/034-login/status.events.jsonl --json
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    config = load_config(project.root)
    chosen = features_of(project, targets or [], every=every)
    features = [feature for feature in chosen if not is_leftover(feature, config)]
    namesakes = Namesakes(project)
    validations = [validate_feature(feature, config, namesakes) for feature in features]
    if json_output:
        say_json("findings", [_data(validation) for validation in validations])
    else:
        for validation in validations:
            _print(validation)
        _print_total(validations)
    return EXIT_DONE if all(validation.passed for validation in validations) else EXIT_FINDINGS


def _data(validation: Validation) -> dict[str, object]:
    return {
        "feature": validation.feature.slug,
        "passed": validation.passed,
        "event_count": validation.event_count,
        "findings": [finding.to_dict() for finding in validation.findings],
    }


def _print(validation: Validation) -> None:
    for finding in validation.findings:
        place = f"{finding.path}:{finding.line}" if finding.line else finding.path
        event = f" [{visible(finding.event_id)}]" if finding.event_id else ""
        say(f"{visible(place)}: {finding.severity}: {finding.code}: {visible(finding.message)}{event}")
        say(f"    hint: {visible(finding.hint)}")


def _print_total(validations: list[Validation]) -> None:
    findings = [finding for validation in validations for finding in validation.findings]
    errors = sum(finding.severity == "error" for finding in findings)
    events = sum(validation.event_count for validation in validations)
    say(
        f"{len(validations)} {'feature' if len(validations) == 1 else 'features'}, {events} events: "
        f"{errors} errors, {len(findings) - errors} warnings"
    )
