"""`store compact`, `store restore`: old events to the archive of their store, and back."""

from __future__ import annotations

from typing import Annotated

import typer

from kitty_status.cli.output import JsonOption, command, counted, say, say_json
from kitty_status.cli.store_option import DryRunOption, StoreOption, instant, opened
from kitty_status.errors import NotFoundError, UsageError
from kitty_status.eventstore.opening import shown
from kitty_status.status.visible import visible
from kitty_status.tracker.default_store import store_url


@command
def compact(
    before: Annotated[
        str, typer.Option("--before", metavar="INSTANT", help="Move what happened before it, or before this day.")
    ],
    url: StoreOption = None,
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> None:
    """Move old events to the compressed archive of their store, where they are read as before.

    What moves are the first events of the store, up to one that happened later, or days that are over; in PostgreSQL
    months that are over.

    \b
    Examples:
      kitty-status store compact --before 2026-01-01T00:00:00Z --dry-run
      kitty-status store compact --before 2026-01-01T00:00:00Z --json
    """  # noqa: D301  \b keeps the lines of the help apart
    moment = instant(before)
    with opened(url) as store:
        moved = store.compact_events(moment, dry_run=dry_run)
        archives = len(store.archives())
    if json_output:
        place = shown(store_url(url))
        data = {"store": place, "before": before, "dry_run": dry_run, "moved": moved, "archives": archives}
        say_json("store-compact", data)
    else:
        did = "would move" if dry_run else "moved"
        say(f"{did} {counted(moved, 'event')}; {counted(archives, 'archive')} now")


@command
def restore(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="An archive, as `kitty-status store info` names it.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every archive.")] = False,
    url: StoreOption = None,
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> None:
    """Bring events back from the archive to where they were.

    \b
    Examples:
      kitty-status store restore 1-10000
      kitty-status store restore --all --dry-run --json
    """  # noqa: D301  \b keeps the lines of the help apart
    if (name is None) == (not every):
        raise UsageError("an archive or --all is needed, and not both", hint="`kitty-status store info` lists archives")
    with opened(url) as store:
        archives = [each for each in store.archives() if every or each.name == name]
        if not archives and name is not None:
            raise NotFoundError(f"there is no archive {name!a}", hint="`kitty-status store info` lists them")
        restored = {
            each.name: each.events if dry_run else store.restore_events(each.name) for each in reversed(archives)
        }
    if json_output:
        rows = [{"name": each, "events": events} for each, events in restored.items()]
        say_json("store-restore", {"store": shown(store_url(url)), "dry_run": dry_run, "restored": rows})
        return
    for restored_name, events in restored.items():
        did = "would restore" if dry_run else "restored"
        say(f"{did} {visible(restored_name)}: {counted(events, 'event')}")
    say(counted(len(restored), "archive"))
