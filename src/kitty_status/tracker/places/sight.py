"""Sight: what the other work trees and branches of a clone have recorded that this work tree's log does not hold.

Three places are looked at, at the log's path from the top of the work tree:

* the logs in the clone's other work trees, read as they lie there
* the log at the tip of every local branch; a tip that this work tree stands on is not asked
* the journal: acknowledged events that stand neither in a log nor in a commit just now

A feature that was renamed here may go on elsewhere under each name that it had; those paths are looked at as well.

Nothing is written. What cannot be read elsewhere is said in a warning and never stops the caller.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kitty_status.errors import GitError, KittyStatusError
from kitty_status.git.head import Position, position_of, worktrees
from kitty_status.git.references import branches
from kitty_status.jsonl.reading import read_bytes
from kitty_status.status.causality import decide_outcome
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.tracker.feature_log import FeatureLog
from kitty_status.tracker.journal.entries import read_book
from kitty_status.tracker.journal.settling import open_entries
from kitty_status.tracker.mending.same_feature import formerly
from kitty_status.tracker.places.look import Look, View
from kitty_status.tracker.places.tips import Tips

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kitty_status.git.repository import Repository
    from kitty_status.status.lanes import LaneProfile
    from kitty_status.status.record import LaneEvent
    from kitty_status.status.snapshot import Snapshot
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.journal.entries import Entry


class Sight:
    """A feature's own events, and every view from which something is missing here."""

    __slots__ = ("_known", "own", "views", "warnings")

    def __init__(self, own: Sequence[LaneEvent], views: list[View], warnings: list[str]) -> None:
        self.own = own
        self.views = views
        self.warnings = warnings
        self._known = {event.event_id for event in own}

    def heads_elsewhere(self, wp_id: str, profile: LaneProfile) -> list[LaneEvent]:
        """Return the newest events of a work package, of all there are, that this log does not hold.

        An event that anybody has gone on from, in whichever place, is none of them: a claim that was
        given back or finished elsewhere holds nothing.
        """
        events = [event for event in self._together() if event.wp_id == wp_id]
        heads = decide_outcome(events, profile).heads if events else ()
        return [head for head in heads if head.event_id not in self._known]

    def places_of(self, event_id: str) -> list[View]:
        """Return where an event stands that this log does not hold."""
        return [view for view in self.views if any(event.event_id == event_id for event in view.unmerged)]

    def together(self, profile: LaneProfile | None) -> Snapshot:
        """Return where every work package would stand with all events of all places in one log."""
        return reduce_events(self._together(), profile)

    def _together(self) -> list[LaneEvent]:
        return unique_events([*self.own, *(event for view in self.views for event in view.unmerged)])


class Surroundings:
    """The other work trees and the branches of a clone, looked up once for any number of features.

    Raises:
        GitError: references are kept in tables, and git could not be asked.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._unreadable: list[str] = []
        self._here = position_of(repository)
        others = [tree for tree in worktrees(repository) if tree.git_dir != repository.git_dir]
        self._others = [(tree, self._position(tree)) for tree in others]
        tips = branches(repository)
        self._branches = {*tips, *(position.branch for _, position in self._others), self._here.branch}
        self._tips = Tips(repository, self._here.commit, tips)

    @property
    def warnings(self) -> list[str]:
        """What could not be looked at so far."""
        return [*self._unreadable, *self._tips.warnings]

    def of(self, feature: Feature, own: Sequence[LaneEvent]) -> Sight:
        """Return what these places hold of a feature, whose log here holds the events `own`, each once.

        Raises:
            OSError: the journal cannot be read.
            GitError: git could not be asked.
        """
        views: list[View] = []
        warnings: list[str] = []
        for place in (feature, *formerly(feature)):
            look = Look(own, place)
            if place is not feature:
                look.expect(feature)
            seen = [*self._in_work_trees(look), *self._at_tips(look)]
            views += [*seen, *self._in_journal(look, seen, Path(place.lock).stem)]
            warnings += look.warnings
        return Sight(own, _without_repetitions(views), warnings)

    def folders(self, parent: str) -> list[str]:
        """Return the feature folders right below `parent`, a path from the top, with logs that other places have.

        Of a branch's tip these are the ones whose logs differ from those of the commit that this work tree stands
        on. `of` asks git no more about features in `parent` after that.

        Raises:
            GitError: git could not be asked.
        """
        found = self._tips.folders_in(parent)
        for tree, _ in self._others:
            there = (path for path in Path(tree.worktree, parent).glob("*") if FeatureLog(path).exists())
            found |= {path.relative_to(tree.worktree).as_posix() for path in there}
        return sorted(found)

    def _position(self, tree: Repository) -> Position:
        try:
            return position_of(tree)
        except GitError as error:
            self._unreadable.append(error.message)
            return Position(None, None)

    def _in_work_trees(self, look: Look) -> Iterator[View]:
        for tree, position in self._others:
            view = View([], tree.worktree, position.branch)
            files = FeatureLog(Path(tree.worktree, look.folder)).files()
            try:
                contents = {path.relative_to(tree.worktree).as_posix(): read_bytes(path) for path in files}
            except (OSError, KittyStatusError) as error:
                look.warnings.append(f"{look.log} in {view.name} cannot be read: {error}")
                continue
            if contents:
                yield look.take(view, contents)

    def _at_tips(self, look: Look) -> Iterator[View]:
        for alike, contents in self._tips.logs(look.folder, is_divided=look.is_divided):
            missing = [path for path, data in contents.items() if data is None]
            for branch in alike:
                view = View([], None, branch)
                look.warnings += [f"{path} on {view.name} is not in this clone's object store" for path in missing]
                if not missing:
                    yield look.take(view, contents)

    def _in_journal(self, look: Look, views: list[View], name: str) -> Iterator[View]:
        """Yield a view for each branch with entries that stand nowhere else, and that git does not keep.

        Entries of a branch that is gone count for nothing, nor do those that were written on none: only
        where such an event stands in a log does anybody hold anything by it.
        """
        seen = {event.event_id for view in views for event in view.events} | look.own_ids
        book = read_book(self._repository, name)
        if book.unreadable:
            look.warnings.append(f"{book.path} holds lines that are no entries; they were passed over")
        entries = [
            entry
            for entry in book.entries
            if entry.folder == look.folder
            and entry.branch in self._branches
            and entry.branch
            and entry.event_id not in seen
        ]
        waiting: dict[str | None, list[Entry]] = {}
        for entry in open_entries(self._repository, entries) if entries else ():
            waiting.setdefault(entry.branch, []).append(entry)
        for branch, missing in waiting.items():
            before = next((view.events for view in views if view.branch == branch), [] if look.former else look.own)
            view = View([], None, branch)
            view.in_journal = True
            yield look.take(view, {look.log: b"".join(entry.line + b"\n" for entry in missing)}, before)


def _without_repetitions(views: list[View]) -> list[View]:
    """Return the views from which something is missing here; a branch says once what it has in several places."""
    kept: list[View] = []
    said: dict[str | None, set[str]] = {}
    for view in views:
        ids = {event.event_id for event in view.unmerged}
        if view.worktree is not None or not ids <= said.get(view.branch, set()):
            if ids:
                kept.append(view)
            said.setdefault(view.branch, set()).update(ids)
    return kept
