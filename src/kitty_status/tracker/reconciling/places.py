"""The branches of a repository that are for features or work packages, and which commits are their own.

A branch that was merged is looked at through the merge that brought it, one that was deleted afterwards
through the name that the merge gives it. Of two branches that hold a commit it belongs to the one that
the other was begun on; the lines of the base branch and of a feature's own branch belong to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitty_status.status.mentions import merged_branch, reverted

if TYPE_CHECKING:
    from kitty_status.git.scanning import Commit, Ref, Scan
    from kitty_status.status.mentions import BranchLink, Vocabulary


@dataclass(frozen=True, slots=True)
class BranchPlace:
    """A branch, what it is for, and the commits that it has of its own.

    `bringer` is the merge into the base branch that brought it; None while it is open.
    """

    name: str
    link: BranchLink
    tip: str
    own: frozenset[str]
    bringer: Commit | None
    is_open: bool


class BranchPlaces:
    """All such branches of one repository; `undone` are the commits that reverts took out again where they stood."""

    def __init__(self, scan: Scan, vocabulary: Vocabulary) -> None:
        self._scan = scan
        self._vocabulary = vocabulary
        self.remarks: list[str] = []
        self.undone = self._undone()
        self.all = [*self._of_refs(), *self._of_merges()]
        lines = set(scan.line)
        for place in self.all:
            if not place.link.wp_ids:
                lines.update(scan.first_parents(place.tip))
        self._around: dict[str, list[BranchPlace]] = {}
        for place in self.all:
            for oid in place.own:
                self._around.setdefault(oid, []).append(place)
        self._lines = lines
        self._reached: dict[str, set[str]] = {}
        self._say_alike()

    def slug_around(self, oid: str) -> str | None:
        """Return the feature whose branches hold a commit, None where there is none or more than one."""
        slugs = {place.link.slug for place in self._around.get(oid, ())}
        return slugs.pop() if len(slugs) == 1 else None

    def owner(self, oid: str) -> BranchPlace | None:
        """Return the branch of work packages that a commit belongs to, None where that cannot be told."""
        if oid in self._lines:
            return None
        holders = sorted(
            (place for place in self._around.get(oid, ()) if place.link.wp_ids), key=lambda place: len(place.own)
        )
        if not holders:
            return None
        first = holders[0]
        others = (place for place in holders if place.link != first.link)
        return first if all(first.own < place.own for place in others) else None

    def bringer(self, oid: str) -> Commit | None:
        """Return the merge into the base branch that a commit came with."""
        merges = (place.bringer for place in self._around.get(oid, ()))
        return next((merge for merge in merges if merge is not None), None)

    def branch_of(self, oid: str) -> str:
        """Return a name for where a commit is that no branch owns: the base branch, or the first other that has it."""
        if oid in self._scan.on_main:
            return self._scan.base or ""
        for ref in self._scan.refs:
            if ref.tip not in self._reached:
                self._reached[ref.tip] = self._scan.reached([ref.tip])
            if oid in self._reached[ref.tip]:
                return ref.name
        return ""

    def _say_alike(self) -> None:
        """Remark on branches of different work packages that have the very same commits, which then belong to none."""
        alike: dict[frozenset[str], dict[BranchLink, str]] = {}
        for place in self.all:
            if place.own and place.link.wp_ids:
                alike.setdefault(place.own, {}).setdefault(place.link, place.name)
        for names in alike.values():
            if len(names) > 1:
                which = ", ".join(sorted(names.values()))
                self.remarks.append(f"{which} have the same commits: whose they are, only their messages can tell")

    def _of_refs(self) -> list[BranchPlace]:
        scan, found = self._scan, []
        for ref in scan.refs:
            link = self._link(ref)
            if link is None or ref.name in (scan.base, f"origin/{scan.base}"):
                continue
            if ref.tip not in scan.commits:
                self.remarks.append(f"{ref.name} was last changed before what was looked at")
                continue
            if ref.tip in scan.on_main:
                merge = scan.brought_by(ref.tip)
                own = scan.beyond(ref.tip, merge.parents[:1]) if merge else []
            else:
                merge, own = None, scan.beyond(ref.tip, scan.mains)
            is_open = ref.tip not in scan.on_main
            found.append(BranchPlace(ref.name, link, ref.tip, frozenset(own), merge, is_open))
        return found

    def _link(self, ref: Ref) -> BranchLink | None:
        links = [link for link in map(self._vocabulary.of_branch, ref.names) if link is not None]
        return max(links, key=lambda link: len(link.wp_ids), default=None)

    def _of_merges(self) -> list[BranchPlace]:
        scan, found = self._scan, []
        for commit in scan.commits.values():
            if len(commit.parents) <= 1 or commit.oid in self.undone:
                continue
            name, tip = merged_branch(commit.message), commit.parents[-1]
            link = self._vocabulary.of_branch(name) if name else None
            if name is None or link is None or tip not in scan.commits:
                continue
            own = frozenset(scan.beyond(tip, [commit.parents[0]]))
            bringer = commit if commit.oid in scan.on_main else None
            found.append(BranchPlace(name, link, tip, own, bringer, is_open=False))
        return found

    def _undone(self) -> set[str]:
        """Return what reverts took out, on the base branch or on another; a revert that was reverted took out nothing.

        Commits come newest first, so that a revert is known to be undone before it is read.
        """
        scan = self._scan
        undone: set[str] = set()
        for commit in scan.commits.values():
            if commit.oid in undone:
                continue
            for oid in reverted(commit.message):
                target = scan.commits.get(oid)
                if target is None or (oid in scan.on_main) != (commit.oid in scan.on_main):
                    continue
                undone.add(oid)
                if len(target.parents) > 1:
                    undone.update(scan.beyond(target.parents[-1], [target.parents[0]]))
        return undone
