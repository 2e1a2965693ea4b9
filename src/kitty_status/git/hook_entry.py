"""The one way into every hook of ours, which also says that it was reached.

Whoever wants to know whether git's way to a hook is whole creates an empty file, names it in
`KITTY_STATUS_PROBE` and fires the hook: its name is then written into that file, and nothing else
is done. The processes that git waits for load this module.
"""

from __future__ import annotations

import os

from kitty_status.git.hooks import HOOKS, is_switched_off, leading_arguments
from kitty_status.git.own_lanes import learn_lanes_if_asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROBE = "KITTY_STATUS_PROBE"


def main(argv: list[str]) -> int:
    """Be the hook `argv[0]`, with git's own arguments behind it; return its exit code: 0 where it is switched off."""
    name, *arguments = argv
    if _answered(name) or is_switched_off(os.environ):
        return 0
    # git calls its hooks at the top of the work tree.
    learn_lanes_if_asked(".")
    module: Any = __import__(HOOKS[name], fromlist=["main"])
    return int(module.main([*leading_arguments(name), *arguments]))


def _answered(name: str) -> bool:
    """Write the name of the hook into the file that asks for it, and say whether there was one.

    The file must exist: a variable that was left behind asks nothing, and switches no hook off.
    """
    path = os.environ.get(PROBE)
    if not path:
        return False
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    except OSError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(f"{name}\n".encode())
    return True
