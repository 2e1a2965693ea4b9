"""`emit`: move a work package."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kitty_status.cli.output import FeatureOption, JsonOption, command, say, say_json, warn
from kitty_status.errors import UsageError
from kitty_status.status.visible import visible
from kitty_status.tracker.commit import check_can_commit, commit_feature, how_to_commit
from kitty_status.tracker.config import load_config
from kitty_status.tracker.features import Project
from kitty_status.tracker.moving.emit import record
from kitty_status.tracker.moving.request import EmitRequest, Emitted
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.views.changes import made_since_head

if TYPE_CHECKING:
    from kitty_status.git.repository import Repository
    from kitty_status.tracker.config import Config

EXAMPLES = """Examples:

  kitty-status emit WP01 --to claimed --actor ada

  kitty-status emit WP01 --to done --actor ben --reviewer ben --verdict approved --reference "PR 7"
      --verified "make test=pass: 214 passed" --evidence-commit HEAD --commit"""


ReviewerOption = Annotated[str | None, typer.Option("--reviewer", help="Who reviewed the work.")]
VerdictOption = Annotated[
    str | None, typer.Option("--verdict", help="How the review ended: approved or changes_requested.")
]
ReferenceOption = Annotated[str | None, typer.Option("--reference", help="Where the review can be read.")]
VerifiedOption = Annotated[
    list[str] | None,
    typer.Option("--verified", metavar="CMD=RESULT: SUMMARY", help="A command that was run: pass, fail or skip."),
]
EvidenceCommitOption = Annotated[
    list[str] | None, typer.Option("--evidence-commit", metavar="REV", help="A commit that holds the work.")
]


@command
def emit(
    wp: Annotated[str, typer.Argument(metavar="WP", help="The work package, for example WP01.")],
    to: Annotated[str, typer.Option("--to", help="The lane to move it to.")],
    actor: Annotated[str, typer.Option("--actor", envvar="KITTY_STATUS_ACTOR", help="Who moves it.")] = "",
    feature: FeatureOption = None,
    force: Annotated[bool, typer.Option("--force", help="Set the rules aside; needs an actor and a reason.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    review_ref: Annotated[
        str | None, typer.Option("--review-ref", help="Where the review can be read that sends work back.")
    ] = None,
    evidence_json: Annotated[
        str | None, typer.Option("--evidence-json", metavar="FILE|-", help="A file with the evidence, - for stdin.")
    ] = None,
    reviewer: ReviewerOption = None,
    verdict: VerdictOption = None,
    reference: ReferenceOption = None,
    verified: VerifiedOption = None,
    evidence_commit: EvidenceCommitOption = None,
    execution_mode: Annotated[
        str | None, typer.Option("--execution-mode", help="worktree or direct_repo; by default where you are.")
    ] = None,
    event_id: Annotated[
        str | None, typer.Option("--event-id", help="An id of your own, which makes a repeated call harmless.")
    ] = None,
    strict_wp: Annotated[
        bool, typer.Option("--strict-wp", help="Refuse a work package that has neither a file nor an event.")
    ] = False,
    commit: Annotated[bool, typer.Option("--commit", help="Commit exactly log, snapshot and views.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be done, and write nothing.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Move a work package to another lane, if the rules allow it, and record it durably.

    Where the feature is in phase 0, its lane is written into its file instead, and nothing is recorded.
    """
    if execution_mode not in (None, "worktree", "direct_repo"):
        raise UsageError(f"{execution_mode!a} is no execution mode", hint="worktree or direct_repo")
    project = Project(Path.cwd())
    if commit:
        check_can_commit(project)
    review = {"reviewer": reviewer, "verdict": verdict, "reference": reference}
    pieces = {**review, "verified": verified or (), "commits": evidence_commit or ()}
    request = EmitRequest(
        wp_id=wp,
        to_lane=to,
        actor=actor.strip(),
        feature=feature,
        force=force,
        reason=reason,
        review_ref=review_ref,
        evidence=_evidence(evidence_json, pieces, project.repository),
        execution_mode=execution_mode,
        event_id=event_id,
        strict_wp=strict_wp,
        dry_run=dry_run,
    )
    _move(project, request, commit=commit, json_output=json_output)


emit.__doc__ = f"{emit.__doc__}\n\n\b\n{EXAMPLES}"


def _move(project: Project, request: EmitRequest, *, commit: bool, json_output: bool) -> None:
    config = load_config(project.root)
    chosen = project.feature(request.feature)
    phase = phase_of(chosen, config)
    if not phase.keeps_log:
        # Loaded by name: few features are left in phase 0.
        unlogged: Any = import_module("kitty_status.cli.emit_unlogged")
        unlogged.move(chosen, config, request, phase, commit=commit, json_output=json_output)
        return
    emitted = record(chosen, config, request)
    emitted.warnings += phase.warnings
    finish("emit", emitted, config, commit=commit, json_output=json_output)


def finish(kind: str, emitted: Emitted, config: Config, *, commit: bool, json_output: bool) -> None:
    """Commit an event if wished, and say what was done and what to do next."""
    dry_run = emitted.dry_run
    title = f"{emitted.event['wp_id']}: {emitted.event['from_lane']} to {emitted.event['to_lane']}"
    committed = None
    views = written_views(emitted)
    if commit and not dry_run:
        done = commit_feature(emitted.feature, f"Move {title}", emitted.event["event_id"], config)
        committed, emitted.warnings = done.id, emitted.warnings + done.warnings(emitted.views)
    is_to_commit = emitted.feature.repository is not None and committed is None and not dry_run
    steps = []
    if is_to_commit:
        made = made_since_head(emitted.feature, emitted.views)
        steps = how_to_commit(emitted.feature, f"Move {title}", snapshot=config.commits_snapshots, views=made)
    if json_output:
        data = {
            "feature": emitted.feature.slug,
            "event": emitted.event,
            "state": emitted.state,
            "replayed": emitted.replayed,
            "views": views,
            "dry_run": emitted.dry_run,
            "commit": committed,
        }
        say_json(kind, data, warnings=emitted.warnings, next_steps=steps)
        return
    warn(emitted.warnings)
    did = "would move" if emitted.dry_run else "had moved already" if emitted.replayed else "moved"
    say(f"{did} {visible(title)} in {emitted.feature.slug} ({emitted.event['event_id']})")
    if committed is not None:
        say(f"committed as {committed[:12]}")
    for step in steps:
        typer.echo(f"next: {visible(step)}", err=True)


def written_views(emitted: Emitted) -> list[str]:
    """Return the paths of the views that were written, under `dry_run` of those that would be."""
    return [view.where for view in emitted.views if (view.drifted if emitted.dry_run else view.written)]


def _evidence(source: str | None, pieces: dict[str, Any], repository: Repository | None) -> dict[str, Any] | None:
    if source is None and not any(pieces.values()):
        return None
    # Loaded by name: the models take as long to load as the rest of this command, and few moves have evidence.
    module: Any = import_module("kitty_status.tracker.moving.evidence")
    given = None
    if source is not None:
        try:
            data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        except OSError as error:
            raise UsageError(f"{source}: {error.strerror}", hint="name a readable file, or - for stdin") from error
        given = module.parse_evidence(data, source)
    evidence: dict[str, Any] | None = module.assemble(given, module.Pieces(**pieces), repository)
    return evidence
