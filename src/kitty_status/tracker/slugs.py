"""The names of features: which are safe, which one is meant, and where a branch or a file carries one."""

from __future__ import annotations

from itertools import pairwise

from kitty_status.errors import InvalidNameError, NotFoundError, UsageError
from kitty_status.status.rows import MAX_NAME, is_safe_name

_MOST_NAMES_IN_A_HINT = 5
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def check_name(name: str, what: str) -> None:
    """Refuse a slug or an id that is not safe in a path.

    Raises:
        InvalidNameError: it is not; see `rows.is_safe_name`.
    """
    if not is_safe_name(name):
        shown = ascii(name if len(name) <= MAX_NAME else f"{name[:40]}…")
        raise InvalidNameError(
            f"{shown} cannot be the name of {what}",
            hint=f"letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most {MAX_NAME}",
        )


def pick_slug(name: str, slugs: list[str], where: str) -> str:
    """Return which of `slugs` a name, or a unique beginning of one, means.

    Raises:
        InvalidNameError: `name` could not be a slug.
        NotFoundError: it is none of them; `where` says where they lie.
        UsageError: it is the beginning of several.
    """
    check_name(name, "a feature")
    matches = [name] if name in slugs else [slug for slug in slugs if slug.startswith(name)]
    if len(matches) > 1:
        raise UsageError(f"{name} may mean {some_of(matches)}", hint="write more of the slug")
    if not matches:
        raise NotFoundError(
            f"there is no feature {name} in {where}",
            hint=f"there is {some_of(slugs)}" if slugs else "features are folders in kitty-specs/",
        )
    return matches[0]


def mentions(branch: str, slug: str) -> bool:
    """Say whether a branch's name has a slug in it, as a word of its own."""
    parts = branch.split(slug)
    return any(before[-1:] not in _WORD and after[:1] not in _WORD for before, after in pairwise(parts))


def some_of(slugs: list[str]) -> str:
    """Return some slugs as a hint names them, and how many more there are."""
    more = f" and {len(slugs) - _MOST_NAMES_IN_A_HINT} more" if len(slugs) > _MOST_NAMES_IN_A_HINT else ""
    return ", ".join(slugs[:_MOST_NAMES_IN_A_HINT]) + more


def as_file_name(slug: str) -> str:
    """Return a name for a file that belongs to a feature; folders may have names that are not safe."""
    if is_safe_name(slug):
        return slug
    return "".join(char if is_safe_name(char) else f"%{ord(char):x}" for char in slug)[:MAX_NAME]
