"""A world for git in which the developer's home and git configuration do not exist."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_PERSON = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def safe_world(home: Path, ceiling: Path, patch: pytest.MonkeyPatch) -> None:
    """Point every way to the developer's home, repository and settings at `home`, and look above `ceiling` for none."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "KITTY_STATUS_", "XDG_")):
            patch.delenv(name)
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME"):
        patch.setenv(name, str(home))
    patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # A folder of a test that is no repository must not find one above it.
    patch.setenv("GIT_CEILING_DIRECTORIES", str(ceiling))
    for name, value in _PERSON.items():
        patch.setenv(name, value)
