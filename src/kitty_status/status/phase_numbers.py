"""Which values are a phase. Pure, and nothing is loaded: a merge driver asks as well."""

from __future__ import annotations

FRONTMATTER, BOTH, LOG = 0, 1, 2
PHASE_BY_DEFAULT = BOTH
_SPELLED = {"0": FRONTMATTER, "1": BOTH, "2": LOG}


def phase_number(value: object) -> int | None:
    """Return the phase that a value is: the whole number or the same as text; None where it is none."""
    # True is 1 to Python, and no number to whoever wrote it.
    return _SPELLED.get(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
