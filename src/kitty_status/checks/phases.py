"""What is wrong with the phase of a feature, and in phase 0 with what counts there: the frontmatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.checks.views import about_file
from kitty_status.git.configuration_keys import CONFIG_PATH
from kitty_status.status import validation
from kitty_status.status.validation import WARNING, Finding
from kitty_status.tracker.meta import META_FILENAME
from kitty_status.tracker.phases import META_KEY, warnings_about
from kitty_status.tracker.unlogged.standings import standings_of

if TYPE_CHECKING:
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.phases import Phase
    from kitty_status.tracker.unlogged.standings import Standings

_MOST_NAMED = 3


def phase_findings(feature: Feature, config: Config, phase: Phase, logged: Snapshot) -> list[Finding]:
    """Return what was passed over on the way to a feature's phase, and in phase 0 what its files lack.

    `logged` is what the log says, which in phase 0 nothing reads.

    Raises:
        OSError: a file cannot be read.
    """
    found = [_invalid(feature, config, warning) for warning in phase.warnings]
    if phase.keeps_log:
        return found
    standings = standings_of(feature, config)
    found += [about_file(validation.UNREADABLE_WORK_PACKAGE, problem) for problem in standings.problems]
    return found + ([_unread_log(feature, standings, logged)] if logged.event_count else [])


def _invalid(feature: Feature, config: Config, warning: str) -> Finding:
    is_of_repository = warning in warnings_about(config)
    return Finding(
        validation.INVALID_PHASE,
        warning.partition(": ")[2] or warning,
        hint="write 0, 1 or 2, or take it out; `kitty-status phase` says which phase is in force",
        severity=WARNING,
        path=CONFIG_PATH if is_of_repository else feature.relative(feature.folder / META_FILENAME),
        line=config.phase_line if is_of_repository else None,
    )


def _unread_log(feature: Feature, standings: Standings, logged: Snapshot) -> Finding:
    both = standings.snapshot.work_packages.keys() & logged.work_packages.keys()
    lanes = [
        (wp_id, str(standings.files[wp_id].lane), str(logged.work_packages[wp_id]["lane"])) for wp_id in sorted(both)
    ]
    apart = [
        f"{wp_id} is in {here} by its file and in {there} by the log" for wp_id, here, there in lanes if here != there
    ]
    more = f" and {len(apart) - _MOST_NAMED} more" if len(apart) > _MOST_NAMED else ""
    differences = f": {'; '.join(apart[:_MOST_NAMED])}{more}" if apart else ""
    return Finding(
        validation.LOG_NOT_READ,
        f"the feature is in phase 0, and has a log of {logged.event_count} events that is not read{differences}",
        hint=f"nothing, if the log is of an earlier time; {META_KEY} 1 in {META_FILENAME} makes it count",
        severity=WARNING,
        path=feature.relative(feature.log.path),
    )
