"""`audit`: the proof from git's history that logs were only ever appended to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.checks.audit import audit as audit_history
from kitty_status.checks.audit import range_of
from kitty_status.cli.output import JsonOption, command, counted, say, say_json
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS, UsageError
from kitty_status.git.append_only import LINES_REORDERED
from kitty_status.git.bare import bare_repository
from kitty_status.status.visible import visible
from kitty_status.tracker.features import Project
from kitty_status.tracker.slugs import check_name

if TYPE_CHECKING:
    from kitty_status.checks.audit import Audit, AuditFinding

_MOST_LINES_OF_ONE_LOG = 10


@command
def audit(
    features: Annotated[
        list[str] | None, typer.Argument(metavar="[FEATURE]...", help="Slugs; without one, every feature.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every feature, as without a name.")] = False,
    base: Annotated[str | None, typer.Option("--base", metavar="REV", help="Only what REV does not have.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="REV", help="From REV on, REV included.")] = None,
    head: Annotated[str, typer.Option("--head", metavar="REV", help="The history of REV.")] = "HEAD",
    json_output: JsonOption = False,
) -> int:
    """Prove from git's history that no line of a log was ever edited or removed. Nothing is written.

    Every commit, merges included, is held against each of its parents; features are followed through
    renames. In a bare repository, too. Exit 0 where there is nothing worse than warnings, 1 otherwise.

    \b
    Examples:
      kitty-status audit --base origin/main
      kitty-status audit 034-login --json
    """  # noqa: D301  \b keeps the lines of the help apart
    if every and features:
        raise UsageError("--all and names exclude each other", hint="leave one of them out")
    if base is not None and since is not None:
        raise UsageError("--base and --since exclude each other", hint="leave one of them out")
    for name in features or []:
        check_name(name, "a feature")
    project = Project(Path.cwd())
    repository = project.repository or bare_repository(str(project.start))
    revisions = range_of(head, base, since, cwd=repository.worktree) if repository else None
    result = audit_history(repository, features or [], revisions)
    if json_output:
        say_json("audit", _data(result))
    else:
        _print(result)
    return EXIT_DONE if result.passed else EXIT_FINDINGS


def _data(result: Audit) -> dict[str, object]:
    return {
        "passed": result.passed,
        "commits": result.commits,
        "logs": result.logs,
        "findings": [finding.to_dict() for finding in result.findings],
    }


def _print(result: Audit) -> None:
    said: dict[tuple[str, str], int] = {}
    shown = [finding for finding in result.findings if finding.code != LINES_REORDERED]
    for finding in shown:
        place = (finding.commit.oid if finding.commit else "", finding.path)
        said[place] = said.get(place, 0) + 1
        if said[place] <= _MOST_LINES_OF_ONE_LOG:
            _print_finding(finding)
    for (oid, path), count in said.items():
        if count > _MOST_LINES_OF_ONE_LOG:
            say(f"{visible(path)}: and {count - _MOST_LINES_OF_ONE_LOG} more in {oid[:12]}; --json lists all")
    errors = sum(finding.severity == "error" for finding in shown)
    reordered = len(result.findings) - len(shown)
    say(
        f"{counted(result.commits, 'commit')}, {counted(result.logs, 'log')}: "
        f"{counted(errors, 'error')}, {counted(len(shown) - errors, 'warning')}"
        + (f"; {reordered} times lines came into another order, which is harmless" if reordered else "")
    )


def _print_finding(finding: AuditFinding) -> None:
    event = f" [{visible(finding.event_id)}]" if finding.event_id else ""
    place = f"{visible(finding.path)}: " if finding.path else ""
    say(f"{place}{finding.severity}: {finding.code}: {visible(finding.message)}{event}")
    if finding.commit is not None:
        commit = finding.commit
        say(f"    in {commit.short} of {visible(commit.author)} <{visible(commit.email)}>, {commit.authored_at}")
    say(f"    hint: {visible(finding.hint)}")
