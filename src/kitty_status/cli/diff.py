"""`diff`: which work packages moved between two commits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureArgument, JsonOption, command, say, say_json, warn
from kitty_status.errors import EXIT_DAMAGED, EXIT_DONE, UsageError
from kitty_status.git.revisions import describe, find_revision, merge_base, resolve
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.places.moved import logs_of_past, logs_of_worktree, moves_between
from kitty_status.tracker.places.past import Past, worktree_of
from kitty_status.tracker.slugs import pick_slug

if TYPE_CHECKING:
    from kitty_status.tracker.places.moved import FeatureMoves

_WORK_TREE = "the work tree"


@command
def diff(
    revisions: Annotated[
        str | None, typer.Argument(metavar="[REV[..REV]]", help="From where to where; by default HEAD.")
    ] = None,
    feature: FeatureArgument = None,
    json_output: JsonOption = False,
) -> int:
    """Show which work packages moved from one commit to another, or to the work tree where only one is named.

    A first argument that is no revision is taken for the feature.

    \b
    Examples:
      kitty-status diff main..claude
      kitty-status diff v1.0 034-login --json
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    worktree = worktree_of(project)
    is_feature = revisions is not None and feature is None and _is_no_revision(revisions, worktree)
    if is_feature:
        revisions, feature = None, revisions
    start, end = _ends(revisions or "HEAD", worktree)
    if end is None and project.repository is None:
        raise UsageError("a bare repository has no work tree to compare with", hint="name both ends: diff REV..REV")
    commits = describe([oid for oid in (start, end) if oid], cwd=worktree)
    old = logs_of_past(Past(project, commits[start]))
    new = logs_of_past(Past(project, commits[end])) if end else logs_of_worktree(project)
    features = moves_between(old, new, load_config(project.root).profile)
    if feature is not None:
        slug = pick_slug(
            feature,
            sorted(old.keys() | new.keys()),
            "either of them, and no such revision" if is_feature else "either of them",
        )
        features = [each for each in features if slug in (each.slug, each.renamed_from)]
    damaged = [f"{each.slug}: {each.damaged}" for each in features if each.damaged]
    if json_output:
        data = {"from": commits[start].to_dict(), "to": commits[end].to_dict() if end else None}
        say_json("diff", {**data, "features": [each.to_dict() for each in features]}, warnings=damaged)
    else:
        say(f"from {commits[start].short} to {commits[end].short if end else _WORK_TREE}:")
        _print(features)
        warn(damaged)
    return EXIT_DAMAGED if damaged else EXIT_DONE


def _is_no_revision(text: str, worktree: str) -> bool:
    return ".." not in text and find_revision(text, cwd=worktree) is None


def _ends(revisions: str, worktree: str) -> tuple[str, str | None]:
    """Return the two commits that are meant, None for the work tree.

    As git has it: `A..B` is from A to B, `A...B` from where the two parted to B, and a name that is
    left out is HEAD.

    Raises:
        NotFoundError: git knows no such commit here, or the two have nothing in common.
    """
    start, dots, end = revisions.partition("..")
    if not dots:
        return resolve(start, cwd=worktree), None
    parted = end.startswith(".")
    one, other = (resolve(name or "HEAD", cwd=worktree) for name in (start, end.removeprefix(".")))
    return (merge_base(one, other, cwd=worktree) if parted else one), other


def _print(features: list[FeatureMoves]) -> None:
    for feature in features:
        if feature.damaged:
            say(f"{visible(feature.slug)}: damaged")
            continue
        renamed = f" (was {visible(feature.renamed_from)})" if feature.renamed_from else ""
        change = f"{feature.events:+} {'event' if abs(feature.events) == 1 else 'events'}"
        say(f"{visible(feature.slug)}{renamed}: {len(feature.moved)} moved, {change}")
        width = max((len(move["wp_id"]) for move in feature.moved), default=0)
        for move in feature.moved:
            say(f"  {move['wp_id']:<{width}}  {_move(move)}")
        for conflict in feature.conflicts:
            heads = ", ".join(f"{head['lane']} by {visible(head['actor'])}" for head in conflict["heads"])
            say(f"  {conflict['wp_id']}  ! {conflict['head_count']} moves compete now: {heads}")
    if not features:
        say("nothing moved")


def _move(move: dict[str, Any]) -> str:
    lanes = f"{move['from_lane'] or 'not there'} to {move['to_lane'] or 'not there'}"
    return f"{lanes}  {visible(move['at'])}  {visible(move['actor'])}" if move["to_lane"] else lanes
