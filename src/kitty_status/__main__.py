"""The command's entry. What git calls is dispatched here, before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

from kitty_status.errors import EXIT_BUG, EXIT_INTERRUPTED
from kitty_status.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_PLUMBING = {
    "merge-driver log": "kitty_status.git.log_driver",
    "merge-driver snapshot": "kitty_status.git.snapshot_driver",
    "hook pre-commit": "kitty_status.git.pre_commit",
}


def main() -> None:
    """Run `kitty-status` with the arguments of this process and exit with its code."""
    module = None if sys.argv[3:] in (["-h"], ["--help"]) else _PLUMBING.get(" ".join(sys.argv[1:3]))
    try:
        if module is not None:
            sys.excepthook = _say_bug
            sys.exit(import_module(module).main(sys.argv[3:]))
        if sys.argv[1:] == ["--version"] and _printed_version():
            return
        code = import_module("kitty_status.cli.run").run()
        # Going down, python looks for circles among all that the command line loaded, which takes a fifth of a short
        # process. What is frozen is not looked at; files are flushed and exit handlers run as ever.
        gc.freeze()
        sys.exit(code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _say_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End with a code that git's command line does not take for an answer: 1 would mean a conflict."""
    if os.environ.get("KITTY_STATUS_DEBUG"):
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"kitty-status: {kind.__name__}: {error}", file=sys.stderr)  # noqa: T201
    os._exit(EXIT_BUG)


def _printed_version() -> bool:
    """Print the version without the command line, whose loading takes a quarter of a second."""
    try:
        print(f"kitty-status {__version__}", flush=True)  # noqa: T201
    except OSError:
        return False  # the command line says what is wrong
    return True


if __name__ == "__main__":
    main()
