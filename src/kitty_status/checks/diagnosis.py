"""What `doctor` found, the clone that it looks at, and the ways to put things right by itself."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from kitty_status.checks.ailments import ADVISORY, AILMENTS
from kitty_status.errors import ConfigurationError
from kitty_status.status.layout import (
    EVENTS_FILENAME,
    OVERVIEW_FILENAME,
    SHARDS_FOLDER,
    SHARED_SHARD,
    SNAPSHOT_FILENAME,
    TASKS_FOLDER,
)
from kitty_status.status.validation import CHAIN_BREAK, COMPETING_MOVES
from kitty_status.tracker.config import SNAPSHOT_SPEC_KITTY, Config, load_config
from kitty_status.tracker.places.sight import Surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitty_status.checks.baseline import Baseline
    from kitty_status.checks.validate import Validation
    from kitty_status.git.repository import Repository
    from kitty_status.tracker.features import Feature, Project

INSTALL = "install"
MATERIALIZE = "materialize"
MEND_TAIL = "mend-tail"
RECONCILE = "reconcile"
FIXES = (MEND_TAIL, RECONCILE, INSTALL, MATERIALIZE)
"""What `--fix` can do, in the order in which it does it: a snapshot is made from a log that is in order."""


class Fix(NamedTuple):
    """Something that `--fix` does; `feature` is the slug, empty where the whole clone is meant."""

    action: str
    feature: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding: where, what was observed, and the commands that put it right from there, in their order.

    What is expected, why it matters and how severe it is follow from the code.
    """

    code: str
    where: str
    observed: str
    commands: tuple[str, ...] = ()
    fix: Fix | None = None

    @property
    def severity(self) -> str:
        """`blocking`, `degraded` or `advisory`."""
        return AILMENTS[self.code].severity

    @property
    def is_advisory(self) -> bool:
        """Whether it is only good to know."""
        return self.severity == ADVISORY

    def to_dict(self) -> dict[str, Any]:
        """Return the finding in plain JSON types."""
        ailment = AILMENTS[self.code]
        return {
            "code": self.code,
            "severity": ailment.severity,
            "where": self.where,
            "observed": self.observed,
            "expected": ailment.expected,
            "explanation": ailment.explanation,
            "commands": list(self.commands),
            "fixable": self.fix is not None,
        }


@dataclass(slots=True)
class Examination:
    """What came of a run: the findings, the most severe first, and what `--fix` did or would do.

    `known` is how many findings about events a baseline has accepted, of those that doctor would have summed up.
    """

    findings: list[Diagnosis]
    fixed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    known: int = 0

    @property
    def healthy(self) -> bool:
        """Whether nothing above advisory was found."""
        return all(finding.is_advisory for finding in self.findings)

    @property
    def fixes(self) -> list[Fix]:
        """What `--fix` would do about the findings, each once and in order."""
        wanted = dict.fromkeys(finding.fix for finding in self.findings if finding.fix)
        return sorted(wanted, key=lambda fix: (FIXES.index(fix.action), fix.feature))


class Limits(NamedTuple):
    """How many days a holder may move nothing before doctor calls a claim stale; None where the configuration says.

    `accepted` is the baseline, None where none counts.
    """

    claimed: int | None = None
    in_progress: int | None = None
    accepted: Baseline | None = None


AS_CONFIGURED = Limits()
ACCEPTABLE = (CHAIN_BREAK, COMPETING_MOVES)
"""What doctor sums up of the findings about events, which a baseline may accept."""


class Clone:
    """A project as doctor looks at it: what cannot be read is replaced by what it is without."""

    def __init__(self, project: Project, limits: Limits = AS_CONFIGURED) -> None:
        self.project = project
        self.known = 0
        self._limits = limits

    @property
    def repository(self) -> Repository:
        """The repository; checks that ask for it are only made where there is one."""
        assert self.project.repository is not None  # noqa: S101  the registry of checks says who may ask
        return self.project.repository

    @cached_property
    def config(self) -> Config:
        """The configuration, the defaults where it cannot be understood."""
        try:
            return load_config(self.project.root)
        except ConfigurationError:
            return Config()

    @cached_property
    def limits(self) -> Config:
        """The configuration with the limits that were asked for in the place of its own."""
        limits = copy(self.config)
        limits.stale_claimed_days = self._limits.claimed or limits.stale_claimed_days
        limits.stale_in_progress_days = self._limits.in_progress or limits.stale_in_progress_days
        return limits

    def set_known_aside(self, validation: Validation) -> None:
        """Take the findings that the baseline accepts out of a validation, and count those that doctor reports."""
        if self._limits.accepted is not None:
            before = Counter(finding.code for finding in validation.findings)
            self._limits.accepted.set_aside(validation)
            after = Counter(finding.code for finding in validation.findings)
            self.known += sum((before - after)[code] for code in ACCEPTABLE)

    @cached_property
    def surroundings(self) -> Surroundings | None:
        """The other work trees and branches of the clone; None outside git.

        Raises:
            GitError: git could not be asked.
        """
        return Surroundings(self.project.repository) if self.project.repository else None

    @property
    def snapshots(self) -> bool:
        """Whether snapshots are merged by our driver."""
        return self.config.snapshot != SNAPSHOT_SPEC_KITTY

    @cached_property
    def features(self) -> Sequence[Feature]:
        """Every feature, those with unsafe names included; none where the folder cannot be listed."""
        try:
            return self.project.features(unsafe_names=True)
        except OSError:
            return ()

    def status_paths(self) -> list[tuple[str, str]]:
        """Return (log file, snapshot), in either layout, of every feature and of one that is yet to be made.

        Paths are from the top of the work tree.
        """
        return [
            (f"{folder}/{log}", f"{folder}/{SNAPSHOT_FILENAME}")
            for folder in self._folders()
            for log in (EVENTS_FILENAME, f"{SHARDS_FOLDER}/{SHARED_SHARD}")
        ]

    def view_paths(self) -> list[str]:
        """Return the overview, and a work package's file, of every feature and of one that is yet to be made."""
        return [
            f"{folder}/{name}"
            for folder in self._folders()
            for name in (OVERVIEW_FILENAME, f"{TASKS_FOLDER}/WP01-a-title.md")
        ]

    def _folders(self) -> list[str]:
        above = self.project.features_folder.relative_to(self.project.root).as_posix()
        return [*(feature.relative(feature.folder) for feature in self.features), f"{above}/a-new-feature"]
