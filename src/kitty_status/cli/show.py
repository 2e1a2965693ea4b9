"""`show`: where every work package stands."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureArgument, JsonOption, command, say, say_json, warn
from kitty_status.errors import EXIT_DAMAGED, EXIT_DONE, NotFoundError, StoreError, UsageError, WorkPackageFileError
from kitty_status.status.phase_numbers import FRONTMATTER
from kitty_status.status.visible import visible
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.former import former_slugs
from kitty_status.tracker.log import reduce_log
from kitty_status.tracker.mending.same_feature import Namesakes, how_split
from kitty_status.tracker.phases import phase_of, remarks_on
from kitty_status.tracker.views.materialize import is_leftover

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.places.past import Past


@command
def show(
    feature: FeatureArgument = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="REV|DATE", help="As it was in that commit, or on that day.")
    ] = None,
    worktrees: Annotated[
        bool, typer.Option("--worktrees", help="Show what other work trees and branches of this clone have recorded.")
    ] = False,
    archived: Annotated[bool, typer.Option("--archived", help="List archived features, too.")] = False,
    json_output: JsonOption = False,
) -> int:
    """Show where every work package of a feature stands; without a feature, one line for each feature.

    \b
    Examples:
      kitty-status show
      kitty-status show 034-login --json
      kitty-status show 034-login --at 2026-01-31
      kitty-status show 034-login --worktrees
    """  # noqa: D301  \b keeps the lines of the help apart
    project = Project(Path.cwd())
    config = load_config(project.root)
    if at is not None and worktrees:
        raise UsageError("--at and --worktrees exclude each other", hint="leave one of them out")
    if at is not None:
        # Loaded by name: nearly every call is about the present.
        past: Past = import_module("kitty_status.tracker.places.past").past_at(project, at)
        return _show_past(project, past, _name_of(project, feature), config, json_output=json_output)
    if worktrees:
        # Loaded by name: few calls look around, and what that takes would delay all of them.
        module: Any = import_module("kitty_status.cli.show_worktrees")
        return int(module.show_worktrees(project, config, feature, json_output=json_output))
    chosen = None if archived and feature is None else _chosen(project, feature)
    if chosen is None:
        return _show_all(project, config, archived=archived, json_output=json_output)
    if not chosen.log.exists() and not chosen.folder.is_dir():
        raise NotFoundError(
            f"there is no feature folder {chosen.folder}", hint="`kitty-status show` lists the features"
        )
    phase = phase_of(chosen, config)
    if not phase.keeps_log:
        # Loaded by name, here and below: few features are left in phase 0.
        unlogged: Any = import_module("kitty_status.cli.show_unlogged")
        return int(unlogged.show(chosen, config, phase, json_output=json_output))
    snapshot = reduce_log(chosen.log, config.profile, chosen.log.strictly())
    remarks = [*chosen.remarks(), *_split(project, chosen), *phase.warnings]
    if json_output:
        names = {"former_slugs": list(former_slugs(chosen.log)), "archived": chosen.is_archived}
        names |= {"phase": phase.number, "phase_source": phase.source}
        say_json("show", {**names, **_data(chosen.slug, chosen.relative(chosen.log.path), snapshot)}, warnings=remarks)
    else:
        _print(chosen.slug, snapshot)
        warn(remarks)
    return EXIT_DONE


def _split(project: Project, feature: Feature) -> list[str]:
    return [how_split(feature, other) for other in Namesakes(project).others_of(feature)]


def _name_of(project: Project, name: str | None) -> str | None:
    """Return the slug that is named or stood in; a feature of the past need not exist any more."""
    if name is None and project.features_folder in project.start.parents:
        return project.start.relative_to(project.features_folder).parts[0]
    return name


def _show_past(project: Project, past: Past, name: str | None, config: Config, *, json_output: bool) -> int:
    if name is None:
        return _show_all_past(past, config, json_output=json_output)
    ((feature, data),) = past.contents([past.feature(name)])
    snapshot = past.reduce(feature, data, config.profile)
    today = [each for each in project.features(archived=True) if each.slug == feature.slug]
    remarks = [remark for each in today for remark in remarks_on(phase_of(each, config), each)]
    if json_output:
        say_json("show", {**_data(feature.slug, feature.path, snapshot), **_when(past)}, warnings=remarks)
    else:
        say(f"in {past.commit.short} of {past.commit.committed_at}:")
        _print(feature.slug, snapshot)
        warn(remarks)
    return EXIT_DONE


def _show_all_past(past: Past, config: Config, *, json_output: bool) -> int:
    rows: dict[str, dict[str, Any]] = {}
    damaged: list[str] = []
    for feature, data in past.contents(past.features()):
        try:
            summary = _summary(feature.slug, past.reduce(feature, data, config.profile))
        except StoreError as error:
            damaged.append(f"{feature.slug}: {error.message}")
            summary = {"feature": feature.slug, "damaged": error.message}
        rows[feature.slug] = {**summary, **_when(past)}
    if not rows:
        raise NotFoundError(f"there were no features in {past.commit.short}", hint="name a later commit or date")
    if not json_output:
        say(f"in {past.commit.short} of {past.commit.committed_at}:")
    return _print_overview([rows[slug] for slug in sorted(rows)], damaged, json_output=json_output)


def _when(past: Past) -> dict[str, str]:
    return {"commit": past.commit.oid, "committed_at": past.commit.committed_at}


def _chosen(project: Project, name: str | None) -> Feature | None:
    """Return the feature that is named or stood in; the branch alone does not narrow the overview."""
    if name is not None or project.features_folder in project.start.parents:
        return project.feature(name)
    return None


def _show_all(project: Project, config: Config, *, archived: bool, json_output: bool) -> int:
    features = [feature for feature in project.features(archived=archived) if not is_leftover(feature, config)]
    if not features:
        raise NotFoundError(
            f"there are no features in {project.features_folder}", hint="a feature is a folder kitty-specs/NAME"
        )
    total = sum(feature.log.size() for feature in features)
    rows: list[dict[str, Any]] = []
    damaged: list[str] = []
    remarks: list[str] = []
    for feature in features:
        phase = phase_of(feature, config)
        remarks += phase.warnings
        try:
            if phase.keeps_log:
                snapshot = reduce_log(feature.log, config.profile, feature.log.strictly(), bytes_to_read=total)
            else:
                snapshot = import_module("kitty_status.tracker.unlogged.standings").whole_snapshot(feature, config)
        except (StoreError, WorkPackageFileError) as error:
            damaged.append(f"{feature.slug}: {error.message}")
            rows.append({"feature": feature.slug, "damaged": error.message})
            continue
        summary = {**_summary(feature.slug, snapshot), "archived": feature.is_archived}
        rows.append(summary | {"phase": phase.number})
    return _print_overview(rows, damaged, remarks, json_output=json_output)


def _print_overview(
    rows: list[dict[str, Any]], damaged: list[str], remarks: Iterable[str] = (), *, json_output: bool
) -> int:
    warnings = [*damaged, *dict.fromkeys(remarks)]
    if json_output:
        say_json("features", rows, warnings=warnings)
    else:
        _print_all(rows)
        warn(warnings)
    return EXIT_DAMAGED if damaged else EXIT_DONE


def _summary(slug: str, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "feature": slug,
        "work_packages": len(snapshot.work_packages),
        "summary": snapshot.summary,
        "conflicts": sum("conflict" in state for state in snapshot.work_packages.values()),
        "event_count": snapshot.event_count,
        "materialized_at": snapshot.materialized_at,
    }


def _data(slug: str, path: str, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "feature": slug,
        "path": path,
        "profile": snapshot.profile.name,
        **snapshot.to_dict(),
    }


def _print_all(rows: list[dict[str, Any]]) -> None:
    width = max(len(row["feature"]) for row in rows)
    for row in rows:
        if "damaged" in row:
            say(f"{row['feature']:<{width}}  damaged")
            continue
        lanes = ", ".join(f"{count} {lane}" for lane, count in row["summary"].items() if count) or "nothing yet"
        conflicts = f"  {row['conflicts']} competing" if row["conflicts"] else ""
        archived = "  (archived)" if row.get("archived") else ""
        phase = "  (phase 0)" if row.get("phase") == FRONTMATTER else ""
        say(f"{row['feature']:<{width}}  {lanes}{conflicts}{archived}{phase}")


def _print(slug: str, snapshot: Snapshot) -> None:
    counted = (
        ", ".join(f"{count} {lane}" for lane, count in snapshot.summary.items() if count) or "no work packages yet"
    )
    say(f"{slug}: {counted}")
    states = sorted(snapshot.work_packages.items())
    names = max((len(name) for name, _ in states), default=0)
    lanes = max((len(state["lane"]) for _, state in states), default=0)
    for name, state in states:
        forced = f"  forced {state['force_count']}x" if state["force_count"] else ""
        since = visible(state["last_transition_at"])
        say(f"  {name:<{names}}  {state['lane']:<{lanes}}  {since}  {visible(state['actor'])}{forced}")
        for line in _conflict_lines(state):
            say(f"  {'':<{names}}  {line}")


def _conflict_lines(state: dict[str, Any]) -> list[str]:
    conflict = state.get("conflict")
    if conflict is None:
        return []
    lines = [f"! {conflict['head_count']} moves compete; {state['lane']} stands by the rule {conflict['rule']}:"]
    lines += [
        f"    {head['lane']} by {visible(head['actor'])} ({visible(head['event_id'])})" for head in conflict["heads"]
    ]
    return lines
