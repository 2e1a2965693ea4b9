"""The phase of a feature: whether its frontmatter or its log says where work packages stand.

A repository comes to keep a log step by step, and a feature may be ahead of the others or behind them. What the
feature says itself (`status_phase` in its `meta.json`) comes before what the repository says (`status.phase` in the
configuration), and that before the default. A value that is no phase is passed over, with a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kitty_status.errors import KittyStatusError
from kitty_status.git.configuration_keys import CONFIG_PATH, PHASE_KEY, SECTION
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.jsonl.reading import open_log

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature

FRONTMATTER, BOTH, LOG = 0, 1, 2
PHASES = {str(number): number for number in (FRONTMATTER, BOTH, LOG)}
DEFAULT = BOTH
META_FILENAME = "meta.json"
META_KEY = "status_phase"
BY_DEFAULT = "default"
# Far more than any that spec-kitty writes. Larger ones are not read: the file comes from whoever can push.
MAX_META_BYTES = 1024 * 1024
_LONGEST_SHOWN = 40


class Phase(NamedTuple):
    """A feature's phase.

    * `number` is 0 (the frontmatter is the authority, and no log is written), 1 (log and views are both written) or
      2 (the log alone counts)
    * `source` is what says so: the path of the feature's `meta.json`, the configuration with its line, or `default`
    * `warnings` name what was passed over on the way there
    """

    number: int
    source: str
    warnings: list[str]

    @property
    def keeps_log(self) -> bool:
        """Whether moves are recorded in a log, and the log says where work packages stand."""
        return self.number != FRONTMATTER

    @property
    def drift_is_error(self) -> bool:
        """Whether a view that is not what the log says is an error; before phase 2 it is a warning."""
        return self.number == LOG


def phase_of(feature: Feature, config: Config) -> Phase:
    """Return the phase of a feature, and what makes it so. No file makes this fail: what cannot be read is passed over.

    A phase is the whole number 0, 1 or 2; the same written as text (`"1"`, as spec-kitty 3 writes it) counts.
    """
    warnings: list[str] = []
    number = _of_feature(feature, warnings)
    if number is not None:
        return Phase(number, f"{META_FILENAME} of the feature", warnings)
    if config.phase is not None:
        where = f"{CONFIG_PATH}:{config.phase_line}"
        number = PHASES.get(config.phase)
        if number is not None:
            return Phase(number, where, warnings)
        warnings.append(f"{where}: {SECTION}.{PHASE_KEY} is {_shown(config.phase)}, which {_IS_NONE}")
    return Phase(DEFAULT, BY_DEFAULT, warnings)


_IS_NONE = "is no phase (0, 1 or 2), and was passed over"


def _of_feature(feature: Feature, warnings: list[str]) -> int | None:
    path = feature.folder / META_FILENAME
    where = feature.relative(path)
    try:
        values = _meta(feature)
    except LineDamagedError as error:
        warnings.append(f"{where} is no JSON that could be read ({error.reason}), so its {META_KEY} was passed over")
        return None
    except KittyStatusError as error:
        warnings.append(f"{error.message}; its {META_KEY} was passed over")
        return None
    except OSError as error:
        warnings.append(f"{where}: {error.strerror}; its {META_KEY} was passed over")
        return None
    if META_KEY not in values:
        return None
    value = values[META_KEY]
    # True is 1 to Python, and no number to whoever wrote it.
    number = PHASES.get(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
    if number is None:
        warnings.append(f"{where}: {META_KEY} is {_shown(value)}, which {_IS_NONE}")
    return number


def _meta(feature: Feature) -> dict[str, Any]:
    """Return what the `meta.json` of a feature says, nothing where there is none.

    Raises:
        LineDamagedError: it is no JSON object, or too large. UnsafeLogError: it is no regular file. OSError.
    """
    file = open_log(feature.folder / META_FILENAME)
    if file is None:
        return {}
    with file:
        data = file.read(MAX_META_BYTES + 1)
    if len(data) > MAX_META_BYTES:
        raise LineDamagedError(f"it is longer than {MAX_META_BYTES // 1024} KiB")
    return decode(data.strip(b" \t\r\n"))


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else ascii(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
