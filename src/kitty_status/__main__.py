"""The command's entry. What git calls is dispatched here, before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

from kitty_status.errors import EXIT_BUG, EXIT_DONE, EXIT_INTERRUPTED
from kitty_status.git.hooks import HOOKS, comes_after, is_switched_off
from kitty_status.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_PLUMBING = {
    "merge-driver log": "kitty_status.git.log_driver",
    "merge-driver snapshot": "kitty_status.git.snapshot_driver",
    "merge-driver view": "kitty_status.git.view_driver",
    **{f"hook {name}": "kitty_status.git.hook_entry" for name in HOOKS},
}


def main() -> None:
    """Run `kitty-status` with the arguments of this process and exit with its code."""
    module = None if sys.argv[3:] in (["-h"], ["--help"]) else _PLUMBING.get(" ".join(sys.argv[1:3]))
    try:
        if module is not None:
            sys.exit(_serve_git(module, *sys.argv[1:3]))
        if sys.argv[1:] == ["--version"] and _printed_version():
            return
        code = import_module("kitty_status.cli.run").run()
        # Going down, python looks for circles among all that the command line loaded, which takes a fifth of a short
        # process. What is frozen is not looked at; files are flushed and exit handlers run as ever.
        gc.freeze()
        sys.exit(code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _serve_git(module: str, verb: str, name: str) -> int:
    """Be a hook or a merge driver, and return what git is to be told."""
    is_hook = verb == "hook"
    if is_switched_off(os.environ):
        # To git's command line, the driver is then missing, and it goes on without.
        return EXIT_DONE if is_hook else EXIT_BUG
    # Once its work is done git cannot be stopped any more, and its own exit code may be that of the hook.
    sys.excepthook = _saying_bugs(EXIT_DONE if is_hook and comes_after(name) else EXIT_BUG)
    leading = [name] if is_hook else []
    return int(import_module(module).main([*leading, *sys.argv[3:]]))


def _saying_bugs(code: int) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Return what ends a process with `code` instead of 1, which git's command line takes for an answer: a conflict."""

    def say_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if os.environ.get("KITTY_STATUS_DEBUG"):
            sys.__excepthook__(kind, error, trace)
        else:
            print(f"kitty-status: {kind.__name__}: {error}", file=sys.stderr)  # noqa: T201
        os._exit(code)

    return say_bug


def _printed_version() -> bool:
    """Print the version without the command line, whose loading takes a quarter of a second."""
    try:
        print(f"kitty-status {__version__}", flush=True)  # noqa: T201
    except OSError:
        return False  # the command line says what is wrong
    return True


if __name__ == "__main__":
    main()
