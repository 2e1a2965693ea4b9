"""The answers of the commands that look for what is wrong, and of those that mend it."""

from __future__ import annotations

from typing import Literal

from kitty_status.cli.answers.part import Part


class Finding(Part):
    """Something that is wrong, where, and what to do next; `kitty-status explain CODE` says more."""

    code: str
    severity: Literal["error", "warning", "info"]
    path: str
    line: int | None
    event_id: str | None
    message: str
    hint: str


class Validated(Part):
    """What was found about a feature; `known` counts the findings that the baseline accepts."""

    feature: str
    passed: bool
    event_count: int
    known: int
    findings: list[Finding]


class HistoryFinding(Finding):
    """What a commit did to a log, against `parent`."""

    commit: str | None
    author: str | None
    email: str | None
    date: str | None
    parent: str | None


class Audited(Part):
    """What was found in a part of history, and how much was looked at."""

    passed: bool
    commits: int
    logs: int
    findings: list[HistoryFinding]


class Diagnosis(Part):
    """Something that keeps this clone from keeping its promises, and the commands that help."""

    code: str
    severity: Literal["blocking", "degraded", "advisory"]
    where: str
    observed: str
    expected: str
    explanation: str
    commands: list[str]
    fixable: bool


class Examined(Part):
    """What was found about a clone, what --fix did, or with --dry-run would do, and what a baseline has accepted."""

    healthy: bool
    findings: list[Diagnosis]
    fixed: list[str]
    would_fix: list[str]
    known: int


class Page(Part):
    """A code explained, as it is met in one place."""

    code: str
    where: str
    severity: str
    what: str
    why: str
    mend: str
    example: str


class MaterializedView(Part):
    """A file whose status differed from its log, and whether it was written."""

    path: str
    drifted: bool
    written: bool


class Materialized(Part):
    """A snapshot that was compared with its log and written where it differed, and the views that differed."""

    feature: str
    path: str
    drifted: bool
    written: bool
    event_count: int
    views: list[MaterializedView]


class MendedLine(Part):
    """A line of a log that does not stay as it is, or comes in from `source`."""

    path: str
    action: str
    line: int | None
    source: str | None
    text: str
    why: str | None


class TwoContents(Part):
    """An event id that stands for two different events: where, in pairs."""

    event_id: str
    paths: list[str]
    lines: list[int]


class LostLines(Part):
    """A revision that holds lines which the log lacks."""

    revision: str
    commit: str
    lines: int


class Resolved(Part):
    """What was done to mend a log and its snapshot, or with `dry_run` would be."""

    feature: str
    path: str
    dry_run: bool
    is_needed: bool
    changes: list[MendedLine]
    conflicts: list[TwoContents]
    misplaced: list[str]
    unmerged: list[str]
    kept: list[str]
    staged: list[str]
    elsewhere: list[LostLines]
