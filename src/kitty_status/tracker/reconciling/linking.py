"""Which commits of a repository belong to which work package, and what git shows of each: merged, reviewed, files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from kitty_status.git.log_paths import is_log_path
from kitty_status.status.layout import SNAPSHOT_FILENAME
from kitty_status.status.mentions import carried, reverted, reviewers
from kitty_status.status.view_paths import view_at
from kitty_status.tracker.features import FEATURES_FOLDER
from kitty_status.tracker.reconciling.places import BranchPlaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kitty_status.git.scanning import Commit, Scan
    from kitty_status.status.mentions import Mention, Vocabulary
    from kitty_status.tracker.reconciling.places import BranchPlace

_SHORT = 12
_KITTIFY = ".kittify/"


class Review(NamedTuple):
    """Who approved of a commit, by a `Reviewed-by` trailer, and the commit that holds it."""

    reviewer: str
    reference: str


@dataclass(frozen=True, slots=True)
class LinkedCommit:
    """A commit of a work package; `at` is when it was made or, if that was later, brought to the base branch."""

    repo: str
    branch: str
    base: str
    oid: str
    at: int
    is_merged: bool
    files: tuple[str, ...]
    review: Review | None


@dataclass(slots=True)
class Links:
    """The commits of one repository by (slug, id) of their work package, newest first, and what was unclear."""

    commits: dict[tuple[str, str], list[LinkedCommit]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


class _Link(NamedTuple):
    wps: frozenset[tuple[str, str]]
    branch: str
    by_trailer: bool


def link(scan: Scan, vocabulary: Vocabulary) -> Links:
    """Return which commits of a repository belong to which work package.

    Trailers decide, else the branch of a work package, else what the message names. What only keeps the
    books (logs, snapshots, and without a trailer whatever lies in `kitty-specs`) is no work.

    Raises:
        GitError: git failed.
    """
    places = BranchPlaces(scan, vocabulary)
    found = Links(remarks=[*scan.remarks, *places.remarks])
    links = _Linker(scan, vocabulary, places, found.remarks).links()
    files = scan.files(links)
    for oid, each in links.items():
        if _is_bookkeeping(files.get(oid, []), by_trailer=each.by_trailer):
            continue
        commit = _described(scan, places, oid, each, files.get(oid, []))
        for wp in each.wps:
            found.commits.setdefault(wp, []).append(commit)
    return found


class _Linker:
    def __init__(self, scan: Scan, vocabulary: Vocabulary, places: BranchPlaces, remarks: list[str]) -> None:
        self._scan = scan
        self._vocabulary = vocabulary
        self._places = places
        self._remarks = remarks

    def links(self) -> dict[str, _Link]:
        """Return what each commit of a work package is for, without those that the base branch has in another form."""
        found: dict[str, _Link] = {}
        for oid, commit in self._scan.commits.items():
            if oid not in self._places.undone and not reverted(commit.message):
                each = self._link_of(commit)
                if each is not None:
                    found[oid] = each
        for oid in self._settled(found):
            found.pop(oid, None)
        return {oid: found[oid] for oid in self._scan.commits if oid in found}

    def _link_of(self, commit: Commit) -> _Link | None:
        mention = self._vocabulary.of_message(commit.message, self._places.slug_around(commit.oid))
        owner = self._places.owner(commit.oid)
        if mention.by_trailer:
            self._say_unclear(commit, mention)
            wps = mention.links
        elif len(commit.parents) > 1:
            return None
        elif owner is not None:
            wps = frozenset((owner.link.slug, wp_id) for wp_id in owner.link.wp_ids)
        else:
            wps = mention.links
        if not wps:
            return None
        branch = owner.name if owner else self._places.branch_of(commit.oid)
        return _Link(wps, branch, by_trailer=mention.by_trailer)

    def _say_unclear(self, commit: Commit, mention: Mention) -> None:
        if mention.unclear:
            names = ", ".join(mention.unclear)
            self._remarks.append(f"{commit.oid[:_SHORT]} says Work-Package: {names}, which is no one work package here")

    def _settled(self, found: dict[str, _Link]) -> set[str]:
        """Return the open commits whose change is on the base branch, picked or squashed, and link what holds it."""
        settled = set()
        for oid, commit in self._scan.commits.items():
            if oid in self._scan.on_main and oid not in self._places.undone:
                inside = [each for each in carried(commit.message) if each in found]
                settled |= self._stand_in(oid, inside, found)
        for place in self._places.all:
            inside = [oid for oid in place.own if oid in found]
            if place.is_open and place.link.wp_ids and inside:
                same = self._scan.equivalent(place.tip)
                # Which of them a revert took out again is not known commit by commit: then none counts.
                twins = set() if same & self._places.undone else same & self._scan.on_main
                for oid in twins:
                    self._stand_in(oid, inside, found)
                settled |= (same - self._scan.on_main) if twins else set()
                settled |= self._squashed(place, [oid for oid in inside if oid not in settled], twins, found)
        return {oid for oid in settled if oid not in self._scan.on_main}

    def _stand_in(self, oid: str, inside: Iterable[str], found: dict[str, _Link]) -> set[str]:
        """Link a commit of the base branch to what the commits are for that it stands for, and return these."""
        inside = list(inside)
        if inside and oid not in found and oid in self._scan.commits:
            wps = frozenset(wp for each in inside for wp in found[each].wps)
            by_trailer = any(found[each].by_trailer for each in inside)
            found[oid] = _Link(wps, self._scan.base or "", by_trailer=by_trailer)
        return set(inside)

    def _squashed(self, place: BranchPlace, left: list[str], twins: set[str], found: dict[str, _Link]) -> set[str]:
        """Return the commits of a branch that a later commit of the base branch with the same trailer stands for."""
        wps = {(place.link.slug, wp_id) for wp_id in place.link.wp_ids}
        # What says which commits it carries does not stand for more.
        exact = {oid for oid in found if carried(self._scan.commits[oid].message)}
        others = self._scan.reached([place.tip]) | twins | exact
        squashes = [
            self._scan.commits[oid].at
            for oid, each in found.items()
            if each.by_trailer and each.wps & wps and oid in self._scan.on_main and oid not in others
        ]
        newest = max(squashes, default=None)
        if newest is None or any(self._scan.commits[oid].at > newest for oid in left):
            return set()
        return set(left)


def _described(scan: Scan, places: BranchPlaces, oid: str, each: _Link, files: list[str]) -> LinkedCommit:
    commit = scan.commits[oid]
    merge = places.bringer(oid) if oid in scan.on_main else None
    at = max(commit.at, merge.at) if merge else commit.at
    return LinkedCommit(
        repo=scan.repository.name,
        branch=each.branch,
        base=scan.base or "",
        oid=oid,
        at=at,
        is_merged=oid in scan.on_main,
        files=tuple(files),
        review=_review(commit, merge),
    )


def _review(commit: Commit, merge: Commit | None) -> Review | None:
    """Return who approved of a commit: a trailer of its own or of the merge that brought it, and not of its author."""
    for each in (commit, merge):
        for person in reviewers(each.message) if each else ():
            if each and person.email.lower() != commit.email.lower():
                return Review(person.name or person.email, each.oid)
    return None


def _is_bookkeeping(files: list[str], *, by_trailer: bool) -> bool:
    """Say whether a commit touches nothing but what is kept about the work; of one without files that is not known."""
    if by_trailer:
        # Views are committed with the log. Without it, what was changed in their files is a person's work.
        has_log = any(map(is_log_path, files))
        return bool(files) and all(
            is_log_path(path) or path.endswith(f"/{SNAPSHOT_FILENAME}") or (has_log and view_at(path) is not None)
            for path in files
        )
    folder = f"{FEATURES_FOLDER}/"
    return bool(files) and all(path.startswith((folder, _KITTIFY)) or f"/{folder}" in path for path in files)
