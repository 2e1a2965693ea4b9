"""`lanes`: the lanes that work packages pass through, which moves are legal, and what each asks for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureArgument, JsonOption, command, say, say_json, warn
from kitty_status.errors import NotFoundError, UsageError
from kitty_status.status.lanes import SEVEN_LANE
from kitty_status.status.machine import describe, to_dot, to_mermaid, to_text
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.log import reduce_log
from kitty_status.tracker.phases import phase_of

if TYPE_CHECKING:
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.config import Config


@command
def lanes(
    feature: FeatureArgument = None,
    name: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="This profile, whichever is in force.")
    ] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a state diagram for mermaid.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="Print a graph for graphviz.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Print a table; this is the default.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Print a lane profile: its lanes, its legal moves with the guard of each, aliases, terminal lanes, rollbacks.

    It is the profile that the configuration pins (`status.lanes`), or with FEATURE the one that its log is kept by.

    \b
    Examples:
      kitty-status lanes
      kitty-status lanes 034-login --mermaid
      kitty-status lanes --profile nine-lane --json
    """  # noqa: D301  \b keeps the lines of the help apart
    if sum((mermaid, dot, text, json_output)) > 1:
        raise UsageError("--json, --mermaid, --dot and --text exclude each other", hint="leave all but one out")
    if name is not None and feature is not None:
        raise UsageError("a feature and --profile exclude each other", hint="leave one of them out")
    project = Project(Path.cwd())
    config = load_config(project.root)
    profile, why = _named(config, name) if name is not None else _in_force(project, config, feature)
    if json_output:
        say_json("lanes", {**describe(profile), "chosen_by": why}, warnings=config.warnings)
        return
    if mermaid or dot:
        lines = to_mermaid(profile) if mermaid else to_dot(profile)
    else:
        lines = [f"{profile.name} ({visible(why)})", *to_text(profile)]
    for line in lines:
        say(line)
    warn(config.warnings)


def _named(config: Config, name: str) -> tuple[LaneProfile, str]:
    if name not in config.profiles:
        raise NotFoundError(f"there is no profile {name!a}", hint=f"there are {', '.join(config.profiles)}")
    return config.profiles[name], "named"


def _in_force(project: Project, config: Config, feature: str | None) -> tuple[LaneProfile, str]:
    """Return the profile in force and what made it so.

    Raises:
        NotFoundError, UsageError: as `Project.feature`.
        StoreError: the feature's log is damaged.
    """
    chosen = project.feature(feature) if feature is not None else None
    if chosen is not None and not chosen.log.exists() and not chosen.folder.is_dir():
        raise NotFoundError(
            f"there is no feature folder {chosen.folder}", hint="`kitty-status show` lists the features"
        )
    if config.profile is not None:
        return config.profile, "pinned by status.lanes"
    if chosen is None:
        return SEVEN_LANE, "the default; a log may be kept by another one"
    if not phase_of(chosen, config).keeps_log:
        # Loaded by name: few features are left in phase 0.
        standings: Any = import_module("kitty_status.tracker.unlogged.standings")
        profile: LaneProfile = standings.profile_in(chosen, config)
        return profile, f"detected from the files of {chosen.slug}"
    return reduce_log(chosen.log, None, chosen.log.strictly()).profile, f"detected from the log of {chosen.slug}"
