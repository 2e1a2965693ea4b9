"""`store`: the commands for event stores."""

from __future__ import annotations

import typer

from kitty_status.cli.store_archive import compact, restore
from kitty_status.cli.store_reading import events, info, verify

_ABOUT = """Look into an event store, and move its old events to the archive and back.

It is the one that --store names by its URL (sqlite:PATH, jsonl:PATH, postgresql://HOST/DATABASE), else the one in
KITTY_STATUS_STORE, else that of this repository. Every command takes --json.

\b
Examples:
  kitty-status store info
  kitty-status store events --type StepDone --since 2026-01-01T00:00:00Z
  kitty-status store compact --before 2026-01-01T00:00:00Z --dry-run
  kitty-status store verify --store sqlite:events.db --json"""

store = typer.Typer(
    help=_ABOUT,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _verb in (info, events, compact, restore, verify):
    store.command(_verb.__name__)(_verb)
