"""The command group, put together from its verbs.

A process that runs one verb loads and declares only that one: declaring all of them takes typer
longer than most verbs need for their work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

VERBS = {
    "init": "init",
    "install": "install",
    "uninstall": "uninstall",
    "emit": "emit",
    "release": "release",
    "take-over": "take_over",
    "show": "show",
    "log": "log",
    "lanes": "lanes",
    "phase": "phase",
    "diff": "diff",
    "worktrees": "worktrees",
    "cleanup": "cleanup",
    "materialize": "materialize",
    "validate": "validate",
    "explain": "explain",
    "schema": "schema",
    "doctor": "doctor",
    "resolve": "resolve",
    "revert": "revert",
    "reconcile": "reconcile",
    "reconcile-journal": "reconcile_journal",
    "discard": "discard",
    "audit": "audit",
    "rename": "rename",
    "archive": "archive",
    "unarchive": "unarchive",
    "convert": "convert",
    "migrate": "migrate",
    "sync-base": "sync_base",
    "store": "store",
    "merge-driver": "merge_driver",
    "hook": "hook",
}
"""Each verb and the module, of this package, whose function or group of that name it is; in the order of the help."""

_ABOUT = """The status of work, kept in git beside the work.

Start with `kitty-status init` (once per repository) and `kitty-status install` (once per clone).
Every command takes --json. Exit codes: 0 done, 1 findings, 2 usage, 3 move refused, 4 not found,
5 conflict, 6 busy, 7 damaged log, 70 a bug, 130 interrupted."""


def build(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """Return an application with these verbs."""
    app = typer.Typer(
        name="kitty-status",
        help=_ABOUT,
        no_args_is_help=True,
        add_completion=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for verb in verbs:
        name = VERBS[verb]
        found = getattr(import_module(f"kitty_status.cli.{name}"), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(verb)(found)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kitty-status {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


_root.__doc__ = _ABOUT
