"""What logs and snapshots hold, and the parts of them that answers repeat."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from kitty_status.cli.answers.part import NOT_ALWAYS, Part


class CompetingHead(Part):
    """One of the moves that compete."""

    event_id: str
    lane: str
    actor: str


class Conflict(Part):
    """Moves that compete until somebody decides between them; at most twenty of `head_count` are listed."""

    rule: str
    head_count: int = Field(ge=2)
    heads: list[CompetingHead]


class State(Part):
    """Where a work package stands."""

    lane: str
    actor: str
    last_transition_at: str
    last_event_id: str
    force_count: int = Field(ge=0)
    conflict: Conflict = NOT_ALWAYS


class Standings(Part):
    """Where every work package of a feature stands."""

    feature_slug: str
    materialized_at: str | None
    event_count: int = Field(ge=0)
    last_event_id: str | None
    work_packages: dict[str, State]
    summary: dict[str, int]


class OwnSnapshot(Standings):
    """A snapshot that kitty-status keeps; `log_oid` is git's id of the log's bytes, null outside git."""

    log_oid: str | None


class ForeignState(BaseModel):
    """Where a work package stands, with what spec-kitty 3 says about it besides."""

    model_config = ConfigDict(extra="allow")

    lane: str
    actor: str
    last_transition_at: str | None
    last_event_id: str | None
    force_count: int = Field(ge=0)


class ForeignSnapshot(BaseModel):
    """A snapshot that spec-kitty 3 keeps too: it names the feature `mission_slug`, and its own keys are kept."""

    model_config = ConfigDict(extra="allow")

    mission_slug: Any
    materialized_at: str
    event_count: int = Field(ge=0)
    last_event_id: str | None
    work_packages: dict[str, ForeignState]
    summary: dict[str, int]


class SnapshotFile(RootModel[OwnSnapshot | ForeignSnapshot]):
    """The content of `status.json`."""


class WrittenCommit(Part):
    """A commit of git and who made it."""

    commit: str
    author: str
    email: str
    date: str
