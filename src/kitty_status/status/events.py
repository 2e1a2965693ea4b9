"""A status event and its evidence as callers of the library make and receive them.

What a stored event must look like is decided by `rows.problem_with`; these models add types to it.
Keys that a model does not know are kept and written again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from kitty_status.status import lanes
from kitty_status.status.instants import parse_instant
from kitty_status.status.rows import ACTOR_NAMES, DISCRIMINATORS, MAX_NAME, display_actor, problem_with
from kitty_status.status.transitions import OUTCOME

_FOREIGN_SLUG = "mission_slug"
_SAFE_NAME = r"^(?!.*\.\.)[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_-])?$"


class Lane(StrEnum):
    """The lanes of both shipped profiles. Aliases such as `doing` are input only and are not lanes.

    A repository may define further ones; these are plain strings.
    """

    PLANNED = lanes.PLANNED
    CLAIMED = lanes.CLAIMED
    IN_PROGRESS = lanes.IN_PROGRESS
    FOR_REVIEW = lanes.FOR_REVIEW
    IN_REVIEW = lanes.IN_REVIEW
    APPROVED = lanes.APPROVED
    DONE = lanes.DONE
    BLOCKED = lanes.BLOCKED
    CANCELED = lanes.CANCELED
    GENESIS = lanes.GENESIS


class _Model(BaseModel):
    """Immutable, keeps unknown keys, converts to and from plain JSON types."""

    model_config = ConfigDict(frozen=True, extra="allow")

    def to_dict(self) -> dict[str, Any]:
        """Return the content in plain JSON types."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the model that `data` describes.

        Raises:
            ValueError: `data` does not describe one; the message says which part is wrong.
        """
        return cls.model_validate(data)


class ReviewApproval(_Model):
    """Who reviewed, what they said, and where that can be read."""

    reviewer: str
    verdict: Literal["approved", "changes_requested"]
    reference: str


class RepoEvidence(_Model):
    """The commit that holds the work, in one repository."""

    repo: str
    branch: str
    commit: str
    files_touched: tuple[str, ...] = ()


class VerificationResult(_Model):
    """A command that was run to verify the work, and how it ended."""

    command: str
    result: Literal["pass", "fail", "skip"]
    summary: str


class DoneEvidence(_Model):
    """Why a work package counts as done: the approval, and optionally commits and verifications."""

    review: ReviewApproval
    repos: tuple[RepoEvidence, ...] = ()
    verification: tuple[VerificationResult, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the content in plain JSON types; empty `repos` and `verification` are left out."""
        content = super().to_dict()
        return {key: value for key, value in content.items() if value or key not in ("repos", "verification")}


def _as_stored(schema: dict[str, Any]) -> None:
    """Make a JSON Schema say, as far as it can, what `problem_with` says about a row of a log."""
    keys = schema["properties"]
    keys[_FOREIGN_SLUG] = dict(keys["feature_slug"])
    schema["required"].remove("feature_slug")
    schema["anyOf"] = [{"required": [key]} for key in ("feature_slug", _FOREIGN_SLUG)]
    # A row that names its kind is another tool's.
    schema["not"] = {"anyOf": [{"required": [key]} for key in sorted(DISCRIMINATORS)]}
    named = [{"properties": {key: {"type": "string", "minLength": 1}}, "required": [key]} for key in ACTOR_NAMES]
    keys["actor"] = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object", "anyOf": named}]}
    keys["wp_id"] |= {"pattern": _SAFE_NAME, "maxLength": MAX_NAME}
    review = {part: {"type": "string"} for part in OUTCOME}
    keys["review_result"] = {"anyOf": [{"type": "object", "properties": review}, {"type": "null"}]}
    # Absent is how a row says that it names no parents.
    keys["parents"] = {"type": "array", "items": {"type": "string"}}


class StatusEvent(_Model):
    """One move of one work package, as it stands in a log.

    * `from_dict` accepts what a log may hold, spec-kitty 3's `mission_slug` and structured actors included
    * `to_dict` always writes all twelve keys, absent ones as null, and `parents` where there are any given
    * lanes of a repository's own profile are plain strings; see `lane_profile`
    * `evidence` of older logs may lack parts of what `DoneEvidence` asks for; it is then kept as it is
    """

    model_config = ConfigDict(json_schema_extra=_as_stored)

    event_id: str = Field(min_length=1)
    feature_slug: str = Field(min_length=1)
    wp_id: str
    from_lane: Lane | str = Field(union_mode="left_to_right")
    to_lane: Lane | str = Field(union_mode="left_to_right")
    at: str
    actor: str | dict[str, Any]
    force: bool = Field(strict=True)
    execution_mode: Literal["worktree", "direct_repo"]
    reason: str | None = None
    review_ref: str | None = None
    evidence: DoneEvidence | dict[str, Any] | None = Field(default=None, union_mode="left_to_right")
    parents: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _check(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        row = {key: value.to_dict() if isinstance(value, DoneEvidence) else value for key, value in data.items()}
        if isinstance(row.get("parents"), tuple):
            row["parents"] = list(row["parents"])
        if row.get("parents", ()) is None:
            del row["parents"]
        problem = problem_with(row)
        if problem is not None:
            raise ValueError(problem)
        if "feature_slug" not in row:
            data = {**data, "feature_slug": row[_FOREIGN_SLUG]}
        return data

    @field_serializer("evidence")
    def _evidence(self, evidence: DoneEvidence | dict[str, Any] | None) -> Any:
        return evidence.to_dict() if isinstance(evidence, DoneEvidence) else evidence

    def to_dict(self) -> dict[str, Any]:
        """Return the row that a log holds for this event."""
        row = super().to_dict()
        if self.parents is None:
            del row["parents"]
        if row.get(_FOREIGN_SLUG) == row["feature_slug"]:
            del row["feature_slug"]
        return row

    @property
    def shown_actor(self) -> str:
        """The actor's name; of a structured actor the tool."""
        return display_actor(self.actor)

    @property
    def instant(self) -> Any:
        """What `at` means, as an aware datetime."""
        return parse_instant(self.at)
