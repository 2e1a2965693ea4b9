"""`rename`: give a feature another slug."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kitty_status.cli.output import JsonOption, command
from kitty_status.cli.relocation import CommitOption, DryRunOption, check_before, finish
from kitty_status.tracker import relocate
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Feature, Project


@command
def rename(
    feature: Annotated[str, typer.Argument(metavar="FEATURE", help="The feature's slug.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The slug it is to have.")],
    commit: CommitOption = False,
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> int:
    """Give a feature another slug: its folder moves with everything in it, and every command finds it by both names.

    Events are not changed; a row that records the new name is added to the log. Where NEW already
    holds events of the same feature, because a branch went on in the old folder, the two are united.

    \b
    Examples:
      kitty-status rename 034-login 034-sign-in --dry-run
      kitty-status rename 034-login 034-sign-in --commit
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    source = _source(project, feature)
    check_before(project, source, commit=commit)
    relocation = relocate.rename(project, load_config(project.root), source, new, dry_run=dry_run)
    message = f"Rename feature {source.slug} to {new}"
    return finish("rename", relocation, message, commit=commit, dry_run=dry_run, json_output=json_output)


def _source(project: Project, name: str) -> Feature:
    """Return the feature of that name; also one whose name is not safe, since renaming is the way out of that."""
    named = [feature for feature in project.features(unsafe_names=True, archived=True) if feature.slug == name]
    return named[0] if named else project.feature(name)
