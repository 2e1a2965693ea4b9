"""Whether two logs, in two folders, hold events of one feature.

That comes about when a feature is renamed or archived on one branch while another branch goes on in
the old folder, and git does not see that the log has moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.errors import KittyStatusError
from kitty_status.jsonl.codec import LineDamagedError, decode
from kitty_status.status.instants import parse_instant
from kitty_status.status.merging import split_lines
from kitty_status.status.rows import is_foreign, is_safe_name
from kitty_status.tracker.features import Feature
from kitty_status.tracker.former import former_slugs, is_renaming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from kitty_status.status.record import LaneEvent
    from kitty_status.tracker.feature_log import FeatureLog
    from kitty_status.tracker.features import Project


class Namesakes:
    """The logs of a project that may belong together, because they have a name in common, now or formerly."""

    def __init__(self, project: Project) -> None:
        self._features = project.features(unsafe_names=True, archived=True)
        self._names = {feature.folder: {feature.slug, *former_slugs(feature.log)} for feature in self._features}

    def others_of(self, feature: Feature) -> list[Feature]:
        """Return the other folders whose logs hold events of the same feature.

        A name that was given up may be given to a new feature; that one is not among them.
        """
        names = self._names.get(feature.folder, set())
        return [
            other
            for other in self._features
            if other.folder != feature.folder
            and (other.slug in names or feature.slug in self._names[other.folder])
            and are_one_feature(feature.log, other.log)
        ]


def formerly(feature: Feature) -> list[Feature]:
    """Return where a feature lay under each other name that it had: there a branch may still go on with it."""
    slugs = [slug for slug in former_slugs(feature.log) if slug != feature.slug and is_safe_name(slug)]
    return [Feature(feature.folder.parent / slug, feature.repository) for slug in slugs]


def how_split(feature: Feature, other: Feature) -> str:
    """Return what is said of two folders that hold one feature, with the command that unites them."""
    return (
        f"{feature.relative(other.folder)} holds events of the same feature as {feature.relative(feature.folder)}; "
        f"`{how_to_unite(feature, other)}` unites them"
    )


def how_to_unite(feature: Feature, other: Feature) -> str:
    """Return the command that unites two folders of one feature, in the one that it was moved to last."""
    if feature.slug == other.slug:
        return f"kitty-status archive {feature.slug}"
    newer = other if feature.slug in former_slugs(other.log) else feature
    older = feature if newer is other else other
    return f"kitty-status rename {older.slug} {newer.slug}"


def are_one_feature(one: FeatureLog, other: FeatureLog) -> bool:
    """Say whether two logs tell of one feature: they share a line, or one begins before it was renamed in the other."""
    return _are_one(lines_of(one), lines_of(other))


def is_of(lines: Sequence[bytes], files: Iterable[bytes | None], before: Iterable[LaneEvent]) -> bool:
    """Say whether a log, its files and the events `before` them, tells of the feature that these lines tell of."""
    others = [line for data in files for line in split_lines(data or b"")]
    return _are_one(lines, [*others, *(event.line.removesuffix(b"\n") + b"\n" for event in before)])


def _are_one(lines: Sequence[bytes], others: Sequence[bytes]) -> bool:
    if not lines or not others:
        return False
    return (
        not set(lines).isdisjoint(others)
        or _begins_before_rename(lines, others)
        or _begins_before_rename(others, lines)
    )


def lines_of(log: FeatureLog) -> list[bytes]:
    """Return the lines of a log, nothing where it cannot be read."""
    try:
        return list(split_lines(log.read() or b""))
    except (OSError, KittyStatusError):
        return []


def _begins_before_rename(lines: Iterable[bytes], others: Iterable[bytes]) -> bool:
    renamed = [at for line in others if b'"renamed"' in line and (at := _instant(line, is_renaming))]
    return bool(renamed) and any((at := _instant(line, _is_event)) and at < max(renamed) for line in lines)


def _is_event(row: Mapping[str, Any]) -> bool:
    return not is_foreign(row)


def _instant(line: bytes, is_wanted: Callable[[Mapping[str, Any]], bool]) -> datetime | None:
    try:
        row = decode(line[:-1])
        return parse_instant(row["at"]) if is_wanted(row) else None
    except (LineDamagedError, KeyError, TypeError, ValueError):
        return None
