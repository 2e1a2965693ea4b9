"""The command line: one verb per file, which parses, calls once and prints.

`kitty_status.cli.app` is the whole command group as a Typer application, to be mounted by another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    app: typer.Typer


def __getattr__(name: str) -> object:
    """Build the application when it is asked for (PEP 562): git's processes pass by here without it."""
    if name == "app":
        build = __import__("kitty_status.cli.application", fromlist=["build"]).build
        globals()["app"] = build()
        return globals()["app"]
    raise AttributeError(f"module 'kitty_status.cli' has no attribute {name!r}")
