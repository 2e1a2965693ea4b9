"""`merge-driver`: how git merges a log, a snapshot or a view. The entry dispatches it before this module is loaded."""

from __future__ import annotations

from typing import Annotated

import typer

from kitty_status.cli.output import command
from kitty_status.errors import UsageError


@command
def merge_driver(
    kind: Annotated[str, typer.Argument(metavar="log|snapshot|view", help="What is merged.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="%O %A %B %P", help="Base, ours, theirs; the path in the repository. For a view `%L %S %X %Y`, too."
        ),
    ] = None,
) -> None:
    """Merge a log, a snapshot or a view for git, which calls this by the configuration that `install` writes.

    The result replaces the second file. Exit 0: merged. Exit 1: the union of both logs, our
    snapshot, or the text of both sides with git's conflict markers stands there, and needs a person.
    """
    raise UsageError(
        f"kitty-status merge-driver {kind} {' '.join(files or [])}: not a call that git makes",
        hint="git calls `kitty-status merge-driver log|snapshot|view %O %A %B %P`",
    )
