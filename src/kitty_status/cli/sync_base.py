"""`sync-base`: merge the base branch in here, for a host that cannot."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.cli.output import JsonOption, command, counted, say, say_json, warn
from kitty_status.errors import EXIT_CONFLICT, EXIT_DONE, EXIT_FINDINGS
from kitty_status.status.layout import SNAPSHOT_FILENAME
from kitty_status.status.visible import visible
from kitty_status.tracker import sync_base as syncing
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.sync_base import Synced


@command
def sync_base(
    base: Annotated[
        str | None,
        typer.Argument(metavar="[BASE]", help="The branch to merge; by default the remote's default branch."),
    ] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch from the remote first; otherwise nothing is.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be merged and what would conflict; write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Merge the base branch into the one checked out, so that a host that reports a conflict finds none.

    Hosts merge without merge drivers. Afterwards it is verified that no line of either side is
    missing and that every snapshot is right. What else conflicts stays as git left it, with exit 5.

    \b
    Examples:
      kitty-status sync-base --fetch
      kitty-status sync-base origin/develop --dry-run
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    config = load_config(project.root)
    synced = syncing.sync_base(project, config, base, fetch=fetch, dry_run=dry_run)
    next_steps = _next_steps(synced, config)
    if json_output:
        say_json("sync-base", _data(synced), warnings=synced.warnings, next_steps=next_steps)
    else:
        _print(synced)
        warn(synced.warnings)
        for step in next_steps:
            typer.echo(f"next: {visible(step)}", err=True)
    if synced.missing:
        return EXIT_FINDINGS
    return EXIT_CONFLICT if synced.result == syncing.CONFLICTS else EXIT_DONE


def _next_steps(synced: Synced, config: Config) -> list[str]:
    if synced.result == syncing.CONFLICTS:
        left = [path for path in synced.conflicts if path.rpartition("/")[0] not in synced.unite]
        slugs = [path.split("/")[-2] for path in left if path.endswith(f"/{SNAPSHOT_FILENAME}")]
        mend = [*synced.unite.values(), *(f"kitty-status materialize {shlex.quote(slug)}" for slug in slugs)]
        add = [f"git add -- {' '.join(shlex.quote(f':/{path}') for path in left)}"] if left else []
        return [*mend, *add, "git commit --no-edit"]
    if synced.result != syncing.MERGED:
        return []
    made = [
        path for path in synced.materialized if config.commits_snapshots or not path.endswith(f"/{SNAPSHOT_FILENAME}")
    ]
    if not made:
        return ["git push"]
    paths = " ".join(shlex.quote(f":/{path}") for path in made)
    return [f"git add -- {paths}", f"git commit -m 'Materialize after merging the base' -- {paths}", "git push"]


def _data(synced: Synced) -> dict[str, object]:
    return {
        "base": synced.base.name,
        "base_commit": synced.base.commit,
        "result": synced.result,
        "commit": synced.commit,
        "logs": [{"path": log.path, "gained": log.gained} for log in synced.logs],
        "conflicts": synced.conflicts,
        "missing": synced.missing,
        "materialized": synced.materialized,
        "unite": synced.unite,
    }


_TITLES = {
    syncing.UP_TO_DATE: "{base} is merged already",
    syncing.WOULD_MERGE: "would merge {base} ({commit})",
    syncing.MERGED: "merged {base} ({commit})",
    syncing.CONFLICTS: "{base} is not merged yet: {left} conflicts are left",
}


def _print(synced: Synced) -> None:
    title = _TITLES[synced.result]
    base, commit = visible(synced.base.name), synced.base.commit[:12]
    say(title.format(base=base, commit=commit, left=len(synced.conflicts)))
    for log in synced.logs:
        gained = f"  {counted(log.gained, 'line')} gained" if log.gained else "  changed on both sides"
        say(f"  merged    {visible(log.path)}{gained}")
    for path in synced.conflicts:
        say(f"  conflict  {visible(path)}")
    for path, lines in synced.missing.items():
        say(f"  missing   {visible(path)}  {counted(lines, 'line')}")
    for path in synced.materialized:
        say(f"  written   {visible(path)}")
