"""`cleanup`: remove the work trees of features that are finished."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.cli.output import JsonOption, command, say, say_json, warn
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.places import cleanup as tidying

if TYPE_CHECKING:
    from kitty_status.tracker.places.cleanup import Cleanup, Tree
    from kitty_status.tracker.places.workspaces import Workspace


@command
def cleanup(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be removed and what would stay; remove nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Remove the linked work trees whose feature is finished, and say of every other one why it stays.

    One stays that holds anything that is not committed, or commits that are neither merged nor pushed
    nor squashed.
    Files that git ignores go with their work tree; branches stay. Exit 1 where one could not be removed.

    \b
    Example:
      kitty-status cleanup --dry-run
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    found = tidying.cleanup(project, load_config(project.root), dry_run=dry_run)
    # git deletes no branch of which it sees only the changes elsewhere, and nobody is told to make it.
    removed = [tree for tree in found.trees if tree.removed and tree.kept_by != tidying.CONTENT]
    left = [f"git branch -d {shlex.quote(tree.branch)}" for tree in removed if tree.branch]
    may_go = [*filter(_may_go, found.trees), *filter(_may_go, found.workspaces)]
    steps = ["kitty-status cleanup"] if dry_run and may_go else left
    if json_output:
        data = {
            "base": found.base,
            "dry_run": dry_run,
            "worktrees": [tree.to_dict() for tree in found.trees],
            "workspaces": [each.to_dict() for each in found.workspaces],
        }
        say_json("cleanup", data, warnings=found.warnings, next_steps=steps)
    else:
        _print(found)
        warn(found.warnings)
        for step in steps:
            typer.echo(f"next: {visible(step)}", err=True)
    is_stuck = any(tree.is_finished and tree.whys for tree in found.trees)
    return EXIT_FINDINGS if is_stuck else EXIT_DONE


def _may_go(tree: Tree | Workspace) -> bool:
    return tree.is_finished and not tree.whys


def _kept(tree: Tree, base: str) -> str:
    """Return why nothing is lost with a work tree."""
    if tree.kept_by == tidying.MERGED:
        return f"{base} has its commits"
    if tree.kept_by == tidying.PUSHED:
        return "its commits were pushed"
    if tree.kept_by == tidying.CONTENT:
        return f"the history of {base} has all that it changed, and its branch {tree.branch} stays"
    return "it stands on no commit"


def _print(found: Cleanup) -> None:
    for tree in found.trees:
        outcome = "removed" if tree.removed else "would be removed" if _may_go(tree) else "stays"
        why = "; ".join(tree.whys) or f"{tree.feature} is finished, and {_kept(tree, found.base)}"
        say(f"{visible(tree.repository.worktree)}  {outcome}: {visible(why)}")
    for each in found.workspaces:
        outcome = "removed" if each.removed else "would be removed" if _may_go(each) else "stays"
        why = "; ".join(each.whys) or f"{each.feature} is finished, and its work tree is gone"
        say(f"{visible(each.path)}  {outcome}: {visible(why)}")
