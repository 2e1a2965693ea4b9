"""`archive`: put a feature aside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kitty_status.cli.output import FeatureArgument, JsonOption, command, say, say_json
from kitty_status.cli.relocation import CommitOption, DryRunOption, check_before, finish
from kitty_status.errors import EXIT_DONE, UsageError
from kitty_status.tracker import relocate
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project


@command
def archive(
    feature: FeatureArgument = None,
    list_: Annotated[bool, typer.Option("--list", help="List what is archived, and write nothing.")] = False,
    commit: CommitOption = False,
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> int:
    """Put a feature aside: its folder moves to kitty-specs/.archive with everything in it.

    It can still be shown, validated and merged; overviews leave it out and nothing is emitted to it.

    \b
    Examples:
      kitty-status archive 034-login --commit
      kitty-status archive --list
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    if list_:
        if feature is not None or commit or dry_run:
            raise UsageError("--list excludes a feature and the other options", hint="leave them out")
        return _list(project, json_output=json_output)
    if feature is None:
        raise UsageError("say which feature is to be archived", hint="`kitty-status show` lists the features")
    source = project.feature(feature)
    check_before(project, source, commit=commit)
    relocation = relocate.archive(project, load_config(project.root), source, dry_run=dry_run)
    message = f"Archive feature {source.slug}"
    return finish("archive", relocation, message, commit=commit, dry_run=dry_run, json_output=json_output)


def _list(project: Project, *, json_output: bool) -> int:
    archived = [feature for feature in project.features(unsafe_names=True, archived=True) if feature.is_archived]
    if json_output:
        data = [{"feature": each.slug, "path": each.relative(each.folder)} for each in archived]
        say_json("archived", data)
    elif not archived:
        say("nothing is archived")
    else:
        for each in archived:
            say(each.slug)
    return EXIT_DONE
