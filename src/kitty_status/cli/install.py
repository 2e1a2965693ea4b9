"""`install`: make this clone merge and check status files with kitty-status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import JsonOption, command, say, say_json
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS, OutsideRepositoryError, UsageError
from kitty_status.git import installation
from kitty_status.git.bare import bare_repository
from kitty_status.git.trial import try_merge
from kitty_status.git.trial_verdict import PASSED
from kitty_status.status.visible import visible
from kitty_status.tracker.config import SNAPSHOT_SPEC_KITTY, load_config
from kitty_status.tracker.features import Project

if TYPE_CHECKING:
    from kitty_status.git.changes import Change, Item
    from kitty_status.git.repository import Repository
    from kitty_status.git.trial import Trial

_TRIAL_HINT = "`kitty-status doctor` says what to do about it"


@command
def install(
    status: Annotated[
        bool, typer.Option("--status", help="Say what is installed, and write nothing; exit 1 if anything is missing.")
    ] = False,
    autostash: Annotated[
        bool,
        typer.Option("--autostash", help="Also let git set an uncommitted log aside when it merges and rebases."),
    ] = False,
    manual: Annotated[
        bool, typer.Option("--manual", help="Print the lines with which all of it is done by hand, and write nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="List what would change, and write nothing.")
    ] = False,
    no_trial: Annotated[bool, typer.Option("--no-trial", help="Leave out the trial merge at the end.")] = False,
    json_output: JsonOption = False,
) -> int:
    """Make this clone merge and check status files with kitty-status: merge drivers, attributes, hooks.

    Nothing of it is committed; it holds for all work trees of this clone. Calling it twice changes
    nothing, and `kitty-status uninstall` takes all of it back. At the end git merges two branches in
    a temporary repository with this clone's configuration; exit 1 if that goes wrong.

    \b
    Examples:
      kitty-status install --dry-run
      kitty-status install --status
    """  # noqa: D301  \b keeps the lines of the help apart
    if (status or manual) and (dry_run or autostash or no_trial or status == manual):
        raise UsageError(f"--{'status' if status else 'manual'} excludes the other options", hint="leave them out")
    project = Project(Path.cwd())
    repository = repository_of(project)
    snapshots = load_config(project.root).snapshot != SNAPSHOT_SPEC_KITTY
    if status:
        return _say_status(installation.status(repository, snapshots=snapshots), json_output=json_output)
    if manual:
        say_changes(
            "install", installation.manual(repository, snapshots=snapshots), dry_run=True, json_output=json_output
        )
        return EXIT_DONE
    act = installation.plan if dry_run else installation.apply
    changes = act(repository, autostash=autostash, snapshots=snapshots)
    trial = None if dry_run or no_trial else try_merge(repository, snapshots=snapshots)
    next_steps = [] if autostash else ["kitty-status install --autostash"]
    if trial and trial.outcome != PASSED:
        next_steps.insert(0, "kitty-status doctor")
    more = {"trial": trial_data(trial)} if trial else {}
    say_changes("install", changes, dry_run=dry_run, json_output=json_output, next_steps=next_steps, more=more)
    if trial and not json_output:
        _say_trial(trial)
    if not autostash and not json_output:
        typer.echo(
            "hint: git refuses to merge over an uncommitted log; `kitty-status install --autostash` "
            "sets merge.autoStash and rebase.autoStash, so that git sets it aside meanwhile",
            err=True,
        )
    return EXIT_DONE if trial is None or trial.outcome == PASSED else EXIT_FINDINGS


def trial_data(trial: Trial) -> dict[str, Any]:
    """Return what came of a trial merge in plain JSON types."""
    return {"outcome": trial.outcome, "troubles": [trouble.message for trouble in trial.troubles]}


def _say_trial(trial: Trial) -> None:
    if trial.outcome == PASSED:
        say("trial merge: passed; two branches with an event each were merged, and no line and no lane is missing")
        return
    say(f"trial merge: {trial.outcome}")
    for trouble in trial.troubles:
        say(f"    {visible(trouble.message)}")
    typer.echo(f"hint: {_TRIAL_HINT}", err=True)


def repository_of(project: Project) -> Repository:
    """Return the repository that a project lies in.

    Raises:
        OutsideRepositoryError: it lies in none.
    """
    repository = project.repository or bare_repository(str(project.start))
    if repository is None:
        raise OutsideRepositoryError(f"{project.start} is in no git repository", hint="run `git init` first")
    return repository


def say_changes(
    kind: str,
    changes: list[Change],
    *,
    dry_run: bool,
    json_output: bool,
    next_steps: list[str] | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    """Print what installing or uninstalling did, or would do; `more` is what else JSON is to say of it."""
    if json_output:
        data: list[dict[str, Any]] = [_data(change, change.action) for change in changes]
        say_json(kind, {"dry_run": dry_run, "changes": data, **(more or {})}, next_steps=next_steps or [])
        return
    for change in changes:
        would = "would " if dry_run and change.action not in ("keep", "manual") else ""
        say(f"{would}{change.action} {visible(change.what)}")
        if change.action != "keep":
            for line in change.details:
                say(f"    {visible(line)}")
    if not changes:
        say("nothing is installed here")


def _say_status(found: installation.Status, *, json_output: bool) -> int:
    if json_output:
        items = [_data(item, item.state) for item in found.items]
        say_json("install-status", {"complete": found.complete, "items": items})
    else:
        for item in found.items:
            say(f"{item.state:<9}  {visible(item.what)}")
    return EXIT_DONE if found.complete else EXIT_FINDINGS


def _data(part: Change | Item, state: str) -> dict[str, Any]:
    return {"what": part.what, "state": state, "details": list(part.details)}
