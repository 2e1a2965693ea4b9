"""Running the command line as a process: the arguments in, the exit code out."""

from __future__ import annotations

import sys

import typer

from kitty_status.cli.application import VERBS, build
from kitty_status.cli.output import say_failure, say_usage_error
from kitty_status.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_USAGE


def run() -> int:
    """Run the command that this process's arguments name and return the exit code."""
    arguments = sys.argv[1:]
    as_json = "--json" in arguments
    verb = arguments[0] if arguments and arguments[0] in VERBS else None
    app = build([verb] if verb else VERBS)
    try:
        code = app(args=arguments, prog_name="kitty-status", standalone_mode=False)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  what typer itself raises, in parsing and printing help
        # typer keeps its own copy of click, whose errors are told by what they can do.
        kind, message = type(error).__name__, getattr(error, "format_message", None)
        if kind == "Abort":
            return EXIT_INTERRUPTED
        if message is None:
            return say_failure(error, as_json=as_json)
        if kind == "NoArgsIsHelpError":
            typer.echo(message(), err=True)
            return EXIT_USAGE
        return say_usage_error(message(), as_json=as_json)
    return code if isinstance(code, int) else EXIT_DONE
