"""What moved between two commits, or between a commit and the work tree, feature by feature."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

from kitty_status.errors import StoreError
from kitty_status.status.merging import split_lines
from kitty_status.tracker.log import reduce_lines

if TYPE_CHECKING:
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import OnDamage
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.features import Project
    from kitty_status.tracker.places.past import Past


class Log(NamedTuple):
    """The bytes of a log on one side, and what to do about damage in it."""

    data: bytes
    on_damage: OnDamage

    def reduce(self, profile: LaneProfile | None) -> Snapshot:
        """Return where its work packages stand.

        Raises:
            StoreError: the log is damaged.
        """
        return reduce_lines(io.BytesIO(self.data), len(self.data), profile, self.on_damage)


_NO_LOG = Log(b"", lambda *_: None)


class FeatureMoves:
    """What happened to one feature.

    * `moved`: {wp_id, from_lane, to_lane, actor, at, event_id} of each work package whose lane is another
      one now; a lane is None where the work package is not there
    * `conflicts`: {wp_id, rule, heads …} of the moves that compete now and did not before
    * `events`: how many more events there are
    * `damaged`: why nothing can be said
    """

    def __init__(self, slug: str, renamed_from: str | None) -> None:
        self.slug = slug
        self.renamed_from = renamed_from
        self.moved: list[dict[str, Any]] = []
        self.conflicts: list[dict[str, Any]] = []
        self.events = 0
        self.damaged: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        names = ("renamed_from", "moved", "conflicts", "events", "damaged")
        return {"feature": self.slug, **{name: getattr(self, name) for name in names}}


def logs_of_past(past: Past) -> dict[str, Log]:
    """Return the logs of a commit by slug, archived features among them.

    Raises:
        NotFoundError, GitError: as `Past.contents`.
    """
    features = [feature for feature in past.features(archived=True) if feature.files]
    return {feature.slug: Log(data, past.strictly(feature)) for feature, data in past.contents(features)}


def logs_of_worktree(project: Project) -> dict[str, Log]:
    """Return the logs of the work tree by slug, archived features among them.

    Raises:
        StoreError, OSError: one cannot be read.
    """
    logs = {}
    for feature in project.features(archived=True):
        data = feature.log.read()
        if data is not None:
            logs[feature.slug] = Log(data, feature.log.strictly())
    return logs


def moves_between(old: dict[str, Log], new: dict[str, Log], profile: LaneProfile | None) -> list[FeatureMoves]:
    """Return what happened to every feature that is not as it was, by slug; a feature that was renamed is one."""
    before = _renamed(old, new)
    features = []
    for slug in sorted((old.keys() | new.keys()) - set(before.values())):
        former = before.get(slug, slug)
        one, other = old.get(former, _NO_LOG), new.get(slug, _NO_LOG)
        if one.data == other.data and former == slug:
            continue
        feature = FeatureMoves(slug, before.get(slug))
        try:
            _compare(feature, one.reduce(profile), other.reduce(profile))
        except StoreError as error:
            feature.damaged = error.message
        features.append(feature)
    return features


def _renamed(old: dict[str, Log], new: dict[str, Log]) -> dict[str, str]:
    """Return {slug now: slug before} of the features whose lines all stand under another slug now."""
    before: dict[str, str] = {}
    gone = {slug: set(split_lines(old[slug].data)) for slug in sorted(old.keys() - new.keys())}
    for slug in sorted(new.keys() - old.keys()) if gone else ():
        lines = set(split_lines(new[slug].data))
        for former, required in gone.items():
            if required and required <= lines and former not in before.values():
                before[slug] = former
                break
    return before


def _compare(feature: FeatureMoves, old: Snapshot, new: Snapshot) -> None:
    feature.events = new.event_count - old.event_count
    for wp_id in sorted(old.work_packages.keys() | new.work_packages.keys()):
        one, other = old.work_packages.get(wp_id, {}), new.work_packages.get(wp_id, {})
        if one.get("lane") != other.get("lane"):
            feature.moved.append(
                {
                    "wp_id": wp_id,
                    "from_lane": one.get("lane"),
                    "to_lane": other.get("lane"),
                    "actor": other.get("actor"),
                    "at": other.get("last_transition_at"),
                    "event_id": other.get("last_event_id"),
                }
            )
        if "conflict" in other and other["conflict"] != one.get("conflict"):
            feature.conflicts.append({"wp_id": wp_id, "lane": other["lane"], **other["conflict"]})
