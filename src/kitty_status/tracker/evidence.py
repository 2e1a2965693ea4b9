"""Evidence that a caller hands in as JSON, held to the same rules as the line it will stand in."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from kitty_status.errors import UsageError
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status.events import DoneEvidence


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
