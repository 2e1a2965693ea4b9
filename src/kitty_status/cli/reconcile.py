"""`reconcile`: bring logs up to what git shows of the work."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import JsonOption, command, counted, say, say_json, warn
from kitty_status.cli.targets import features_of
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_USAGE, UsageError
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import how_to_commit
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.reconciling import reconcile as reconciling
from kitty_status.tracker.reconciling.reconcile import ReconcileRequest
from kitty_status.tracker.views.changes import changed_views

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.reconciling.reconcile import Proposal, Reconciliation, Scanned

EXAMPLES = """Examples:

  kitty-status reconcile 034-login

  kitty-status reconcile 034-login --target-repo ../api --target-repo ../web --apply"""


@command
def reconcile(
    feature: Annotated[
        str | None, typer.Argument(metavar="[FEATURE]", help="The slug; without one, the feature around.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature.")] = False,
    target_repo: Annotated[
        list[str] | None,
        typer.Option("--target-repo", metavar="PATH", help="Where the work is done; repeatable. By default here."),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="BRANCH", help="The branch that work is merged into.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="Only commits since then.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="At most that many commits of each repository.")
    ] = reconciling.DEFAULT_LIMIT,
    actor: Annotated[str, typer.Option("--actor", help="Who makes the moves.")] = reconciling.ACTOR,
    apply: Annotated[bool, typer.Option("--apply", help="Record the moves.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be recorded, and write nothing: the default.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Find the commits of work packages in local repositories, and the moves that logs have missed.

    Exit 0 where logs are where git shows the work to be, 1 where they are behind, 2 where a
    repository could not be read. Nothing is fetched.
    """
    if apply and dry_run:
        raise UsageError("--apply and --dry-run exclude each other", hint="leave one of them out")
    if not actor.strip():
        raise UsageError("a move needs an actor", hint=f"name one, or leave out --actor for {reconciling.ACTOR}")
    project = Project(Path.cwd())
    config = load_config(project.root)
    features = [
        each for each in features_of(project, [feature] if feature else [], every=every) if not each.is_archived
    ]
    request = ReconcileRequest(
        targets=target_repo or (), base=base, since=_date(since), limit=limit, actor=actor.strip()
    )
    found = reconciling.reconcile(project, config, features, request)
    is_applied = apply and not found.unreadable
    if is_applied:
        reconciling.apply(project, config, found, request.actor)
    else:
        reconciling.try_first_moves(project, config, found, request.actor)
    passed_over = [warning for each in features for warning in phase_of(each, config).warnings]
    warnings = list(dict.fromkeys([*passed_over, *_warnings(found, apply=apply)]))
    steps = _next_steps(found, config, is_applied=is_applied)
    if json_output:
        say_json("reconcile", _data(found, dry_run=not is_applied), warnings=warnings, next_steps=steps)
    else:
        _print(found, is_applied=is_applied)
        warn(warnings)
        for step in steps:
            typer.echo(f"next: {visible(step)}", err=True)
    if found.unreadable:
        return EXIT_USAGE
    return EXIT_FINDINGS if found.has_drift else EXIT_DONE


reconcile.__doc__ = f"{reconcile.__doc__}\n\n\b\n{EXAMPLES}"


def _date(text: str | None) -> str | None:
    """Return a date as git understands it; what git cannot read it takes for now, and finds nothing."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError as error:
        raise UsageError(f"{text!a} is no date", hint="write it as 2026-11-21 or 2026-11-21T10:00:00+00:00") from error


def _warnings(found: Reconciliation, *, apply: bool) -> list[str]:
    warnings = [f"{each.name}: {remark}" for each in found.scanned for remark in each.remarks]
    warnings += [warning for proposal in found.proposals for warning in proposal.warnings]
    warnings += [f"{each.path} could not be read: {each.problem}" for each in found.unreadable]
    if apply and found.unreadable:
        warnings.append("nothing was applied: with a repository missing, what was found may be half of the truth")
    return warnings


def _next_steps(found: Reconciliation, config: Config, *, is_applied: bool) -> list[str]:
    if not is_applied:
        return []
    changed = {each.feature.slug: each.feature for each in found.proposals if each.events}
    return [
        step
        for feature in changed.values()
        if feature.repository is not None
        for step in how_to_commit(
            feature,
            f"Reconcile {feature.slug}",
            snapshot=config.commits_snapshots,
            views=changed_views(feature, config).generated,
        )
    ]


def _print(found: Reconciliation, *, is_applied: bool) -> None:
    for proposal in found.proposals:
        if proposal.chain.moves or proposal.chain.stop:
            _print_proposal(proposal, is_applied=is_applied)
    read = [each for each in found.scanned if not each.problem]
    commits = sum(each.commits for each in read)
    behind = sum(each.is_drift for each in found.proposals)
    moved = sum(len(each.events) for each in found.proposals)
    names = ", ".join(visible(each.name) for each in read)
    told = f"{counted(commits, 'commit')} of {names or 'no repository'}"
    recorded = f"; {counted(moved, 'move')} recorded" if is_applied else ""
    say(f"{told}: {counted(len(found.proposals), 'work package')}, {behind} behind{recorded}")


def _print_proposal(proposal: Proposal, *, is_applied: bool) -> None:
    lanes = [proposal.lane, *(target for _, target in proposal.chain.moves)]
    done = len(proposal.events)
    title = f"{proposal.feature.slug} {proposal.wp_id}"
    if proposal.chain.moves:
        say(
            f"{visible(title)}  {'moved' if is_applied and done else 'would move'} "
            + " to ".join(lanes[: done + 1] if is_applied and done else lanes)
        )
    else:
        say(f"{visible(title)}  stays in {proposal.lane}")
    for entry in proposal.work.repositories():
        place = f"{visible(entry['repo'])}  {visible(entry['branch'])}"
        say(f"    {place}  {entry['commit'][:12]}  {counted(len(entry['files_touched']), 'file')}")
    for why in (proposal.refused, proposal.chain.stop):
        if why:
            say(f"    {visible(why)}")


def _data(found: Reconciliation, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "drift": found.has_drift,
        "repositories": [_repository(each) for each in found.scanned],
        "work_packages": [_work_package(each) for each in found.proposals],
    }


def _repository(each: Scanned) -> dict[str, Any]:
    return {
        "path": each.path,
        "name": each.name or None,
        "base": each.base,
        "commits": each.commits,
        "problem": each.problem or None,
    }


def _work_package(proposal: Proposal) -> dict[str, Any]:
    moves = [
        {"from_lane": source, "to_lane": target, "evidence": proposal.evidence(number)}
        for number, (source, target) in enumerate(proposal.chain.moves)
    ]
    return {
        "feature": proposal.feature.slug,
        "wp_id": proposal.wp_id,
        "lane": proposal.lane,
        "drift": proposal.is_drift,
        "moves": moves,
        "commits": proposal.work.repositories(),
        "stop": proposal.chain.stop or None,
        "refused": proposal.refused or None,
        "events": proposal.events,
    }
