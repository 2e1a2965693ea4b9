"""What `meta.json` of a feature says: spec-kitty writes it, and so may anybody who can push."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.jsonl.reading import open_log

if TYPE_CHECKING:
    from kitty_status.tracker.features import Feature

META_FILENAME = "meta.json"
# Far more than any that spec-kitty writes.
MAX_META_BYTES = 1024 * 1024


def meta_of(feature: Feature) -> dict[str, Any]:
    """Return what the `meta.json` of a feature says, nothing where there is none.

    Raises:
        LineDamagedError: it is no JSON object, or too large. UnsafeLogError: it is no regular file. OSError.
    """
    file = open_log(feature.folder / META_FILENAME)
    if file is None:
        return {}
    with file:
        data = file.read(MAX_META_BYTES + 1)
    if len(data) > MAX_META_BYTES:
        raise LineDamagedError(f"it is longer than {MAX_META_BYTES // 1024} KiB")
    return decode(data.strip(b" \t\r\n"))
