"""`hook`: what git's hooks run. The entry dispatches it before this module is loaded."""

from __future__ import annotations

from typing import Annotated

import typer

from kitty_status.cli.output import command
from kitty_status.errors import UsageError
from kitty_status.git.hooks import HOOKS


@command
def hook(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"The hook: {', '.join(HOOKS)}.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="What git gave the hook.")] = None,
) -> None:
    """Do what kitty-status does in one of git's hooks; the hooks that `install` writes call this.

    The hooks that come before git's work stop a commit, a merge or a push that would corrupt the record, and
    say how to mend it. Those that come after it stop nothing.
    """
    raise UsageError(
        f"there is no hook {' '.join([name, *(arguments or [])])}",
        hint=f"`kitty-status hook pre-commit`, or {', '.join(list(HOOKS)[1:])}",
    )
