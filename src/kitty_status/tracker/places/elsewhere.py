"""Where the work packages of a feature stand here, and where other work trees and branches have brought them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.status.reducer import reduce_events
from kitty_status.status.rows import is_safe_name
from kitty_status.tracker.features import Feature

if TYPE_CHECKING:
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.features import Project
    from kitty_status.tracker.places.look import View
    from kitty_status.tracker.places.sight import Sight, Surroundings


class Elsewhere:
    """A state of a work package that differs from the one here, and the places that agree on it.

    `unmerged` counts the events of the work package that these places hold and this log does not.
    """

    __slots__ = ("places", "state", "unmerged")

    def __init__(self, state: dict[str, Any], unmerged: int) -> None:
        self.state = state
        self.unmerged = unmerged
        self.places: list[View] = []

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON answers give."""
        return {
            **self.state,
            "unmerged_events": self.unmerged,
            "places": [place.to_dict() for place in self.places],
        }


class Outlook:
    """All of a feature: `elsewhere` by work package, and `together`, the state once everything is merged."""

    __slots__ = ("elsewhere", "here", "together", "warnings")

    def __init__(self, here: Snapshot, sight: Sight, profile: LaneProfile | None) -> None:
        self.here = here
        self.together = sight.together(profile)
        self.warnings = sight.warnings
        self.elsewhere: dict[str, list[Elsewhere]] = {}
        grouped: dict[tuple[str, str, frozenset[str]], Elsewhere] = {}
        for view in sight.views:
            _group(view, profile, grouped)
        for (wp_id, _, _), each in sorted(grouped.items(), key=lambda item: item[0][:2]):
            self.elsewhere.setdefault(wp_id, []).append(each)

    @property
    def unmerged(self) -> int:
        """How many events this log does not hold, each counted once."""
        return self.together.event_count - self.here.event_count

    def to_dict(self) -> dict[str, Any]:
        """Return, by work package, what JSON answers give."""
        return {
            wp_id: {
                "here": self.here.work_packages.get(wp_id),
                "elsewhere": [each.to_dict() for each in self.elsewhere.get(wp_id, [])],
                "together": state,
            }
            for wp_id, state in self.together.work_packages.items()
        }


def features_elsewhere(project: Project, surroundings: Surroundings) -> list[Feature]:
    """Return the features of a project that other work trees or branches have and this work tree does not.

    Raises:
        GitError: git could not be asked.
    """
    folder = project.features_folder.relative_to(project.root).as_posix()
    here = {feature.slug for feature in project.features()}
    slugs = {each.rpartition("/")[2] for each in surroundings.folders(folder)}
    return [
        Feature(project.features_folder / slug, project.repository)
        for slug in sorted(slugs - here)
        if is_safe_name(slug)
    ]


def _group(view: View, profile: LaneProfile | None, grouped: dict[tuple[str, str, frozenset[str]], Elsewhere]) -> None:
    """Put each work package that a view has unmerged events of beside equal ones of other views."""
    ids: dict[str, set[str]] = {}
    for event in view.unmerged:
        ids.setdefault(event.wp_id, set()).add(event.event_id)
    states = reduce_events(view.events, profile).work_packages
    for wp_id, unmerged in ids.items():
        key = wp_id, str(states[wp_id]["last_event_id"]), frozenset(unmerged)
        grouped.setdefault(key, Elsewhere(states[wp_id], len(unmerged))).places.append(view)
