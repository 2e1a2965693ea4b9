"""`hook`: what git's hooks run. The entry dispatches it before this module is loaded."""

from __future__ import annotations

from typing import Annotated

import typer

from kitty_status.cli.output import command
from kitty_status.errors import UsageError


@command
def hook(name: Annotated[str, typer.Argument(metavar="pre-commit", help="The hook.")]) -> None:
    """Check what is about to be committed; git's pre-commit hook calls this.

    It stops a commit with a damaged line, with a line of the history changed or missing, or with a
    snapshot that was not made from the log beside it, and says how to mend each.
    """
    raise UsageError(f"there is no hook {name}", hint="`kitty-status hook pre-commit`")
