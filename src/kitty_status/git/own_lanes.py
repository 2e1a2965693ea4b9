"""The lanes and the profile that a repository defines itself, for the processes that git waits for.

They look at the bytes of the configuration, and only where these speak of profiles is it read with a
YAML library. What is wrong with it is said on stderr, and then it defines nothing.
"""

# ruff: noqa: PTH123, T201  the process has no time for pathlib, and printing is how it speaks

from __future__ import annotations

import sys

from kitty_status.errors import KittyStatusError
from kitty_status.git.configuration_keys import CONFIG_PATH, PROFILES_KEY
from kitty_status.status import known_lanes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kitty_status.status.lanes import LaneProfile


def learn_lanes_if_asked(folder: str) -> None:
    """Have the lanes of the repository's own profiles known as soon as an event names one that is not."""

    def source() -> list[str]:
        return [lane for profile in _defined(folder)[0].values() for lane in profile.lanes]

    known_lanes.ask_if_unknown(folder, source)


def pinned_profile(folder: str) -> LaneProfile | None:
    """Return the profile of its own that the repository at `folder` has pinned; all its lanes are known from then on.

    None where it has pinned another one, or none.
    """
    profiles, pinned = _defined(folder)
    for profile in profiles.values():
        known_lanes.accept(profile.lanes)
    return profiles.get(pinned)


def _defined(folder: str) -> tuple[dict[str, LaneProfile], str]:
    path = f"{folder}/{CONFIG_PATH}"
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return {}, ""
    if PROFILES_KEY.encode() not in data:
        return {}, ""
    module: Any = __import__("kitty_status.git.configuration", fromlist=["profiles_defined_by"])
    try:
        found: tuple[dict[str, LaneProfile], str] = module.profiles_defined_by(data, path)
    except KittyStatusError as error:
        print(f"kitty-status: {error.message}", file=sys.stderr)
        return {}, ""
    return found
