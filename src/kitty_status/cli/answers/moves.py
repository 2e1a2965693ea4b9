"""The answers of the commands that move work packages."""

from __future__ import annotations

from typing import Literal

from kitty_status.cli.answers.failures import Error
from kitty_status.cli.answers.part import Part
from kitty_status.cli.answers.stored import State
from kitty_status.status.events import DoneEvidence, RepoEvidence, StatusEvent


class Moved(Part):
    """The event that stands in the log now, or with `dry_run` would, and where the work package stands then.

    `views` are the files whose status was written, or would be.
    """

    feature: str
    event: StatusEvent
    state: State
    replayed: bool
    views: list[str]
    dry_run: bool
    commit: str | None


class MovedInFile(Part):
    """A lane that was written into a work package's file, with `dry_run` would be; in phase 0 no event records it."""

    feature: str
    wp_id: str
    from_lane: str
    to_lane: str
    path: str
    recorded: Literal[False]
    phase: Literal[0]
    phase_source: str
    dry_run: bool
    commit: str | None


class Undone(Part):
    """What became of one work package whose events were reverted."""

    feature: str
    wp_id: str
    to_lane: str
    outcome: Literal["moved", "already", "unmoved"]
    undoes: list[str]
    event: StatusEvent | None
    dry_run: bool | None


class Reverted(Part):
    """What was reverted, and what became of each work package."""

    reverted: str
    moves: list[Undone]
    commits: list[str]


class ScannedRepository(Part):
    """A repository in which commits were looked for."""

    path: str
    name: str | None
    base: str | None
    commits: int
    problem: str | None


class Commits(Part):
    """Evidence without a review."""

    repos: list[RepoEvidence]


class ProposedMove(Part):
    """A move that a log has missed. Without a review, evidence is the commits alone."""

    from_lane: str
    to_lane: str
    evidence: DoneEvidence | Commits | None


class ReconciledWorkPackage(Part):
    """What git shows of a work package, and the moves that follow from it; `events` are those that were recorded."""

    feature: str
    wp_id: str
    lane: str
    drift: bool
    moves: list[ProposedMove]
    commits: list[RepoEvidence]
    stop: str | None
    refused: str | None
    events: list[StatusEvent]


class Reconciled(Part):
    """The repositories, and each work package that commits were found for."""

    dry_run: bool
    drift: bool
    repositories: list[ScannedRepository]
    work_packages: list[ReconciledWorkPackage]


class MigratedWorkPackage(Part):
    """What became of a work package: the lanes that its file and its log say, and the events that the log lacked."""

    wp_id: str
    outcome: Literal["migrated", "already", "kept", "nothing"]
    lane: str | None
    logged_lane: str | None
    origin: Literal["history", "activity-log", "history+activity-log", "bootstrap"] | None
    events: list[StatusEvent]


class Migrated(Part):
    """A feature whose log was made from the files of its work packages, or `error`, why it was not."""

    feature: str
    profile: str | None
    work_packages: list[MigratedWorkPackage]
    written: bool
    dry_run: bool
    commit: str | None
    error: Error | None


class JournalEntry(Part):
    """An event that this clone has acknowledged, and where."""

    event: StatusEvent
    log: str
    branch: str | None
    head: str | None


class JournalFate(JournalEntry):
    """What becomes of such an event; `why` says what it waits for."""

    worktree: str | None
    why: str | None


class ReconciledJournal(Part):
    """What the journal of a clone held."""

    dry_run: bool
    settled: list[JournalEntry]
    restored: list[JournalFate]
    waiting: list[JournalFate]
    standing: list[JournalFate]


class Discarded(Part):
    """An event that was dropped, with those that went on from it."""

    dry_run: bool
    event: StatusEvent
    followers: list[StatusEvent]
    logs: list[str]
    reason: str
