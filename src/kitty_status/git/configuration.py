"""What the configuration says beyond plain `key: value` lines: read with a YAML library, each part with its line.

Hooks and merge drivers need it as well, where it defines lanes. They find their way here by `own_lanes`.
"""

from __future__ import annotations

from kitty_status.errors import ConfigurationError
from kitty_status.git.configuration_keys import LANES_KEY, PROFILES_KEY, SECTION
from kitty_status.status.profiles import Node, profiles_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.profiles import Mistake

_MOST_LEVELS = 8
_MOST_BITS = 64
_CORRECT = "correct the file"


def profiles_defined_by(data: bytes, path: object) -> tuple[dict[str, LaneProfile], str]:
    """Return the profiles that the configuration `data` of the file at `path` defines, and the name that it pins.

    Raises:
        ConfigurationError: the file cannot be understood, or a profile is wrong.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: {error}", hint=_CORRECT) from error
    section = placed_section(text, path).value
    profiles, _ = own_profiles(section, path)
    pinned = section.get(LANES_KEY)
    return profiles, str(pinned.value) if pinned is not None else ""


def own_profiles(section: dict[str, Node], path: object) -> tuple[dict[str, LaneProfile], list[str]]:
    """Return the profiles that the `status` section of the file at `path` defines, and what to warn of.

    Raises:
        ConfigurationError: a profile is wrong; the message names every mistake by file and line.
    """
    node = section.get(PROFILES_KEY)
    if node is None or node.value is None:
        return {}, []
    profiles, mistakes = profiles_in(node)
    wrong = [_said(mistake, path) for mistake in mistakes if not mistake.is_warning]
    if wrong:
        raise ConfigurationError(
            "; ".join(wrong),
            hint="`kitty-status lanes --profile seven-lane --json`, elsewhere, shows a profile that holds together",
        )
    return profiles, [_said(mistake, path) for mistake in mistakes]


def _said(mistake: Mistake, path: object) -> str:
    return f"{path}:{mistake.line}: {mistake.message}"


def yaml_document(text: str, path: object) -> Any:
    """Return what the YAML `text` of the file at `path` says, with its places.

    Raises:
        ConfigurationError: it is no valid YAML, or there is no library to read it with.
    """
    yaml = _yaml_library(path)
    try:
        return yaml.YAML(typ="rt").load(text)
    except yaml.error.MarkedYAMLError as error:
        place = f"{path}:{error.problem_mark.line + 1}" if error.problem_mark else path
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigurationError(f"{place}: it is no YAML: {said}", hint=_CORRECT) from error
    except (yaml.error.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: it is no YAML: {str(error).splitlines()[0]}", hint=_CORRECT) from error


def placed_section(text: str, path: object) -> Node:
    """Return the `status` section of a configuration, a dict of nodes, and of none where it has none.

    Raises:
        ConfigurationError: it is no valid YAML, or the section is no mapping.
    """
    document = yaml_document(text, path)
    section: Any = document.get(SECTION) if isinstance(document, dict) else None
    if section is None:
        return Node({}, 1)
    node = _placed(section, getattr(getattr(section, "lc", None), "line", 0) + 1, path, _MOST_LEVELS)
    if not isinstance(node.value, dict):
        raise ConfigurationError(f"{path}: {SECTION} is no mapping", hint="write `key: value` lines below it")
    return node


def _placed(value: Any, line: int, path: object, levels: int) -> Node:
    if not levels:
        raise ConfigurationError(f"{path}:{line}: it is nested too deeply", hint=_CORRECT)
    # A key that an anchor merges in has no place of its own.
    places: dict[Any, tuple[int, ...]] = getattr(getattr(value, "lc", None), "data", None) or {}
    if isinstance(value, dict):
        return Node(
            {
                str(_written_out(key)): _placed(part, places.get(key, (line - 1,))[0] + 1, path, levels - 1)
                for key, part in value.items()
            },
            line,
        )
    if isinstance(value, list):
        return Node(
            [
                _placed(part, places.get(index, (line - 1,))[0] + 1, path, levels - 1)
                for index, part in enumerate(value)
            ],
            line,
        )
    return Node(_written_out(value), line)


def _written_out(value: Any) -> Any:
    """Return a scalar as it is; of a number with more digits than Python would write out, a text of it."""
    is_huge = isinstance(value, int) and value.bit_length() > _MOST_BITS
    return hex(value) if is_huge else value


def _yaml_library(path: object) -> Any:
    # Loaded by name: only a file that is written in an unusual way pays for it.
    try:
        return __import__("ruamel.yaml", fromlist=["YAML"])
    except ImportError:
        # What git calls runs without the folders of installed packages until it needs one of them.
        __import__("site").main()
    try:
        return __import__("ruamel.yaml", fromlist=["YAML"])
    except ImportError as error:
        raise ConfigurationError(
            f"{path} takes a YAML library to read, and there is none: {error}", hint="install kitty-status again"
        ) from error
