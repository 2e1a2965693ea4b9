"""Which features are finished: in the log of the main branch, and still so with what a work tree's own log adds."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import KittyStatusError
from kitty_status.git.folders import committed_files
from kitty_status.status.layout import TASKS_FOLDER
from kitty_status.status.mentions import Vocabulary
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.view_paths import work_package_in
from kitty_status.tracker.features import Feature
from kitty_status.tracker.former import former_slugs
from kitty_status.tracker.log import events_in, read_log
from kitty_status.tracker.phases import phase_of
from kitty_status.tracker.places.past import past_at
from kitty_status.tracker.work_packages.files import work_package_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.repository import Repository
    from kitty_status.status.record import LaneEvent
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Project
    from kitty_status.tracker.places.past import PastFeature

_MOST_NAMES = 3


class Finished:
    """The features of a project as a commit of the main branch, called `name`, has them.

    Raises:
        GitError: git could not be asked.
    """

    def __init__(self, project: Project, repository: Repository, config: Config, name: str, commit: str) -> None:
        self._project = project
        self._repository = repository
        self._config = config
        self._name = name
        self._past = past_at(project, commit)
        self._features = {feature.slug: feature for feature in self._past.features(archived=True)}
        own = project.features(archived=True)
        former = {slug: feature.slug for feature in own for slug in former_slugs(feature.log)}
        self._vocabulary = Vocabulary(dict.fromkeys([*self._features, *(feature.slug for feature in own)], ()), former)
        self._events: dict[str, list[LaneEvent]] = {}

    def feature_named(self, names: Iterable[str]) -> str | None:
        """Return the slug that some of these names have as a word of their own; None where none has, or they differ."""
        links = (self._vocabulary.of_branch(name) for name in names)
        slugs = {link.slug for link in links if link is not None}
        return slugs.pop() if len(slugs) == 1 else None

    def why_not(self, slug: str, tree: Repository) -> str | None:
        """Return why a feature is not finished, None where it is.

        It is where every work package that has an event or a file is in a terminal lane: by the log of the main
        branch alone, and by that and the log in the work tree `tree` together.

        Raises:
            GitError: git could not be asked.
        """
        try:
            merged = self._merged(slug)
            own = self._own(slug, tree)
            events = unique_events(event for feature in own for event in read_log(feature.log, feature.log.strictly()))
        except (KittyStatusError, OSError) as error:
            return f"the log of {slug} cannot be read: {error}"
        if not all(phase_of(feature, self._config).keeps_log for feature in own):
            return f"{slug} is in phase 0, where no log says what is finished"
        if not merged:
            return f"{self._name} has no events of {slug}"
        ids = {wp_id for feature in own for wp_id in work_package_ids(feature)} | self._ids_of_files(slug)
        return self._open(merged, ids, f"in {self._name}") or self._open(
            unique_events([*merged, *events]), ids, "with what stands in the work tree"
        )

    def _merged(self, slug: str) -> list[LaneEvent]:
        if slug not in self._events:
            past = self._features.get(slug)
            self._events[slug] = [] if past is None else self._read(past)
        return self._events[slug]

    def _read(self, past: PastFeature) -> list[LaneEvent]:
        ((_, data),) = self._past.contents([past])
        return unique_events(events_in(BytesIO(data), len(data), self._past.strictly(past)))

    def _own(self, slug: str, tree: Repository) -> list[Feature]:
        """Return what the work tree has of a feature, archived or not."""
        above = self._project.features_folder, self._project.archive_folder
        folders = [Path(tree.worktree, folder.relative_to(self._project.root), slug) for folder in above]
        return [Feature(folder, tree) for folder in folders if folder.is_dir()]

    def _ids_of_files(self, slug: str) -> set[str]:
        past = self._features[slug]
        folder = f"{past.folder}/{TASKS_FOLDER}"
        paths = committed_files(self._repository, folder, self._past.commit.oid)
        direct = (path.removeprefix(f"{folder}/") for path in paths)
        return {wp_id for name in direct if "/" not in name and (wp_id := work_package_in(name)) is not None}

    def _open(self, events: list[LaneEvent], ids: set[str], where: str) -> str | None:
        snapshot = reduce_events(events, self._config.profile)
        lanes = dict.fromkeys(ids, snapshot.profile.initial)
        lanes.update({wp_id: state["lane"] for wp_id, state in snapshot.work_packages.items()})
        left = [f"{wp_id} ({lane})" for wp_id, lane in sorted(lanes.items()) if lane not in snapshot.profile.terminal]
        more = f" and {len(left) - _MOST_NAMES} more" if len(left) > _MOST_NAMES else ""
        return f"not finished {where}: {', '.join(left[:_MOST_NAMES])}{more}" if left else None
