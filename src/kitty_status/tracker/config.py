"""The `status` section of `.kittify/config.yaml`.

It is read at every command, so the plain form that `init` writes is read without loading a YAML
library. Whatever goes beyond `key: value` lines is left to ruamel.yaml, and means the same.
"""

from __future__ import annotations

from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitty_status.errors import ConfigurationError
from kitty_status.git.configuration_keys import CONFIG_PATH, LANES_KEY, PHASE_KEY, PROFILES_KEY, SECTION
from kitty_status.status import known_lanes
from kitty_status.status.lanes import PROFILES
from kitty_status.status.layout import LAYOUTS, SINGLE
from kitty_status.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.profiles import Node

DETECTED = "auto"
STALE_CLAIMED_DAYS = 7
STALE_IN_PROGRESS_DAYS = 14
MOST_DAYS = 36500
SNAPSHOT_OWN = "own"
SNAPSHOT_SPEC_KITTY = "spec-kitty"
SNAPSHOT_IGNORED = "ignored"
VIEWS_ON = "on"
VIEWS_OFF = "off"
_KEYS = {
    LANES_KEY: (DETECTED, *PROFILES),
    PROFILES_KEY: (),
    "layout": LAYOUTS,
    # Any value is taken: what is no phase is warned of and passed over, see `phases`.
    PHASE_KEY: (),
    "snapshot": (DETECTED, SNAPSHOT_OWN, SNAPSHOT_SPEC_KITTY, SNAPSHOT_IGNORED),
    "views": (DETECTED, VIEWS_ON, VIEWS_OFF),
    "requires": (),
    "stale_claimed_days": (),
    "stale_in_progress_days": (),
}
DEFAULTS = f"""\
{SECTION}:
  # seven-lane, nine-lane or one of your own; {DETECTED} recognises logs that spec-kitty 3 wrote
  lanes: {DETECTED}
  # {SNAPSHOT_OWN}, {SNAPSHOT_SPEC_KITTY} or {SNAPSHOT_IGNORED}; {DETECTED} recognises snapshots that spec-kitty 3 wrote
  snapshot: {DETECTED}
"""


class Config:
    """What a repository has decided.

    * `profile` is the pinned lane profile, None where the log shall say
    * `snapshot` is `auto`, `own` or `spec-kitty`: whose keys `status.json` has; or `ignored`: it is not committed
    * `views` is `auto`, `on` or `off`: whether lanes and the status section are written into the Markdown files
    * `layout` is `single` or `per-writer`: into how many files a new log goes
    * `requires` is the lowest version that may write here
    * `stale_claimed_days` and `stale_in_progress_days` say how long a holder may move nothing before the claim is stale
    * `phase` is what stands under `status.phase`, in the line `phase_line`, a phase or not; None where nothing does
    * `profiles` are the profiles that may be pinned: those that ship, and the repository's own
    * `warnings` say what is odd about the repository's own profiles
    """

    def __init__(self, values: dict[str, str] | None = None, own: dict[str, LaneProfile] | None = None) -> None:
        values = values or {}
        self.profiles = {**PROFILES, **(own or {})}
        self.warnings: list[str] = []
        self.profile: LaneProfile | None = self.profiles.get(values.get(LANES_KEY, DETECTED))
        self.snapshot = values.get("snapshot", DETECTED)
        self.views = values.get("views", DETECTED)
        self.layout = values.get("layout", SINGLE)
        self.requires = values.get("requires", "")
        self.phase = values.get(PHASE_KEY)
        self.phase_line = 0
        self.stale_claimed_days = int(values.get("stale_claimed_days", STALE_CLAIMED_DAYS))
        self.stale_in_progress_days = int(values.get("stale_in_progress_days", STALE_IN_PROGRESS_DAYS))

    @property
    def commits_snapshots(self) -> bool:
        """Whether `status.json` belongs into commits; if not, each clone makes its own from the log."""
        return self.snapshot != SNAPSHOT_IGNORED

    def check_may_write(self) -> None:
        """Refuse to write where the repository asks for a newer version.

        Raises:
            ConfigurationError: this version is older than `status.requires`.
        """
        wanted = self.requires.removeprefix(">=").strip()
        if wanted and _version(wanted) > _release(__version__):
            raise ConfigurationError(
                f"this repository asks for kitty-status {self.requires}, and this is {__version__}",
                hint="upgrade kitty-status; reading works meanwhile",
            )


def load_config(root: Path) -> Config:
    """Return the configuration of the project at `root`, the defaults where it has none.

    Raises:
        ConfigurationError: a key or value is unknown; the message names file and line.
    """
    path = root / CONFIG_PATH
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}", hint="correct the file") from error
    if SECTION not in text:
        return Config()
    section = _plain_section(text)
    if section is not None:
        return _checked({key: (value, line) for key, (value, line) in section.items()}, path, {})
    # Loaded by name, with the library that it loads: only a file that is written in an unusual way pays for it.
    configuration: Any = import_module("kitty_status.git.configuration")
    nodes = configuration.placed_section(text, path).value
    own, warnings = configuration.own_profiles(nodes, path)
    for profile in own.values():
        known_lanes.accept(profile.lanes)
    nodes.pop(PROFILES_KEY, None)
    config = _checked({key: (str(_plain(node)), node.line) for key, node in nodes.items()}, path, own)
    config.warnings = warnings
    return config


def _checked(section: dict[str, tuple[str, int]], path: Path, own: dict[str, LaneProfile]) -> Config:
    for key, (value, line) in section.items():
        if not (key == LANES_KEY and value in own):
            _check(key, value, f"{path}:{line}", own)
    config = Config({key: value for key, (value, _) in section.items()}, own)
    _, config.phase_line = section.get(PHASE_KEY, ("", 0))
    return config


def _plain(node: Node) -> object:
    if node.value is None:
        return "null"
    return node.value if isinstance(node.value, str | int | float) else type(node.value).__name__


def _check(key: str, value: str, where: str, own: Iterable[str]) -> None:
    if key not in _KEYS:
        raise ConfigurationError(f"{where}: unknown key {SECTION}.{key}", hint=f"known are {', '.join(_KEYS)}")
    allowed = (*_KEYS[key], *own) if key == LANES_KEY else _KEYS[key]
    if allowed and value not in allowed:
        raise ConfigurationError(f"{where}: {SECTION}.{key} is {value!a}", hint=f"it may be {', '.join(allowed)}")
    if key == "requires" and not (value.startswith(">=") and _version(value.removeprefix(">="))):
        raise ConfigurationError(f"{where}: {SECTION}.requires is {value!a}", hint='write it as ">=0.1.0"')
    if key.endswith("_days") and not _is_days(value):
        raise ConfigurationError(f"{where}: {SECTION}.{key} is {value!a}", hint="write a number of days, 1 or more")


def _is_days(value: str) -> bool:
    return value.isascii() and value.isdecimal() and 0 < int(value) <= MOST_DAYS


def _version(text: str) -> tuple[int, ...]:
    parts = text.strip().split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version of ours, without what marks it as a development or candidate version."""
    numbers = takewhile(str.isdecimal, version.split("."))
    return tuple(int(number) for number in numbers)


def _plain_section(text: str) -> dict[str, tuple[str, int]] | None:
    """Return {key: (value, line)} of a section of plain `key: value` lines; None where it takes more to read it."""
    found: dict[str, tuple[str, int]] = {}
    inside = seen = False
    if "\t" in text or text.startswith("\ufeff"):
        return None
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.rstrip()
        content = line.lstrip(" ")
        if not content or content.startswith("#"):
            continue
        if content == line:
            if line.startswith(("---", "...", "{", "%", "?", '"', "'")) or (seen and line.startswith(f"{SECTION}:")):
                return None
            inside = line.split(" #")[0].rstrip() == f"{SECTION}:"
            if not inside and line.startswith(SECTION):
                return None
            seen = seen or inside
            continue
        if not inside:
            continue
        key, _, rest = content.partition(": ")
        value = _plain_value(rest)
        if value is None or not _is_plain(key) or key in found:
            return None
        if len(line) - len(content) != 2:  # noqa: PLR2004  any other indentation is for the library to judge
            return None
        found[key] = (value, number)
    return found


def _plain_value(rest: str) -> str | None:
    """Return the value that stands behind a key, None where YAML might take it for anything but these characters."""
    value = rest.split(" #", maxsplit=1)[0].strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
        return value if _is_plain(value.removeprefix(">=")) else None
    # Unquoted, `>` begins a block, `-` a list, and 01 is a number.
    return value if _is_plain(value) and (value[0].isalpha() or _is_whole_number(value)) else None


def _is_whole_number(text: str) -> bool:
    return text.isdecimal() and (text == "0" or not text.startswith("0"))


def _is_plain(text: str) -> bool:
    return bool(text) and all(char.isalnum() or char in "._-" for char in text) and text.isascii()


def has_section(text: str, path: Path) -> bool:
    """Say whether the configuration `text` of the file at `path` has a section of ours.

    Raises:
        ConfigurationError: it is no valid YAML.
    """
    configuration: Any = import_module("kitty_status.git.configuration")
    document = configuration.yaml_document(text, path)
    return isinstance(document, dict) and SECTION in document
