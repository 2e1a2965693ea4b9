"""What a feature was called before: rows of kind `renamed` in its own log, which every reader keeps and none counts.

The events of a renamed feature go on naming the slug that they were written under. A row in the log
says that both names mean one feature. It is merged like any other line, so whoever has the log knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.errors import UnsafeLogError
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status.repeats import lines_with
from kitty_status.status.rows import MAX_NAME

if TYPE_CHECKING:
    from kitty_status.tracker.feature_log import FeatureLog

RENAMED = "renamed"


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
    return slug if row.get("kind") == RENAMED and isinstance(slug, str) and len(slug) <= MAX_NAME else ""
