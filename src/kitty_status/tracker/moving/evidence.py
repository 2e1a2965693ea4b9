"""Evidence that a caller hands in, as JSON or piece by piece, held to the same rules as the line it will stand in."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kitty_status.errors import OutsideRepositoryError, UsageError
from kitty_status.git.head import position_of
from kitty_status.git.versions import commit_named, files_of_commit
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status.events import DoneEvidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.git.repository import Repository

_RESULTS = ("pass", "fail", "skip")
_FORM = "write it as `COMMAND=pass: what was seen`, with pass, fail or skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What a caller says beside, or instead of, evidence as JSON.

    `verified` are `COMMAND=pass: summary`, `commits` revisions of the repository that the feature lies in.
    """

    reviewer: str | None = None
    verdict: str | None = None
    reference: str | None = None
    verified: Sequence[str] = ()
    commits: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return not (self.reviewer or self.verdict or self.reference or self.verified or self.commits)


def assemble(given: dict[str, Any] | None, pieces: Pieces, repository: Repository | None) -> dict[str, Any] | None:
    """Return evidence as an event holds it: the `given` one, with the pieces put in. None where nothing is said.

    Raises:
        UsageError: a piece is no evidence, or contradicts what is given; or there is no review.
        NotFoundError: there is no such commit.
        OutsideRepositoryError: commits are named and there is no repository.
        GitError: git could not be asked.
    """
    if pieces.is_empty:
        return given
    evidence = dict(given or {})
    review = {"reviewer": pieces.reviewer, "verdict": pieces.verdict, "reference": pieces.reference}
    said = {key: value for key, value in review.items() if value is not None}
    if said:
        if "review" in evidence:
            raise UsageError("the review is given twice", hint="in --evidence-json, or with --reviewer and the others")
        missing = [f"--{key}" for key in review if key not in said]
        if missing:
            raise UsageError(
                f"a review needs {', '.join(missing)}, too", hint="who, how it ended, and where to read it"
            )
        evidence["review"] = said
    elif "review" not in evidence:
        raise UsageError("evidence needs a review", hint="--reviewer, --verdict and --reference")
    evidence["verification"] = [*evidence.get("verification", ()), *map(_verification, pieces.verified)]
    evidence["repos"] = [*evidence.get("repos", ()), *(_commit(name, repository) for name in pieces.commits)]
    return parse_evidence(json.dumps(evidence).encode(), "the evidence")


def _verification(text: str) -> dict[str, str]:
    told, colon, summary = text.partition(": ")
    command, equals, result = told.rpartition("=")
    if not (colon and equals and command.strip() and summary.strip()) or result.strip() not in _RESULTS:
        raise UsageError(f"--verified {text!a} cannot be understood", hint=_FORM)
    return {"command": command.strip(), "result": result.strip(), "summary": summary.strip()}


def _commit(name: str, repository: Repository | None) -> dict[str, Any]:
    if repository is None:
        raise OutsideRepositoryError(f"there is no git repository to look for commit {name} in", hint="leave it out")
    commit = commit_named(name, repository.worktree)
    return {
        "repo": os.path.basename(os.path.dirname(repository.common_dir)),  # noqa: PTH119, PTH120  paths as text
        "branch": position_of(repository).branch or "",
        "commit": commit,
        "files_touched": files_of_commit(commit, repository.worktree),
    }


def parse_evidence(data: bytes, source: str) -> dict[str, Any]:
    """Return the evidence in `data`, which came from `source`, as an event holds it.

    Raises:
        UsageError: it is no JSON that a log may hold, or no evidence; the message names the part.
    """
    try:
        return DoneEvidence.from_dict(decode(data.strip())).to_dict()
    except LineDamagedError as error:
        raise UsageError(f"{source} is not valid JSON: {error}", hint="correct the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "evidence"
        raise UsageError(
            f"{source}: {place}: {first['msg']}",
            hint='{"review": {"reviewer": …, "verdict": "approved" or "changes_requested", "reference": …}}',
            example=json.dumps({"review": {"reviewer": "ada", "verdict": "approved", "reference": "PR 7"}}),
        ) from error
