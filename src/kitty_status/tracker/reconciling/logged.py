"""What the logs say that git's facts are held against: lanes, holders, and which names a project knows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kitty_status.errors import KittyStatusError
from kitty_status.status.catching_up import sent_back
from kitty_status.status.mentions import Vocabulary
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.transitions import has_approval, holder_of
from kitty_status.tracker.former import former_slugs
from kitty_status.tracker.log import read_log, reduce_log
from kitty_status.tracker.moving.facts import MIGRATION
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.places.sight import Surroundings
from kitty_status.tracker.work_packages.files import work_package_ids

if TYPE_CHECKING:
    from kitty_status.status.record import LaneEvent
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature, Project


class LoggedFeature:
    """A feature's log, read once; in phase 0, where it keeps none, the frontmatter of its work packages.

    Raises:
        StoreError: the log is damaged. WorkPackageFileError: the frontmatter cannot be understood.
        GitError, OSError: one of them, or another work tree, could not be looked at.
    """

    def __init__(self, feature: Feature, config: Config, surroundings: Surroundings | None) -> None:
        self.feature = feature
        keeps_log = phase_of(feature, config).keeps_log
        events = unique_events(read_log(feature.log, feature.log.strictly())) if keeps_log else []
        self.snapshot = reduce_events(events, config.profile) if keeps_log else _by_frontmatter(feature, config)
        self._events: dict[str, list[LaneEvent]] = {}
        for event in events:
            self._events.setdefault(event.wp_id, []).append(event)
        self._sight = surroundings.of(feature, events) if surroundings and keeps_log else None

    @property
    def wp_ids(self) -> list[str]:
        """The work packages that have a file or an event."""
        return sorted({*self.snapshot.work_packages, *work_package_ids(self.feature)})

    def lane(self, wp_id: str) -> str:
        """Return where a work package stands."""
        state = self.snapshot.work_packages.get(wp_id)
        return str(state["lane"]) if state else self.snapshot.profile.initial

    def holder(self, wp_id: str) -> str | None:
        """Return who holds a work package here, None where nobody does: a claim that was migrated is nobody's."""
        state = self.snapshot.work_packages.get(wp_id)
        holder = holder_of(state["lane"], state["actor"], self.snapshot.profile) if state else None
        return None if holder == MIGRATION else holder

    def sent_back_at(self, wp_id: str) -> float | None:
        """Return the moment, in seconds, at which a work package was last moved back."""
        event = sent_back(self._events.get(wp_id, ()), self.snapshot.profile)
        return event.instant.timestamp() if event else None

    def approval(self, wp_id: str) -> dict[str, Any] | None:
        """Return the approving review by which a work package came to where it stands."""
        state = self.snapshot.work_packages.get(wp_id)
        own = (event for event in self._events.get(wp_id, ()) if state and event.event_id == state["last_event_id"])
        event = next(own, None)
        evidence = event.evidence if event else None
        return dict(evidence["review"]) if evidence and has_approval(evidence) else None

    def in_the_way(self, wp_id: str) -> str:
        """Return why a work package cannot be moved by what is known here alone, "" where it can."""
        if len(self.snapshot.heads.get(wp_id, ())) > 1 and self.snapshot.work_packages[wp_id].get("conflict"):
            return f"moves of it compete, see `kitty-status show {self.feature.slug}`; a person's move decides"
        elsewhere = self._sight.heads_elsewhere(wp_id, self.snapshot.profile) if self._sight else []
        for head in elsewhere:
            place = self._sight.places_of(head.event_id)[0].name if self._sight else ""
            return f"{head.shown_actor} has moved it to {head.to_lane} in {place}, which is not merged here"
        return ""


def _by_frontmatter(feature: Feature, config: Config) -> Snapshot:
    # Loaded by name: few features are left in phase 0.
    standings: Any = import_module("kitty_status.tracker.unlogged.standings")
    snapshot: Snapshot = standings.whole_snapshot(feature, config)
    return snapshot


def vocabulary_of(project: Project, config: Config, read: dict[str, LoggedFeature]) -> Vocabulary:
    """Return the names that features and work packages have and had; logs that were `read` are not read again."""
    ids: dict[str, list[str]] = {}
    former: dict[str, str] = {}
    for feature in project.features(archived=True):
        known = read.get(feature.slug)
        ids.setdefault(feature.slug, []).extend(known.wp_ids if known else _ids_of(feature, config))
        former.update(dict.fromkeys(former_slugs(feature.log), feature.slug))
    return Vocabulary(ids, former)


def _ids_of(feature: Feature, config: Config) -> list[str]:
    """Return the work packages of a feature that is not asked about; of a damaged log those that can be read."""
    try:
        snapshot = reduce_log(feature.log, config.profile, lambda _number, _line, _why, _is_json: None)
    except (KittyStatusError, OSError):
        return work_package_ids(feature)
    return sorted({*snapshot.work_packages, *work_package_ids(feature)})
