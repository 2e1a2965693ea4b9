"""The answers of the commands that show what is recorded."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from kitty_status.cli.answers.part import NOT_ALWAYS, Part
from kitty_status.cli.answers.stored import CompetingHead, Standings, State, WrittenCommit


class Shown(Standings):
    """A feature and where its work packages stand; with `commit`, as it was in that commit."""

    feature: str
    path: str
    profile: str
    former_slugs: list[str] = NOT_ALWAYS
    archived: bool = NOT_ALWAYS
    phase: Literal[1, 2] = NOT_ALWAYS
    phase_source: str = NOT_ALWAYS
    commit: str = NOT_ALWAYS
    committed_at: str = NOT_ALWAYS


class FileState(Part):
    """What a work package's file says: its lane, and who works on it."""

    lane: str
    names: list[str]
    path: str


class ShownByFiles(Part):
    """A feature in phase 0, and where the frontmatter of its work packages says that they stand."""

    feature: str
    path: str
    profile: str
    archived: bool
    phase: Literal[0]
    phase_source: str
    work_packages: dict[str, FileState]
    summary: dict[str, int]


class FeaturePhase(Part):
    """The phase of a feature, what says so, and what was passed over on the way there."""

    feature: str
    phase: Literal[0, 1, 2]
    source: str
    meaning: str
    warnings: list[str]


class DamagedFeature(Part):
    """A feature whose log is damaged, and how."""

    feature: str
    damaged: str
    commit: str = NOT_ALWAYS
    committed_at: str = NOT_ALWAYS


class Summary(Part):
    """One line about a feature; with `commit`, as it was in that commit."""

    feature: str
    work_packages: int
    summary: dict[str, int]
    conflicts: int
    event_count: int
    materialized_at: str | None
    archived: bool = NOT_ALWAYS
    phase: Literal[0, 1, 2] = NOT_ALWAYS
    commit: str = NOT_ALWAYS
    committed_at: str = NOT_ALWAYS


Features = list[Summary | DamagedFeature]


class Place(Part):
    """Where another state of a work package was found."""

    found_in: Literal["worktree", "journal", "branch"]
    worktree: str | None
    branch: str | None


class StateElsewhere(State):
    """A state that differs from the one here, and the places that agree on it."""

    unmerged_events: int
    places: list[Place]


class Sight(Part):
    """Where a work package stands here and elsewhere, and where it will stand once everything is merged."""

    here: State | None
    elsewhere: list[StateElsewhere]
    together: State


class ShownWorktrees(Part):
    """A feature, in all work trees and branches of the clone."""

    feature: str
    unmerged_events: int
    work_packages: dict[str, Sight]


class WorktreesSummary(ShownWorktrees):
    """A feature, in all work trees and branches; `elsewhere` are the work packages that differ."""

    elsewhere: list[str]


FeaturesWorktrees = list[WorktreesSummary | DamagedFeature]


class Base(Part):
    """What everything was compared with."""

    branch: str | None
    commit: str | None


class Holding(Part):
    """What a work tree or branch holds that the base lacks; `operation` is what git is in the middle of there."""

    worktree: str | None
    branch: str | None
    head: str | None
    unmerged_events: int
    uncommitted_events: int
    waiting_events: int
    operation: str | None


class Worktrees(Part):
    """Every work tree and local branch of the clone."""

    base: Base
    worktrees: list[Holding]


class LoggedEvent(Part):
    """An event as `log` tells it; with --blame, `brought_by` is the commit that brought it, null where none did."""

    event_id: str
    wp_id: str
    from_lane: str
    to_lane: str
    at: str
    actor: str
    force: bool
    reason: str | None
    review_ref: str | None
    evidence: dict[str, Any] | None
    parents: list[str] | None
    brought_by: WrittenCommit | None = NOT_ALWAYS


class Log(Part):
    """The events of a feature, the oldest first."""

    feature: str
    events: list[LoggedEvent]


class Rollback(Part):
    """A move by which a reviewer sends work back."""

    from_: str = Field(alias="from")
    to: str


class Move(Rollback):
    """A legal move, and what it asks for."""

    guard: str | None


class Lanes(Part):
    """A lane profile, and why it is this one."""

    name: str
    lanes: list[str]
    initial: str
    pre_seed: list[str]
    terminal: list[str]
    held: list[str]
    aliases: dict[str, str]
    rollbacks: list[Rollback]
    moves: list[Move]
    guards: dict[str, str]
    chosen_by: str


class LaneChange(Part):
    """A work package that stands in another lane; where it was or is not there, that lane is null."""

    wp_id: str
    from_lane: str | None
    to_lane: str | None
    actor: str | None
    at: str | None
    event_id: str | None


class NewConflict(Part):
    """Moves that compete now and did not before."""

    wp_id: str
    lane: str
    rule: str
    head_count: int
    heads: list[CompetingHead]


class FeatureChanges(Part):
    """What happened to a feature; `damaged` says why nothing can be said."""

    feature: str
    renamed_from: str | None
    moved: list[LaneChange]
    conflicts: list[NewConflict]
    events: int
    damaged: str | None


class Diff(Part):
    """What happened between two commits; `to` is null for the work tree."""

    from_: WrittenCommit = Field(alias="from")
    to: WrittenCommit | None
    features: list[FeatureChanges]
