"""`unarchive`: take an archived feature up again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kitty_status.cli.output import JsonOption, command
from kitty_status.cli.relocation import CommitOption, DryRunOption, check_before, finish
from kitty_status.errors import NotFoundError
from kitty_status.tracker import relocate
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Feature, Project, check_name


@command
def unarchive(
    feature: Annotated[str, typer.Argument(metavar="FEATURE", help="The slug of the archived feature.")],
    commit: CommitOption = False,
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> int:
    """Take an archived feature up again: its folder moves back from kitty-specs/.archive.

    \b
    Example:
      kitty-status unarchive 034-login --commit
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    source = _archived(project, feature)
    check_before(project, source, commit=commit)
    relocation = relocate.unarchive(project, load_config(project.root), source, dry_run=dry_run)
    message = f"Take feature {source.slug} out of the archive"
    return finish("unarchive", relocation, message, commit=commit, dry_run=dry_run, json_output=json_output)


def _archived(project: Project, name: str) -> Feature:
    check_name(name, "a feature")
    for feature in project.features(archived=True):
        if feature.is_archived and feature.slug == name:
            return feature
    raise NotFoundError(
        f"{name} is not archived in {project.archive_folder}", hint="`kitty-status archive --list` lists the archive"
    )
