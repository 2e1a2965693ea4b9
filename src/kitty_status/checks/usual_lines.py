"""The lines that logs are full of, as one pattern: what it matches can only be spelled in the canonical way.

An event of ours or of spec-kitty's: the keys in their order, each at most once, and strings without an escape. To match
a line costs a fraction of encoding its row anew, which is what decides about all others.
"""

from __future__ import annotations

import re

_TEXT = rb'"[ !#-\[\]-~]*+"'
_TEXTS = rb"\[(?:" + _TEXT + rb"(?:, " + _TEXT + rb")*+)?\]"
_NUMBER = rb"(?:0|-?[1-9][0-9]{0,17}+)"


def pattern() -> re.Pattern[bytes]:
    """Put together the pattern that a usual line matches in full, with its LF or without.

    That takes as long as encoding hundreds of lines.
    """
    return re.compile(_event() + rb"\n?")


def _event() -> bytes:
    review = _object(reference=_TEXT, reviewer=_TEXT, verdict=_TEXT)
    policy = _object(
        agent_=_TEXT, merge_phase_=_TEXT, shell_pid_=_NUMBER, shell_pid_created_at_=_TEXT, target_branch_=_TEXT
    )
    return _object(
        actor=_TEXT,
        at=_TEXT,
        event_id=_TEXT,
        evidence=_or_null(_object(review=review)),
        execution_mode=_TEXT,
        feature_slug_=_TEXT,
        force=rb"(?:true|false)",
        from_lane=_TEXT,
        mission_id_=_or_null(_TEXT),
        mission_slug_=_TEXT,
        parents_=_TEXTS,
        policy_metadata_=_or_null(policy),
        reason=_or_null(_TEXT),
        review_ref=_or_null(_TEXT),
        review_result_=_or_null(review),
        to_lane=_TEXT,
        wp_id=_TEXT,
    )


def _object(**members: bytes) -> bytes:
    """Return the pattern of an object with these members; one whose name ends in `_` may be missing."""
    parts = []
    for name, value in members.items():
        member = rb'(?:(?<=\{)|, )"' + name.rstrip("_").encode() + rb'": ' + value
        parts.append(rb"(?:" + member + rb")?" if name.endswith("_") else member)
    return rb"\{" + rb"".join(parts) + rb"\}"


def _or_null(value: bytes) -> bytes:
    return rb"(?:null|" + value + rb")"
