"""Where the work packages of a feature in phase 0 stand: what the frontmatter of their files says, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kitty_status.errors import WorkPackageFileError
from kitty_status.status.lanes import profile_that_has
from kitty_status.status.snapshot import Snapshot
from kitty_status.status.view_text import lane_span
from kitty_status.tracker.work_packages.files import work_package_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kitty_status.status.lanes import LaneProfile
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.work_packages.files import WorkPackageFile
    from kitty_status.tracker.work_packages.frontmatter import Frontmatter, Value

# As spec-kitty writes them: the person, and the program that works for that person.
_HOLDER_KEYS = ("assignee", "agent")


class Standing(NamedTuple):
    """What one file says: the lane, and the names of who works on it, as far as it names any."""

    file: WorkPackageFile
    block: Frontmatter
    lane: str
    names: tuple[str, ...]


class Standings(NamedTuple):
    """What all files say, by work package, as a snapshot too; `problems` are those that cannot be understood."""

    snapshot: Snapshot
    files: dict[str, Standing]
    problems: list[WorkPackageFileError]


def standings_of(feature: Feature, config: Config) -> Standings:
    """Return where the work packages of a feature stand by their frontmatter.

    A file without a lane stands where all begin. One that cannot be understood is left out and named as a problem.

    Raises:
        OSError: a file cannot be read.
    """
    problems: list[WorkPackageFileError] = []
    found: dict[str, Standing] = {}
    files = work_package_files(feature, problems)
    profile = profile_of(files, config)
    for file in files:
        try:
            found[file.wp_id] = standing_in(file, profile)
        except WorkPackageFileError as error:
            problems.append(error)
    return Standings(snapshot_of(feature, profile, found), found, problems)


def whole_snapshot(feature: Feature, config: Config) -> Snapshot:
    """Return where all work packages of a feature stand by their frontmatter.

    Raises:
        WorkPackageFileError: one of them cannot be understood. OSError: as `standings_of`.
    """
    found = standings_of(feature, config)
    if found.problems:
        raise found.problems[0]
    return found.snapshot


def log_unread(feature: Feature) -> list[str]:
    """Return what to say of a log that lies beside a feature in phase 0: nothing where there is none."""
    if not feature.log.exists():
        return []
    return [f"{feature.relative(feature.log.path)} is not read: the feature is in phase 0"]


def profile_in(feature: Feature, config: Config) -> LaneProfile:
    """Return the profile in force in a feature; files that cannot be understood are passed over.

    Raises:
        OSError: as `standings_of`.
    """
    return profile_of(work_package_files(feature, []), config)


def profile_of(files: Iterable[WorkPackageFile], config: Config) -> LaneProfile:
    """Return the profile in force: the one that is pinned, else the one that the lanes of the files need."""
    if config.profile is not None:
        return config.profile
    spans = ((file.data, lane_span(file.data)) for file in files)
    return profile_that_has(data[span[0] : span[1]].decode("ascii") for data, span in spans if span is not None)


def standing_in(file: WorkPackageFile, profile: LaneProfile) -> Standing:
    """Return what one file says.

    Raises:
        WorkPackageFileError: it cannot be understood, or names a lane that the profile does not have.
    """
    block = file.frontmatter()
    if block is None:
        raise WorkPackageFileError(
            f"{file.where}:1: it has no frontmatter, and in phase 0 that says where {file.wp_id} stands",
            hint=f"begin the file with the lines `---`, `lane: {profile.initial}`, `---`",
            file=file.where,
            line=1,
        )
    spelled = block.lane or ""
    lane = profile.resolve(spelled) if spelled.strip() else profile.initial
    if lane is None:
        raise WorkPackageFileError(
            f"{file.where}:{block.lane_line}: {spelled!a} is no lane of {profile.name}",
            hint=f"write one of {', '.join(profile.lanes)}, or pin the profile that has it: `status.lanes`",
            file=file.where,
            line=block.lane_line,
        )
    return Standing(file, block, lane, _names_in(block.values))


def snapshot_of(feature: Feature, profile: LaneProfile, standings: Mapping[str, Standing]) -> Snapshot:
    """Return what the files say in the shape of a snapshot: without events, times and ids, which no file has."""
    snapshot = Snapshot(profile)
    snapshot.feature_slug = feature.slug
    for wp_id, standing in standings.items():
        snapshot.work_packages[wp_id] = {
            "lane": standing.lane,
            "actor": next(iter(standing.names), None),
            "last_transition_at": None,
            "last_event_id": None,
            "force_count": 0,
        }
        if standing.lane in snapshot.summary:
            snapshot.summary[standing.lane] += 1
    return snapshot


def _names_in(values: Mapping[str, Value]) -> tuple[str, ...]:
    named = (values.get(key) for key in _HOLDER_KEYS)
    words = (" ".join(each.split()) for each in named if isinstance(each, str))
    return tuple(dict.fromkeys(word for word in words if word))
