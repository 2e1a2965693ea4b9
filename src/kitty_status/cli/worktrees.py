"""`worktrees`: what each work tree and branch of this clone holds that the main branch lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.cli.output import JsonOption, command, counted, say, say_json, warn
from kitty_status.status.visible import visible
from kitty_status.tracker.features import Project
from kitty_status.tracker.places.unmerged import survey

if TYPE_CHECKING:
    from kitty_status.tracker.places.unmerged import Holding, Survey

EXAMPLES = """Examples:

  kitty-status worktrees

  kitty-status worktrees --base develop --json"""


@command
def worktrees(
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="BRANCH", help="Compare with this branch instead of the main branch."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """List every work tree and local branch, with how many events it holds that the main branch lacks.

    The main branch is the one that origin/HEAD names, else main, else master, else the one that the
    first work tree is on. Events that are not committed count, and are counted apart.
    """
    repository = Project(Path.cwd()).repository_needed("outside git there are no work trees")
    found = survey(repository, base)
    if json_output:
        data = {
            "base": {"branch": found.base, "commit": found.base_commit},
            "worktrees": [holding.to_dict() for holding in found.holdings],
        }
        say_json("worktrees", data, warnings=found.warnings)
        return
    warn(found.warnings)
    _print(found)


worktrees.__doc__ = f"{worktrees.__doc__}\n\n\b\n{EXAMPLES}"


def _print(found: Survey) -> None:
    rows = [
        (holding.worktree or "(no work tree)", holding.branch or "(detached)", (holding.commit or "(no commit)")[:12])
        for holding in found.holdings
    ]
    widths = [max((len(visible(row[column])) for row in rows), default=0) for column in range(3)]
    for row, holding in zip(rows, found.holdings, strict=True):
        columns = "  ".join(f"{visible(text):<{width}}" for text, width in zip(row, widths, strict=True))
        say(f"{columns}  {visible(_in_words(holding, found.base))}")


def _in_words(holding: Holding, base: str | None) -> str:
    events = counted(holding.unmerged, "event")
    words = [f"{events} not in {base or 'any branch'}" if holding.unmerged else "nothing unmerged"]
    if holding.uncommitted:
        words.append(f"{holding.uncommitted} of them not committed")
    if holding.waiting:
        words.append(f"{holding.waiting} waiting in the journal")
    if holding.operation:
        words.append(f"in the middle of a {holding.operation}")
    return ", ".join(words)
