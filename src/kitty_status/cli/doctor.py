"""`doctor`: is this clone able to keep its promises, and if not, what to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitty_status.checks.ailments import ADVISORY, AILMENTS, BLOCKING, DEGRADED
from kitty_status.checks.baseline import load_baseline
from kitty_status.checks.diagnosis import Limits
from kitty_status.checks.doctor import describe, examine, mend
from kitty_status.cli.output import JsonOption, command, say, say_json
from kitty_status.errors import EXIT_DONE, EXIT_FINDINGS, UsageError
from kitty_status.status.visible import visible
from kitty_status.tracker.config import MOST_DAYS
from kitty_status.tracker.features import Project

if TYPE_CHECKING:
    from kitty_status.checks.diagnosis import Diagnosis, Examination

_SIGNS = {BLOCKING: "✗", DEGRADED: "⚠", ADVISORY: "i"}


@command
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Do the safe ones of the fixes, and look again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="With --fix: say what would be done, and write nothing.")
    ] = False,
    check: Annotated[
        list[str] | None, typer.Option("--check", metavar="CODE", help="Look for this finding only; may be repeated.")
    ] = None,
    stale_claimed_days: Annotated[
        int | None, typer.Option("--stale-claimed-days", metavar="N", help="Claims are stale after more than N days.")
    ] = None,
    stale_in_progress_days: Annotated[
        int | None, typer.Option("--stale-in-progress-days", metavar="N", help="Work in progress, likewise.")
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Pass over what the baseline of `validate` accepts, and count it.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Find out whether this clone keeps its promises, from git and hooks to logs and snapshots, and which work waits.

    A merge is tried in a temporary repository with this clone's configuration, and every hook is
    fired in every work tree. Without --fix, nothing is written. Exit 0 where nothing is worse than advisory.

    \b
    Examples:
      kitty-status doctor
      kitty-status doctor --fix --dry-run
      kitty-status doctor --check driver-not-runnable --json
    """  # noqa: D301  \b keeps the lines of the help apart
    _check_call(check or [], fix=fix, dry_run=dry_run)
    _check_days({"--stale-claimed-days": stale_claimed_days, "--stale-in-progress-days": stale_in_progress_days})
    start = Path.cwd()
    accepted = load_baseline(Project(start).root) if baseline else None
    limits = Limits(stale_claimed_days, stale_in_progress_days, accepted)
    examination = examine(start, check or (), limits)
    planned = [describe(each) for each in examination.fixes] if dry_run else []
    if fix and not dry_run and examination.fixes:
        examination = mend(start, examination, check or (), limits)
    if json_output:
        _say_json(examination, planned)
    else:
        _say(examination, planned)
    return EXIT_DONE if examination.healthy and not examination.failed else EXIT_FINDINGS


def _check_call(codes: list[str], *, fix: bool, dry_run: bool) -> None:
    unknown = [code for code in codes if code not in AILMENTS]
    if unknown:
        raise UsageError(f"{unknown[0]!a} is no finding of doctor", hint=f"one of {', '.join(AILMENTS)}")
    if dry_run and not fix:
        raise UsageError("--dry-run says what --fix would do", hint="add --fix, or leave it out: doctor writes nothing")


def _check_days(options: dict[str, int | None]) -> None:
    for name, days in options.items():
        if days is not None and not 0 < days <= MOST_DAYS:
            raise UsageError(f"{name} {days} is no number of days", hint=f"from 1 to {MOST_DAYS}")


def _say_json(examination: Examination, planned: list[str]) -> None:
    findings = examination.findings
    data = {
        "healthy": examination.healthy,
        "findings": [finding.to_dict() for finding in findings],
        "fixed": examination.fixed,
        "would_fix": planned,
        "known": examination.known,
    }
    steps = dict.fromkeys(line for finding in findings if not finding.is_advisory for line in finding.commands)
    say_json("doctor", data, warnings=examination.failed, next_steps=list(steps))


def _say(examination: Examination, planned: list[str]) -> None:
    for finding in examination.findings:
        _say_finding(finding)
    for what in examination.fixed:
        say(f"fixed: {visible(what)}")
    for what in planned:
        say(f"would fix: {visible(what)}")
    for what in examination.failed:
        typer.echo(f"warning: not fixed: {visible(what)}", err=True)
    counts = [
        f"{sum(finding.severity == severity for finding in examination.findings)} {severity}" for severity in _SIGNS
    ]
    counts += [f"{examination.known} known"] if examination.known else []
    say(f"{'healthy' if examination.healthy else 'not healthy'}: {', '.join(counts)}")


def _say_finding(finding: Diagnosis) -> None:
    ailment = AILMENTS[finding.code]
    sign = f"{_SIGNS[finding.severity]} " if "utf" in (sys.stdout.encoding or "").lower() else ""
    say(f"{sign}{finding.severity:<9} {finding.code}{'  [fixable]' if finding.fix else ''}")
    say(f"  where     {visible(finding.where)}")
    say(f"  observed  {visible(finding.observed)}")
    say(f"  expected  {ailment.expected}")
    say(f"  because   {ailment.explanation}")
    for number, line in enumerate(finding.commands):
        say(f"  {'run' if not number else '':<10}{visible(line)}")
