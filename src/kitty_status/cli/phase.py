"""`phase`: whether a feature's frontmatter or its log counts, and what says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureArgument, JsonOption, command, say, say_json, warn
from kitty_status.errors import UsageError
from kitty_status.status.phase_numbers import BOTH, FRONTMATTER, LOG
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.phases import phase_of

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature

MEANINGS = {
    FRONTMATTER: "the frontmatter of the work packages counts; moves are checked, and no log is written or read",
    BOTH: "the log counts, and the views are written with it; a view that differs is a warning",
    LOG: "the log alone counts; a view that differs is an error",
}


@command
def phase(
    feature: FeatureArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature, archived ones too.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Say in which phase a feature is, what says so, and what it means.

    What counts is `status_phase` in the feature's meta.json; else `status.phase` in .kittify/config.yaml; else 1.

    \b
    Examples:
      kitty-status phase 034-login
      kitty-status phase --all --json
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    config = load_config(project.root)
    if every and feature is not None:
        raise UsageError("--all and a feature exclude each other", hint="leave one of them out")
    chosen = project.features(archived=True) if every else [project.feature(feature)]
    rows, warnings = _rows(chosen, config)
    if json_output:
        say_json("phase", rows, warnings=warnings)
        return
    for row in rows:
        say(f"{row['feature']}: phase {row['phase']} ({visible(row['source'])})")
        if not every:
            say(f"  {row['meaning']}")
    warn(warnings)


def _rows(features: list[Feature], config: Config) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what is said of each feature, and every warning once: one about the configuration is about all of them."""
    rows, warnings = [], []
    for feature in features:
        found = phase_of(feature, config)
        rows.append(
            {
                "feature": feature.slug,
                "phase": found.number,
                "source": found.source,
                "meaning": MEANINGS[found.number],
                "warnings": found.warnings,
            }
        )
        warnings += [*found.warnings, *feature.remarks()]
    return rows, list(dict.fromkeys(warnings))
