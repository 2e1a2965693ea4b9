"""The course of a work package as lines of a log: the same bytes wherever they are made."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ulid import ULID

from kitty_status.errors import WorkPackageFileError
from kitty_status.jsonl.codec import LineDamagedError, decode, encode
from kitty_status.status.instants import format_instant
from kitty_status.status.record import StatusRecord
from kitty_status.status.rows import problem_with
from kitty_status.tracker.migrating.history import NO_TIME
from kitty_status.tracker.moving.facts import DIRECT, MIGRATION

if TYPE_CHECKING:
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.migrating.course import Course, Step

_HASHED_BYTES = 10


def events_of_course(slug: str, wp_id: str, course: Course, profile: LaneProfile, where: str) -> list[StatusRecord]:
    """Return the events of a course, each with its line; `where` is the file that tells it.

    An event is forced, names the one before as its parent, and says in its reason which of how many it is: so a log
    shows whether all of them got into it.

    Raises:
        WorkPackageFileError: an event could not stand in a log.
    """
    events: list[StatusRecord] = []
    lane = profile.initial
    for number, step in enumerate(course.steps, start=1):
        row: dict[str, Any] = {
            "feature_slug": slug,
            "wp_id": wp_id,
            "from_lane": lane,
            "to_lane": step.lane,
            "at": format_instant(step.at),
            "actor": MIGRATION,
            "force": True,
            "reason": f"migrated from its file ({number} of {len(course.steps)}): {step.why}",
            "execution_mode": DIRECT,
            "review_ref": None,
            "evidence": step.evidence,
            "parents": [event.event_id for event in events[-1:]],
        }
        events.append(_event(row, step, where))
        lane = step.lane
    return events


def _event(row: dict[str, Any], step: Step, where: str) -> StatusRecord:
    try:
        # The id is that of the whole content: no two events that differ ever share one.
        content = encode(row, json.dumps)
        row["event_id"] = _id_of((step.at - NO_TIME) // timedelta(milliseconds=1), content)
        line = encode(row, json.dumps)
        problem = problem_with(row)
    except LineDamagedError as error:
        problem = str(error)
    if problem is not None:
        raise WorkPackageFileError(
            f"{where}: no event can be made of it: {problem}",
            hint="correct the frontmatter; nothing was written",
            file=where,
        )
    return StatusRecord(decode(line.removesuffix(b"\n")), line)


def _id_of(milliseconds: int, content: bytes) -> str:
    """Return the ULID of an event of this time (since 1970) and content: the same wherever it is asked for."""
    hashed = hashlib.sha256(content).digest()[:_HASHED_BYTES]
    return str(ULID.from_bytes(max(milliseconds, 0).to_bytes(6, "big") + hashed))
