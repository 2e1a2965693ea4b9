"""What a row of a log is: a status event, or a foreign row that somebody else's tool wrote.

This is the one place that knows the shape of a status event. The pydantic models, the fast reader
and the commit hook all answer to `problem_with`. Rows are checked as parsed JSON; nothing is ever
rewritten, so unknown keys and foreign rows stay what they are.
"""

from __future__ import annotations

from kitty_status.status.instants import parse_instant
from kitty_status.status.known_lanes import is_lane, known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

DISCRIMINATORS = frozenset(("kind", "event_type", "event_name", "type"))
"""A row that has one of these keys is a foreign row: an annotation, a lifecycle event, a retrospective."""

EXECUTION_MODES = ("worktree", "direct_repo")
MAX_NAME = 200
_TEXT_OR_NOTHING = (str, type(None))
_TEXT_ONLY = frozenset((str,))
ACTOR_NAMES = ("tool", "display", "id", "profile", "role", "model")
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_RESERVED_ON_WINDOWS = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{device}{number}" for device in ("COM", "LPT") for number in range(1, 10))]
)
_ULID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_CHARACTERS = frozenset(_ULID_ALPHABET)
_ULID_BYTES = "".join(_ULID_CHARACTERS).encode()
_ULID_LENGTH = 26
_ULID_TIME = 10


def is_foreign(row: Mapping[str, Any]) -> bool:
    """Say whether a row belongs to another kind of record, which is kept and not counted."""
    return not row.keys().isdisjoint(DISCRIMINATORS)


def is_safe_name(name: object) -> bool:
    """Say whether a slug or a work package id can stand in a path on every system.

    ASCII letters, digits, `.`, `_` and `-`, at most 200; it begins with a letter or digit, holds no `..`,
    does not end in `.`, and is no device name of Windows.
    """
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        return False
    if name.isalnum() and name.isascii():
        return name.upper() not in _RESERVED_ON_WINDOWS
    return (
        name[0].isalnum()
        and _NAME_CHARACTERS.issuperset(name)
        and ".." not in name
        and not name.endswith(".")
        and name.partition(".")[0].upper() not in _RESERVED_ON_WINDOWS
    )


def is_ulid(text: str) -> bool:
    """Say whether `text` is a ULID: 26 characters of Crockford's base 32, within 128 bits."""
    return len(text) == _ULID_LENGTH and text[0] <= "7" and _ULID_CHARACTERS.issuperset(text)


def are_ulids(texts: Sequence[str]) -> bool:
    """Say whether all `texts` are ULIDs: as `is_ulid`, at a fifth of the cost for thousands of them."""
    if not texts:
        return True
    joined = "".join(texts).encode("utf-8", "surrogatepass")
    return set(map(len, texts)) == {_ULID_LENGTH} and not joined.translate(None, _ULID_BYTES) and max(texts) < "8"


def milliseconds_of(ulid: str) -> int:
    """Return the time in a ULID, in milliseconds since 1970."""
    milliseconds = 0
    for character in ulid[:_ULID_TIME]:
        milliseconds = milliseconds * 32 + _ULID_ALPHABET.index(character)
    return milliseconds


def display_actor(actor: object) -> str:
    """Return the name under which an actor is shown; a structured actor shows as its tool."""
    if isinstance(actor, str):
        return actor
    if isinstance(actor, dict):
        for key in ACTOR_NAMES:
            if isinstance(actor.get(key), str) and actor[key]:
                return str(actor[key])
    return ""


def slug_of(row: Mapping[str, Any]) -> Any:
    """Return the feature slug of a status event; spec-kitty 3 calls it `mission_slug`."""
    return row.get("feature_slug", row.get("mission_slug"))


def problem_with(row: Mapping[str, Any]) -> str | None:
    """Return why `row` is no valid status event, or None when it is one."""
    event_id = row.get("event_id")
    if not isinstance(event_id, str) or not event_id:
        return _missing(row, "event_id", "a string")
    slug = slug_of(row)
    if not isinstance(slug, str) or not slug:
        return _missing(row, "feature_slug", "a string")
    wp_id = row.get("wp_id")
    if not isinstance(wp_id, str):
        return _missing(row, "wp_id", "a string")
    if not is_safe_name(wp_id):
        return f"wp_id {wp_id[:MAX_NAME]!a} is not a safe name"
    for key in ("from_lane", "to_lane"):
        if not is_lane(row.get(key)):
            return _missing(row, key, f"one of the lanes {', '.join(known())}")
    return _problem_with_when_and_who(row) or _problem_with_optional(row)


def _problem_with_when_and_who(row: Mapping[str, Any]) -> str | None:
    at = row.get("at")
    if not isinstance(at, str):
        return _missing(row, "at", "an ISO 8601 instant with a zone")
    try:
        parse_instant(at)
    except ValueError as error:
        return f"at: {error}"
    if not display_actor(row.get("actor")):
        return _missing(row, "actor", "a name, or an object that names a tool")
    if not isinstance(row.get("force"), bool):
        return _missing(row, "force", "true or false")
    if row.get("execution_mode") not in EXECUTION_MODES:
        return _missing(row, "execution_mode", " or ".join(EXECUTION_MODES))
    return None


def _problem_with_optional(row: Mapping[str, Any]) -> str | None:
    for key in ("reason", "review_ref"):
        text = row.get(key)
        if text is not None and not isinstance(text, str):
            return f"{key} must be a string or null"
    parents = row.get("parents", ())
    if parents != () and not (isinstance(parents, list) and _TEXT_ONLY.issuperset(map(type, parents))):
        return "parents must be a list of event ids"
    result = row.get("review_result")
    if result is not None and not isinstance(result, dict):
        return "review_result must be an object or null"
    evidence = row.get("evidence")
    return None if evidence is None else problem_with_evidence(evidence)


def problem_with_evidence(evidence: object) -> str | None:
    """Return why the `evidence` of a status event has not the shape that readers rely on, or None."""
    if evidence is None:
        return None
    if not isinstance(evidence, dict):
        return "evidence must be an object or null"
    review = evidence.get("review")
    if review is None:
        return None
    if not isinstance(review, dict):
        return "evidence.review must be an object"
    for key in ("reviewer", "verdict", "reference"):
        if not isinstance(review.get(key), _TEXT_OR_NOTHING):
            return f"evidence.review.{key} must be a string"
    return None


def _missing(row: Mapping[str, Any], key: str, wanted: str) -> str:
    if key not in row:
        return f"{key} is missing"
    return f"{key} must be {wanted}, not {row[key]!a}"[:MAX_NAME]
