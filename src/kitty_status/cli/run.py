"""Running the command line as a process: the arguments in, the exit code out."""

from __future__ import annotations

import sys

from kitty_status.cli.application import VERBS, build
from kitty_status.cli.output import say_usage_error
from kitty_status.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_USAGE


def run() -> int:
    """Run the command that this process's arguments name and return the exit code."""
    arguments = sys.argv[1:]
    verb = arguments[0] if arguments and arguments[0] in VERBS else None
    app = build([verb] if verb else VERBS)
    try:
        code = app(args=arguments, prog_name="kitty-status", standalone_mode=False)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        # typer keeps its own copy of click, whose errors are told by what they can do.
        message = getattr(error, "format_message", None)
        if message is None:
            if type(error).__name__ == "Abort":
                return EXIT_INTERRUPTED
            raise
        text = message()
        if not text:
            # No arguments at all: the help has been printed instead of a message.
            return EXIT_USAGE
        return say_usage_error(text, as_json="--json" in arguments)
    return code if isinstance(code, int) else EXIT_DONE
