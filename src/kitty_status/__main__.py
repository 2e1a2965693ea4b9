"""The command's entry. What git calls is dispatched here, before anything heavy is imported."""

from __future__ import annotations

import sys
from importlib import import_module

_PLUMBING = {
    "merge-driver log": "kitty_status.git.log_driver",
    "merge-driver snapshot": "kitty_status.git.snapshot_driver",
    "hook pre-commit": "kitty_status.git.pre_commit",
}


def main() -> None:
    """Run `kitty-status` with the arguments of this process and exit with its code."""
    module = _PLUMBING.get(" ".join(sys.argv[1:3]))
    if module is not None:
        sys.exit(import_module(module).main(sys.argv[3:]))
    sys.exit(import_module("kitty_status.cli.run").run())


if __name__ == "__main__":
    main()
