"""The phase of a feature: whether its frontmatter or its log says where work packages stand.

A repository comes to keep a log step by step, and a feature may be ahead of the others or behind them. What the
feature says itself (`status_phase` in its `meta.json`) comes before what the repository says (`status.phase` in the
configuration), and that before the default. A value that is no phase is passed over, with a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import KittyStatusError, MoveRefusedError
from kitty_status.git.configuration_keys import CONFIG_PATH, PHASE_KEY, SECTION
from kitty_status.jsonl.codec import LineDamagedError
from kitty_status.status.phase_numbers import FRONTMATTER, LOG, PHASE_BY_DEFAULT, phase_number
from kitty_status.tracker.meta import META_FILENAME, meta_of

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature

META_KEY = "status_phase"
BY_DEFAULT = "default"
_IS_NONE = "is no phase (0, 1 or 2), and was passed over"
_LONGEST_SHOWN = 40
HOW_TO_MOVE = (
    "`kitty-status emit` moves a work package there; `kitty-status migrate` and phase 1 give the feature a log"
)


class Phase(NamedTuple):
    """A feature's phase.

    * `number` is 0 (the frontmatter is the authority, and no log is written), 1 (log and views are both written) or
      2 (the log alone counts)
    * `source` is what says so, in words: `meta.json of the feature`, the configuration with its line, or `default`
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
    number = phase_number(config.phase)
    if number is not None:
        return Phase(number, _place(config), warnings)
    return Phase(PHASE_BY_DEFAULT, BY_DEFAULT, [*warnings, *warnings_about(config)])


def warnings_about(config: Config) -> list[str]:
    """Return what is to be said of the phase that the configuration names: nothing where it is one."""
    if config.phase is None or phase_number(config.phase) is not None:
        return []
    return [f"{_place(config)}: {SECTION}.{PHASE_KEY} is {_shown(config.phase)}, which {_IS_NONE}"]


def _place(config: Config) -> str:
    return f"{CONFIG_PATH}:{config.phase_line}"


def remarks_on(phase: Phase, feature: Feature) -> list[str]:
    """Return what to say where logs are shown: what was passed over, and that in phase 0 no log counts."""
    counts = f"{feature.slug} is in phase 0 ({phase.source}): its frontmatter counts, and no log does"
    return [*phase.warnings, *([] if phase.keeps_log else [counts])]


def refuse_unlogged(feature: Feature, config: Config, hint: str = HOW_TO_MOVE) -> None:
    """Refuse what takes a log where a feature keeps none.

    Raises:
        MoveRefusedError: it is in phase 0.
    """
    phase = phase_of(feature, config)
    if not phase.keeps_log:
        raise MoveRefusedError(
            f"{feature.slug} is in phase 0 ({phase.source}), where no log is written and none is read",
            hint=hint,
            phase=phase.number,
            source=phase.source,
        )


def _of_feature(feature: Feature, warnings: list[str]) -> int | None:
    path = feature.folder / META_FILENAME
    where = feature.relative(path)
    try:
        values = meta_of(feature)
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
    number = phase_number(value)
    if number is None:
        warnings.append(f"{where}: {META_KEY} is {_shown(value)}, which {_IS_NONE}")
    return number


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else ascii(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
