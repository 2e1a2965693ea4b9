"""What a frontmatter tells of a review: who approved a work package, and where that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.tracker.migrating.history import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kitty_status.tracker.work_packages.frontmatter import Value

_APPROVED = frozenset({"approved", "approved without changes"})


def approval_of(values: Mapping[str, Value], where: str) -> tuple[dict[str, Any] | None, str]:
    """Return the evidence that the file `where` holds, None where it holds none, and what a person should know of it.

    Two things must be said, for neither is guessed: that the work was approved (`review_status`, or somebody named in
    `approved_by`), and by whom (`reviewed_by`, else `approved_by`). The reference is the file itself: git has it.
    """
    status = " ".join(name_of(values.get("review_status")).lower().replace("_", " ").split())
    approved_by = name_of(values.get("approved_by"))
    reviewer = name_of(values.get("reviewed_by")) or approved_by
    if not status and approved_by:
        status = "approved"
    if not status.startswith("approved"):
        return None, ""
    if status not in _APPROVED:
        return None, f"review_status {status!a} is more than an approval, so no event carries it as one"
    if not reviewer:
        return None, "it was approved, and reviewed_by does not say by whom, so no event carries the approval"
    # The file from its feature on: the feature may be archived, in one clone earlier than in another.
    reference = "/".join(where.rsplit("/", 2)[-2:])
    return {"review": {"reviewer": reviewer, "verdict": "approved", "reference": reference}}, ""


def holder_named(values: Mapping[str, Value]) -> str:
    """Return who works on it by its frontmatter: the `assignee`, else the `agent`; "" where nobody is named."""
    return name_of(values.get("assignee")) or name_of(values.get("agent"))
