"""Whether a feature's Markdown files have generated parts, for the merge driver: as tracker/views/views.py decides it.

The settings lie in the work tree. YAML is only loaded where the configuration could switch views off.
"""

# ruff: noqa: PTH123, T201  the process has no time for pathlib, and printing is how a driver speaks

from __future__ import annotations

import sys

from kitty_status.errors import KittyStatusError
from kitty_status.git.configuration_keys import CONFIG_PATH, PHASE_KEY
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status.phase_numbers import FRONTMATTER, phase_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VIEWS_KEY = "views"
_ON, _OFF, _DETECTED = "on", "off", "auto"
# What these lines say, wherever they stand, makes a view a person's text nowhere, and no person's text a view but in
# a feature of spec-kitty 3.
_NOTHING: frozenset[bytes] = frozenset()
_HARMLESS = frozenset((b"views: on", b"views: auto", b"phase: 1", b"phase: 2"))


def views_are_written(folder: str) -> bool:
    """Say whether the lanes and the section in the feature at `folder` are made from its log; `.` is the project."""
    meta = _meta(folder)
    is_mission = "mission_slug" in meta
    settings = _settings(_NOTHING if is_mission else _HARMLESS)
    views = settings.get(_VIEWS_KEY, _DETECTED)
    is_on = views == _ON or (views != _OFF and not is_mission)
    own = phase_number(meta.get("status_phase"))
    phase = phase_number(settings.get(PHASE_KEY)) if own is None else own
    return is_on and phase != FRONTMATTER


def _meta(folder: str) -> dict[str, Any]:
    try:
        return decode(_read(f"{folder}/meta.json").strip(b" \t\r\n"))
    except (OSError, LineDamagedError):
        return {}


def _settings(harmless: frozenset[bytes]) -> dict[str, str]:
    """Return the settings that decide over views; none where no line speaks of them but in these harmless words."""
    try:
        data = _read(CONFIG_PATH)
    except OSError:
        return {}
    lines = [line.partition(b"#")[0].strip() for line in data.split(b"\n")]
    if all(line in harmless or not (b"views" in line or b"phase" in line) for line in lines):
        return {}
    module: Any = __import__("kitty_status.git.configuration", fromlist=["placed_section"])
    try:
        section = module.placed_section(data.decode("utf-8"), CONFIG_PATH).value
    except (KittyStatusError, UnicodeDecodeError) as error:
        print(f"kitty-status: {error}", file=sys.stderr)
        return {}
    return {key: str(section[key].value) for key in (_VIEWS_KEY, PHASE_KEY) if key in section}


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
