"""`reconcile-journal`: settle, bring back, and list what the journal of this clone holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import JsonOption, command, say, say_json, warn
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS
from kitty_status.status.visible import visible
from kitty_status.tracker.features import Project
from kitty_status.tracker.journal.reconcile import reconcile

if TYPE_CHECKING:
    from kitty_status.tracker.journal.entries import Entry
    from kitty_status.tracker.journal.reconcile import Reconciled
    from kitty_status.tracker.journal.restoring import Fate

EXAMPLES = """Examples:

  kitty-status reconcile-journal --dry-run

  kitty-status reconcile-journal --json"""


@command
def reconcile_journal(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be done, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Bring acknowledged events back that have vanished from their logs, and list those that wait.

    An event that git keeps is dropped from the journal. One that was never committed and has vanished
    from its log, in a stash or a reset, is appended again where its branch is checked out. Exit code 1
    means that some events wait, or could not be looked at.
    """
    repository = Project(Path.cwd()).repository_needed("outside git there is no journal")
    found = reconcile(repository, dry_run=dry_run)
    warnings = [f"the logs of {name} are being written; call again" for name in found.busy]
    warnings += [f"{path} holds lines that are no entries; they are kept" for path in found.unreadable]
    warnings += [f"the HEAD of {worktree} cannot be read; it was passed over" for worktree in found.passed_over]
    if json_output:
        say_json("reconcile-journal", _data(found, dry_run=dry_run), warnings=warnings)
    else:
        warn(warnings)
        _print(found, dry_run=dry_run)
    return EXIT_FINDINGS if found.waiting or warnings else EXIT_DONE


reconcile_journal.__doc__ = f"{reconcile_journal.__doc__}\n\n\b\n{EXAMPLES}"


def _print(found: Reconciled, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for entry in found.settled:
        say(f"{would}settled: {_named(entry)}")
    for fate in found.fates:
        if fate.restored:
            say(f"{would}brought back: {_named(fate.entry)} in {visible(fate.log)}")
        elif fate.why is not None:
            say(f"waits: {_named(fate.entry)}: {visible(fate.why)}")
        else:
            say(f"stands in its log, not committed yet: {_named(fate.entry)}")
    if not found.settled and not found.fates:
        say("the journal is empty")


def _named(entry: Entry) -> str:
    event = entry.event
    return visible(f"{entry.event_id} ({event.get('wp_id')} to {event.get('to_lane')})")


def _data(found: Reconciled, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "settled": [_described(entry) for entry in found.settled],
        "restored": [_fate(fate) for fate in found.restored],
        "waiting": [_fate(fate) for fate in found.waiting],
        "standing": [_fate(fate) for fate in found.fates if fate.why is None and not fate.restored],
    }


def _fate(fate: Fate) -> dict[str, Any]:
    return {
        **_described(fate.entry),
        "worktree": fate.tree.worktree if fate.tree else None,
        "why": fate.why,
    }


def _described(entry: Entry) -> dict[str, Any]:
    return {"event": entry.event, "log": entry.log, "branch": entry.branch, "head": entry.head}
