"""`resolve`: mend a log and its snapshot after a merge, a crash or a command that went wrong."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import JsonOption, command, counted, say, say_json, warn
from kitty_status.cli.targets import features_of
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS
from kitty_status.git.head import operation_in_progress
from kitty_status.git.log_paths import STATUS_PATHSPECS, VIEW_PATHSPECS, feature_of
from kitty_status.git.versions import unmerged_paths
from kitty_status.jsonl.codec import decode, preview
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import how_to_commit, how_to_stage, is_committed
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project, feature_at
from kitty_status.tracker.mending.mend import ACTIONS
from kitty_status.tracker.mending.resolve import plan
from kitty_status.tracker.mending.resolve import resolve as resolve_feature
from kitty_status.tracker.views.changes import changed_views

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.mending.mend import Change, Conflict, MendedFile
    from kitty_status.tracker.mending.resolve import Resolution

_PATHSPECS = (*STATUS_PATHSPECS, *VIEW_PATHSPECS)
_DECIDE = (
    "both lines are kept and the bytewise smaller one counts everywhere: find the genuine one with `git log -p`, "
    "and say with a further event where the work package stands"
)


@command
def resolve(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[FEATURE | PATH]...", help="Slugs, or paths of folders or logs.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature.")] = False,
    revisions: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="REV", help="Bring back every line that the log has in this commit."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be changed, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Mend a log, its snapshot and its views: after a failed merge, a crash, or lost history.

    No line that git or the file holds is dropped. What a damaged file was is kept in the quarantine
    folder. Without names: what git could not merge, else every feature while git is in the middle of
    a merge, rebase or cherry-pick, else the feature around.

    \b
    Examples:
      kitty-status resolve --dry-run
      kitty-status resolve 034-login --from ORIG_HEAD
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    features = _features(project, targets or [], every=every)
    resolutions = [_resolve(feature, revisions or [], dry_run=dry_run) for feature in features]
    next_steps = [step for each in resolutions for step in _next(each, dry_run=dry_run)]
    warnings = [warning for each in resolutions for warning in _warnings(each)]
    if json_output:
        data = [_data(each, dry_run=dry_run) for each in resolutions]
        say_json("resolve", data, warnings=warnings, next_steps=next_steps)
    else:
        for each in resolutions:
            _print(each, dry_run=dry_run)
        warn(warnings)
        for step in next_steps:
            typer.echo(f"next: {visible(step)}", err=True)
    return EXIT_FINDINGS if any(each.mended.conflicts for each in resolutions) else EXIT_DONE


def _features(project: Project, targets: list[str], *, every: bool) -> list[Feature]:
    if not targets and not every and project.repository is not None:
        worktree = project.repository.worktree
        folders = {Path(worktree, feature_of(path)): None for path in unmerged_paths(worktree, _PATHSPECS)}
        if folders:
            return [feature_at(folder) for folder in folders]
        every = operation_in_progress(project.repository.git_dir) is not None
    features = features_of(project, targets, every=every, may_be_lost=True)
    return [each for each in features if each.log.exists() or each.snapshot.exists()] if every else features


def _resolve(feature: Feature, revisions: list[str], *, dry_run: bool) -> Resolution:
    if dry_run:
        return plan(feature, revisions)
    return resolve_feature(feature, load_config(feature.root), revisions)


def _data(resolution: Resolution, *, dry_run: bool) -> dict[str, Any]:
    is_needed = resolution.is_needed
    return {
        "feature": resolution.feature.slug,
        "path": resolution.path,
        "dry_run": dry_run,
        "is_needed": is_needed,
        "changes": [_change(file, change) for file in resolution.mended.files for change in file.changes]
        if is_needed
        else [],
        "conflicts": [_conflict(conflict) for conflict in resolution.mended.conflicts],
        "misplaced": [each.path for each in resolution.misplaced],
        "unmerged": resolution.unmerged,
        "kept": resolution.kept,
        "staged": resolution.to_stage if dry_run else resolution.staged,
        "elsewhere": [
            {"revision": each.revision, "commit": each.commit, "lines": each.lines} for each in resolution.elsewhere
        ],
    }


def _conflict(conflict: Conflict) -> dict[str, Any]:
    standings = (conflict.first, conflict.second)
    return {
        "event_id": conflict.event_id,
        "paths": [each.path for each in standings],
        "lines": [each.number for each in standings],
    }


def _change(file: MendedFile, change: Change) -> dict[str, Any]:
    return {
        "path": file.path,
        "action": change.action,
        "line": change.number or None,
        "source": change.source or None,
        "text": change.line.decode("utf-8", "backslashreplace").removesuffix("\n"),
        "why": change.why or None,
    }


def _print(resolution: Resolution, *, dry_run: bool) -> None:
    path = visible(resolution.path)
    if not resolution.is_needed:
        say(f"{path}: nothing to resolve")
    else:
        _print_changes(resolution, path, dry_run=dry_run)
    for each in resolution.elsewhere:
        say(f"  {visible(each.revision)} ({each.commit[:12]}) holds {counted(each.lines, 'line')} not here")


def _print_changes(resolution: Resolution, path: str, *, dry_run: bool) -> None:
    say(f"{path}: {'would be resolved' if dry_run else 'resolved'}")
    for file in resolution.mended.files if resolution.changes_log else ():
        # Of a log in one file, the file has been named.
        where = "" if file.path == resolution.path else f"{visible(_name_in(resolution, file.path))}: "
        for change in file.changes:
            say(f"  {where}{_words(change)}")
    for each in resolution.misplaced:
        gone = "would go" if dry_run else "is gone"
        say(f"  {visible(each.path)} {gone}: its lines belong into {visible(each.log_file)} and stand there")
    for kept in resolution.kept:
        say(f"  kept in the quarantine folder: {visible(kept)}")
    staged = resolution.to_stage if dry_run else resolution.staged
    if staged:
        say(f"  {'would be staged' if dry_run else 'staged'}: {visible(', '.join(staged))}")


def _words(change: Change) -> str:
    place = f"from {visible(change.source)}" if change.source else f"line {change.number}"
    why = f" ({visible(change.why)})" if change.why else ""
    return f"{ACTIONS[change.action]}, {place}: {_shown(change.line)}{why}"


def _shown(line: bytes) -> str:
    """Return an event in words, and of anything else the beginning."""
    try:
        row = decode(line.removesuffix(b"\n"))
    except ValueError:
        return visible(preview(line))
    if not {"event_id", "wp_id", "from_lane", "to_lane"} <= row.keys():
        return visible(preview(line))
    return visible(f"{row['wp_id']} {row['from_lane']} to {row['to_lane']} ({row['event_id']})")


def _name_in(resolution: Resolution, path: str) -> str:
    """Return a log file's path from the feature's folder."""
    return path.removeprefix(resolution.feature.path).removeprefix("/")


def _warnings(resolution: Resolution) -> list[str]:
    return resolution.warnings + [
        f"{second.path}:{second.number}: event {conflict.event_id} has other content than on line "
        f"{first.number if first.path == second.path else f'{first.path}:{first.number}'}; {_DECIDE}"
        for conflict in resolution.mended.conflicts
        for first, second in [(conflict.first, conflict.second)]
    ]


def _next(resolution: Resolution, *, dry_run: bool) -> list[str]:
    feature = resolution.feature
    steps = [
        f"kitty-status resolve {feature.slug} --from {shlex.quote(each.revision)}" for each in resolution.elsewhere
    ]
    if resolution.is_needed and not dry_run and feature.repository is not None and not resolution.staged:
        is_for_a_merge = bool(resolution.to_stage)
        message = f"Mend the log of {feature.slug}"
        if is_for_a_merge:
            steps.append(how_to_stage(resolution.to_stage))
        elif not is_committed(feature):
            config = load_config(feature.root)
            views = changed_views(feature, config).generated
            steps += how_to_commit(feature, message, snapshot=config.commits_snapshots, views=views)
    return steps
