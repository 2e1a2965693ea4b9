"""What a feature was called before: `renamed` rows in its own log, which every reader keeps and none counts.

The events of a renamed feature go on naming the slug that they were written under. A row in the log
says that both names mean one feature. It is merged like any other line, so whoever has the log knows.
It is named by its `event_type`: spec-kitty 3 passes over what has one, and it refuses a log with a
`kind` that it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.errors import UnsafeLogError
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status.repeats import lines_with
from kitty_status.status.rows import MAX_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kitty_status.tracker.feature_log import FeatureLog

RENAMED = "renamed"
NAMED_BY = "event_type"
_NAMED_BY_FORMERLY = "kind"


def former_slugs(log: FeatureLog) -> tuple[str, ...]:
    """Return what the feature of a log was called before, the oldest name first; nothing where the log cannot be read.

    Names that it was given and had given up again are among them.
    """
    try:
        data = log.read() or b""
    except (OSError, UnsafeLogError):
        return ()
    return tuple(dict.fromkeys(slug for line, _ in lines_with(data, RENAMED) if (slug := _former_slug(line))))


def _former_slug(line: bytes) -> str:
    try:
        row = decode(line)
    except LineDamagedError:
        return ""
    slug = row.get("former_slug")
    return slug if is_renaming(row) and isinstance(slug, str) and len(slug) <= MAX_NAME else ""


def is_renaming(row: Mapping[str, Any]) -> bool:
    """Say whether a row is one that records a new name."""
    return RENAMED in (row.get(NAMED_BY), row.get(_NAMED_BY_FORMERLY))
